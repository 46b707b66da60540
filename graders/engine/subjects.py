"""What can be graded, by the name given to `--subject`."""

from collections.abc import Callable, Sequence
from pathlib import Path

from graders.engine.course import HOME, load_course
from graders.engine.misconception import Misconception, Variant, misconceptions_of, variants_of
from graders.engine.stubs import Stubs
from graders.engine.subject import REFERENCE, subject_with
from graders.engine.transport import InProcess, Transport, Worker
from graders.engine.worker.loading import Source

OURS: dict[str, Callable[[str], Sequence[Misconception | Variant]]] = {
    "variant": variants_of,
    "misconception": misconceptions_of,
}


class UnknownSubject(ValueError):
    """There is nothing of that name to grade."""


def make_transport(subject: str, in_process: bool) -> Transport:
    """A subject ready to be asked: ours in this process, a learner's folder in one of its own.

    `subject` is `reference`, `variant:EXERCISE/ID`, `misconception:EXERCISE/ID`, or a folder. Raises `UnknownSubject`.
    """
    kind, _, name = subject.partition(":")
    if kind in OURS and name:
        return _changed_reference(kind, name)
    folder = subject_folder(subject)
    if folder is None:
        raise UnknownSubject(
            f"--subject {subject}: there is no such folder; it takes a folder with exercises, reference, "
            "variant:EXERCISE/ID or misconception:EXERCISE/ID"
        )
    if folder == REFERENCE:
        return InProcess(Source(folder=str(REFERENCE)))
    source = Source(folder=str(folder), stubs=Stubs())
    return InProcess(source) if in_process else Worker(source)


def subject_folder(subject: str) -> Path | None:
    """The folder that a subject's files lie in, from here or from the learner's folder; None when there is none."""
    if subject == REFERENCE.name:
        return REFERENCE
    folder = Path(subject) if Path(subject).is_dir() else HOME / subject
    return folder.resolve() if folder.is_dir() else None


def _changed_reference(kind: str, name: str) -> InProcess:
    exercise, _, identifier = name.partition("/")
    if exercise in [known.name for known in load_course().exercises]:
        for change in OURS[kind](exercise):
            if change.id == identifier:
                return subject_with(exercise, (change,))
    raise UnknownSubject(f"--subject {kind}:{name}: there is no {kind} of that name; graders/{kind}s/ lists them")
