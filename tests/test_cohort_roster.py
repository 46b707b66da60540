"""A roster is read whole or refused whole, with every problem and its line; what applying it changes is shown first."""

import datetime

import pytest

from graders.cohort.roster import Learner, RosterError, difference_lines, differences, read_roster
from graders.engine.course import ROOT

HEADER = "id,name,repository,section,start,email\n"
ADA = "ada,Ada Lovelace,https://example.org/ada,A,2026-09-01,ada@example.org\n"
COLUMNS = "id, name, repository, section, start, email"


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Reads a roster of this text or these bytes, from the current folder."""
    monkeypatch.chdir(tmp_path)

    def _read(text):
        path = tmp_path / "roster.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_roster(path.relative_to(tmp_path))

    return _read


@pytest.fixture
def problems(read):
    """What is wrong with a roster, a problem a line, without the line that counts them."""

    def _problems(text):
        with pytest.raises(RosterError) as error:
            read(text)
        return str(error.value).splitlines()

    return _problems


def test_a_line_is_a_learner(read):
    start = datetime.date(2026, 9, 1)
    ada = Learner("ada", "Ada Lovelace", "https://example.org/ada", "A", start, "ada@example.org")
    assert read(HEADER + ADA) == (ada,)


def test_only_three_columns_are_needed_in_any_order_and_spelling(read):
    assert read("Repository,ID,Name\nlearners/ada,ada,Ada\n") == (Learner("ada", "Ada", "learners/ada"),)
    (ada,) = read("id,name,repository,E-Mail,Start date\nada,Ada,learners/ada,a@b,2026-09-01\n")
    assert (ada.email, ada.start) == ("a@b", datetime.date(2026, 9, 1))


@pytest.mark.parametrize(
    "encoded",
    [
        (HEADER + ADA).encode("utf-8-sig"),
        (HEADER + ADA).encode("utf-16"),
        (HEADER + ADA).replace("\n", "\r\n").encode(),
        (HEADER + ADA).replace(",", ";").encode(),
        (HEADER + ADA).replace(",", "\t").encode("utf-16"),
        (HEADER + "\n,,,,,\n" + ADA + ",,,,,\n").encode(),
        (HEADER + ADA.replace("\n", ",,,\n")).encode(),
    ],
    ids=["mark", "utf-16", "windows", "semicolons", "tabs", "empty lines", "empty cells after the last column"],
)
def test_what_spreadsheets_write_is_read(encoded, read):
    assert read(encoded) == read(HEADER + ADA)


def test_names_of_every_script_are_kept_and_quotes_are_read(read):
    (ada, *_) = read(HEADER + 'ada,"Lovelace, Ada ""Ą\u200d""",learners/ada\n')
    assert ada.name == 'Lovelace, Ada "Ą\u200d"'


def test_a_name_cannot_write_on_a_terminal(read):
    (ada,) = read(HEADER + "ada,\x1b[2JAda\u202e\x07,learners/ada\n")
    assert ada.name == "Ada"


def test_a_path_is_one_from_the_folder_of_the_roster(tmp_path):
    (tmp_path / "roster.csv").write_text("id,name,repository\nada,Ada,learners/ada\nb,B,https://example.org/b\n")
    ada, b = read_roster(tmp_path / "roster.csv")
    assert (ada.repository, b.repository) == (str(tmp_path / "learners" / "ada"), "https://example.org/b")


def test_every_problem_is_told_at_once_with_its_line(problems):
    text = (
        HEADER
        + ADA
        + "ADA,Ada,https://example.org/other,,,\n"
        + "../x,X,learners/x,,,\n"
        + ",,,A,,\n"
        + "bo,Bo,ext::sh -c x,,2026-02-30,bo\n"
        + '"di",Di,git@example.org:Ada.git,,1.9.2026,\n'
        + "ed,Ed,learners/ed,,,,and more\n"
    )
    form = "expected a form like 2026-09-01"
    assert problems(text) == [
        "roster.csv: 11 problems; nothing was applied",
        "line 3: the id 'ADA' is that of line 2 already",
        "line 4: the id '../x' cannot name a page; "
        "expected at most 64 of A-Z a-z 0-9 . _ - @, a letter or a digit first",
        "line 5: no id",
        "line 5: no name",
        "line 5: no repository",
        "line 6: the repository 'ext::sh -c x' is of no form that is taken; "
        "expected https://HOST/PATH, ssh://HOST/PATH, user@host:path or a path",
        f"line 6: the start '2026-02-30' is no date; {form}",
        "line 6: the email 'bo' is no address",
        f"line 7: the start '1.9.2026' is no date; {form}",
        "line 7: the repository 'git@example.org:Ada.git' is that of line 2 already",
        "line 8: 7 values for 6 columns; quote a value that has the separator in it",
    ]


def test_lines_are_counted_as_an_editor_counts_them(problems):
    said = problems(HEADER + 'ada,"Ada\nLovelace",learners/ada\n\nbo,Bo,learners/ada\n')
    assert said[1:] == ["line 5: the repository 'learners/ada' is that of line 2 already"]


