"""What a run over the cohort shows while it lasts: only what is known then."""

import io
from types import SimpleNamespace

import pytest
from cohorts import quickly, submission_of
from reported import learner

from graders.cohort import run
from graders.cohort.history import apply_roster, open_history
from graders.cohort.jobs import Job
from graders.cohort.roster import Learner
from graders.commands.cohort import display
from graders.commands.cohort.display import Display

SOFTMAX = Job("softmax", "c0ffee", {}, {}, 1, "sandbox")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """The clock of a display, which goes on when a test says so."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(display, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def looked_at(shown, n):
    for i in range(n):
        shown.looked_at(learner(i, name="Hal"))


def test_beside_an_exercise_whoever_handed_it_in_is_named(clock):
    shown = Display(9)
    looked_at(shown, 2)
    clock.now += 4
    shown.graded("Cara", SOFTMAX)
    assert shown.said() == "2/9 learners looked at, 1 graded now (0.25/s) · Cara: softmax"


def test_whose_text_was_graded_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "look", lambda repository, known: submission_of(int(repository)))
    learners = [Learner(f"l{n}", f"Learner {n}", str(n)) for n in range(3)]
    history = open_history(tmp_path / "history.sqlite3")
    apply_roster(history, learners)
    this = run.Run(history, run.Terms(b"secret", "process", ("attention",)))
    named = {job.files["attention"]: this.keep(job, quickly(job)) for job in this.jobs(learners)}
    history.close()
    assert named == {"wrong 0": "Learner 0", "right 1": "Learner 1", "right 2": "Learner 2"}


def test_before_the_first_text_is_graded_nothing_is_said_of_earlier_runs(clock):
    shown = Display(9)
    looked_at(shown, 1)
    assert shown.said() == "1/9 learners looked at, 0 graded now"


def test_the_time_left_is_told_once_enough_learners_and_half_a_minute_have_gone_by(clock):
    shown = Display(100)
    looked_at(shown, 10)
    assert shown.left == ""
    clock.now += 60
    assert shown.left == ""
    looked_at(shown, 10)
    assert shown.left == ", about 4 min left"
    few = Display(100)
    clock.now += 60
    looked_at(few, 9)
    assert few.left == ""


def test_the_time_left_is_neither_seconds_nor_gone_near_the_end(clock):
    shown = Display(100)
    clock.now += 60
    looked_at(shown, 95)
    assert shown.said() == "95/100 learners looked at, 0 graded now, under a minute left"


def test_the_time_left_stays_while_no_further_learner_is_looked_at(clock):
    shown = Display(100)
    clock.now += 60
    looked_at(shown, 20)
    clock.now += 60
    shown.graded("Cara", SOFTMAX)
    assert shown.said() == "20/100 learners looked at, 1 graded now (0.01/s), about 4 min left · Cara: softmax"


def test_once_everybody_was_looked_at_it_says_what_it_waits_for_and_the_bar_is_not_full(clock, monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    shown = Display(2)
    looked_at(shown, 2)
    assert shown.said() == "2/2 learners looked at, 0 graded now, the last under way"
    (task,) = shown.bar.tasks
    assert not task.finished
    assert task.description == shown.said()


def test_where_there_is_no_terminal_a_line_is_written_every_half_minute(clock, capsys):
    shown = Display(100)
    looked_at(shown, 2)
    shown.graded("Cara", SOFTMAX)
    clock.now += 30
    looked_at(shown, 2)
    assert capsys.readouterr().err == "3/100 learners looked at, 1 graded now (0.03/s) · Cara: softmax\n"
