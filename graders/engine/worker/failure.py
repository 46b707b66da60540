"""What went wrong in a learner's code, as plain data: the stage, the exception, the learner's own lines."""

import re
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from .loading import OWN_NAMES, PACKAGE, ForeignImport, Source

MAX_MESSAGE = 600  # characters of an exception's text
STAGES = ("parse", "foreign", "no_file", "import", "missing", "construct", "parameters", "call", "not_started")
PRIVATE = re.compile(PACKAGE + r"\d+")
MAX_LINES = 4  # of the learner's own lines of a traceback


@dataclass(frozen=True)
class Failure:
    """Where a call stopped: the stage, the exception, and the learner's own lines, innermost last."""

    stage: str
    type_name: str = ""
    message: str = ""
    lines: list = field(default_factory=list)  # [file name, line number, function, text]
    bases: list = field(default_factory=list)  # the names of all classes of the exception


def failure_of(stage: str, error: BaseException, source: Source) -> Failure:
    """An exception as plain data: only lines of the subject's own files, and a message cut to size."""
    lines = _own_lines(error, source)
    if isinstance(error, SyntaxError) and stage == "import":
        name = (error.filename or "").replace("\\", "/").rpartition("/")[2].strip("<>")
        lines, stage = [[name, error.lineno or 0, "", (error.text or "").strip()]], "parse"
    if isinstance(error, ForeignImport):
        lines, stage = [], "foreign"
    if isinstance(error, ValueError) and stage == "import" and not lines:  # not UTF-8
        stage = "parse"
    if isinstance(error, FileNotFoundError) and stage == "import" and not lines:
        stage = "no_file"
    if isinstance(error, NotImplementedError) and stage == "call":
        stage = "not_started"
    try:
        message = str(getattr(error, "msg", None) or error)
    except Exception:  # noqa: BLE001 (an exception of the learner's own whose __str__ raises)
        message = ""
    if source.folder:  # which is another one in every place where the same file is graded
        folder = str(Path(source.folder) / "_").removesuffix("_")
        message = re.sub(r"(?<![\w./\\-])" + re.escape(folder), "", message)
    message = PRIVATE.sub(OWN_NAMES[0], message)  # the name by which a learner knows the package
    bases = [base.__name__ for base in type(error).__mro__]
    names = [name[:MAX_MESSAGE] for name in (type(error).__name__, *bases)]
    return Failure(stage, names[0], message[:MAX_MESSAGE], lines, names[1:])


def _own_lines(error: BaseException, source: Source) -> list[list]:
    """The last frames that lie in the subject's own files, as [file name, line number, function, text]."""
    found = []
    for frame, number in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        name = code.co_filename.replace("\\", "/").rpartition("/")[2].strip("<>").removesuffix(".py")
        if code.co_filename == source.path(name):
            found.append((name, number, code.co_qualname))
    return [[f"{n}.py", number, function, source.line(n, number)] for n, number, function in found[-MAX_LINES:]]
