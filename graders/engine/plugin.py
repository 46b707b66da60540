"""The pytest plugin: `pytest graders/test_attention.py`. Thin hooks; what they know is in one `Grading` object."""

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from graders.engine.course import ROOT, load_course

GRADERS = ROOT / "graders"
DEBUGGERS = ("pydevd", "debugpy")


class LawBroken(Exception):
    """A law that does not hold; its text is what the learner reads."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("headstart", "grading exercises")
    group.addoption(
        "--subject",
        default="exercises",
        metavar="WHAT",
        help="what is graded: exercises (default), reference, another folder, variant:ID or misconception:ID",
    )
    group.addoption("--weights", metavar="WHERE", help="a GPT-2-format folder, or gpt2 from the hub (default: embedded)")
    group.addoption("--records", type=Path, metavar="FILE", help="write one record for each law, as JSON Lines")
    group.addoption("--in-process", action="store_true", help="run the exercises in this process, for breakpoints")
    group.addoption("--device", default="cpu", help="where the exercises compute (default: cpu, whatever there is)")
    group.addoption("--cases-seed", type=int, metavar="N", help="draw other cases than the usual ones")


def pytest_configure(config: pytest.Config) -> None:
    grading = Grading(config)
    config.pluginmanager.register(grading, "headstart-grading")
    if grading.only_grades():
        # The report below replaces pytest's: no header, no tracebacks, no summary
        config.option.verbose = min(config.option.verbose, -1)
        config.option.tbstyle = "no"
        config.option.no_summary = True


class Grading:
    """Grades the laws of a session with one judge and prints what a learner reads."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.folder = config.getoption("--subject")
        self.made = None

    def only_grades(self) -> bool:
        """Whether this run is of graders and nothing else."""
        paths = [self.config.invocation_params.dir / arg.partition("::")[0] for arg in self.config.args]
        return bool(paths) and all(path.resolve().is_relative_to(GRADERS) for path in paths)

    def in_process(self) -> bool:
        debugged = sys.gettrace() is not None or any(name in sys.modules for name in DEBUGGERS)
        return self.config.getoption("--in-process") or self.config.getoption("usepdb") or debugged

    @pytest.fixture(scope="session")
    def judge(self) -> "Grading":
        """What a law is handed to."""
        if self.made is None:
            self.made = self._make_judge()
        return self

    def _make_judge(self):
        import torch

        from graders.engine.judge import Judge, Policy
        from graders.engine.record import hash_of
        from graders.engine.subjects import make_transport

        torch.set_num_threads(1)  # the cases are tiny; threads would only wait for each other
        device = self.config.getoption("--device")
        self._check_device(device)
        transport = make_transport(self.folder, in_process=self.in_process())
        transport.start()
        policy = Policy(
            seed=self.config.getoption("--cases-seed"), weights=self.config.getoption("--weights"), device=device
        )
        folder = ROOT / self.folder
        files = folder.glob("*.py") if folder.is_dir() else []
        return Judge(transport, policy, hash_of(files), version("headstart"))

    def _check_device(self, device: str) -> None:
        if device == "cpu":
            return
        import torch

        try:
            torch.zeros(1, dtype=torch.float64, device=device)
        except (RuntimeError, TypeError, AssertionError, NotImplementedError) as error:
            reason = str(error).partition("\n")[0]
            pytest.exit(f"--device {device} cannot compute in float64, which the graders need ({reason}); use cpu", 4)

    def hold(self, law) -> None:
        """Grade a law; fail or skip the test that stands for it."""
        outcome = self.made.grade(law)
        if outcome.record.status == "skipped":
            pytest.skip(outcome.record.cause)
        if outcome.record.status != "passed":
            raise LawBroken("\n".join(self.screen(outcome)))

    def screen(self, outcome) -> list[str]:
        """What is said about one outcome that is not a pass."""
        from graders.engine.report import failure_screen, tally_of

        record = outcome.record
        exercise = load_course()[record.exercise]
        if record.status == "not_started":
            return [f"{record.exercise} · {record.task}: not started"]
        own = [o for o in self.made.outcomes if (o.record.exercise, o.record.task) == (record.exercise, record.task)]
        return failure_screen(outcome, tally_of(own), exercise, self.folder)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if call.excinfo is not None and call.excinfo.errisinstance(LawBroken):
            report.longrepr = str(call.excinfo.value)
        return report

    def pytest_report_teststatus(self, report, config):
        if self.only_grades() and report.when == "call" and report.outcome in ("passed", "failed", "skipped"):
            return report.outcome, "", ""
        return None

    def pytest_terminal_summary(self, terminalreporter) -> None:
        if self.made is None or not self.made.outcomes:
            return
        from graders.engine.report import SOLVED, summary

        if self.config.getoption("--device") != "cpu":
            terminalreporter.write_line("Tolerances were set on the CPU; another device may differ without being wrong.")
        for outcome in self.made.outcomes:
            if outcome.record.status in ("failed", "error"):
                first, *rest = self.screen(outcome)
                terminalreporter.write_line(first, bold=True, red=True)
                terminalreporter.write_line("\n".join(rest) + "\n")
        *tasks, step = summary(self.made.outcomes, load_course(), self.folder)
        for line in tasks:
            terminalreporter.write_line(line, green=line.endswith(SOLVED))
        terminalreporter.write_line(step, bold=True)

    def pytest_sessionfinish(self) -> None:
        if self.made is None:
            return
        self.made.transport.close()
        path = self.config.getoption("--records")
        if path:
            from graders.engine.record import write_records

            write_records(path, [outcome.record for outcome in self.made.outcomes])
