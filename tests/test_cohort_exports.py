"""Exports say what the gradebook says, in the forms that other programs read, and nothing in them does anything."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET

import pytest
from histories import History, law
from typer.testing import CliRunner

from graders.cli import app
from graders.cohort.roster import Learner
from graders.engine.course import load_course

DAY = "2026-09-02T02:00:00+00:00"
EVIL = '=HYPERLINK("http://x")\x1b[31m<script>alert(1)</script>|@everyone `#1` \u202e[a](b)\x00'
ADA = Learner("ada", "Ada Lovelace", "learners/ada", "A", None, "ada@example.org")
BO = Learner("bo", EVIL, "learners/bo", "@SUM(A1);=1", None, "=1@x")
CY = Learner("cy", "Cy", "learners/cy")
FAILED = law(
    "future_tokens",
    "failed",
    kind="values",
    misconception="mask_hides_self",
    counterexample=f"scores = [[0.3]] {EVIL}",
    yours=f"[[-inf]] {EVIL}",
    expected="[[0.3]]",
    duration_ms=1500,
)
PRIVATE = law(
    "extra", "failed", kind="values", counterexample="secret case", yours="secret", expected="secret", is_private=True
)
RECORDS = [
    law("diagonal", duration_ms=250),
    FAILED,
    law("padding", "skipped", cause="waits for future_tokens"),
    law("scale", "not_started", task="scores"),
    PRIVATE,
    law("broken", "error", kind="grader"),
]


@pytest.fixture
def history(tmp_path, monkeypatch):
    """Ada has passed, Bo has not, and Cy could not be fetched. The current folder is that of the history."""
    monkeypatch.chdir(tmp_path)
    made = History(tmp_path / "history.sqlite3", ADA, BO, CY)
    made.visit("ada", DAY, attention="right").grade("attention", "right", [law("diagonal"), law("future_tokens")])
    made.visit("bo", DAY, attention="wrong").grade("attention", "wrong", RECORDS)
    made.visit("cy", DAY, problem="there is no such repository, or it is private")
    return made


def run(*arguments, code=0):
    """What an export prints; what it says beside that is not in it."""
    result = CliRunner().invoke(app, ["cohort", "export", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.stderr


def table(text):
    return list(csv.reader(io.StringIO(text)))


def test_canvas_gets_its_columns_the_points_possible_and_a_line_for_each_learner(history):
    head, possible, ada, bo, cy = table(run("canvas", "--exercise", "attention", "--exercise", "mlp"))
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "attention", "mlp"]
    assert possible == ["    Points Possible", "", "", "", "", "100", "100"]
    assert ada == ["Ada Lovelace", "", "ada", "ada@example.org", "A", "100", ""]
    assert bo[2:] == ["bo", "'=1@x", "'@SUM(A1);=1", "", ""]  # a grader stopped: no mistake of his
    assert cy == ["Cy", "", "cy", "", "", "", ""]


def test_moodle_gets_what_tells_users_apart_and_a_column_for_each_exercise(history):
    head, ada, *_ = table(run("moodle"))
    assert head == ["ID number", "Full name", "Email address", *(e.name for e in load_course().exercises)]
    assert ada[:3] == ["ada", "Ada Lovelace", "ada@example.org"]
    assert ada[head.index("attention")] == "100"


def test_no_cell_of_a_gradebook_begins_a_formula_or_a_cell_of_its_own(history):
    for form in ("canvas", "moodle"):
        printed = run(form)
        for row in table(printed):
            assert [cell for cell in row if cell.lstrip()[:1] in tuple("=+-@\t\r")] == []
            assert [cell for cell in row if not cell.isprintable()] == []
        assert re.search(r'(^|,)[^",\n]*;', printed) is None  # a semicolon outside quotes


def test_a_learner_cannot_be_the_row_that_gives_the_points(tmp_path, history):
    evil = Learner("dee", "Points Possible", "learners/dee")
    History(tmp_path / "history.sqlite3", ADA, evil)
    assert [row[0] for row in table(run("canvas"))][1:] == ["    Points Possible", "Ada Lovelace", "Points-Possible"]


def gradescope(learner):
    run("gradescope", "--out", "out", "--exercise", "attention")
    with open(f"out/{learner}/results.json", encoding="utf-8") as file:  # noqa: PTH123
        return json.load(file)


def test_gradescope_gets_the_points_of_each_exercise_and_a_test_for_each_law(history):
    found = gradescope("ada")
    assert (found["score"], found["extra_data"]) == (100, {"learner": "ada", "isolation": ["sandbox"]})
    assert [(t["name"], t["status"], t.get("score"), t.get("max_score")) for t in found["tests"]] == [
        ("attention", "passed", 100, 100),
        ("attention · mask: The law diagonal.", "passed", None, None),
        ("attention · mask: The law future_tokens.", "passed", None, None),
    ]
    assert found["tests"][0]["output"] == "passed: 2 of 2 laws hold"


def test_gradescope_says_what_is_wrong_as_the_screen_does_and_never_more_of_a_private_law(history):
    tests = {test["name"]: test for test in gradescope("bo")["tests"]}
    assert tests["attention · mask: The law future_tokens."]["output"].splitlines() == [
        'Smallest example: scores = [[0.3]] =HYPERLINK("http://x")<script>alert(1)</script>|@everyone `#1` [a](b)',
        'yours: [[-inf]] =HYPERLINK("http://x")<script>alert(1)</script>|@everyone `#1` [a](b)',
        "expected: [[0.3]]",
        "What this looks like: The mask hides the token itself: the diagonal is masked too.",
        "Think about: Which keys may the query at position 0 look at?",
    ]
    private = tests["attention · mask: The law extra."]
    assert (private["status"], private["output"]) == ("failed", "")
    assert "secret" not in json.dumps(list(tests.values()))
    assert {test["output_format"] for test in tests.values()} == {"text"}


def test_gradescope_says_why_nothing_could_be_fetched(history):
    found = gradescope("cy")
    assert (found["score"], found["output"]) == (0, "there is no such repository, or it is private")


def test_gradescope_needs_a_folder(history):
    assert run("gradescope", code=2) == "gradescope writes a file for each learner; add --out FOLDER\n"


def suites(*arguments):
    return {suite.get("name"): suite for suite in ET.fromstring(run("junit", *arguments).encode())}


def test_junit_has_a_suite_for_each_exercise_and_a_case_for_each_law(history):
    found = suites("--exercise", "attention")
    assert list(found) == ["ada attention", "bo attention", "cy attention"]
    bo = found["bo attention"]
    counts = [bo.get(name) for name in ("tests", "failures", "errors", "skipped", "time")]
    assert counts == ["6", "2", "1", "2", "1.750"]
    cases = {case.get("name"): [(child.tag, child.get("message")) for child in case] for case in bo.iter("testcase")}
    assert cases == {
        "diagonal": [],
        "future_tokens": [("failure", "The law future_tokens.")],
        "padding": [("skipped", "Not tried: waits for future_tokens.")],
        "scale": [("skipped", "Not started.")],
        "The law extra.": [("failure", "The law extra.")],
        "broken": [("error", "The law broken.")],
    }


def test_junit_follows_the_schema_that_readers_share(history):
    """Elements, their order and their attributes, as in Jenkins' `junit-10.xsd`."""
    root = ET.fromstring(run("junit").encode())
    allowed = {
        "testsuites": ({"name"}, ["testsuite"]),
        "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, ["properties", "testcase"]),
        "properties": (set(), ["property"]),
        "property": ({"name", "value"}, []),
        "testcase": ({"classname", "name", "time"}, ["skipped", "error", "failure"]),
        "failure": ({"message", "type"}, []),
        "error": ({"message", "type"}, []),
        "skipped": ({"message"}, []),
    }
    for element in root.iter():
        attributes, children = allowed[element.tag]
        assert set(element.keys()) <= attributes
        places = [children.index(child.tag) for child in element]
        assert places == sorted(places)
        assert all(int(element.get(name, "0")) >= 0 for name in ("tests", "failures", "errors", "skipped"))


