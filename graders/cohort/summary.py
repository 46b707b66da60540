"""What a run of the graders found, in Markdown, for the page that GitHub shows of it."""

import re
from collections.abc import Collection, Sequence

from graders.engine.course import load_course
from graders.engine.record import BROKEN, DONE, Record, state_of
from graders.loop.explain import Found, explain_lines

MAX_BYTES = 900_000  # GitHub shows 1 MiB of a step's summary, and nothing of a longer one
HEAD = ("| exercise | tasks done | not yet right |", "|---|---|---|")
BACKTICKS = re.compile(r"`{3,}")


def is_broken(record: Record) -> bool:
    """Whether somebody wrote something that is not right: what is not started, or waits, is no mistake."""
    return record.status in ("failed", "error")


def job_summary(records: Sequence[Record]) -> str:
    """A table of the exercises, then all there is to say about every broken law, as long as there is room.

    Texts of a learner stand in blocks of code, in which GitHub reads neither HTML nor mentions.
    """
    rows, n_done, n_tasks = [], 0, 0
    for exercise in load_course().exercises:
        own = [record for record in records if record.exercise == exercise.name]
        if not own:
            continue
        by_task = {task.name: [r for r in own if r.task == task.name] for task in exercise.tasks}
        states = {task: state_of(of_task, len(of_task)) for task, of_task in by_task.items()}
        done = sum(state == DONE for state in states.values())
        n_done, n_tasks = n_done + done, n_tasks + len(states)
        broken = ", ".join(f"`{task}`" for task, state in states.items() if state == BROKEN)
        rows.append(f"| {exercise.name} | {done} of {len(states)} | {broken} |")
    lines = [f"## {n_done} of {n_tasks} tasks done", "", *HEAD, *rows]
    return _with_screens("\n".join(lines) + "\n", [record for record in records if is_broken(record)])


def _with_screens(text: str, broken: Collection[Record]) -> str:
    for n_told, record in enumerate(broken):
        screen = "\n".join(explain_lines(Found(record, "")))
        fence = "`" * max(3, *(len(found) + 1 for found in BACKTICKS.findall(screen)), 3)
        section = f"\n{fence}text\n{screen}\n{fence}\n"
        if len((text + section).encode()) > MAX_BYTES:
            return f"{text}\n{len(broken) - n_told} more broken laws are in the records.\n"
        text += section
    return text
