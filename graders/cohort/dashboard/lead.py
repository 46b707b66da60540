"""The lead's own report: who needs them today, the grid, the mistakes, the pace, and a page for each learner."""

import datetime
import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graders.cohort.dashboard import pages
from graders.cohort.dashboard.accounts import Standing, accounts, failures_of, standing_of, tallies_of, timeline_of
from graders.cohort.dashboard.digest import Digest
from graders.cohort.dashboard.findings import Findings
from graders.cohort.dashboard.frames import Frame, frames
from graders.cohort.dashboard.needs import Broken, Due, Reason, reasons
from graders.cohort.dashboard.wording import STATUSES, ago, counted, listed, natural
from graders.cohort.harmless import plain
from graders.engine.course import Exercise, load_course

PAGES = (("index", "Today"), ("grid", "Everyone"), ("mistakes", "Mistakes"), ("pace", "Pace"))
LEARNER = "learners/page"
MOST_IN_NEED, MOST_FINDINGS, MOST_NAMES, MOST_ATTEMPTS = 25, 10, 60, 100
WEB = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?/[A-Za-z0-9._~/-]*")  # an address that a link may lead to


@dataclass(frozen=True, slots=True)
class Seen:
    """What the pages about everybody need of one learner."""

    standing: Standing
    reasons: Sequence[Reason]
    keys: Sequence[str]  # of the findings that are theirs

    @property
    def name(self) -> str:
        return self.standing.account.learner.name

    @property
    def page(self) -> str:
        return self.standing.account.page

    @property
    def section(self) -> str:
        return self.standing.account.learner.section

    @property
    def urgency(self) -> int:
        return sum(reason.weight for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Failure:
    """An exercise that is not right as it was handed in last."""

    exercise: str
    at: datetime.datetime
    screens: Sequence[pages.Screen]  # one for each broken law


@dataclass(frozen=True, slots=True)
class Report:
    """What was written."""

    standings: Sequence[Standing]
    n_in_need: int
    n_low: int  # verdicts below the sandbox

    @property
    def summary(self) -> str:
        """What a terminal says of it."""
        needs = "need" if self.n_in_need != 1 else "needs"
        return f"{counted(len(self.standings), 'learner')}, {self.n_in_need or 'none'} of whom {needs} you today"


def write_report(
    history: sqlite3.Connection, out: Path, due: Due, plan: str, digest: Digest, now: datetime.datetime
) -> Report:
    """Write the site into an empty folder, and what is new into `digest`.

    `plan`: a sentence on where due dates come from. Raises `ModuleNotFoundError` where MkDocs is not installed.
    """
    exercises = load_course().exercises
    frame = frames(out, "Cohort", PAGES, [LEARNER])
    made = pages.made_line(now)
    findings = Findings(exercises, due, now.date())
    seen, n_undated = [], 0
    (out / "learners").mkdir(exist_ok=True)
    for account in accounts(history):
        standing = standing_of(account, exercises)
        broken = _broken(history, standing)
        why = reasons(standing, broken, due, now)
        content = _learner_page(standing, _failures(history, standing, broken), why, due, now, made)
        (out / "learners" / f"{account.page}.html").write_text(
            frame[LEARNER].filled(plain(account.learner.name, 80), content), encoding="utf-8"
        )
        digest.add(standing, broken, why)
        n_undated += not (account.learner.start or any(due(account.learner, exercise) for exercise in exercises))
        # The texts and attempts of 5,000 learners are not kept
        bare = Standing(replace(account, attempts=()), standing.cells)
        seen.append(Seen(bare, why, findings.add(standing, broken)))
    probe = history.execute("SELECT reason, mend FROM probes ORDER BY at DESC LIMIT 1").fetchone()
    standings = [one.standing for one in seen]
    digest.notices = _notices(standings, probe)
    _write_everybody(out, frame, seen, findings, plan, digest.notices, n_undated, now, made)
    return Report(standings, sum(bool(one.reasons) for one in seen), pages.isolation_of(standings)["n_low"])


def _broken(history: sqlite3.Connection, standing: Standing) -> dict[str, Broken]:
    """By exercise, the broken laws of what was handed in last."""
    newest = {name: standing.cells[name].newest for name in standing.failing}
    return {name: failures_of(history, attempt) for name, attempt in newest.items() if attempt}


def _failures(history: sqlite3.Connection, standing: Standing, broken: dict[str, Broken]) -> list[Failure]:
    """What is said of each exercise that is not right, what was changed last first."""
    found = []
    for name, records in broken.items():
        attempt = standing.cells[name].newest
        if attempt and records:
            tallies = tallies_of(history, attempt)
            found.append(Failure(name, attempt.at, [pages.screen_of(one, tallies[one.task]) for one in records]))
    return found


def _learner_page(
    standing: Standing, failures: Sequence[Failure], why: Sequence[Reason], due: Due, now: datetime.datetime, made: str
) -> str:
    account = standing.account
    timeline = [(attempt, is_new) for attempt, is_new in timeline_of(account) if attempt.exercise in standing.cells]
    dates = {exercise.name: due(account.learner, exercise) for exercise in load_course().exercises}
    return pages.rendered(
        "learner.html",
        account=account,
        standing=standing,
        reasons=why,
        failures=failures,
        link=account.learner.repository if WEB.fullmatch(account.learner.repository) else "",
        due=dates,
        timeline=timeline[:MOST_ATTEMPTS],
        n_earlier=max(0, len(timeline) - MOST_ATTEMPTS),
        now=now,
        made=made,
        **pages.isolation_of([standing]),
    )


def _write_everybody(
    out: Path,
    frame: dict[str, Frame],
    seen: Sequence[Seen],
    findings: Findings,
    plan: str,
    notices: Sequence[str],
    n_undated: int,
    now: datetime.datetime,
    made: str,
) -> None:
    in_need = sorted((one for one in seen if one.reasons), key=lambda one: (-one.urgency, natural(one.name)))
    standings = [one.standing for one in seen]
    n_cells = sum(len(standing.cells) for standing in standings)
    n_passed = sum(standing.n_passed for standing in standings)
    visits = [standing.account.last_visit for standing in standings if standing.account.last_visit]
    shared = {
        "learners": seen,
        "laws": findings.laws,
        "mistakes": findings.mistakes,
        "made": made,
        **pages.isolation_of(standings),
    }
    contents = {
        "index": pages.rendered(
            "today.html",
            in_need=in_need,
            most=MOST_IN_NEED,
            n_cells=n_cells,
            n_passed=n_passed,
            all_passed=n_cells > 0 and n_passed == n_cells,
            last_visit=ago(max(visits, default=None), now),
            notices=notices,
            n_undated=n_undated,
            **shared,
        ),
        "grid": pages.rendered("grid.html", **shared),
        "mistakes": pages.rendered("mistakes.html", most=MOST_NAMES, shown=MOST_FINDINGS, **shared),
        "pace": pages.rendered("pace.html", paces=findings.paces.values(), plan=plan, **shared),
    }
    for path, title in PAGES:
        (out / f"{path}.html").write_text(frame[path].filled(title, contents[path]), encoding="utf-8")
    rows = grid_data(seen, findings, load_course().exercises, now)
    shutil.copyfile(Path(__file__).with_name("grid.js"), out / "grid.js")
    # The names stand in a script: as JSON, in which nothing can end a script or begin a comment
    text = json.dumps(rows, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    (out / "grid-data.js").write_text(f"const cohort = {text};\n", encoding="utf-8")


def _notices(standings: Sequence[Standing], probe: sqlite3.Row | None) -> list[str]:
    """What the lead has to mend, or to know, before trusting the page."""
    count = Counter((cell.status, name) for one in standings for name, cell in one.cells.items())
    stopped = [name for status, name in count if status == "error"]
    waiting = sum(n for (status, _), n in count.items() if status == "waiting")
    said = []
    if stopped:
        n = sum(count["error", name] for name in stopped)
        said.append(
            f"{counted(n, 'verdict')} could not be made, since a grader itself stopped ({listed(stopped, 4)}): no "
            "mistake of the learners. Run headstart cohort grade again once it is mended."
        )
    if waiting and waiting < sum(count.values()):
        said.append(f"{counted(waiting, 'exercise')} not graded yet: run headstart cohort grade.")
    if probe is not None and probe["mend"]:
        said.append(f"The sandbox of the last run was not bounded as it can be ({probe['reason']}): {probe['mend']}.")
    return said


def grid_data(
    seen: Sequence[Seen], findings: Findings, exercises: Sequence[Exercise], now: datetime.datetime
) -> dict[str, Any]:
    """The grid as plain data: what `grid.js` draws, filters and sorts."""
    sections = sorted({one.section for one in seen if one.section})
    statuses = list(STATUSES)
    found = [*findings.mistakes, *findings.laws]
    number = {finding.key: i for i, finding in enumerate(found)}

    def row(one: Seen) -> list[Any]:
        account, cells = one.standing.account, one.standing.cells
        return [
            plain(account.learner.name, 80),
            plain(account.learner.id, 40),
            sections.index(one.section) if one.section else -1,
            account.page,
            one.urgency,
            [reason.kind for reason in one.reasons],
            [number[key] for key in one.keys],
            _days(one.standing.changed, now),
            [
                [statuses.index(cell.status), cell.tries, _days(cell.changed, now)]
                for cell in (cells[exercise.name] for exercise in exercises)
            ],
        ]

    return {
        "exercises": [exercise.name for exercise in exercises],
        "statuses": [[name, *STATUSES[name]] for name in statuses],
        "sections": [plain(section, 60) for section in sections],
        "mistakes": [[finding.key, plain(f"{finding.exercise}: {finding.says}", 90)] for finding in found],
        "learners": [row(one) for one in seen],
    }


def _days(then: datetime.datetime | None, now: datetime.datetime) -> int | None:
    """Whole days since; None for never."""
    return None if then is None else max(0, (now - then).days)
