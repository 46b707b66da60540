"""How far the learner is, from their own records alone: what `headstart` and `headstart list` show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graders.engine.course import AFTERWARDS, Exercise, Task, load_course
from graders.engine.journal import verdict_on
from graders.engine.record import BROKEN, DONE, Record
from graders.loop.failures import of_the_whole_file
from graders.loop.taken import solutions_seen

BAR = 10  # signs of a full bar
FIRST_FOR_MANY = "attention"  # where those who have met transformers want to begin


@dataclass(frozen=True)
class Standing:
    """How one exercise stands."""

    exercise: Exercise
    states: Mapping[str, str]  # by task
    is_edited: bool  # since its last verdict
    solutions: frozenset[str]  # the tasks whose solution was shown
    graded: str  # when it was last; empty when it never was
    is_unreadable: bool  # none of its tasks could be looked at

    @property
    def n_done(self) -> int:
        return sum(state == DONE for state in self.states.values())

    @property
    def minutes_left(self) -> int:
        """The index's minutes, times the share of tasks that are not done."""
        return round(self.exercise.minutes * (1 - self.n_done / len(self.states)))

    @property
    def next_task(self) -> Task | None:
        """What is broken comes before what is not written; None when all is done."""
        order = [t for t in self.exercise.tasks if self.states[t.name] == BROKEN]
        order += [t for t in self.exercise.tasks if self.states[t.name] != DONE]
        return order[0] if order else None

    @property
    def marks(self) -> str:
        seen = ", ".join(task for task in self.states if task in self.solutions)
        said = ["edited since its last verdict"] if self.is_edited else []
        said += [f"solution seen: {seen}"] if seen else []
        return "; ".join(said)


def standings() -> list[Standing]:
    """How every exercise stands, in the course's order."""
    return [standing_of(exercise) for exercise in load_course().exercises]


def standing_of(exercise: Exercise) -> Standing:
    """How one exercise stands."""
    verdict = verdict_on(exercise.name)
    records: list[Record] = list(verdict.records.values())
    return Standing(
        exercise,
        {task.name: verdict.state(task.name) for task in exercise.tasks},
        verdict.is_edited,
        solutions_seen(exercise.name),
        max((record.time for record in records), default=""),
        not verdict.is_edited and any(of_the_whole_file(record) for record in records),
    )


def next_task() -> tuple[Exercise, Task] | None:
    """What to do next; None when every task is done."""
    found = _next(standings())
    return (found[0].exercise, found[1]) if found else None


def _next(course: list[Standing]) -> tuple[Standing, Task] | None:
    """In the exercise that was worked at last, or the next one that is not done; but first what that builds on."""
    here = _place(course)
    for standing in [*course[here:], *course[:here]]:
        task = standing.next_task
        if task is None:
            continue
        needed = [other for other in course if other.exercise.name in standing.exercise.needs]
        unmet = [(other, other.next_task) for other in needed if other.next_task]
        if standing.states[task.name] != BROKEN and unmet and unmet[0][1]:
            return unmet[0][0], unmet[0][1]
        return standing, task
    return None


def _place(course: list[Standing]) -> int:
    """Which exercise was worked at last; without any work, which was graded first of all in the course's order."""
    worked = [i for i, standing in enumerate(course) if {DONE, BROKEN} & set(standing.states.values())]
    graded = [i for i, standing in enumerate(course) if standing.graded]
    return max(worked, key=lambda i: (course[i].graded, i)) if worked else min(graded, default=0)


