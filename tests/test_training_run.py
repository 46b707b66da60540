"""`headstart train`: a run remembers what it was trained on, can be stopped, gone on with and written with."""

import json

import pytest
from learners import folder_with, solved
from typer.testing import CliRunner

from graders.cli import app
from graders.engine.course import load_course

TEXT = "".join(f"The {i}. line says {'no' * (i % 5)}.\n" for i in range(400))


def invoke(command, *arguments):
    return CliRunner().invoke(app, [command, *map(str, arguments), "--subject", "reference"])


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory with a text in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lines.txt").write_text(TEXT)
    return tmp_path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run of two steps, and what was said."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "lines.txt").write_text(TEXT)
    result = invoke("train", folder / "lines.txt", "--steps", 2, "--out", folder / "run")
    assert result.exit_code == 0, result.output
    return folder / "run", result


def again(folder, *arguments):
    return invoke("train", folder.parent / "lines.txt", "--out", folder, *arguments)


def test_a_run_says_what_it_trains_and_how_far_it_came(run):
    folder, result = run
    told = result.stderr.splitlines()
    assert told[0].startswith("1,072,896 parameters, ")
    assert told[0].endswith(" more are held out), 2 steps of 8 x 128 tokens")
    assert told[-1] == "measuring the held-out loss"
    assert result.stdout.startswith("held-out loss ")
    assert " after 2 of 2 steps; to compare, uniform 6.931, unigram " in result.stdout
    assert result.stdout.endswith(f'Next: headstart write "The " --weights {folder} --subject reference\n')


def test_a_run_leaves_its_curve_and_its_losses(run):
    folder, _result = run
    assert (folder / "loss.png").read_bytes()[:4] == b"\x89PNG"
    assert [step for step, _loss in map(json.loads, (folder / "losses.jsonl").read_text().splitlines())] == [0, 1]


def test_a_run_can_be_written_with(run):
    result = invoke("write", "To be, or", "--weights", run[0], "--tokens", 3)
    assert (result.exit_code, result.stdout.startswith("To be, or")) == (0, True)


def test_a_finished_run_says_that_there_is_nothing_to_do(run):
    result = again(run[0], "--steps", 2)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "all 2 of 2 steps are taken; nothing to do\n"
        f'Next: headstart write "The " --weights {run[0]} --subject reference\n'
    )


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (("--steps", 3), ", which its learning rate follows, so that it cannot be made longer or shorter"),
        (("--steps", 2, "--seed", 1), ""),
    ],
)
def test_other_steps_and_another_seed_are_refused(run, other, why):
    folder, _result = run
    result = again(folder, *other)
    assert (result.exit_code, result.stderr) == (
        1,
        f"{folder}/ was trained on {folder.parent / 'lines.txt'} with steps 2, seed 0{why}; "
        "expected the same, or --out for another folder\n",
    )


def test_another_text_is_refused_and_the_same_under_another_name_is_not(run):
    folder, _result = run
    (folder.parent / "other.txt").write_text(TEXT + "more")
    (folder.parent / "copy.txt").write_text(TEXT)
    refused, taken = (
        invoke("train", folder.parent / name, "--out", folder, "--steps", 2) for name in ("other.txt", "copy.txt")
    )
    assert (refused.exit_code, "was trained on " in refused.stderr) == (1, True)
    assert taken.exit_code == 0


def test_a_text_that_has_changed_is_told_so(here):
    assert invoke("train", "lines.txt", "--steps", 1).exit_code == 0
    (here / "lines.txt").write_text(TEXT + "more")
    assert invoke("train", "lines.txt", "--steps", 1).stderr == (
        "run/ was trained on lines.txt with steps 1, seed 0, and that text has changed since; "
        "expected the same, or --out for another folder\n"
    )


PRESSING = """

_drawn, _calls = get_batch, []


def get_batch(*arguments):
    _calls.extend(arguments[2:3] * (arguments[2] == 128))  # of the run, not of its rehearsal
    if len(_calls) == 2 and not Path("pressed").exists():
        Path("pressed").touch()
        signal.raise_signal(signal.SIGINT)
    return _drawn(*arguments)
"""


