"""The pages of the exercises: one order, specifications as in the stubs, mistakes that graders know, true pictures."""

import ast
import html
import itertools
import re

import markdown
import pytest

from docs import checkpoint_pictures as checkpoint
from docs import exercise_pictures as pictures
from docs.lessons import solution_page, specification
from docs.model_pictures import read
from graders.commands.site import written_page
from graders.engine.course import ROOT, load_course, sections
from graders.engine.misconception import misconceptions_of
from graders.engine.stubs import stub_text
from graders.loop.files import solution_text

COURSE = load_course()
EXERCISES = {exercise.name: exercise for exercise in COURSE.exercises}
TASKS = [(exercise.name, task) for exercise in COURSE.exercises for task in exercise.tasks]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES)
every_task = pytest.mark.parametrize(("exercise", "task"), TASKS, ids=[f"{e}-{t.name}" for e, t in TASKS])
MISTAKES, CHECKED = "**Common mistakes, as questions**", "**What the graders check.**"
FOLD = re.compile(r'<details(?: data-mistakes="([\w ]+)")?><summary>(.+?)</summary>(.+?)</details>')


def page(exercise: str) -> str:
    return (ROOT / EXERCISES[exercise].page).read_text(encoding="utf-8")


def mistakes_on_page(exercise: str, task) -> list[tuple[str, ...]]:
    """The questions about mistakes in a task's section: the misconceptions each is about, question, answer."""
    return FOLD.findall(sections(page(exercise))[task.page].partition(MISTAKES)[2])


@every_exercise
def test_a_page_goes_from_the_idea_to_the_paper_in_one_order(exercise):
    found = list(sections(page(exercise)))
    tasks = [task.page for task in EXERCISES[exercise].tasks]
    wanted = ["", "picture", "the-maths", "by-hand", *tasks, "check-yourself-before-coding", "source", "solution"]
    assert [anchor for anchor in found if anchor in wanted] == wanted


@every_task
def test_a_task_has_its_page_its_session_and_a_picture(exercise, task):
    entry = EXERCISES[exercise]
    assert task.page in sections(page(exercise)), f"{entry.page} has no section #{task.page} for {task.name}"
    session = COURSE.sessions[entry.session - 1].page if entry.session else "index"
    plan = (ROOT / "docs" / "sessions" / f"{session}.md").read_text(encoding="utf-8")
    assert f"(../exercises/{exercise}.md" in plan, f"docs/sessions/{session}.md has no link to {entry.page}"
    shown = re.findall(r"^!\[(.+)\]\(\.\./pictures/\w+\.svg\)$", sections(page(exercise))["picture"], re.MULTILINE)
    assert len(shown) == 1


@every_exercise
def test_a_page_says_what_is_asked_as_the_stubs_say_it(exercise):
    assert page(exercise) == written_page(exercise), "run headstart site"