def status_lines() -> list[str]:
    """Every exercise of the plan on a line of its own, track by track, those after it on one; then the next step."""
    course = standings()
    found = _next(course)
    done, tasks = sum(s.n_done for s in course), sum(len(s.states) for s in course)
    lines = [f"{done} of {tasks} tasks done, about {duration(sum(s.minutes_left for s in course))} of work left", ""]
    if all(not s.graded for s in course):
        lines[0] = (
            f"Welcome! {tasks} tasks, about {duration(sum(s.minutes_left for s in course))} of work: begin with "
            f"{course[0].exercise.name}, or with {FIRST_FOR_MANY} if you have met transformers."
        )
    track = ""
    for standing in [s for s in course if s.exercise.session]:
        name, here = standing.exercise.track, found is not None and standing is found[0]
        row = f"{'>' if here else ' '} {name if name != track else '':14}{_row(standing.exercise.name, [standing])}"
        lines.append(f"{row}{standing.marks}".rstrip())
        track = name
    later = [s for s in course if not s.exercise.session]
    if later:
        here = found is not None and found[0] in later
        lines.append(f"{'>' if here else ' '} {AFTERWARDS:14}{_row(f'{len(later)} exercises', later)}".rstrip())
    return [*lines, "", *(_next_lines(*found) if found else finished())]


def _row(name: str, standings: list[Standing]) -> str:
    """A bar for one exercise, or for several together."""
    done, n = sum(s.n_done for s in standings), sum(len(s.states) for s in standings)
    full = BAR * done // n  # rounded down: a full bar is all of it
    bar, counted, minutes = "#" * full + "." * (BAR - full), f"{done}/{n}", sum(s.minutes_left for s in standings)
    return f"{name:13}[{bar}]  {counted:7}{duration(minutes) if minutes else 'done':12}"


def _next_lines(standing: Standing, task: Task) -> list[str]:
    exercise, state = standing.exercise, standing.states[task.name]
    file = f"exercises/{exercise.name}.py"
    run = f"pytest graders/test_{exercise.name}.py"
    if standing.is_unreadable:
        return [f"Next: mend {file}, which could not be read", f"      Then run  {run}"]
    verb = "mend" if state == BROKEN else "write"
    return [
        f"Next: {verb} {task.name} in {file}",
        f"      It is explained in {exercise.page_of(task.name)}",
        f"      Then run  {run}   (or, for a verdict at every save,  headstart watch {exercise.name})",
    ]


def finished() -> list[str]:
    """What is said when every task is done."""
    return ['Every task is done. Let your own model speak:  headstart write "To be, or"']


def list_lines() -> list[str]:
    """Every exercise, and under it how each of its tasks stands."""
    lines: list[str] = []
    for standing in standings():
        e = standing.exercise
        about = f"{e.track}, {e.begins}, {duration(e.minutes)}, difficulty {e.difficulty} of 5"
        lines.append(f"{e.name:13}{standing.n_done}/{len(standing.states)} done   {about}")
        if standing.is_edited:
            lines[-1] += "   edited since its last verdict"
        for task, state in standing.states.items():
            seen = "   solution seen" if task in standing.solutions else ""
            lines.append(f"  {task:25}{state}{seen}")
    return lines


def list_data() -> list[dict[str, Any]]:
    """What `list_lines` says, for a program."""
    return _data_of(standings())


def _data_of(course: list[Standing]) -> list[dict[str, Any]]:
    return [
        {
            "exercise": s.exercise.name,
            "track": s.exercise.track,
            "session": s.exercise.session,
            "minutes": s.exercise.minutes,
            "minutes_left": s.minutes_left,
            "difficulty": s.exercise.difficulty,
            "edited": s.is_edited,
            "tasks": [
                {"task": task, "state": state, "solution_seen": task in s.solutions} for task, state in s.states.items()
            ],
        }
        for s in course
    ]


def status_data() -> dict[str, Any]:
    """What `status_lines` says, for a program."""
    course = standings()
    exercises, found = _data_of(course), _next(course)
    states = [task["state"] for entry in exercises for task in entry["tasks"]]
    step = None
    if found is not None:
        exercise, task = found[0].exercise, found[1]
        step = {
            "exercise": exercise.name,
            "task": task.name,
            "file": f"exercises/{exercise.name}.py",
            "page": exercise.page_of(task.name),
            "run": f"pytest graders/test_{exercise.name}.py",
        }
    return {
        "tasks": len(states),
        "tasks_done": states.count(DONE),
        "minutes_left": sum(entry["minutes_left"] for entry in exercises),
        "next": step,
        "exercises": exercises,
    }


def duration(minutes: int) -> str:
    """Minutes as a person says them: `45 min`, `1 h`, `14 h 20 min`."""
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest or not hours else [])])
