"""`headstart run vit` and `image_gpt`: what they are trained and tested on, what they measure, what they leave."""

import importlib.util
import json
import math

import pytest
import small_image_runs
import torch
from learners import folder_with, solved
from small_image_runs import SMALL, invoke
from torch import nn

import reference.image_gpt
from graders.applications import image_gpt, vit
from graders.applications.image_data import DIGITS, N_CLASSES
from graders.applications.images import Images, load_images, one_of_each, shifted
from graders.applications.run import Run
from graders.engine.course import ROOT, load_course
from reference import attention
from reference.patches import ViTConfig
from reference.vit import ViT

small = pytest.fixture(small_image_runs.small, scope="module", autouse=True)


@pytest.fixture(scope="module", params=["vit", "image_gpt"])
def done(request, tmp_path_factory):
    """The name of an application, the folder of a run of it that is done, its figures, and what was said."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    result = invoke(request.param, "--subject", "reference", "--out", folder)
    assert result.exit_code == 0, result.output
    return request.param, folder, json.loads((folder / "metrics.json").read_text())["figures"], result


def learner(folder, **texts):
    """A learner's folder in which all is solved but for these files."""
    return folder_with(folder, **{e.name: solved(e.name) for e in load_course().exercises} | texts)


# What is learnt from


def test_every_image_is_learnt_from_or_tested_on_and_none_both():
    from sklearn import datasets

    learnt, tested = load_images(DIGITS)
    assert (len(learnt.labels), len(tested.labels)) == (1437, 360)
    everything = torch.cat([learnt.levels, tested.levels]).flatten(1)
    assert sorted(map(tuple, everything.tolist())) == sorted(
        map(tuple, datasets.load_digits().data.astype(int).tolist())
    )
    assert set(learnt.labels.tolist()) == set(tested.labels.tolist()) == set(range(10))


def test_the_split_is_the_same_every_time():
    first, again = load_images(DIGITS), load_images(DIGITS)
    assert torch.equal(first[1].levels, again[1].levels)


def test_a_network_reads_levels_as_numbers_from_0_to_1():
    learnt, _tested = load_images(DIGITS)
    assert learnt.images.shape == (1437, 1, 8, 8)
    assert (learnt.images.min(), learnt.images.max()) == (0, 1)
    assert torch.equal(learnt.images[:, 0] * 16, learnt.levels.float())


def test_a_moved_image_is_the_same_one_pixel_away():
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 1
    moved = shifted(image.expand(400, -1, -1, -1), torch.Generator().manual_seed(1))
    assert moved.sum(dim=(1, 2, 3)).tolist() == [1] * 400
    places = {tuple(place[2:]) for place in moved.nonzero().tolist()}
    assert places == {(row, column) for row in (1, 2, 3) for column in (1, 2, 3)}
    stayed = moved[:, 0, 2, 2].mean().item()
    assert 0.4 < stayed < 0.7  # five in nine: half of all, and one in nine of the others


def test_one_of_each_is_the_first_of_its_class():
    labels = torch.tensor([3, 3, 0, 1, 2, 9, 8, 7, 6, 5, 4, 0])
    assert one_of_each(Images(torch.zeros(12, 8, 8).long(), labels, 17)).tolist() == [2, 3, 4, 0, 10, 9, 8, 7, 6, 5]


# What a run leaves


def test_a_run_leaves_its_figures_and_its_pictures(done):
    name, folder, figures, result = done
    pictures = {path.stem for path in folder.glob("*.png")}
    if name == "vit":
        assert set(figures["accuracy"]) == {"ViT", "CNN", "logistic regression"}
        assert all(0 <= share <= 1 for share in figures["accuracy"].values())
        assert [row["step"] for row in figures["curves"]["ViT"]] == [1, 2, 3]
        assert pictures == {"vit_accuracy", "vit_attention", "vit_positions", "vit_cka"}
    else:
        assert set(figures["bits"]) == {"model", "uniform", "histogram", "histogram of the class"}
        assert set(figures["of_their_class"]) == set(figures["copies"]) == {"0.5", "1.0"}
        assert len(figures["samples"]["1.0"]) == len(figures["completions"]) == 10
        assert pictures == {"image_gpt_bits", "image_gpt_samples", "image_gpt_completions"}
    assert result.stdout.splitlines()[-1].startswith(f"figures: {folder / 'metrics.json'}; pictures: ")


def test_a_run_ends_with_its_table(done):
    name, _folder, _figures, result = done
    rows = [line.split("│")[1].strip() for line in result.stdout.splitlines() if line.startswith("│")]
    expected = {
        "vit": ["ViT", "CNN", "logistic regression"],
        "image_gpt": ["model", "uniform", "histogram", "histogram of the class", "0.5", "1.0"],
    }
    assert rows == expected[name]


