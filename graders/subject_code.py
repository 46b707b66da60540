"""A learner's code as `headstart write`, `train` and `see` run it: loaded, listened to, its errors told in one line."""

import io
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from graders.engine.course import load_course
from graders.engine.stubs import GIVEN, REFERENCE, stub_files
from graders.engine.worker.failure import Failure
from graders.engine.worker.loading import OWN_NAMES, PACKAGE, ForeignImport, Source, SubjectPackage

MAX_SHOWN = 100  # characters of the first line that a learner's code printed


class CannotGoOn(Exception):
    """Why a command stops, and what to do, in one line."""


@dataclass(frozen=True)
class Subject:
    """Whose code is run: the name given to `--subject`, and the folder that it stands for."""

    name: str
    folder: Path

    def load(self, names: Iterable[str]) -> dict[str, ModuleType]:
        """Some of its files, by name. Raises what they raise, and `CannotGoOn` when files are missing."""
        self.check_files(names)
        package = SubjectPackage(Source(folder=str(self.folder)), (*GIVEN, *needed_by(names))[-1])
        return {name: package.load(name) for name in (*GIVEN, *names)}

    def check_files(self, names: Iterable[str]) -> None:
        """Raises `CannotGoOn` when some of its files, or of those that they import, are missing."""
        wanted = (*GIVEN, *needed_by(names))
        missing = [f"{name}.py" for name in wanted if not (self.folder / f"{name}.py").is_file()]
        if missing:
            told = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
            raise CannotGoOn(
                f"{self.name}/ has no {told}; expected a file for each exercise; `headstart stubs` writes those that "
                "are missing from exercises/"
            )

    @contextmanager
    def explained(self, names: Iterable[str]) -> Iterator[None]:
        """Turn what its code, of which the files `names` are used, raises into one line: `CannotGoOn`."""
        try:
            yield
        except CannotGoOn:
            raise
        except Exception as error:
            raise CannotGoOn(self._told(error, needed_by(names))) from error

    def _told(self, error: Exception, needed: list[str]) -> str:
        frames = [(frame.f_code, number) for frame, number in traceback.walk_tb(error.__traceback__)]
        code, line = next((f for f in reversed(frames) if Path(f[0].co_filename).parent == self.folder), frames[-1])
        if isinstance(error, NotImplementedError) and code is frames[-1][0]:
            return self._not_written(code.co_qualname, Path(code.co_filename).stem, needed)
        if isinstance(error, ForeignImport):
            return self._foreign(str(error))
        file, message = Path(code.co_filename).name, re.sub(PACKAGE + r"\d+", OWN_NAMES[0], str(error))
        if isinstance(error, SyntaxError):
            file, line, message = Path(error.filename or "").name, error.lineno or 0, error.msg
        return self._stopped(f"{type(error).__name__}: {message}", file, line)

    def failed(self, failure: Failure, exercise: str, task: str) -> CannotGoOn:
        """The same of a call of a task that ended with `failure` in a process of its own."""
        file, line, function = failure.lines[-1][:3] if failure.lines else (f"{exercise}.py", 0, "")
        if failure.stage == "not_started" and failure.lines:
            return CannotGoOn(self._not_written(function, Path(file).stem, needed_by([exercise])))
        if failure.stage == "foreign":
            return CannotGoOn(self._foreign(failure.message))
        if failure.lines and failure.type_name:
            message = " ".join(failure.message.split())
            return CannotGoOn(self._stopped(f"{failure.type_name}: {message}", file, line))
        from graders.engine.law import Broken
        from graders.engine.report import explanation

        broken = Broken(failure.stage, failure=failure, what=task)
        return CannotGoOn(self._with_a_way_on(f"{task}: {explanation(broken, f'{self.name}/{exercise}.py', task)}"))

    def _foreign(self, imported: str) -> str:
        return (
            f"a file of {self.name}/ imports {imported}; expected PyTorch, einops, jaxtyping and other exercises only"
        )

    def _stopped(self, raised: str, file: str, line: int) -> str:
        return self._with_a_way_on(f"it stopped with {raised} ({file}, line {line})")

    def _with_a_way_on(self, told: str) -> str:
        if self.folder == REFERENCE:
            return told
        return f"{told.rstrip('.')}; the graders say more, and --subject {REFERENCE.name} shows what to expect"

    def _not_written(self, function: str, file: str, needed: list[str]) -> str:
        stubs = stub_files()
        texts = {name: (self.folder / f"{name}.py").read_text(encoding="utf-8-sig") for name in needed}
        first = next((name for name in needed if name == file or texts[name] == stubs[name]), file)
        grader = f"`pytest graders/test_{first}.py" + (f" --subject {self.name}`" if self.name != "exercises" else "`")
        begin = "write it" if first == file else f"begin with {self.name}/{first}.py, the first stub that this needs"
        return (
            f"{function} in {self.name}/{file}.py is not written yet; {begin} ({grader} checks it), "
            f"or run this with --subject {REFERENCE.name}"
        )


def needed_by(names: Iterable[str]) -> list[str]:
    """The exercises of these names and all those whose files they import, in the course's order."""
    course = load_course()
    wanted = {need for name in names for need in (name, *course[name].needs)}
    return [exercise.name for exercise in course.exercises if exercise.name in wanted]


class Printed(io.TextIOBase):
    """What a learner's code prints: counted, and its first line kept, so that it does not flood what is written."""

    def __init__(self) -> None:
        self.first, self.lines, self.screen = "", 0, sys.stdout

    def write(self, text: str) -> int:
        if sys.gettrace() is not None:  # a debugger speaks
            return self.screen.write(text)
        if self.lines == 0 and len(self.first) < MAX_SHOWN:
            self.first = (self.first + text.partition("\n")[0])[:MAX_SHOWN]
        self.lines += text.count("\n")
        return len(text)

    def listening(self) -> redirect_stdout["Printed"]:
        """Where this stands in for stdout."""
        return redirect_stdout(self)

    def told(self) -> str:
        """One line about it; empty when nothing was printed."""
        if not self.lines and not self.first:
            return ""
        lines = max(self.lines, 1)
        return f"your code printed {lines:,} line{'s' * (lines != 1)}, the first: {self.first}"
