"""`headstart see`: what is drawn is what the learner's code computed, and where it first differs is said."""

import pytest
import torch
from learners import folder_with
from seeing import PICTURES, SOLVED, WRONG, learner_with, numbers_on, see

from graders.engine.stubs import REFERENCE
from graders.engine.subjects import make_transport
from graders.see.attention import recorded_layers, tables_of
from graders.see.scene import Scene, read_scene
from graders.subject_code import Subject
from graders.weights.activations import TEXT
from graders.weights.checkpoint import load_checkpoint

N = 10  # tokens of `TEXT`


@pytest.fixture(scope="module")
def scene() -> Scene:
    transport = make_transport("reference", in_process=False)
    return read_scene(Subject("reference", REFERENCE), transport, load_checkpoint(), TEXT)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The numbers of the reference's page of every picture, by its name."""
    folder = tmp_path_factory.mktemp("see")
    for picture in PICTURES:
        result = see(picture, "reference", folder / f"{picture}.html")
        assert (result.exit_code, result.stderr) == (0, "")
    return {picture: numbers_on(folder / f"{picture}.html") for picture in PICTURES}


# What is drawn


def test_the_patterns_are_weights_and_those_of_transformer_lens(scene):
    recorded, missing = recorded_layers(scene)
    assert missing == ""
    for layer in range(6):
        pattern = recorded[f"blocks.{layer}.attn/attention_pattern"]
        torch.testing.assert_close(pattern.sum(dim=-1), torch.ones(1, 6, N).double(), atol=1e-12, rtol=0)
        expected = scene.computed[f"blocks.{layer}.attn.hook_pattern"]
        torch.testing.assert_close(pattern, expected, atol=1e-9, rtol=0)


def test_the_page_holds_every_pattern_and_every_score_that_is_not_hidden(scene, drawn):
    pattern, scores = drawn["attention"]["tables"]
    assert [table["name"] for table in (pattern, scores)] == ["hook_pattern", "hook_attn_scores"]
    for layer in pattern["layers"]:
        expected = scene.computed[f"blocks.{layer['layer']}.attn.hook_pattern"][0]
        for which in ("yours", "expected"):
            shown = torch.tensor([head[which] for head in layer["heads"]]).double()
            torch.testing.assert_close(shown, expected, atol=1e-4, rtol=1e-4)  # as it is rounded
        assert [head["wrong"] for head in layer["heads"]] == [[]] * 6
    for layer in scores["layers"]:
        hidden = [[[v is None for v in row] for row in head["yours"]] for head in layer["heads"]]
        assert torch.equal(torch.tensor(hidden), torch.ones(6, N, N, dtype=torch.bool).triu(1))


def test_a_score_up_to_a_constant_is_not_marked(scene):
    recorded, _ = recorded_layers(scene)
    shifted = recorded | {"blocks.2.attn/attention_scores": recorded["blocks.2.attn/attention_scores"] + 1}
    heads = tables_of(scene, shifted, "hook_attn_scores")["layers"][2]["heads"]
    assert [head["wrong"] for head in heads] == [[]] * 6


@pytest.mark.parametrize("picture", ["block", "gpt"])
def test_the_stream_is_as_long_as_its_vectors(scene, drawn, picture):
    slots = drawn[picture]["slots"]
    assert [slot["name"] for slot in slots[:3]] == ["embeddings", "layer 0, attention", "layer 0, MLP"]
    hooks = [(None, "blocks.0.hook_resid_pre")]
    for layer in range(6):
        hooks += [
            (f"blocks.{layer}.hook_attn_out", f"blocks.{layer}.hook_resid_mid"),
            (f"blocks.{layer}.hook_mlp_out", f"blocks.{layer}.hook_resid_post"),
        ]
    for slot, names in zip(slots, hooks, strict=True):
        for what, name in zip(("added", "stream"), names, strict=True):
            if name is not None:
                length = scene.computed[name][0].square().sum(dim=-1).sqrt()
                for which in ("yours", "expected"):
                    shown = torch.tensor(slot[what][which]).double()
                    torch.testing.assert_close(shown, length, rtol=1e-4, atol=0)


def test_the_next_tokens_are_those_of_the_logits(scene, drawn):
    shares = scene.computed["unembed.hook_out"][0].softmax(dim=-1)
    for row, after in zip(shares, drawn["gpt"]["next"], strict=True):
        best = row.topk(5)
        assert [token for token, _, _ in after["likely"]] == [scene.decoded(i) for i in best.indices.tolist()]
        shown = torch.tensor([[yours, expected] for _, yours, expected in after["likely"]]).double()
        torch.testing.assert_close(shown, best.values.unsqueeze(1).expand(-1, 2), rtol=1e-4, atol=0)


