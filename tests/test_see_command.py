"""`headstart see`: code that is not there or stops, what is refused, and a page that is whole in itself."""

import json
import re
import webbrowser

import pytest
from learners import folder_with
from seeing import PICTURES, SOLVED, WRONG, learner_with, numbers_on, see
from typer.testing import CliRunner

from graders.cli import app
from graders.see import pictures
from graders.see.page import Picture, page
from graders.weights.checkpoint import CheckpointError

# Code that is not there, or stops


def test_on_day_one_it_says_in_one_line_where_to_begin(tmp_path):
    folder = folder_with(tmp_path / "stubs")
    result = see("gpt", folder, tmp_path / "a.html")
    assert (result.exit_code, result.stdout, (tmp_path / "a.html").exists()) == (1, "", False)
    assert result.stderr == (
        f"GPT.forward in {folder}/gpt.py is not written yet; begin with {folder}/embedding.py, the first stub that "
        f"this needs (`pytest graders/test_embedding.py --subject {folder}` checks it), or run this with "
        "--subject reference\n"
    )


@pytest.mark.parametrize(
    ("picture", "begin"),
    [
        ("attention", "attention_scores in "),
        ("block", "TransformerBlock.forward in "),
        ("caching", "CachedGPT.forward in "),
        ("sampling", "apply_frequency_penalty in "),
    ],
)
def test_a_stub_is_told_in_one_line_and_draws_nothing(tmp_path, picture, begin):
    result = see(picture, folder_with(tmp_path / "stubs"), tmp_path / "a.html")
    assert (result.exit_code, result.stdout, (tmp_path / "a.html").exists()) == (1, "", False)
    assert result.stderr.startswith(begin)
    assert result.stderr.count("\n") == 1


def test_scores_are_drawn_while_the_mask_is_not_written(tmp_path):
    place = "    # 1. The position of each query"
    folder = learner_with(tmp_path / "some", "attention", place, f"    raise NotImplementedError\n{place}")
    result = see("attention", folder, tmp_path / "a.html")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == (
        "so far equal to TransformerLens at 6 hook points, up to blocks.5.attn.hook_attn_scores"
    )
    assert result.stderr == (
        f"a part of the picture is missing: apply_causal_mask in {folder}/attention.py is not written yet; write it "
        f"(`pytest graders/test_attention.py --subject {folder}` checks it), or run this with --subject reference\n"
    )
    (scores,) = [table for table in numbers_on(tmp_path / "a.html")["tables"] if table["layers"]]
    assert (scores["name"], len(scores["layers"])) == ("hook_attn_scores", 6)


def test_filters_are_drawn_up_to_the_one_that_is_not_written(tmp_path):
    place = "    # 1. Refuse to keep nothing"
    folder = learner_with(tmp_path / "some", "sampling", place, f"    raise NotImplementedError\n{place}")
    result = see("sampling", folder, tmp_path / "a.html")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        1,
        "so far equal to the reference after every filter, up to apply_temperature",
    )
    assert result.stderr.startswith(f"a part of the picture is missing: top_k_filter in {folder}/sampling.py is not")
    assert len(numbers_on(tmp_path / "a.html")["steps"]) == 3


def test_code_that_stops_is_told_with_its_line(tmp_path):
    folder = learner_with(tmp_path / "some", "sampling", "return logits / temperature", "return logits / None")
    result = see("sampling", folder, tmp_path / "a.html")
    line = SOLVED["sampling"].split("return logits / temperature")[0].count("\n") + 1
    assert result.stderr == (
        "a part of the picture is missing: it stopped with TypeError: unsupported operand type(s) for /: 'Tensor' and "
        f"'NoneType' (sampling.py, line {line}); the graders say more, and --subject reference shows what to expect\n"
    )


def test_code_that_ends_its_process_ends_that_alone(tmp_path):
    place = "    d_head = q.shape[-1]"
    folder = learner_with(tmp_path / "some", "attention", place, f"    __import__('os')._exit(3)\n{place}")
    result = see("attention", folder, tmp_path / "a.html")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "attention_scores: It ended the process it runs in (exit code 3). A task only returns its result; the graders "
        "say more, and --subject reference shows what to expect\n"
    )


def test_an_answer_of_another_kind_is_told(tmp_path):
    folder = learner_with(tmp_path / "some", "gpt", "return self.unembed(self.ln_final(residual))", "return None")
    assert see("gpt", folder, tmp_path / "a.html").stderr == (
        f"GPT in {folder}/gpt.py returned None; expected a tensor of numbers; `pytest graders/test_gpt.py` says more\n"
    )


def test_logits_of_another_shape_are_told(tmp_path):
    old = "return self.unembed(self.ln_final(residual)), cache"
    folder = learner_with(tmp_path / "some", "caching", old, old.replace("residual)", "residual[:, -1:])"))
    assert see("caching", folder, tmp_path / "a.html").stderr == (
        f"CachedGPT in {folder}/caching.py returned logits (1, 1, 1024) for tokens 0 to 2; expected (1, 3, 1024); "
        "`pytest graders/test_caching.py` says more\n"
    )


def test_a_layer_that_does_without_the_functions_is_drawn_with_them(tmp_path):
    """Whoever writes the whole computation into `forward` still sees the patterns of the functions."""
    old = "z = mix_values(attention_pattern(scores), v)"
    new = "z = torch.einsum('bhqk,bkhd->bqhd', scores.softmax(dim=-1), v)"
    result = see("attention", learner_with(tmp_path / "some", "attention", old, new), tmp_path / "a.html")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [len(table["layers"]) for table in numbers_on(tmp_path / "a.html")["tables"]] == [6, 6]


