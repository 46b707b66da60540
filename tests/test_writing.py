"""`headstart write`: a subject's own model and sampling continue a text, or say in one line why not."""

import re

import pytest
from learners import folder_with, solved
from typer.testing import CliRunner

from graders.cli import app
from graders.engine.course import load_course
from graders.engine.stubs import REFERENCE
from graders.subject_code import CannotGoOn, Subject

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


def test_of_a_few_tokens_no_speed_is_told():
    result = write("--subject", "reference", "--tokens", 20, "--eos-id", -1)
    assert result.stdout.endswith("\n\n20 tokens\n")


def test_where_the_window_slides_no_cache_is_compared():
    result = CliRunner().invoke(app, ["write", PROMPT * 90, "--subject", "reference", "--tokens", "22"])
    told = (
        r"\n22 tokens; the last 20: \d+ a second, for past 256 tokens the window slides, and the cache is of no use\n$"
    )
    assert re.search(told, result.stdout)


def test_beams_are_shown_side_by_side_the_best_first():
    result = write("--subject", "reference", "--tokens", 6, "--beams", 2)
    heads = next(line for line in result.stdout.splitlines() if "beam 1" in line)
    scores = [float(part.split()[0]) for part in heads.split("score ")[1:]]
    assert (result.exit_code, len(scores), scores) == (0, 2, sorted(scores, reverse=True))


def test_on_day_one_it_says_where_to_begin_and_prints_no_prompt(tmp_path):
    folder = folder_with(tmp_path / "stubs")
    result = write("--subject", folder)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"CachedGPT.forward in {folder}/caching.py is not written yet; begin with {folder}/embedding.py, the first "
        f"stub that this needs (`pytest graders/test_embedding.py --subject {folder}` checks it), or run this with "
        "--subject reference\n"
    )


def test_the_stub_to_begin_with_is_the_first_in_the_course_that_is_left(tmp_path):
    texts = {name: solved(name) for name in ("embedding", "layer_norm", "mlp")}
    result = write("--subject", folder_with(tmp_path / "some", **texts))
    assert f"begin with {tmp_path}/some/attention.py, the first stub that this needs" in result.stderr


def test_a_task_that_is_left_is_named_where_it_stands(tmp_path):
    texts = {exercise.name: solved(exercise.name) for exercise in load_course().exercises}
    body = texts["sampling"].index("    # 1. Refuse", texts["sampling"].index("def sample("))
    texts["sampling"] = texts["sampling"][:body] + "    raise NotImplementedError\n" + texts["sampling"][body:]
    folder = folder_with(tmp_path / "most", **texts)
    assert write("--subject", folder).stderr == (
        f"sample in {folder}/sampling.py is not written yet; write it (`pytest graders/test_sampling.py --subject "
        f"{folder}` checks it), or run this with --subject reference\n"
    )


def test_missing_files_are_named(tmp_path):
    folder = folder_with(tmp_path / "some", mlp=None)
    result = write("--subject", folder)
    assert (result.exit_code, result.stderr) == (
        1,
        f"{folder}/ has no mlp.py; expected a file for each exercise; `headstart stubs` writes those that are missing "
        "from exercises/\n",
    )
    (tmp_path / "empty").mkdir()
    result = write("--subject", tmp_path / "empty")
    assert "/empty/ has no config.py, chain.py, embedding.py and 8 more; expected a file" in result.stderr


def test_a_file_that_cannot_be_read_is_told_and_no_stub_stands_in_for_it(tmp_path):
    result = write("--subject", folder_with(tmp_path / "broken", mlp="def (\n"))
    assert result.stderr == (
        "it stopped with SyntaxError: invalid syntax (mlp.py, line 1); the graders say more, and --subject reference "
        "shows what to expect\n"
    )


def with_sampling(learner, tmp_path, old, new):
    """The learner's folder with a change in `next_token`."""
    texts = {path.stem: path.read_text() for path in learner.glob("*.py")}
    assert old in texts["sampling"]
    return folder_with(tmp_path / "changed", **texts | {"sampling": texts["sampling"].replace(old, new, 1)})


def test_an_error_has_a_line_of_its_own_behind_what_was_written(learner, tmp_path):
    step = "    # 2. At temperature 0"
    folder = with_sampling(learner, tmp_path, step, "    if tokens.shape[1] > 9:\n        raise KeyError(1)\n" + step)
    result = write("--subject", folder)
    assert result.stdout.startswith(PROMPT)
    assert result.stdout.endswith("\n")
    assert result.stderr.startswith("it stopped with KeyError: 1 (sampling.py, line ")


def test_a_forgotten_print_is_collected_and_told_at_the_end(learner, tmp_path):
    step = "    # 2. At temperature 0"
    folder = with_sampling(learner, tmp_path, step, "    print('here')\n    print(logits.shape)\n" + step)
    result = write("--subject", folder, "--tokens", 3)
    assert result.stdout == write("--subject", learner, "--tokens", 3).stdout
    assert result.stderr == "your code printed 6 lines, the first: here\n"


def test_what_the_reference_stops_at_recommends_no_reference():
    subject = Subject("reference", REFERENCE)
    told = r"^it stopped with KeyError: 'x' \(test_writing.py, line \d+\)$"
    with pytest.raises(CannotGoOn, match=told), subject.explained(["sampling"]):
        raise KeyError("x")


def test_an_id_beyond_the_vocabulary_is_refused():
    result = write("--subject", "reference", "--eos-id", 99999)
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        "--eos-id is 99999; expected at most 1023, the last id of the vocabulary\n",
    )


def test_a_missing_subject_or_checkpoint_is_told_in_one_line(tmp_path):
    for arguments in (("--subject", tmp_path / "none"), ("--subject", "reference", "--weights", tmp_path)):
        result = write(*arguments)
        assert (result.exit_code > 0, len(result.stderr.splitlines())) == (True, 1)
