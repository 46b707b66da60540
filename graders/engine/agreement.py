"""Whether the places in which an exercise is written down name the same tasks: the index first of all."""

import ast
import re
from collections.abc import Iterator

from graders.engine.course import INDEX, PAGES, Exercise, sections
from graders.engine.law import laws_for
from graders.engine.misconception import misconceptions_of
from graders.engine.subject import reference_text

OF_THE_COURSE = INDEX.relative_to(INDEX.parents[1])
MADE = "solutions"  # the folder of pages that are never written by hand


def disagreements(exercise: Exercise) -> list[str]:
    """Where other tasks are named than in the index, each in one line; nothing can be graded until there is none."""
    name, tasks = exercise.name, [task.name for task in exercise.tasks]
    solved = {getattr(node, "name", "") for node in ast.parse(reference_text(name)).body}
    absent = [task for task in tasks if task not in solved]
    found = [f"reference/{name}.py has no {', '.join(absent)}, which {OF_THE_COURSE} lists"] if absent else []
    for file, what, named in (
        (f"in {OF_THE_COURSE}, a task of {name}", "needs", [need for task in exercise.tasks for need in task.needs]),
        (f"graders/test_{name}.py", "has laws for", [law.task for law in laws_for(name)]),
        (f"graders/misconceptions/{name}.py", "has mistakes in", [m.task for m in misconceptions_of(name)]),
    ):
        if unknown := list(dict.fromkeys(task for task in named if task not in tasks)):
            listed = f"which {OF_THE_COURSE} does not list (it has {', '.join(tasks)})"
            found.append(f"{file} {what} {', '.join(unknown)}, {listed}")
    return found


def lost_on_pages(exercise: Exercise) -> list[str]:
    """Where the pages have another name or place for a task than the index, each in one line with its file."""
    page = PAGES / exercise.page
    if not page.is_file():
        return [f"there is no {exercise.page}"]
    anchors = sections(page.read_text(encoding="utf-8"))
    lost = [task for task in exercise.tasks if task.page not in anchors]
    found = [f"{exercise.page} has no section #{t.page}, where {OF_THE_COURSE} has {t.name}" for t in lost]
    return [*found, *_lost_links(exercise, set(anchors))]


def _lost_links(exercise: Exercise, anchors: set[str]) -> Iterator[str]:
    """The links to a task of the exercise that lead nowhere, or call it by another name."""
    names = {task.page: task.name for task in exercise.tasks}
    link = re.compile(rf"\[(\w+)\]\([./\w-]*\b{exercise.name}\.md#([\w-]+)\)")
    for file in sorted((PAGES / "docs").rglob("*.md")):
        if file.parent.name == MADE:
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            where = f"{file.relative_to(PAGES)}:{number}"
            for name, anchor in link.findall(line):
                if anchor not in anchors:
                    yield f"{where} leads to #{anchor}, and {exercise.page} has no such section"
                elif name not in (names.get(anchor, name), exercise.name):
                    yield f"{where} calls {names[anchor]} {name}"