def test_junit_says_nothing_of_a_private_law_and_escapes_everything_else(history):
    printed = run("junit", "--exercise", "attention")
    assert "secret" not in printed
    assert "<script>" not in printed
    assert "\x1b" not in printed and "\x00" not in printed  # noqa: PT018
    bo = suites("--exercise", "attention")["bo attention"]
    assert "<script>alert(1)</script>" in bo.find("testcase/failure").text


def test_junit_says_of_whom_nothing_could_be_fetched_and_what_is_missing(history):
    found = suites("--exercise", "attention", "--exercise", "mlp")
    assert (
        found["cy attention"].find("testcase/error").get("message") == "there is no such repository, or it is private"
    )
    assert found["ada mlp"].find("testcase/skipped").get("message") == "There is no such file in the repository."


def test_the_summary_counts_where_learners_stand_and_has_a_line_for_each(history):
    lines = run("summary", "--exercise", "attention").splitlines()
    assert lines[0] == "## Cohort: 3 learners"
    assert lines[2] == "Isolation: sandbox."
    words = "passed | failed | not started | file missing | could not be read | could not be judged | not graded yet"
    assert f"| exercise | {words} |" in lines
    assert "| attention | 1 | 0 | 0 | 0 | 1 | 1 | 0 |" in lines
    assert "| Ada Lovelace (ada) | 1 of 1 | 100 | 2026-09-02 02\\:00\\:00 |  |" in lines
    assert lines[-1].endswith("| there is no such repository, or it is private |")


