"""The release gate: proves of each exercise that its grader catches what is wrong and accepts what is right."""

import concurrent.futures
import importlib
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from graders.engine.agreement import disagreements, lost_on_pages
from graders.engine.course import load_course
from graders.engine.judge import Judge
from graders.engine.law import laws_for
from graders.engine.misconception import Misconception, misconceptions_of, variants_of
from graders.engine.mutations import mutations
from graders.engine.report import failure_screen
from graders.engine.space import Space
from graders.engine.stubs import stub_files
from graders.engine.subject import reference_text, reference_transport, reference_with, subject_with
from graders.engine.transport import InProcess, Transport
from graders.engine.trial import Outcome, Policy
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import Reply, Request
from graders.engine.worker.serve import end_with_the_judge

MUTATION_SCORE = 0.95
REFERENCE_SEEDS, VARIANT_SEEDS = 50, 5
EXAMPLES_A_SEED = 20  # of each law; the usual seed has as many as a learner's run
EVERY_LAW = Policy(skips=False, shrinks=False, diagnoses=False)


@dataclass
class Report:
    """What the audit of one exercise found."""

    exercise: str
    problems: list[str] = field(default_factory=list)  # each one fails the audit
    thoughts: list[str] = field(default_factory=list)  # none of these does
    counts: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def run_audit(exercises: list[str], full: bool = False, jobs: int = 2) -> bool:
    """Audit exercises (all when none is named) side by side and print what was found; True when all is well."""
    names = exercises or [exercise.name for exercise in load_course().exercises]
    well = True
    context = multiprocessing.get_context("spawn")  # a fork would inherit torch's threads
    with concurrent.futures.ProcessPoolExecutor(jobs, context, initializer=end_with_the_judge) as pool:
        for report in pool.map(audit_exercise, names, [full] * len(names)):
            print(render(report), flush=True)
            well = well and not report.problems
    return well


def render(report: Report) -> str:
    """One exercise's findings as lines of text."""
    counts = [f"{value} {name}" for name, value in report.counts.items()]
    n = len(report.problems)
    verdict = f"{n} problem{'s' * (n != 1)}" if n else "ok"
    lines = [f"{report.exercise:<12} {verdict:<12} {' · '.join([*counts, f'{report.seconds:.0f} s'])}"]
    lines += [f"    problem  {problem}" for problem in report.problems]
    lines += [f"    note     {thought}" for thought in report.thoughts]
    return "\n".join(lines)


def audit_exercise(name: str, full: bool = False) -> Report:
    """All checks of one exercise, in this process."""
    torch.set_num_threads(1)
    began = time.monotonic()
    report = Report(name)
    entry = load_course()[name]
    report.problems += disagreements(entry)
    report.thoughts += lost_on_pages(entry)
    # Under two names for one task nothing can be graded
    checks = () if report.problems else (_stub, _reference, _variants, _misconceptions, _trivial, _mutations)
    for check in checks:
        check(report, REFERENCE_SEEDS if full else 1)
    report.seconds = time.monotonic() - began
    return report


def _policy(seed: int | None) -> Policy:
    return EVERY_LAW if seed is None else replace(EVERY_LAW, seed=seed, examples=EXAMPLES_A_SEED)


def _grade(transport: Transport, exercise: str, policy: Policy, task: str | None = None) -> Iterator[Outcome]:
    """The outcomes of an exercise's laws, or of one task's, one at a time."""
    judge = Judge(transport, policy)
    laws = [law for law in laws_for(exercise) if task in (None, law.task)]
    if policy.seed is not None:
        laws = [law for law in laws if isinstance(law.cases, Space)]  # a fixed case is the same for every seed
    return (judge.grade(law) for law in laws)


def _breaks(transport: Transport, exercise: str, policy: Policy, task: str | None = None) -> bool:
    return any(o.record.status != "passed" for o in _grade(transport, exercise, policy, task))


def _stub(report: Report, repeat: int) -> None:
    judge = Judge(InProcess(Source(texts=stub_files())), Policy())
    outcomes = [judge.grade(law) for law in laws_for(report.exercise)]
    started = {o.law.task: o for o in reversed(outcomes) if o.record.status not in ("not_started", "skipped")}
    report.problems += [f"the stub of {task} is {o.record.status}: {o.broken}" for task, o in started.items()]
    reported = {o.law.task for o in outcomes if o.record.status == "not_started"}
    silent = [task.name for task in load_course()[report.exercise].tasks if task.name not in reported]
    report.problems += [f"the stub of {task} is not reported as not started" for task in silent]


def _reference(report: Report, repeat: int) -> None:
    for seed in [None, *range(REFERENCE_SEEDS)]:
        for outcome in _grade(reference_transport(), report.exercise, _policy(seed)):
            if outcome.record.status != "passed":
                report.problems.append(f"the reference breaks {outcome.law.name} (seed {seed}): {outcome.broken}")
    report.counts["laws"] = str(len(laws_for(report.exercise)))


def _variants(report: Report, repeat: int) -> None:
    variants = variants_of(report.exercise)
    for variant in variants:
        transport = subject_with(report.exercise, (variant,))
        for seed in [None, *range(1, max(VARIANT_SEEDS, repeat))]:
            for outcome in _grade(transport, report.exercise, _policy(seed)):
                if outcome.record.status != "passed":
                    broken = f"breaks {outcome.law.name} (seed {seed}): {outcome.broken}"
                    report.problems.append(f"the variant {variant.id} {broken}")
    if len(variants) < 3:
        report.problems.append(f"only {len(variants)} variants; at least three are wanted")
    report.counts["variants"] = str(len(variants))


