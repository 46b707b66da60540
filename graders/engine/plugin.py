"""The pytest plugin: `pytest graders/test_attention.py`. Thin hooks; what they know is in one `Grading` object."""

import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from graders.engine.ending import end_with

if TYPE_CHECKING:  # torch, behind them, takes seconds to import: not for runs that grade nothing
    from graders.engine.law import Law
    from graders.engine.session import Session

DEBUGGERS = ("pydevd", "debugpy")
CATEGORIES = {"failed": "broken", "error": "in error", "not_started": "not started"}  # in pytest's last line
SIGNS = {
    "passed": ".",
    "skipped": "-",
    "not_started": "-",
    "failed": "x",
    "error": "x",
}  # of life
GRADING: pytest.StashKey["Grading"] = pytest.StashKey()


class LawBroken(pytest.fail.Exception):  # type: ignore[name-defined]  # it has no other public name
    """A law that does not hold: the status of its record, and the text that the learner reads."""

    def __init__(self, status: str, screen: list[str]):
        super().__init__("\n".join(screen), pytrace=False)  # pytest need not read our source for a traceback
        self.status, self.screen = status, screen


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("headstart", "grading exercises")
    group.addoption(
        "--subject",
        default="exercises",
        metavar="WHAT",
        help="what is graded: exercises (default), reference, another folder, variant:EXERCISE/ID, "
        "misconception:EXERCISE/ID",
    )
    group.addoption(
        "--weights", metavar="WHERE", help="a GPT-2-format folder, or gpt2 from the hub (default: embedded)"
    )
    group.addoption("--records", type=Path, metavar="FILE", help="write one record for each law, as JSON Lines")
    group.addoption("--in-process", action="store_true", help="run the exercises in this process, for breakpoints")
    group.addoption("--device", default="cpu", help="where the exercises compute (default: cpu, whatever there is)")
    group.addoption("--cases-seed", type=int, metavar="N", help="draw other cases than the usual ones")


def pytest_configure(config: pytest.Config) -> None:
    os.environ["HEADSTART_HOME"] = str(config.rootpath)  # before `course` is imported, since pytest may run elsewhere
    grading = Grading(config)
    config.stash[GRADING] = grading
    config.pluginmanager.register(grading, "headstart-grading")
    if grading.only_grades():
        config.option.verbose = min(config.option.verbose, -1)  # no header: the report below says it all


@pytest.fixture(scope="session")
def judge(request: pytest.FixtureRequest) -> "Grading":
    """What a law is handed to."""
    return request.config.stash[GRADING]


