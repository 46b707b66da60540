"""What keeps a task from being called at all: its file, its absence, its signature, the stub of another task."""

from typing import Any

from graders.engine.course import Exercise, load_course
from graders.engine.law import Broken, Law
from graders.engine.subject import reference_transport
from graders.engine.worker.failure import Failure
from graders.engine.worker.messages import Reply, Request


def form_of_task(exercise: Exercise, described: Reply, task: str) -> Broken | None:
    """What keeps a task from being called at all: the file, its absence, its signature."""
    if described.failure:
        return Broken(described.failure.stage, failure=described.failure)
    if not _is_description(described.value):
        return Broken("crash", failure=Failure("crash", message="its answer could not be read"))
    names = [t.name for t in exercise.tasks]
    expected = reference_transport().ask(Request(exercise.name, "", describe=names)).value[task]
    if task not in described.value:
        return Broken("missing", what=task)
    for function, parameters in expected.items():
        found = described.value[task].get(function)
        if found is None:
            return Broken("missing", what=f"{task}.{function}" if function else task)
        if not _accepts(found, parameters):
            what = f"{task}.{function}" if function else task
            return Broken("signature", _signature(found), _signature(parameters), what=what)
    return None


def _is_description(value: Any) -> bool:
    """Whether a reply says of tasks, by name, what each of their functions takes."""
    tasks = list(value.values()) if isinstance(value, dict) else [None]
    functions = [each for task in tasks for each in (task.values() if isinstance(task, dict) else [None])]
    parameters = [each for taken in functions for each in (taken if isinstance(taken, list) else [None])]
    return all(
        isinstance(each, list) and [type(part) for part in each] in ([str, str, str], [str, str, type(None)])
        for each in parameters
    )


def _accepts(found: list, expected: list) -> bool:
    """Whether a signature has the expected parameters in order; more are fine when they are optional."""
    pairs = zip(found, expected, strict=False)
    if [kind for _name, kind, _default in found] == ["VAR_POSITIONAL", "VAR_KEYWORD"]:
        return True  # a decorated or scripted function takes what comes; its calls will tell
    same = all(f[0] == e[0] and f[1] == e[1] and (e[2] is None or f[2] is not None) for f, e in pairs)
    optional = all(f[2] is not None or f[1].startswith("VAR_") for f in found[len(expected) :])
    return len(found) >= len(expected) and same and optional


def _signature(parameters: list) -> str:
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
    shown = [stars.get(kind, "") + name + (f"={default}" if default else "") for name, kind, default in parameters]
    return f"({', '.join(shown)})"


def unfinished_task(broken: Broken, law: Law) -> str:
    """The task whose stub was reached, when one was: this law's own or one that it builds on."""
    if broken.kind != "not_started" or not broken.failure.lines:
        return ""
    own = [task.name for task in load_course()[law.exercise].tasks]
    file, _line, function, text = broken.failure.lines[-1]
    if text and not text.startswith("raise NotImplementedError"):
        return ""  # an operation that the library does not have
    task = function.partition(".")[0]
    if file != f"{law.exercise}.py":
        return f"{file.removesuffix('.py')}: {task}"
    return task if task in own else law.task  # a function of the learner's own is part of the task
