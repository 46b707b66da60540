"""What can be graded, by the name given to `--subject`."""

from pathlib import Path

from graders.engine.course import ROOT, load_course
from graders.engine.misconception import misconceptions_of, subject_with, variants_of
from graders.engine.stubs import stub_files
from graders.engine.subject import REFERENCE
from graders.engine.transport import InProcess, Transport, Worker
from graders.engine.worker.loading import Source

OURS = {"variant": variants_of, "misconception": misconceptions_of}


class UnknownSubject(ValueError):
    """There is nothing of that name to grade."""


def make_transport(subject: str, in_process: bool) -> Transport:
    """A subject ready to be asked: ours in this process, a learner's folder in one of its own.

    `subject` is `reference`, `variant:ID`, `misconception:ID`, or a folder. Raises `UnknownSubject`.
    """
    kind, _, name = subject.partition(":")
    if kind in OURS and name:
        return _changed_reference(kind, name)
    if subject == REFERENCE.name:
        return InProcess(Source(folder=str(REFERENCE)))
    folder = Path(subject) if Path(subject).is_dir() else ROOT / subject
    if not folder.is_dir():
        raise UnknownSubject(f"there is no folder {subject}; --subject takes a folder with exercises, or reference")
    source = Source(folder=str(folder.resolve()), stubs=stub_files())
    return InProcess(source) if in_process else Worker(source)


def _changed_reference(kind: str, name: str) -> InProcess:
    for exercise in load_course().exercises:
        for change in OURS[kind](exercise.name):
            if change.id == name:
                return subject_with(exercise.name, (change,))
    raise UnknownSubject(f"there is no {kind} {name}")
