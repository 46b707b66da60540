"""What `headstart export-web` cannot export is told in one line, and changes nothing."""

import sys

import pytest
import torch
from test_export_web_graph import random_weights
from test_training_checkpoint import disk_with_room_for
from test_weights import write_tiny
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from web_models import CFG, byte_level, empty_site, export, invoke, told, write_run

import graders.web.export
from graders.commands import export_web


@pytest.fixture
def here(tmp_path, monkeypatch):
    return empty_site(tmp_path, monkeypatch)


def test_where_there_is_no_model_it_says_how_to_make_one_or_what_was_expected(here):
    assert told("run") == (1, "there is no run/ yet; `headstart train` makes one\n")
    assert told("") == (
        1,
        "the name is empty; expected a training run, a GPT-2-format folder, or gpt2 from the hub\n",
    )
    assert told("./mine") == (1, "there is no ./mine/ yet; `headstart train --out ./mine` makes one\n")
    assert told("not/a/model") == (
        1,
        "there is no folder 'not/a/model'; expected a GPT-2-format folder (config.json, model.safetensors) or a name "
        "of the hub such as 'gpt2'; check the path\n",
    )
    write_run(here / "mine")
    assert told("mine/model.safetensors") == (
        1,
        "mine/model.safetensors is a file; expected the folder that it lies in, mine/\n",
    )
    (here / "empty").mkdir()
    assert told("empty") == (
        1,
        "empty has no config.json; expected a GPT-2-format folder (config.json, model.safetensors); save one with "
        "GPT2LMHeadModel.save_pretrained\n",
    )


def test_a_run_that_is_not_done_or_damaged_is_refused(here):
    (write_run(here / "begun") / "model.safetensors").unlink()
    assert told("begun") == (
        1,
        "the run in begun/ has not come to an end, so there is no model.safetensors yet; the `headstart train` "
        "that began it goes on with it\n",
    )
    cut = write_run(here / "cut") / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[:-100])
    code, said = told("cut")
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("the run in cut/ is damaged (SafetensorError: ")
    assert said.endswith("); train it again, with --out for another folder\n")
    write_run(here / "other", cfg={"d_model": 3})
    code, said = told("other")
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("the run in other/ has sizes that no GPT has (")
    assert said.endswith("); expected those of a GPTConfig; train it again, with --out for another folder\n")


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        ({"ln_final.w": None}, "ln_final.w is missing; expected (6,)"),
        ({"ln_final.w": torch.ones(7)}, "ln_final.w is (7,); expected (6,)"),
        ({"head.w": torch.ones(2)}, "head.w is (2,); expected none"),
    ],
)
def test_a_model_that_is_no_gpt_is_refused_by_the_first_parameter_that_differs(here, weights, complaint):
    changed = {name: w for name, w in (random_weights(CFG) | weights).items() if w is not None}
    write_run(here / "mine", changed)
    assert told("mine") == (
        1,
        f"mine: {complaint}, as in the course's GPT; `pytest graders/test_gpt.py` says where yours differs\n",
    )


def test_a_run_that_went_to_nan_is_refused(here):
    write_run(here / "mine", random_weights(CFG) | {"ln_final.b": torch.full((6,), torch.nan)})
    assert told("mine") == (
        1,
        "mine: ln_final.b holds NaN or infinity; expected finite numbers; train it again, with --out for another "
        "folder\n",
    )


def test_another_architecture_and_a_truncated_checkpoint_are_refused(here):
    write_tiny(here / "bert", model_type="bert")
    assert told("bert") == (
        1,
        "bert/config.json describes another architecture: model_type is 'bert', expected 'gpt2'; use a GPT-2 "
        "checkpoint\n",
    )
    cut = write_tiny(here / "cut") / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[:-100])
    code, said = told("cut")
    assert (code, said.count("\n"), said.startswith("cut/model.safetensors")) == (1, 1, True)


def test_a_model_too_large_for_one_file_is_refused(here, monkeypatch):
    write_run(here / "mine")
    monkeypatch.setattr(graders.web.export, "MAX_BYTES", 4000)
    assert told("mine") == (
        1,
        "mine is too large: an ONNX file holds at most 2 GB; expected a smaller model\n",
    )


NOT_GPT_2_S = (
    "mine/tokenizer.json cuts texts in another way than GPT-2; expected byte-level BPE, without a normalizer or a "
    "space put before the text, since that is how the page cuts them; use a model with such a tokenizer\n"
)


def whole_words() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({"a": 0}, "a"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def lower_case() -> Tokenizer:
    tokenizer = byte_level()
    tokenizer.normalizer = normalizers.Lowercase()
    return tokenizer


@pytest.mark.parametrize(
    ("tokenizer", "complaint"),
    [
        (whole_words(), NOT_GPT_2_S),
        (Tokenizer(models.BPE({"a": 0}, [])), NOT_GPT_2_S),
        (byte_level(prefix_space=True), NOT_GPT_2_S),
        (lower_case(), NOT_GPT_2_S),
        (
            byte_level(261),
            "mine/tokenizer.json has 261 tokens; expected at most 260, the rows of the model's token table; use the "
            "tokenizer that it was trained with\n",
        ),
    ],
    ids=["no BPE", "not of bytes", "a space before", "lower case", "too many"],
)
def test_a_tokenizer_that_the_page_cannot_follow_is_refused(here, tokenizer, complaint):
    write_run(here / "mine", tokenizer=tokenizer)
    assert told("mine") == (1, complaint)


def test_a_tokenizer_that_is_missing_or_damaged_is_refused(here):
    path = write_run(here / "mine") / "tokenizer.json"
    path.write_text("{")
    code, said = told("mine")
    assert (code, said.count("\n"), said.startswith("mine/tokenizer.json is not a tokenizer (")) == (1, 1, True)
    path.unlink()
    assert told("mine") == (
        1,
        "mine has no tokenizer.json; expected the one that the model was trained with; put it there\n",
    )


def test_a_folder_that_cannot_be_written_says_why_and_stays_as_it_was(here):
    write_run(here / "mine")
    (here / "file").write_text("")
    assert told("mine", "--out", "file") == (1, "file could not be written (File exists); --out names another folder\n")
    assert export("mine", "--out", "web").exit_code == 0
    before = {path.name: path.read_bytes() for path in (here / "web").iterdir()}
    write_run(here / "new", random_weights(CFG, seed=1))
    with disk_with_room_for(5000):
        code, said = told("new", "--out", "web")
    assert (code, said) == (1, "web could not be written (File too large); --out names another folder\n")
    assert {path.name: path.read_bytes() for path in (here / "web").iterdir()} == before


def test_without_its_extra_it_says_what_installs_it(here, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("graders.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    said = 'this needs onnx, which is not installed; in the course\'s folder: pip install -e ".[docs]"\n'
    assert told() == (1, said)
    result = invoke("site")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", said)


def test_from_a_wheel_only_a_folder_that_is_named_is_written(here, monkeypatch):
    monkeypatch.setattr(export_web, "IS_REPOSITORY", False)
    assert told() == (
        1,
        "headstart is installed from a wheel, which has no site to put a model on; --out names a folder to write, to "
        "be copied to docs/explorer/model in the course's own repository\n",
    )
    assert export("--out", "web").exit_code == 0


@pytest.mark.parametrize("arguments", [("run", "another"), ("--into", "web"), ("--out",)])
def test_a_wrong_command_line_is_2(here, arguments):
    assert export(*arguments).exit_code == 2
