"""Histories of small cohorts for the tests of the dashboard, written row by row."""

import datetime
import html
import re
import sqlite3
from pathlib import Path

from graders.cohort.dashboard.accounts import accounts
from graders.cohort.dashboard.digest import Digest
from graders.cohort.dashboard.lead import Report, write_report
from graders.cohort.dashboard.plan import due_of, plan_of
from graders.cohort.history import (
    Key,
    apply_roster,
    begin_grading,
    finish_grading,
    open_history,
    record_law,
    record_visit,
)
from graders.cohort.policy import Policy
from graders.cohort.roster import Learner
from graders.engine.misconception import misconceptions_of
from graders.engine.record import Record
from graders.loop.specification import laws_in

NOW = datetime.datetime(2026, 11, 20, 6, tzinfo=datetime.UTC)
NASTY = (
    "</script><img src=x onerror=alert(1)>",
    "'\"><svg onload=alert(1)>",
    "[x](javascript:alert(1)) **b** <b>",
    "\x1b[31mred\x1b[0m \u202egnp.exe\u202c {{ 7 * 7 }} {% raw %}",
    "<!-- --> ]]> \u2028 HEADSTARTCONTENT HEADSTARTTITLE",
    '=HYPERLINK("http://evil.example") @everyone #1 `x`',
)


def days_ago(days: float) -> str:
    """A time of the history."""
    return (NOW - datetime.timedelta(days=days)).isoformat(timespec="seconds")


def learner(i: int, section: str = "", start: datetime.date | None = None, name: str = "") -> Learner:
    """A learner of the roster; nobody has a learner's name by chance."""
    return Learner(f"u{i:03}", name or f"Name{i:03}", f"https://git.example/u{i:03}.git", section, start)


def cohort(path: Path, *learners: Learner) -> sqlite3.Connection:
    """A history with this roster, in which everybody was looked at a hundred days ago and today."""
    history = open_history(path)
    apply_roster(history, learners)
    for one in learners:
        record_visit(history, one.id, days_ago(100), commit_id="c0ffee")
        record_visit(history, one.id, days_ago(0), commit_id="c0ffee")
    return history


def hand_in(
    history: sqlite3.Connection,
    who: str,
    exercise: str,
    status: str,
    days: float,
    misconception: str = "",
    text: str = "",
    isolation: str = "sandbox",
    told: tuple[str, str, str] = ("x = [1.0]", "[2.0]", "[3.0]"),
    broken: int = 0,
) -> None:
    """A text seen so many days ago, and its verdict: `passed`, `not_started`, or `failed` at one law."""
    text = text or f"{who} {exercise} {status} {days} {misconception}"
    at = days_ago(days)
    record_visit(history, who, at, commit_id="c0ffee", committed_at=at, hashes={exercise: text})
    grading = begin_grading(history, Key(exercise, text, "0.1.0+1", "secret:1", isolation))
    if grading is None:
        return
    laws = [(law, task, says) for law, (task, says) in laws_in(exercise).items()]
    if misconception:
        task = next(one.task for one in misconceptions_of(exercise) if one.id == misconception)
        broken = next(i for i, law in enumerate(laws) if law[1] == task)
    for i, (law, task, says) in enumerate(laws):
        is_broken = status == "failed" and i == broken
        state = "passed" if status in ("passed", "failed") and not is_broken else status
        shown = dict(zip(("counterexample", "yours", "expected"), told, strict=True)) if is_broken else {}
        kind = "values" if is_broken else ""
        named = misconception if is_broken else ""
        seed = 1 if is_broken else None
        facts = {"misconception": named, "isolation": isolation, "seed": seed} | shown
        record = Record(exercise, task, law, says, state, kind, **facts)
        record_law(history, grading, i, record)
    finish_grading(history, grading, [law for law, _, _ in laws])


def written(
    history: sqlite3.Connection, out: Path, policy: Policy | None = None, since: float = 7
) -> tuple[Report, str]:
    """The lead's report in a folder, and its digest."""
    out.mkdir(parents=True, exist_ok=True)
    policy = Policy()
    digest = Digest(NOW - datetime.timedelta(days=7))
    made = write_report(history, out, due_of(policy), plan_of(policy), digest, NOW)
    text = digest.text(NOW)
    (out / "digest.md").write_text(text, encoding="utf-8")
    return made, text


def said(page: Path) -> str:
    """What a reader of a page reads, in one line."""
    content = (
        page.read_text(encoding="utf-8").partition('<h1 id="content" tabindex="-1">')[2].partition("</article>")[0]
    )
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", content)).split())


def page_of(site: Path, history: sqlite3.Connection, who: str) -> Path:
    """Where a learner's page is."""
    return site / "learners" / f"{next(a.page for a in accounts(history) if a.learner.id == who)}.html"
