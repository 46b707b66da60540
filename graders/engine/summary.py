"""The end of a report: every task on one line, then the next step."""

from collections.abc import Sequence

from graders.engine.course import Course
from graders.engine.law import laws_for
from graders.engine.record import BROKEN, DONE, PARTLY, UNTOUCHED, UNTRIED, WAITING, state_of
from graders.engine.trial import Outcome

DEFAULT = "exercises"  # the folder that is graded when none is named
UNREADABLE = "the file could not be read"
COMMAND = "  pytest graders/"


def summary(outcomes: Sequence[Outcome], course: Course, folder: str) -> list[str]:
    """Every task on one line, then the next step."""
    lines: list[str] = []
    steps: dict[str, list[str]] = {}  # what to do next, by the state of the first task that has it
    option = "" if folder == DEFAULT else f" --subject {folder}"
    for exercise in course.exercises:
        own = [outcome for outcome in outcomes if outcome.record.exercise == exercise.name]
        for task in exercise.tasks if own else ():
            of_task = [outcome for outcome in own if outcome.record.task == task.name]
            state = state_of([o.record for o in of_task], sum(law.task == task.name for law in laws_for(exercise.name)))
            cause = next((o.record.cause for o in of_task if o.record.cause), "") if state == WAITING else ""
            whole = any(outcome.is_of_the_whole_file for outcome in own)
            lines.append(f"  {exercise.name} · {task.name}".ljust(40) + (UNREADABLE if whole else cause or state))
            if state in (BROKEN, UNTOUCHED, WAITING) and state not in steps:
                elsewhere = next((o.broken.look_at for o in of_task if o.broken and o.broken.look_at), "")
                name = elsewhere or exercise.name
                if whole or elsewhere:
                    steps[state] = [f"Next: mend {folder}/{name}.py"]
                else:
                    verb = "mend" if state == BROKEN else "write"
                    steps[state] = [
                        f"Next: {verb} {task.name} in {folder}/{name}.py",
                        f"      It is explained in {exercise.page}#{task.page}",
                    ]
                steps[state].append(f"      Then run{COMMAND}test_{name}.py{option}")
    done = sum(line.endswith(DONE) for line in lines)
    next_step = steps.get(BROKEN) or next(iter(steps.values()), [])  # what is shown above is mended first
    if any(line.endswith((PARTLY, UNTRIED)) for line in lines):
        next_step = ["Only some of the laws were tried. Without -k, -x and :: the command tries them all."]
    told = [line for line in map(told_of_prints, outcomes) if line][:1]
    return [*lines, "", f"{done} of {len(lines)} tasks done.", *told, *(next_step or after(outcomes, course))]


def without_commands(lines: Sequence[str]) -> list[str]:
    """The summary for where nothing need be run: without the lines that say which command is next."""
    return [line for line in lines if COMMAND not in line]


def told_of_prints(outcome: Outcome) -> str:
    """A line about what a learner's code prints while all is well with it, which no screen shows otherwise."""
    first = next(iter(outcome.printed.strip().splitlines()), "") if outcome.record.status == "passed" else ""
    if len(first) > 40:
        first = first[:40] + " ..."
    return f"Your {outcome.record.exercise} prints while it runs: {first}" if first else ""


def after(outcomes: Sequence[Outcome], course: Course) -> list[str]:
    """What can be run with all that was built, and the exercise that comes next, if there are any."""
    names = [exercise.name for exercise in course.exercises]
    last = max(names.index(outcome.record.exercise) for outcome in outcomes)
    run = course.exercises[last].run
    said = f"All laws hold. Now  headstart run {run}  can use it." if run else "All laws hold."
    if last + 1 == len(names):
        return [said]
    following = course.exercises[last + 1]
    return [f"{said} Next: {following.page}, then run{COMMAND}test_{following.name}.py"]