class Grading:
    """Grades the laws of a session with one judge and prints what a learner reads."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.subject: str = config.getoption("--subject")
        self.session: Session | None = None
        self.unkept = ""
        self.recorded = ""

    def only_grades(self) -> bool:
        """Whether this run is of graders and nothing else."""
        from graders.engine.course import HOME

        graders = (HOME / "graders").resolve()
        paths = [self.config.invocation_params.dir / arg.partition("::")[0] for arg in self.config.args]
        return bool(paths) and all(path.resolve().is_relative_to(graders) for path in paths)

    def in_process(self) -> bool:
        debugged = sys.gettrace() is not None or any(name in sys.modules for name in DEBUGGERS)
        return self.config.getoption("--in-process") or self.config.getoption("usepdb") or debugged

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Let `-k` find laws by their task's name, which is what the screens say."""
        for item in items:
            law = getattr(getattr(item, "function", None), "law", None)
            if law:
                item.extra_keyword_matches.add(law.task)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin before the first law, so that a wrong option ends the run with one line."""
        functions: list[Any] = [getattr(item, "function", None) for item in session.items]
        laws = [function.law for function in functions if hasattr(function, "law")]
        if laws and not self.config.option.collectonly:
            self.session = self._begin(laws)

    def _begin(self, laws: list["Law"]) -> "Session":
        from graders.engine.session import Session
        from graders.engine.subjects import UnknownSubject
        from graders.engine.trial import Policy

        device, weights = self.config.getoption("--device"), self.config.getoption("--weights")
        _check_device(device)
        _check_weights(weights)
        _check_records(self.config.getoption("--records"))
        policy = Policy(seed=self.config.getoption("--cases-seed"), weights=weights, device=device)
        try:
            return Session(self.subject, laws, policy, self.in_process())
        except UnknownSubject as error:
            raise pytest.UsageError(str(error)) from error

    def hold(self, law: "Law") -> None:
        """Grade a law; fail or skip the test that stands for it."""
        assert self.session is not None  # `pytest_collection_finish` has seen this law
        from graders.engine.transport import Quit

        try:
            outcome = self.session.judge.grade(law)
        except Quit as quitting:
            pytest.exit(str(quitting))
        if outcome.record.status == "skipped":
            pytest.skip(outcome.record.cause)  # a law that waits; it fails the session in `pytest_sessionfinish`
        if outcome.record.status != "passed":
            raise LawBroken(outcome.record.status, self.session.screen(outcome))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, LawBroken):
            report.user_properties.append(("headstart", call.excinfo.value.status))
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Count broken laws apart from pytest's failures, which it would print a second time."""
        status = dict(getattr(report, "user_properties", ())).get("headstart")  # a report of collection has none
        if status is not None and report.when == "call":
            category = CATEGORIES[str(status)]
            return category, SIGNS[str(status)] if self.only_grades() else "F", category.upper()
        if self.only_grades() and report.when == "call" and report.outcome in ("passed", "skipped"):
            return report.outcome, SIGNS[report.outcome], ""
        return None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.session is None or not self.session.outcomes:
            return
        from graders.engine.record import DONE

        terminalreporter.write_line("")
        if self.config.getoption("--device") != "cpu":
            terminalreporter.write_line(
                "Tolerances were set on the CPU; another device may differ without being wrong."
            )
        for first, *rest in self.session.screens():
            terminalreporter.write_line(first, bold=True, red=True)
            terminalreporter.write_line("\n".join(rest) + "\n")
        for line in self.session.summary():
            terminalreporter.write_line(line, green=line.endswith(DONE))
        if self.unkept:
            terminalreporter.write_line(self.unkept)
        if self.recorded:
            terminalreporter.write_line(self.recorded)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.session is None:
            return
        try:
            self.session.close()
        except OSError as error:  # a folder that cannot be written to takes nothing from the verdict
            self.unkept = f"(`headstart` will not know of this run: {error})"
        if not self.in_process():
            end_with(session)
        outcomes = self.session.outcomes
        if session.exitstatus == pytest.ExitCode.OK and any(o.record.status != "passed" for o in outcomes):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED  # nothing but a pass of every law is a pass
        path = self.config.getoption("--records")
        if path:
            from graders.engine.record import write_records

            try:
                write_records(path, [outcome.record for outcome in outcomes])
                self.recorded = f"{len(outcomes)} records written to {path}"
            except OSError as error:
                self.recorded = f"--records: {path} could not be written ({error.strerror}); name another file"
                session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _check_records(path: Path | None) -> None:
    """Raises `pytest.UsageError` for a file that records must not take the place of."""
    if path is not None and (path.suffix == ".py" or path.is_dir()):
        raise pytest.UsageError(f"--records {path}: expected a file for records, such as records.jsonl")


def _check_device(device: str) -> None:
    """Raises `pytest.UsageError` when a device cannot do what the graders need."""
    if device == "cpu":
        return
    import torch

    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (RuntimeError, TypeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise pytest.UsageError(
            f"--device {device} cannot compute in float64, which the graders need ({reason}); use cpu"
        ) from error


def _check_weights(where: str | None) -> None:
    """Raises `pytest.UsageError` when there is no checkpoint that the laws on real weights can use."""
    if where is None:
        return
    from graders.weights.checkpoint import CheckpointError, load_checkpoint

    try:
        load_checkpoint(where)
    except CheckpointError as error:
        raise pytest.UsageError(f"--weights: {error}") from error