def test_a_password_in_a_repository_is_refused_and_not_repeated(problems):
    said = problems(HEADER + "ada,Ada,https://ada:secret@example.org/ada\n")
    assert said[1].startswith("line 2: the repository 'https://...@example.org/ada' has a user or a password in it")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"the file is empty; expected a header, {COLUMNS.replace(' ', '')}, and a line a learner"),
        ("\n \n", f"the file is empty; expected a header, {COLUMNS.replace(' ', '')}, and a line a learner"),
        (HEADER, "1 problem; nothing was applied\nthere is a header but no learner below it; write one line for each"),
        (
            "ada,Ada,learners/ada\n",
            "2 problems; nothing was applied\n"
            f"line 1: the header has no column id, name, repository; the columns are {COLUMNS}\n"
            f"line 1: the header has 'ada', 'learners/ada', which is no column; the columns are {COLUMNS}",
        ),
        (
            "id,name,repository,id,grade\n",
            "2 problems; nothing was applied\n"
            f"line 1: the header has 'grade', which is no column; the columns are {COLUMNS}\n"
            "line 1: the header has id more than once",
        ),
    ],
)
def test_a_file_without_learners_says_what_was_expected(text, said, problems):
    assert "\n".join(problems(text)) == f"roster.csv: {said}"


def test_a_column_that_is_nearly_one_is_named(problems):
    told = "the header has 'repo', 'mail', which is no column; did you mean repository, email? The columns are"
    assert problems("id,name,repo,mail\n")[2] == f"line 1: {told} {COLUMNS}"


def test_the_address_of_the_example_is_refused_at_its_line(problems):
    example = (ROOT / "graders" / "cohort" / "handout" / "lead" / "roster.csv").read_text(encoding="utf-8")
    assert problems(example)[1:] == [
        "line 2: the repository 'https://github.com/your-organisation/headstart-ada' is the example's; write your "
        "learner's own, or take the line out"
    ]


def test_an_address_without_https_is_no_folder(problems):
    assert problems(HEADER + ADA + "bo,Bo,github.com/x/y,,,\n")[1:] == [
        "line 3: the repository 'github.com/x/y' is no folder here, and has no https://; expected "
        "https://github.com/x/y, or ./ before a folder's path"
    ]


def test_a_folder_may_be_named_as_a_host_is(read, tmp_path):
    (tmp_path / "github.com" / "ada").mkdir(parents=True)
    learners = read("id,name,repository\nada,Ada,github.com/ada\nbo,Bo,./github.com/bo\ncy,Cy,learners.d/cy\n")
    assert [one.repository for one in learners] == ["github.com/ada", "github.com/bo", "learners.d/cy"]


def test_a_file_in_another_encoding_is_refused_at_its_line(problems):
    text = (HEADER + ADA + "zoe,Zoé,learners/zoe\n").encode("latin-1")
    assert problems(text) == ["roster.csv, line 3: not UTF-8; save it as CSV UTF-8"]


def test_a_quote_that_stays_open_is_refused_at_its_line(problems):
    (said,) = problems(HEADER + ADA + 'bo,"Bo,learners/bo\n')
    assert said.startswith("roster.csv, line 3: a quote is open to the end, or stands inside a value")


def test_a_roster_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RosterError) as refused:
        read_roster(tmp_path / "roster.csv")
    assert str(refused.value) == (
        f"there is no {tmp_path / 'roster.csv'}; `headstart cohort template --lead --out DIR`, in the course's folder, "
        "makes a folder with a roster to fill in, or name another file"
    )


def test_more_problems_than_a_screen_has_lines_are_counted(problems):
    said = problems(HEADER + ",,\n" + "ada,,\n" * 1000)
    assert len(said) == 22
    assert said[-1] == "and 2979 more"


def test_five_thousand_learners_are_read(read):
    lines = [f"l{n},Learner {n},https://example.org/l{n},S{n % 7},2026-09-01,l{n}@example.org\n" for n in range(5000)]
    assert len(read(HEADER + "".join(lines))) == 5000


def test_the_roster_of_the_page_can_be_read(read):
    page = (ROOT / "docs" / "gradebook.md").read_text(encoding="utf-8")
    assert [one.id for one in read(page.split("```csv\n")[1].split("```")[0])] == ["ada", "bo", "cy"]


ADA_LEARNER = Learner("ada", "Ada", "learners/ada", "A", datetime.date(2026, 9, 1))
BO = Learner("bo", "Bo", "learners/bo")
CY = Learner("cy", "Cy", "learners/cy")


def test_a_difference_says_who_is_new_who_is_gone_and_what_changed():
    moved = Learner("ada", "Ada", "learners/new", "", datetime.date(2026, 9, 8))
    assert difference_lines(differences([ADA_LEARNER, BO], [CY, moved])) == [
        "  new      cy (Cy)",
        "  changed  ada (Ada): repository learners/ada -> learners/new; section A -> nothing; "
        "start 2026-09-01 -> 2026-09-08",
        "  gone     bo (Bo)",
        "1 new, 1 changed, 1 gone",
    ]


def test_the_same_roster_in_another_order_changes_nothing():
    assert difference_lines(differences([ADA_LEARNER, BO], [BO, ADA_LEARNER])) == ["nothing would change"]
