"""`headstart export-web`: a model of one's own for the site's Explorer, or one line that says why not."""

import json
import sys
from dataclasses import asdict

import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file
from test_export_web_graph import loaded, random_weights
from test_training_checkpoint import disk_with_room_for
from test_weights import write_tiny
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from typer.testing import CliRunner

from graders.cli import app
from graders.commands import export_web, site
from graders.model_folder import read_model
from graders.web.export import web_model
from graders.weights.checkpoint import EMBEDDED
from reference.config import GPTConfig

FILES = {"model.onnx", "tokenizer.json", "about.json"}
CFG = GPTConfig(d_vocab=260, n_ctx=8, n_layers=2, n_heads=2, d_model=6, d_head=4, d_mlp=5)
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def export(*arguments):
    return invoke("export-web", *arguments)


def told(*arguments) -> tuple[int, str]:
    """The exit code, and what is said when nothing is exported."""
    result = export(*arguments)
    assert result.stdout == ""
    return result.exit_code, result.stderr


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory, and the site's folder for the Explorer in it."""
    monkeypatch.chdir(tmp_path)
    for module in (export_web, site):
        monkeypatch.setattr(module, "WEB_MODEL", tmp_path / "docs" / "explorer" / "model")
        monkeypatch.setattr(module, "PICTURES", tmp_path / "docs" / "pictures")
    return tmp_path


def byte_level(n_tokens: int = 260, prefix_space: bool = False) -> Tokenizer:
    """A tokenizer of GPT-2's kind that knows single bytes, the first ones only where there are few tokens."""
    tokens = [*ALPHABET, *(f"word{i}" for i in range(n_tokens))][:n_tokens]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    return tokenizer


def write_run(folder, weights=None, tokenizer=None, **said):
    """A folder as `headstart train` leaves it, with a small model in it."""
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"text": "plays/hamlet.txt", "cfg": asdict(CFG)} | said))
    save_file(random_weights(CFG) if weights is None else weights, folder / "model.safetensors")
    (tokenizer or byte_level()).save(str(folder / "tokenizer.json"))
    return folder


def logits_of(content: bytes, tokens: torch.Tensor, cfg: GPTConfig) -> torch.Tensor:
    """What the exported graph says of a text without a past."""
    nothing = torch.zeros(cfg.n_layers, len(tokens), cfg.n_heads, 0, cfg.d_head).numpy()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    feeds = {"tokens": tokens.numpy(), "past_keys": nothing, "past_values": nothing}
    return torch.from_numpy(session.run(["logits"], feeds)[0])


# What is exported