def test_in_the_summary_who_was_not_looked_at_yet_is_not_graded_yet_and_was_never_seen(tmp_path, history):
    History(tmp_path / "history.sqlite3", ADA, Learner("dee", "Dee", "learners/dee"))
    lines = run("summary", "--exercise", "attention").splitlines()
    assert "| attention | 1 | 0 | 0 | 0 | 0 | 0 | 1 |" in lines
    assert lines[-1] == "| Dee (dee) | 0 of 1 | 0 |  |  |"


def test_nothing_in_the_summary_is_html_a_mention_a_link_or_a_column_of_its_own(history):
    (line,) = [line for line in run("summary").splitlines() if "(bo)" in line]
    assert "<" not in line
    assert re.search(r"@\w", line) is None
    assert re.search(r"#\d", line) is None
    assert re.search(r"(?<!\\)\[", line) is None
    assert len(re.findall(r"(?<!\\)\|", line)) == 6


def test_the_summary_stays_below_what_github_takes(tmp_path, history):
    many = [Learner(f"l{n}", "\u00e9" * 200, f"learners/l{n}") for n in range(9000)]
    History(tmp_path / "history.sqlite3", *many)
    printed = run("summary")
    assert len(printed.encode()) < 2**20
    assert re.search(r"\n\nand \d+ more; `headstart cohort report` shows all\n$", printed)


def test_only_the_learners_that_are_named_are_written(history):
    assert [row[0] for row in table(run("moodle", "--learner", "cy"))] == ["ID number", "cy"]


def test_a_file_is_written_whole_in_one_step(history, tmp_path):
    assert run("canvas", "--out", "grades/canvas.csv") == "wrote 3 learners to grades/canvas.csv\n"
    assert [path.name for path in (tmp_path / "grades").iterdir()] == ["canvas.csv"]
    assert (tmp_path / "grades" / "canvas.csv").read_text(encoding="utf-8") == run("canvas")


def test_points_follow_the_policy(history, tmp_path):
    (tmp_path / "policy.toml").write_text("[points]\nattention = 10\n[due.exercises]\nmlp = 2026-09-01\n")
    _, possible, ada, *_ = table(run("canvas", "--exercise", "attention", "--exercise", "mlp"))
    assert (possible[5:], ada[5:]) == (["10", "100"], ["10", "0"])


def test_verdicts_below_the_sandbox_are_said(history):
    history.visit("ada", DAY, mlp="m").grade("mlp", "m", [law("a")], "process")
    result = CliRunner().invoke(app, ["cohort", "export", "moodle"])
    assert result.stderr == "wrote 3 learners; 1 of the verdicts were made below the sandbox, and could be forged\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ("moodle", "--learner", "nobody"),
            1,
            "--learner nobody: the roster has no such learner; expected an id as it stands there\n",
        ),
        (
            ("moodle", "--history", "no.sqlite3"),
            1,
            "there is no no.sqlite3; `headstart cohort grade` makes it, or name another with --history\n",
        ),
        (("moodle", "--exercise", "atention"), 2, "there is no exercise 'atention'"),
        (("excel",), 2, "there is no form 'excel'; the forms are canvas, moodle, gradescope, junit, summary\n"),
        (("kanvas",), 2, "there is no form 'kanvas'; did you mean canvas? The forms are canvas, moodle,"),
        (
            ("canvas", "--policy", "nope.toml"),
            2,
            "--policy nope.toml: there is no such file; name one that is there, or leave --policy out\n",
        ),
    ],
)
def test_what_cannot_be_exported_is_said(arguments, code, said, history):
    assert said in run(*arguments, code=code)


def test_a_policy_that_cannot_be_used_stops_the_export(history, tmp_path):
    (tmp_path / "policy.toml").write_text("[late]\nfloor = 101\n")
    assert "late.floor is '101'; expected a whole number from 0 to 100" in run("canvas", code=1)
