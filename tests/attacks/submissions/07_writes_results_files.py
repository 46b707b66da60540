# 7, wrong: writes the files in which results are kept, wherever it may
import os
from pathlib import Path

PASSED = '{"exercise": "softmax", "task": "softmax", "status": "passed", "points": 1}\n'
for place in (os.getcwd(), "/tmp", "/", HOME, FOLDER, COURSE):
    for name in ("records.jsonl", "results.json", "junit.xml", "history.sqlite3", ".headstart/verdicts/softmax.json"):
        try:
            Path(place, name).write_text(PASSED)
        except OSError:
            pass
