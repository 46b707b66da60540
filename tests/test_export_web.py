"""`headstart export-web` puts a model of one's own on the site's Explorer, and `headstart site` leaves it there."""

import json

import onnxruntime
import pytest
import torch
from safetensors.torch import load_file
from test_export_web_graph import loaded, random_weights
from test_weights import write_tiny
from web_models import CFG, FILES, byte_level, empty_site, export, invoke, logits_of, write_run

from graders.commands import site
from graders.model_folder import read_model
from graders.web.export import web_model
from graders.weights.checkpoint import EMBEDDED
from reference.config import GPTConfig


@pytest.fixture
def here(tmp_path, monkeypatch):
    return empty_site(tmp_path, monkeypatch)


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
    whole = "parameters in float32: rounded to float16, half the size, they would give other numbers"
    for name, weights, stored in (
        ("fits", fitting, "parameters in float16"),
        ("moves", large, whole),
        ("overflows", fitting | {"unembed.b_U": torch.full((260,), 1e5)}, whole),
    ):
        write_run(here / name, weights)
        result = export(name, "--out", "web")
        assert (result.exit_code, result.stdout.splitlines()[1].endswith(stored)) == (0, True), name
        tokens = torch.arange(8).unsqueeze(0)
        off = logits_of((here / "web" / "model.onnx").read_bytes(), tokens, CFG) - loaded(weights, CFG)(tokens)
        assert off.abs().max() < 1e-3 * max(1, weights["unembed.b_U"].max()), name


# `headstart site`


@pytest.fixture
def site_of_the_model_alone(here, monkeypatch):
    """The folder of the model, for a `headstart site` that makes nothing else."""
    monkeypatch.setattr(site, "SOLUTIONS", here / "docs" / "solutions")
    monkeypatch.setattr(site, "written_pages", dict)
    monkeypatch.setattr(site, "pictures", dict)
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