@every_task
def test_a_specification_is_shown_word_for_word(exercise, task):
    """What Markdown would take for a sign in the text of a stub must not get lost."""
    node = next(n for n in ast.parse(stub_text(exercise)).body if getattr(n, "name", "") == task.name)
    texts = [ast.get_docstring(n) for n in ast.walk(node) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    made = markdown.markdown(specification(exercise, task.name), extensions=["fenced_code", "tables"])
    assert re.findall(r"<(\w+)", made).count("em") == 0
    shown = " ".join(html.unescape(re.sub(r"</?\w+[^<>]*>", "", made)).split())
    for text in filter(None, texts):
        assert " ".join(text.replace("`", "").split()) in shown


@every_task
def test_the_mistakes_of_a_task_are_known_and_at_most_five(exercise, task):
    section = sections(page(exercise))[task.page]
    assert section.count(CHECKED) == section.count(MISTAKES) == 1
    asked = mistakes_on_page(exercise, task)
    assert len(asked) == section.count("<details")
    assert 1 <= len(asked) <= 5
    known = {m.id for m in misconceptions_of(exercise) if m.task == task.name}
    named = [name for ids, _question, _answer in asked for name in ids.split()]
    assert all(ids for ids, _question, _answer in asked)
    assert sorted(set(named) - known) == []
    assert len(set(named)) == len(named)


@every_exercise
def test_there_are_three_questions_or_more_before_coding(exercise):
    asked = FOLD.findall(sections(page(exercise))["check-yourself-before-coding"])
    assert len(asked) >= 3
    assert [question.split()[0] for _ids, question, _answer in asked] == [f"{i + 1}." for i in range(len(asked))]


@every_exercise
def test_the_page_of_a_solution_has_every_line_of_it_and_says_what_it_is(exercise):
    made = solution_page(EXERCISES[exercise])
    assert made.startswith(
        f"---\nsearch:\n  exclude: true\n---\n\n# {exercise}: the solution\n\n**This is the solution"
    )
    code = "\n".join(re.findall(r"```python\n(.*?)\n```", made, re.DOTALL))
    solved = ast.parse(solution_text(exercise))
    assert ast.dump(ast.parse(code)) == ast.dump(ast.Module(solved.body[1:], []))
    assert [anchor for anchor in sections(made) if anchor != "given"] == [
        "",
        *(t.name.lower() for t in EXERCISES[exercise].tasks),
    ]


def test_the_first_row_of_a_pattern_has_all_its_weight_on_the_first_key():
    names, scores = checkpoint.scores_of_a_head()
    pattern = checkpoint.attention_pattern(checkpoint.apply_causal_mask(scores))[0, 0]
    assert names[0] == "To"
    assert pattern[0].tolist() == [1] + [0] * (len(names) - 1)


def test_the_stream_grows_from_1_to_43_and_what_is_added_is_short_beside_it_but_for_the_first_mlp():
    found = checkpoint.additions()
    stream = [row[0] for row in found]
    assert stream == sorted(stream)
    assert (round(stream[0]), round(stream[-1]), len(found)) == (1, 43, 6)
    (first, *others), (first_mlp, *other_mlps) = ([row[i] for row in found] for i in (1, 2))
    assert (round(first, 1), round(first_mlp)) == (0.5, 16)
    assert 0.5 <= min(others + other_mlps) <= max(others + other_mlps) < 10


def test_the_nucleus_holds_one_token_where_the_model_is_sure_and_21_where_it_is_not():
    (sure, names, probabilities, size), (unsure, *_rest, wide) = checkpoint.distributions()
    assert (sure, unsure) == ("God save the king! God save your maj", "My lord, I")
    assert (names[0], probabilities[0] > 0.99, size, wide) == ("est", True, 1, 21)


def test_the_search_is_that_of_the_page():
    first, second = pictures.search_tree()
    assert [(way.text, round(way.probability, 2), way.state) for way in first] == [
        ("a", 0.5, "live"),
        ("b", 0.4, "live"),
        (".", 0.1, "out"),
    ]
    shown = {way.text: (round(way.probability, 2), way.state) for way in second}
    assert shown == {
        "b.": (0.36, "finished"),
        "aa": (0.2, "live"),
        "ab": (0.15, "live"),
        "a.": (0.15, "out"),
        "ba": (0.02, "out"),
        "bb": (0.02, "out"),
    }


def test_a_cache_saves_361_tokens_of_390():
    without, cached = pictures.tokens_read()
    assert without == list(range(10, 30))
    assert cached == [10, *itertools.repeat(1, 19)]
    assert (sum(without), sum(cached)) == (390, 29)


def test_the_second_god_is_the_greatest_surprise_and_the_rest_of_a_word_is_none():
    names, found, loss = checkpoint.surprises()
    assert round(loss, 1) == 2.0
    assert names[found.index(max(found))] == "\N{OPEN BOX}God"
    assert round(max(found), 1) == 6.0
    assert [round(found[names.index(piece)], 1) for piece in ("j", "est", "y")] == [0, 0, 0]
    assert "".join(["G", *names]) == "".join(read(checkpoint.SAVED)[1])


def test_the_learning_rate_falls_to_a_tenth():
    assert pytest.approx(pictures.MAX_LR / 10) == pictures.MIN_LR
    assert (pictures.WARMUP, pictures.STEPS) == (100, 1000)


def test_the_losses_of_the_run_are_those_of_the_page():
    found = {step: (f"{seen:.2f}", f"{unseen:.2f}") for step, seen, unseen in checkpoint.losses()}
    rows = re.findall(
        r"^\| (after steps|on what|on text)[^|]*\|(.+)\|$", sections(page("training"))["a-real-run"], re.M
    )
    steps, seen, unseen = ([cell.strip().replace(",", "") for cell in cells.split("|")] for _name, cells in rows)
    assert [found[int(step)] for step in steps] == list(zip(seen, unseen, strict=True))
    assert max(map(float, (*seen, *unseen))) < checkpoint.UNIGRAM
    assert found[5600] == ("2.77", "3.37")