def test_missing_files_are_named(tmp_path):
    folder = folder_with(tmp_path / "some", mlp=None)
    assert see("block", folder, tmp_path / "a.html").stderr == (
        f"{folder}/ has no mlp.py; expected a file for each exercise; `headstart stubs` writes those that are missing "
        "from exercises/\n"
    )


# The page and the command line


def test_no_text_can_end_the_script_or_become_markup():
    nasty = "</script><script>alert(1)</script><!-- & \u2028"
    picture = Picture("sampling.js", nasty, nasty, nasty, False, {"tokens": [nasty]}, [(nasty, nasty)], nasty)
    text = page(picture)
    assert "<script>alert" not in text
    assert "<!-- &" not in text
    (held,) = re.findall(r'id="numbers">(.*?)</script>', text, re.DOTALL)
    assert json.loads(held) == {"tokens": [nasty]}


def test_nothing_on_a_page_points_elsewhere(tmp_path):
    for picture in PICTURES:
        see(picture, "reference", tmp_path / "a.html")
        text = (tmp_path / "a.html").read_text(encoding="utf-8")
        assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
        assert not re.search(r"@import|url\(|<link(?! rel=\"icon\" href=\"data:,\")|\bsrc=|fetch\(", text)


def test_without_a_name_the_page_is_written_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["see", "sampling", "--subject", "reference"])
    assert result.exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["see-sampling.html"]


def test_the_page_is_opened_when_asked(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda uri: opened.append(uri) or len(opened) == 1)
    assert see("sampling", "reference", tmp_path / "a.html", "--open").stderr == ""
    assert opened == [(tmp_path / "a.html").as_uri()]
    assert see("sampling", "reference", tmp_path / "a.html", "--open").stderr == (
        f"no browser could be opened; open {tmp_path / 'a.html'} in one\n"
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CheckpointError("weights: damaged; fetch them again"), "weights: damaged; fetch them again"),
        (
            RuntimeError("the process that runs the exercises did not start"),
            "nothing was drawn: the process that runs the exercises did not start; `headstart doctor` says what this "
            "machine lacks",
        ),
        (
            OSError(28, "No space left on device", "the cache"),
            "nothing was drawn: [Errno 28] No space left on device: 'the cache'; `headstart doctor` says what this "
            "machine lacks",
        ),
    ],
    ids=["checkpoint", "process", "disk"],
)
def test_what_keeps_it_from_drawing_is_told_in_a_line_and_is_not_the_page_s_fault(monkeypatch, tmp_path, error, said):
    def draw(*_arguments, **_options):
        raise error

    monkeypatch.setattr(pictures, "draw", draw)
    result = see("gpt", "reference", tmp_path / "a.html")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", said + "\n")
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written_is_told_in_a_line(monkeypatch, tmp_path):
    monkeypatch.setattr(pictures, "page", lambda drawn: "\n")
    (tmp_path / "a.html").symlink_to(tmp_path / "nowhere" / "b.html")
    result = see("sampling", "reference", tmp_path / "a.html")
    assert (result.exit_code, result.stderr) == (
        1,
        f"{tmp_path}/a.html could not be written (No such file or directory); --out names another file\n",
    )


def test_a_program_reads_where_the_page_is_and_what_differs(tmp_path):
    exercise, old, new, sentence = WRONG["sampling"]
    folder = learner_with(tmp_path / "some", exercise, old, new)
    result = see("sampling", folder, tmp_path / "a.html", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (
        0,
        {"page": str(tmp_path / "a.html"), "equal": False, "verdict": sentence, "missing": ""},
    )


def test_a_program_reads_what_is_missing(tmp_path):
    place = "    # 1. Refuse to keep nothing"
    folder = learner_with(tmp_path / "some", "sampling", place, f"    raise NotImplementedError\n{place}")
    result = see("sampling", folder, tmp_path / "a.html", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["missing"].startswith(f"top_k_filter in {folder}/sampling.py is not written yet")


REFUSED = (
    ("atention", "there is no picture 'atention'; there are attention, block, gpt, caching, sampling"),
    ("gpt --top-k 3", "--top-k has no effect on gpt; leave it out, or look at sampling"),
    ("sampling --temperature 0", "--temperature is 0; expected a number above 0"),
    ("sampling --top-k 0", "--top-k is 0; expected 1 or more"),
    ("sampling --top-p 2", "--top-p is 2; expected a probability, from 0 to 1"),
    ("sampling --frequency-penalty nan", "--frequency-penalty is nan; expected a finite number"),
    ("sampling --out nowhere/a.html", "--out nowhere/a.html: expected a file in a folder that is there"),
    ("gpt --out exercises/attention.py", "--out exercises/attention.py: expected a name that ends in .html"),
    ("gpt --out page", "--out page: expected a name that ends in .html"),
    ("gpt --text \udcff!!", "--text is not UTF-8; expected text in that encoding"),
    ("sampling --subject nobody", "--subject nobody: there is no such folder; it takes exercises, reference or a "
     "folder with exercises"),
    ("sampling --text=", "--text is 0 tokens; expected 2 to 32"),
    ("sampling --text a", "--text is 1 token; expected 2 to 32"),
    (f"sampling --text {'x' * 40}", "--text is 40 tokens; expected 2 to 32"),
)  # fmt: skip


@pytest.mark.parametrize(("line", "said"), REFUSED, ids=[line[:40] for line, _said in REFUSED])
def test_what_cannot_be_drawn_is_refused_in_one_line(line, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["see", *line.split()])
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said + "\n")
    assert list(tmp_path.iterdir()) == []