def test_after_ctrl_c_the_same_command_is_next_and_goes_on(here):
    texts = {exercise.name: solved(exercise.name) for exercise in load_course().exercises}
    folder_with(here / "mine", **texts | {"training": texts["training"] + PRESSING})
    command = ["train", "lines.txt", "--steps", "3", "--subject", "mine", "--seed", "4"]
    stopped, done = (CliRunner().invoke(app, command) for _ in range(2))
    assert (stopped.exit_code, done.exit_code) == (0, 0)
    assert " after 2 of 3 steps; " in stopped.stdout
    assert stopped.stdout.endswith("\nNext: headstart train lines.txt --steps 3 --subject mine --seed 4\n")
    assert " after 3 of 3 steps; " in done.stdout
    assert [json.loads(line)[0] for line in (here / "run" / "losses.jsonl").read_text().splitlines()] == [0, 1, 2]


def test_work_that_never_took_a_step_holds_no_folder(here):
    (here / "run").mkdir()
    (here / "run" / "run.json").write_text('{"steps": 1000}')
    assert invoke("train", "lines.txt", "--steps", 1).exit_code == 0


@pytest.mark.parametrize("left", ["train", "evaluate", "unigram_loss"])
def test_what_is_not_written_yet_is_said_before_anything_else_and_leaves_no_folder(here, left):
    texts = {exercise.name: solved(exercise.name) for exercise in load_course().exercises}
    file = "loss" if left == "unigram_loss" else "training"
    stub = f"\n\ndef {left}(*arguments, **options):\n    raise NotImplementedError\n"
    folder_with(here / "mine", **texts | {file: texts[file] + stub})
    stopped = CliRunner().invoke(app, ["train", "lines.txt", "--steps", "1", "--subject", "mine"])
    assert (stopped.exit_code, stopped.stderr) == (
        1,
        f"{left} in mine/{file}.py is not written yet; write it (`pytest graders/test_{file}.py --subject mine` checks "
        "it), or run this with --subject reference\n",
    )
    assert not (here / "run").exists()


def test_a_damaged_checkpoint_says_what_to_do(here):
    assert invoke("train", "lines.txt", "--steps", 1).exit_code == 0
    (here / "run" / "checkpoint.pt").write_bytes(b"damaged")
    (here / "run" / "model.safetensors").unlink()
    assert invoke("train", "lines.txt", "--steps", 1).stderr == (
        "run/checkpoint.pt is damaged (UnpicklingError); expected what the last call saved; "
        "run/ is of no more use: move it away, or use --out for another folder\n"
    )


def test_a_run_that_does_not_say_what_it_was_trained_on_is_refused(here):
    (here / "run").mkdir()
    (here / "run" / "checkpoint.pt").write_bytes(b"")
    for text in (None, "{", "{}", "[]"):
        if text is not None:
            (here / "run" / "run.json").write_text(text)
        assert invoke("train", "lines.txt").stderr == (
            "run/ holds a run, and no run.json that says what it was trained on; "
            "move it away, or use --out for another folder\n"
        )


def test_a_text_too_short_is_told_and_makes_no_folder(here):
    (here / "short.txt").write_text("a")
    assert invoke("train", "short.txt").stderr == (
        "the text is too short: 1 token; expected at least 1291, so that some can be held out\n"
    )
    assert not (here / "run").exists()


def test_a_file_in_the_folder_s_place_is_refused(here):
    (here / "run").write_text("")
    assert invoke("train", "lines.txt").stderr == (
        "run is a file; expected a folder, or none yet; use --out for another\n"
    )


def test_writing_with_a_run_that_is_damaged_or_not_done_is_told_in_one_line(here):
    (here / "run").mkdir()
    for text, said in (("{}", "is damaged (KeyError: 'cfg')"), ('{"cfg": {}}', "has not come to an end")):
        (here / "run" / "run.json").write_text(text)
        result = invoke("write", "To be, or", "--weights", "run")
        assert (result.exit_code, said in result.stderr, len(result.stderr.splitlines())) == (1, True, 1)