def test_without_a_name_the_checkpoint_of_the_course_is_put_on_the_site(here):
    result = export()
    assert (result.exit_code, result.stderr, result.stdout) == (
        0,
        "",
        "wrote docs/explorer/model/\n"
        "Shakespeare, the model that comes with the course: 6 layers, 6 heads, width 192; 5.9 MB, parameters in "
        "float16\n"
        "Next: headstart site && mkdocs serve, then open Explorer in the menu\n",
    )
    made = here / "docs" / "explorer" / "model"
    assert {path.name for path in made.iterdir()} == FILES
    assert (made / "tokenizer.json").read_bytes() == (EMBEDDED / "tokenizer.json").read_bytes()
    assert (made / "model.onnx").stat().st_size < 6e6
    about = json.loads((made / "about.json").read_text())
    hooks = about.pop("hooks")
    assert about == {
        "title": "Shakespeare, the model that comes with the course",
        "n_layers": 6,
        "n_heads": 6,
        "d_model": 192,
        "d_head": 32,
        "d_vocab": 1024,
        "n_ctx": 256,
        "eos": 1023,
        "example": "To be, or not to be",
    }
    session = onnxruntime.InferenceSession(made / "model.onnx", providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["logits", "keys", "values", *hooks]


def test_where_the_pages_are_drawn_already_only_the_server_is_next(here):
    (here / "docs" / "pictures").mkdir(parents=True)
    assert export().stdout.endswith("\nNext: mkdocs serve, then open Explorer in the menu\n")


def test_a_run_of_one_s_own_is_exported_with_its_parameters_and_without_the_path_of_its_text(here):
    (here / "plays").mkdir()
    (here / "plays" / "lines.txt").write_text("".join(f"Line {i} says no.\n" for i in range(600)))
    trained = invoke("train", "plays/lines.txt", "--steps", 2, "--out", "mine", "--subject", "reference")
    assert trained.exit_code == 0, trained.output
    result = export("mine", "--out", "web/new")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("wrote web/new/\nmine, trained on lines.txt: 4 layers, 4 heads, width 128; ")
    assert result.stdout.endswith(
        "\nNext: copy web/new/ to docs/explorer/model/ of the course's site; its page Explorer shows it\n"
    )
    made = here / "web" / "new"
    assert {path.name for path in made.iterdir()} == FILES
    assert (made / "tokenizer.json").read_bytes() == (here / "mine" / "tokenizer.json").read_bytes()
    about = json.loads((made / "about.json").read_text())
    assert (about["title"], about["example"], about["eos"]) == ("mine, trained on lines.txt", "The", 1023)
    assert "plays" not in (made / "about.json").read_text()
    cfg = GPTConfig(**json.loads((here / "mine" / "run.json").read_text())["cfg"])
    tokens = torch.arange(40).unsqueeze(0)
    expected = loaded(load_file(here / "mine" / "model.safetensors"), cfg)(tokens)
    assert (logits_of((made / "model.onnx").read_bytes(), tokens, cfg) - expected).abs().max() < 1e-3


def test_a_folder_in_gpt_2_s_format_is_called_by_its_name_and_a_model_of_the_hub_by_what_was_typed(here):
    tiny = write_tiny(here / "tiny")
    byte_level(20).save(str(tiny / "tokenizer.json"))
    assert (
        export("tiny", "--out", "web").stdout.splitlines()[1].startswith("tiny: 2 layers, 2 heads, width 6; 0.0 MB, ")
    )
    assert json.loads((here / "web" / "about.json").read_text())["eos"] is None
    found = read_model("tiny")
    assert web_model(found, "someone/gpt2").about["title"] == "someone/gpt2"
    tokens = torch.tensor([[1, 2, 3], [19, 0, 7]])
    cfg = GPTConfig(**found.cfg)
    expected = loaded(found.weights, cfg)(tokens)
    assert (logits_of((here / "web" / "model.onnx").read_bytes(), tokens, cfg) - expected).abs().max() < 1e-3


def test_the_same_model_is_the_same_files_to_the_byte(here):
    for out in ("one", "two"):
        assert export("--out", out).exit_code == 0
    for name in FILES:
        assert (here / "one" / name).read_bytes() == (here / "two" / name).read_bytes(), name


def test_float16_is_taken_only_where_the_logits_stay(here):
    fitting = random_weights(CFG)  # float16 holds them
    large = {name: w * 1.0001 for name, w in fitting.items()}
    for name, weights, stored in (
        ("fits", fitting, "parameters in float16"),
        ("moves", large, "parameters in float32, since float16 would move the logits"),
        (
            "overflows",
            fitting | {"unembed.b_U": torch.full((260,), 1e5)},
            "float32, since float16 would move the logits",
        ),
    ):
        write_run(here / name, weights)
        result = export(name, "--out", "web")
        assert (result.exit_code, result.stdout.splitlines()[1].endswith(stored)) == (0, True), name
        tokens = torch.arange(8).unsqueeze(0)
        off = logits_of((here / "web" / "model.onnx").read_bytes(), tokens, CFG) - loaded(weights, CFG)(tokens)
        assert off.abs().max() < 1e-3 * max(1, weights["unembed.b_U"].max()), name


# What is refused


def test_where_there_is_no_model_it_says_how_to_make_one_or_what_was_expected(here):
    assert told("run") == (1, "there is no run/ yet; `headstart train` makes one\n")
    assert told("./mine") == (1, "there is no ./mine/ yet; `headstart train --out ./mine` makes one\n")
    assert told("not/a/model") == (
        1,
        "there is no folder 'not/a/model'; expected a GPT-2-format folder (config.json, model.safetensors) or a name "
        "of the hub such as 'gpt2'; check the path\n",
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
        "the run in begun/ has not come to an end, so there is no model.safetensors to write with; the `headstart "
        "train` that began it goes on with it\n",
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


NOT_GPT_2_S = (
    "mine/tokenizer.json cuts texts in another way than GPT-2; expected byte-level BPE, without a normalizer or a "
    "space put before the text, since that is how the page cuts them; use a model with such a tokenizer\n"
)


def lower_case() -> Tokenizer:
    tokenizer = byte_level()
    tokenizer.normalizer = normalizers.Lowercase()
    return tokenizer


@pytest.mark.parametrize(
    ("tokenizer", "complaint"),
    [
        (Tokenizer(models.WordLevel({"a": 0}, "a")), NOT_GPT_2_S),
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
    assert told("mine") == (1, "mine has no tokenizer.json, without which no text can be read or written\n")


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


# `headstart site`


@pytest.fixture
def site_of_the_model_alone(here, monkeypatch):
    """The folder of the model, for a `headstart site` that makes nothing else."""
    monkeypatch.setattr(site, "SOLUTIONS", here / "docs" / "solutions")
    monkeypatch.setattr(site, "made_files", dict)
    return site.WEB_MODEL


def test_the_site_gets_the_checkpoint_of_the_course_once(site_of_the_model_alone):
    first, second = invoke("site"), invoke("site")
    assert first.stdout.splitlines() == [
        *(f"wrote docs/explorer/model/{name}" for name in ("model.onnx", "tokenizer.json", "about.json")),
        "Next: mkdocs serve",
    ]
    assert second.stdout == "nothing to write: all that is made is up to date\nNext: mkdocs serve\n"
    assert {path.name for path in site_of_the_model_alone.iterdir()} == FILES


def test_the_site_leaves_a_model_of_one_s_own_and_says_so_until_the_course_s_is_put_back(site_of_the_model_alone, here):
    write_run(here / "mine")
    assert export("mine").exit_code == 0
    before = {path.name: path.read_bytes() for path in site_of_the_model_alone.iterdir()}
    assert invoke("site").stdout.splitlines() == [
        "nothing to write: all that is made is up to date",
        "kept docs/explorer/model/: mine, trained on hamlet.txt; `headstart export-web` puts the course's own there",
        "Next: mkdocs serve",
    ]
    assert {path.name: path.read_bytes() for path in site_of_the_model_alone.iterdir()} == before
    assert export().exit_code == 0
    assert invoke("site").stdout == "nothing to write: all that is made is up to date\nNext: mkdocs serve\n"


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_site_mends_a_model_of_which_a_part_is_missing_or_damaged(site_of_the_model_alone, here, name):
    write_run(here / "mine")
    assert export("mine").exit_code == 0
    (site_of_the_model_alone / name).unlink()
    assert invoke("site").stdout.startswith("wrote docs/explorer/model/")
    assert export("mine").exit_code == 0
    (site_of_the_model_alone / "about.json").write_text("{")
    assert invoke("site").stdout.startswith("wrote docs/explorer/model/")