def test_a_completion_keeps_the_upper_half(done):
    name, _folder, figures, _result = done
    for one in figures["completions"] if name == "image_gpt" else ():
        assert [levels[:4] for levels in one["completed"]] == [one["levels"][:4]]


def test_a_layer_is_itself_and_no_class_token_gives_away_more_than_all(done):
    name, _folder, figures, _result = done
    if name == "vit":
        alike = torch.tensor(figures["cka"]["alike"])
        assert alike.diagonal().tolist() == pytest.approx([1] * len(alike))
        assert figures["cka"]["layers"] == ["ViT patches", "ViT block 1", "CNN conv 1", "CNN conv 2", "CNN hidden"]
        maps = torch.tensor(figures["attention"]["maps"])
        assert maps.shape == (1, 10, 2, 2)
        assert 0 < maps.sum(dim=(2, 3)).min() <= maps.sum(dim=(2, 3)).max() < 1


# What stops one


@pytest.mark.parametrize("name", ["vit", "image_gpt"])
def test_a_library_that_is_missing_is_told_with_the_command(name, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda wanted: None if wanted == "sklearn" else found(wanted))
    result = invoke(name, "--subject", "reference", "--out", tmp_path / "run")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f'{name} needs sklearn, which is not installed; in the course\'s folder: pip install -e ".[applications]"\n'
    )


@pytest.mark.parametrize(
    ("name", "stub", "told"),
    [
        ("vit", "vit", "ViT.forward in {}/vit.py is not written yet; write it"),
        ("vit", "cka", "linear_cka in {}/cka.py is not written yet; write it"),
        ("vit", "training", "save_checkpoint in {}/training.py is not written yet; write it"),
        ("image_gpt", "image_gpt", "images_to_tokens in {}/image_gpt.py is not written yet; write it"),
    ],
)
def test_what_is_not_written_yet_is_told_before_anything_is_trained(name, stub, told, tmp_path):
    from graders.engine.stubs import stub_text

    folder = learner(tmp_path / "mine", **{stub: stub_text(stub)})
    result = invoke(name, "--subject", folder, "--out", tmp_path / "run")
    assert (result.exit_code, result.stdout) == (1, "")
    assert told.format(folder) in result.stderr
    assert not (tmp_path / "run").exists()


# What is measured


def test_knowing_how_often_each_level_is_at_each_pixel_costs_what_it_should():
    """At the one pixel that differs, three of four images have level 16."""
    levels = torch.zeros(4, 8, 8).long()
    levels[:3, 2, 5] = 16
    bits = image_gpt.surprises(levels, levels, smoothing=1e-9)
    assert bits.sum(dim=1).tolist() == pytest.approx([*[math.log2(4 / 3)] * 3, 2], abs=1e-6)


def test_knowing_the_class_too_is_never_dearer_on_the_images_that_were_counted():
    learnt, _tested = load_images(DIGITS)
    assert image_gpt.class_histogram_bits(learnt, learnt) < image_gpt.histogram_bits(learnt, learnt) < math.log2(17)


def test_the_judge_reads_real_digits_that_it_has_not_seen():
    learnt, tested = load_images(DIGITS)
    assert image_gpt.judged(image_gpt.classifier(learnt), tested.levels, tested.labels) > 0.98


def test_a_part_is_heard_however_it_is_called():
    part = nn.Linear(2, 3)
    x = torch.ones(1, 2)
    with vit.listening({"it": part}) as heard:
        part(x)
        called = heard.pop("it")
        part.forward(x)
    for taken, returned in (called, heard["it"]):
        assert torch.equal(taken, x)
        assert torch.equal(returned, part(x))
    assert "forward" not in vars(part)


def test_the_maps_are_what_the_class_token_takes():
    """Where queries are zero, it takes as much from each of four patches as from itself: a fifth."""
    torch.manual_seed(0)
    sizes = {"image_size": 8, "n_channels": 1, "n_classes": 10, **SMALL[vit]["model"]}
    model = ViT(ViTConfig(**sizes))
    nn.init.zeros_(model.blocks[0].attn.W_Q)
    run = Run({"attention": attention}, 0, ROOT, vit.SETTINGS)
    maps = vit.class_attention(run, model, torch.rand(3, 1, 8, 8))
    assert maps.flatten().tolist() == pytest.approx([0.2] * 12)


def test_accuracy_is_the_share_of_largest_logits():
    class Constant(nn.Module):
        def forward(self, images):
            return torch.eye(10)[[7]].expand(len(images), -1)

    labels = torch.tensor([7, 7, 1, 7])
    assert vit.accuracy(Constant(), Images(torch.zeros(4, 8, 8).long(), labels, 17)) == 0.75


def test_digits_have_as_many_levels_and_classes_as_the_exercise():
    assert (DIGITS.n_levels, N_CLASSES) == (reference.image_gpt.N_LEVELS, reference.image_gpt.N_CLASSES)
