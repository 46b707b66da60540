"""`headstart write`: a subject's own model and sampling continue a text, or say in one line why not."""

import json

import pytest
from learners import folder_with, solved
from typer.testing import CliRunner

from graders.cli import app
from graders.engine.course import load_course

PROMPT = "To be, or"


def write(*arguments):
    return CliRunner().invoke(app, ["write", PROMPT, *map(str, arguments)])


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    """A learner who has solved everything."""
    texts = {exercise.name: solved(exercise.name) for exercise in load_course().exercises}
    return folder_with(tmp_path_factory.mktemp("learner"), **texts)


def test_a_text_is_continued_and_its_speed_told():
    result = write("--subject", "reference", "--tokens", 30)
    text, _, speed = result.stdout.rpartition("\n\n")
    assert (result.exit_code, text.startswith(PROMPT)) == (0, True)
    assert len(text) > len(PROMPT) + 30
    assert speed.startswith("30 tokens; the last 20: ")
    assert speed.rstrip().endswith(" without it")


def test_a_learner_s_own_files_write_the_same(learner):
    ours, theirs = (write("--subject", subject, "--tokens", 12, "--seed", 3) for subject in ("reference", learner))
    assert ours.stdout.rpartition("\n\n")[0] == theirs.stdout.rpartition("\n\n")[0]


def test_another_seed_writes_another_text():
    one, other = (write("--subject", "reference", "--tokens", 12, "--seed", seed) for seed in (0, 1))
    assert one.stdout.splitlines()[0] != other.stdout.splitlines()[0]


def test_every_setting_reaches_the_sampler():
    greedy = [write("--subject", "reference", "--tokens", 10, *options).stdout.rpartition("\n\n")[0] for options in (
        ("--temperature", 0), ("--top-k", 1), ("--top-p", 0), ("--temperature", 0, "--seed", 5))]  # fmt: skip
    assert len(set(greedy)) == 1
    penalised = write("--subject", "reference", "--tokens", 10, "--temperature", 0, "--frequency-penalty", 50)
    assert penalised.stdout.rpartition("\n\n")[0] != greedy[0]


def test_a_text_longer_than_the_context_goes_on():
    result = CliRunner().invoke(app, ["write", PROMPT * 90, "--subject", "reference", "--tokens", "3"])
    assert result.exit_code == 0


def test_beams_are_shown_side_by_side_the_best_first():
    result = write("--subject", "reference", "--tokens", 6, "--beams", 2)
    heads = next(line for line in result.stdout.splitlines() if "beam 1" in line)
    scores = [float(part.split()[0]) for part in heads.split("score ")[1:]]
    assert (result.exit_code, len(scores), scores) == (0, 2, sorted(scores, reverse=True))


def test_an_unwritten_task_is_named(tmp_path):
    result = write("--subject", folder_with(tmp_path / "stubs"))
    assert result.exit_code == 1
    assert "is not written yet; write it first, or run this with --subject reference" in result.stderr


def test_bad_settings_are_told_in_one_line():
    for option, value, said in (("--top-k", 0, "k is 0"), ("--top-p", 2, "2"), ("--temperature", -1, "-1")):
        result = write("--subject", "reference", option, value)
        assert (result.exit_code, said in result.stderr, len(result.stderr.splitlines())) == (1, True, 1)


def test_a_missing_subject_or_checkpoint_is_told_in_one_line(tmp_path):
    for arguments in (("--subject", tmp_path / "none"), ("--subject", "reference", "--weights", tmp_path)):
        result = write(*arguments)
        assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)


def test_an_empty_prompt_is_refused():
    result = CliRunner().invoke(app, ["write", "", "--subject", "reference"])
    assert (result.exit_code, "empty" in result.stderr) == (1, True)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two steps, and what was said at its end."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    result = CliRunner().invoke(app, ["train", "--subject", "reference", "--steps", "2", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return folder, result.stdout


def test_a_training_run_says_how_far_it_came_and_leaves_its_curve(run):
    folder, said = run
    assert said.startswith("held-out loss ")
    assert "uniform 6.931" in said
    assert (folder / "loss.png").read_bytes()[:4] == b"\x89PNG"
    assert [step for step, _loss in map(json.loads, (folder / "losses.jsonl").read_text().splitlines())] == [0, 1]


def test_a_training_run_can_be_written_with(run):
    result = write("--subject", "reference", "--weights", run[0], "--tokens", 3)
    assert (result.exit_code, result.stdout.startswith(PROMPT)) == (0, True)


def test_a_text_too_short_to_train_on_is_told_in_one_line(tmp_path):
    (tmp_path / "short.txt").write_text("To be.")
    result = CliRunner().invoke(app, ["train", str(tmp_path / "short.txt"), "--subject", "reference"])
    assert (result.exit_code, "the text is too short: " in result.stderr) == (1, True)


def test_a_damaged_run_is_told_in_one_line(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    result = write("--subject", "reference", "--weights", tmp_path)
    assert (result.exit_code, "is damaged" in result.stderr) == (1, True)