def _misconceptions(report: Report, repeat: int) -> None:
    known = misconceptions_of(report.exercise)
    if unfit := _unfit(report.exercise, known):
        report.problems += unfit
        return
    needed: set[str] = set()
    fixed: set[str] = set()  # mistakes that a law on given cases catches first: those are the same for every seed
    for seed in [None, *range(1, repeat)]:
        for m in known:
            if m.id in fixed:
                continue
            transport = subject_with(report.exercise, (m,))
            policy = Policy(skips=False, shrinks=False, seed=seed)
            outcomes = _grade(transport, report.exercise, policy, m.task)
            failed = next((outcome for outcome in outcomes if outcome.record.status != "passed"), None)
            if failed is None:
                report.problems.append(f"the misconception {m.id} passes (seed {seed})")
                continue
            needed.add(failed.law.name)
            failure_screen(failed, "", load_course()[report.exercise], "")  # stops the audit when it cannot be shown
            if not isinstance(failed.law.cases, Space):
                fixed.add(m.id)
            named = failed.record.misconception or "nothing"
            if named != m.id:
                report.problems.append(f"the misconception {m.id} is named {named} by {failed.law.name}: merge them?")
    idle = [law.name for law in laws_for(report.exercise) if law.name not in needed]
    if idle:
        report.thoughts.append(f"no misconception is caught first by {', '.join(idle)}")
    report.counts["misconceptions"] = str(len(known))


def _unfit(exercise: str, known: Iterable[Misconception]) -> list[str]:
    """What is said of the misconceptions whose patches do not fit the reference, or no longer do."""
    said = []
    for m in known:
        try:
            m.apply(reference_text(exercise))
        except ValueError as error:
            said.append(f"the misconception {error}")
    return said


@dataclass(frozen=True)
class Trivial:
    """Answers every call with something of the right form that took no thought."""

    change: Callable[[Tensor, tuple], Tensor]
    isolation: str = "none"

    def ask(self, request: Request, meanwhile: Callable[[], object] | None = None) -> Reply:
        reply = reference_transport().ask(request)
        return reply if request.describe or reply.failure else replace(reply, value=self._changed(reply.value, request))

    def _changed(self, value: object, request: Request) -> object:
        if isinstance(value, Tensor):
            return self.change(value, request.args)
        if isinstance(value, dict):
            return {key: self._changed(item, request) for key, item in value.items()}
        if isinstance(value, (list, tuple, set)):
            return type(value)(self._changed(item, request) for item in value)
        if isinstance(value, (int, float)):
            return type(value)(self.change(torch.tensor(value, dtype=torch.float64), ()).nan_to_num())
        return value

    @property
    def source(self) -> Source:
        """That of the reference: it is what answers."""
        return reference_transport().source

    def start(self) -> None:
        """Nothing to start."""

    def computed(self) -> float:
        """Nothing to speak of."""
        return 0.0

    def replace(self, name: str, text: str) -> None:
        """Nothing stands in the way of the reference."""

    def close(self) -> None:
        """Nothing is open."""


def _input_itself(value: Tensor, args: tuple) -> Tensor:
    same = [a for a in args if isinstance(a, Tensor) and a.shape == value.shape and a.dtype == value.dtype]
    return same[0].clone() if same else torch.zeros_like(value)


def _random(value: Tensor, args: tuple) -> Tensor:
    return torch.rand(value.shape, generator=torch.Generator().manual_seed(value.numel()), dtype=torch.float64).to(
        value
    )


TRIVIAL = {
    "zeros": lambda value, args: torch.zeros_like(value),
    "ones": lambda value, args: torch.ones_like(value),
    "NaN": lambda value, args: torch.full_like(value, torch.nan),
    "the input itself": _input_itself,
    "random numbers": _random,
}


def _trivial(report: Report, repeat: int) -> None:
    for task in load_course()[report.exercise].tasks:
        for name, change in TRIVIAL.items():
            if not _breaks(Trivial(change), report.exercise, replace(EVERY_LAW, examples=10), task.name):
                report.problems.append(f"{task.name} accepts {name}")
    report.counts["trivial answers"] = str(len(TRIVIAL))


def _mutations(report: Report, repeat: int) -> None:
    equivalent = importlib.import_module(f"graders.misconceptions.{report.exercise}").EQUIVALENT
    tasks = [task.name for task in load_course()[report.exercise].tasks]
    made = list(mutations(reference_text(report.exercise), tasks))
    survivors = []
    for task, mutation, text in made:
        transport = reference_with({report.exercise: text})
        caught = _breaks(transport, report.exercise, EVERY_LAW, task)  # most often by the task's own laws
        if not caught and not _breaks(transport, report.exercise, EVERY_LAW):
            survivors.append(mutation)
        transport.close()
    unexplained = [mutation for mutation in survivors if mutation not in equivalent]
    report.problems += [f"a mutation survives: {mutation}" for mutation in unexplained]
    report.problems += [f"EQUIVALENT lists what does not survive: {m}" for m in equivalent if m not in survivors]
    killed = len(made) - len(survivors)
    if killed < MUTATION_SCORE * len(made):
        report.problems.append(f"only {killed} of {len(made)} mutations are killed")
    report.counts["mutations killed"] = f"{killed} of {len(made)}"