def test_the_logit_lens_ends_in_what_the_model_says(scene, drawn):
    rows = drawn["gpt"]["lens"]
    assert [row["name"] for row in rows] == ["embeddings", *(f"layer {layer}" for layer in range(6))]
    best = scene.computed["unembed.hook_out"][0].softmax(dim=-1).max(dim=-1)
    for which in ("yours", "expected"):
        tokens, shares = zip(*rows[-1][which], strict=True)
        assert list(tokens) == [scene.decoded(i) for i in best.indices.tolist()]
        assert list(shares) == pytest.approx(best.values.tolist(), rel=1e-4)
    assert rows[0]["yours"][0][0] == scene.names[0]  # the first layer has not been there: each token says itself


def test_with_a_cache_every_layer_reads_each_token_once(drawn):
    steps = drawn["caching"]["steps"]
    assert [step["end"] for step in steps] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert [step["read_cached"] for step in steps] == [[3] * 6] + [[1] * 6] * 7
    assert [step["read_plain"] for step in steps] == [[step["end"]] * 6 for step in steps]
    assert [step["length"] for step in steps] == [step["end"] for step in steps]
    assert max(step[what] for step in steps for what in ("apart", "from_lens")) < 1e-9


def test_what_is_cut_and_what_is_kept_is_everything(scene, drawn):
    steps = drawn["sampling"]["steps"]
    logits = scene.computed["unembed.hook_out"][0, -1]
    counts = torch.bincount(scene.tokens[0], minlength=1024)
    cooled = (logits - 0.5 * counts) / 0.8
    twelve = cooled.sort(descending=True).values[:12].softmax(dim=0)  # top-k 12, of which top-p keeps 0.9
    n_kept = int((twelve.cumsum(dim=0) < 0.9).sum()) + 1
    assert [step["n_kept"] for step in steps] == [1024, 1024, 1024, 12, n_kept]
    assert [step["n_cut"] for step in steps] == [0, 0, 0, 1012, 12 - n_kept]
    cut = 1 - cooled.softmax(dim=0).topk(12).values.sum()
    assert steps[3]["cut"] == pytest.approx(cut.item(), rel=1e-4)
    assert steps[4]["cut"] == pytest.approx(1 - twelve[:n_kept].sum().item(), rel=1e-4)
    for step in steps:
        assert sum(step["shares"]) + step["others"] == pytest.approx(1, abs=1e-4)
        assert all(kept or share == 0 for kept, share in zip(step["kept"], step["shares"], strict=True))


def test_the_filters_are_set_on_the_command_line(tmp_path):
    options = ("--temperature", 2, "--top-k", 3, "--top-p", 1, "--frequency-penalty", -1)
    see("sampling", "reference", tmp_path / "a.html", *options)
    steps = numbers_on(tmp_path / "a.html")["steps"]
    assert [step["name"] for step in steps[1:]] == ["frequency penalty -1", "temperature 2", "top-k 3", "top-p 1"]
    assert [step["n_kept"] for step in steps] == [1024, 1024, 1024, 3, 3]
    assert "headstart see sampling --subject reference --temperature 2.0 --top-k 3" in (tmp_path / "a.html").read_text()


# Code that is wrong


@pytest.mark.parametrize("picture", PICTURES)
def test_wrong_code_is_drawn_and_told_where_it_first_differs(tmp_path, picture):
    file, old, new, told = WRONG[picture]
    result = see(picture, learner_with(tmp_path / "learner", file, old, new), tmp_path / "a.html")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{told}\n{(tmp_path / 'a.html').as_uri()}\n"
    assert f'<p class="verdict differs"><span aria-hidden="true">✗</span> {told}</p>' in (
        tmp_path / "a.html"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize("picture", PICTURES)
def test_a_learner_s_own_right_code_is_equal(tmp_path, picture):
    result = see(picture, folder_with(tmp_path / "learner", **SOLVED), tmp_path / "a.html")
    assert (result.exit_code, result.stdout.startswith("equal ")) == (0, True)


def test_the_wrong_numbers_of_a_pattern_are_marked(tmp_path):
    see("attention", learner_with(tmp_path / "learner", *WRONG["attention"][:3]), tmp_path / "a.html")
    pattern, scores = numbers_on(tmp_path / "a.html")["tables"]
    head = pattern["layers"][3]["heads"][2]
    assert head["yours"][0] == [None] * N  # nothing is left to see for the first query: NaN
    assert [0, 0] in head["wrong"]
    assert [1, 1] in head["wrong"]
    assert not [place for place in head["wrong"] if place[0] and place[1] > place[0]]  # both hide the future
    assert all(not head["wrong"] for layer in scores["layers"] for head in layer["heads"])


def test_the_place_of_the_first_difference_in_the_stream_is_marked(tmp_path):
    old, new = "resid_mid = resid_pre + self.attn(self.ln1(resid_pre))", "resid_mid = self.attn(self.ln1(resid_pre))"
    see("gpt", learner_with(tmp_path / "learner", "block", old, new), tmp_path / "a.html")
    numbers = numbers_on(tmp_path / "a.html")
    assert numbers["first"] == {"name": "blocks.0.hook_resid_mid", "slot": 1}
    states = [cell["state"] for cell in numbers["hooks"]["rows"][0]]
    assert states[: states.index("differs")] == ["equal"] * 8
    assert numbers["hooks"]["first"] == "blocks.0.hook_resid_mid"
