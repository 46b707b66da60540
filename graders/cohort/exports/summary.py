"""The gradebook as the Markdown of a GitHub job summary, of which a step may write one MiB."""

from collections import Counter
from collections.abc import Sequence

from graders.cohort.dashboard.wording import STATUSES as WORDS
from graders.cohort.gradebook import Row
from graders.cohort.harmless import markdown

MAX_BYTES = 1_000_000
STATUSES = ("passed", "failed", "not_started", "missing", "problem", "error", "waiting")


def summary(rows: Sequence[Row], points: Sequence[tuple[str, int]]) -> str:
    """How many stand where with each exercise, and a line for each learner as far as there is room."""
    levels = sorted({standing.isolation for row in rows for standing in row.standings} - {""})
    n = f"{len(rows)} learner{'s' * (len(rows) != 1)}"
    lines = [f"## Cohort: {n}", "", f"Isolation: {', '.join(levels) or 'nothing is graded yet'}.", ""]
    lines += _table(["exercise", *(WORDS[status][1] for status in STATUSES)])
    for number, (exercise, _) in enumerate(points):
        counts = Counter(row.standings[number].status for row in rows)
        lines.append(_row([markdown(exercise), *(str(counts[status]) for status in STATUSES)]))
    of = sum(worth for _, worth in points)
    lines += ["", *_table(["learner", "passed", f"points of {of}", "last seen", "problem"])]
    used, more = sum(map(_size, lines)), "and {} more; `headstart cohort report` shows all"
    for number, row in enumerate(rows):
        line = _of_learner(row, len(points))
        used += _size(line)
        if used > MAX_BYTES - len(more) - 20:
            lines += ["", more.format(len(rows) - number)]
            break
        lines.append(line)
    return "\n".join(lines) + "\n"


def _of_learner(row: Row, n_exercises: int) -> str:
    passed = sum(standing.status == "passed" for standing in row.standings)
    who = f"{markdown(row.learner.name, 80)} ({markdown(row.learner.id)})"
    seen = markdown(row.seen_at.partition("+")[0].replace("T", " "))
    return _row([who, f"{passed} of {n_exercises}", str(row.points), seen, markdown(row.problem, 200)])


def _table(heads: Sequence[str]) -> list[str]:
    return [_row(heads), _row(["---"] * len(heads))]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _size(line: str) -> int:
    return len(line.encode()) + 1
