"""The pages of the track images say what the runs that are kept came to, and these reached what was to be reached."""

import re

import pytest
import torch

from docs.application_pictures import kept_run
from docs.image_pictures import figures
from graders.applications import image_gpt, vit
from graders.applications.image_data import IMAGE_DATA, N_CLASSES, settings_on
from graders.engine.course import ROOT

PAGE = (ROOT / "docs" / "tracks" / "images.md").read_text(encoding="utf-8")
VIT, GPT = figures("vit"), figures("image_gpt")


def rows(first: str) -> list[list[str]]:
    """The cells of the table on the track's page whose heading begins so, without their spaces."""
    table = PAGE.partition(f"| {first} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


def test_the_vit_reads_97_of_100_and_the_page_says_who_reads_what():
    assert VIT["accuracy"]["ViT"] >= 0.97
    shown = rows("reads digits")
    assert shown == [
        [name, f"{share:.3f}", f"{VIT['parameters'][name]:,}", vit.seconds(VIT, name)]
        for name, share in VIT["accuracy"].items()
    ]


def test_the_gpt_needs_fewer_bits_than_either_baseline_and_the_page_says_how_many():
    bits = GPT["bits"]
    assert bits["model"] < min(share for name, share in bits.items() if name != "model")
    assert rows("bits per pixel") == [[name, f"{value:.2f}"] for name, value in bits.items()]


def test_nine_samples_of_ten_are_of_their_class_and_the_page_says_at_which_temperature():
    shares = GPT["of_their_class"]
    assert max(shares.values()) >= 0.9
    assert rows("drawn at") == [
        [f"temperature {name}", f"{share:.2f}", f"{GPT['different'][name]:.2f}", f"{GPT['copies'][name]:.2f}"]
        for name, share in shares.items()
    ]


def test_samples_of_one_class_differ():
    for name, share in GPT["different"].items():
        assert share > 0.95, name


@pytest.mark.parametrize(("kept", "application"), [("vit", vit), ("image_gpt", image_gpt)])
def test_what_is_kept_is_a_run_of_the_settings_that_are_run(kept, application):
    said = kept_run(kept)
    assert (said["application"], said["subject"], said["seed"]) == (kept, "reference", 0)
    assert said["settings"] == application.SETTINGS
    assert f"`headstart run {kept} --subject reference`" in PAGE


def test_the_page_says_how_well_the_judge_reads_and_what_was_learnt_from():
    assert f"reads {GPT['judge']:.2f} of the real test images right" in PAGE
    assert "1,437 images" in PAGE


def test_the_page_says_how_alike_positions_are():
    alike, places = torch.tensor(VIT["positions"], dtype=torch.float64), torch.arange(16)
    in_one_row = places.view(-1, 1) // 4 == places // 4
    is_beside = in_one_row & (places.view(-1, 1) - places == 1)
    beside, others = alike[is_beside].mean(), alike[~in_one_row].mean()
    assert f"(a cosine of {beside:.2f} on average), and unlike those of other rows ({others:.2f})" in PAGE


def test_the_page_says_how_long_the_trainings_took():
    found = re.findall(r"(\d+) seconds of computing", PAGE)
    assert [int(number) for number in found] == [round(sum(VIT["seconds"].values())), round(GPT["seconds"])]


def test_what_alternative_texts_count_is_there():
    assert len(GPT["samples"]) == 3  # temperatures
    for by_class in GPT["samples"].values():
        assert [len(row) for row in by_class] == [6] * N_CLASSES
    shown = [(label, one) for by_class in GPT["samples"].values() for label, row in enumerate(by_class) for one in row]
    assert [label for label, one in shown if one["read_as"] != label] == [3]
    assert [len(one["completed"]) for one in GPT["completions"]] == [3] * N_CLASSES
    assert len(VIT["attention"]["levels"]) == N_CLASSES
    assert len(VIT["attention"]["maps"]) == 3  # blocks
    assert len(VIT["positions"]) == 16


def test_the_page_says_what_differs_on_the_images_that_are_fetched():
    of_all = {"mnist": ("60,000", "10,000"), "cifar10": ("50,000", "10,000")}
    steps = [application.SETTINGS["training"]["steps"] for application in (vit, image_gpt)]
    expected = [
        ["images learnt from", "1,437"],
        ["images tested on", "360"],
        ["steps", " and ".join(f"{number:,}" for number in steps)],
    ]
    for application, name in ((vit, "mnist"), (vit, "cifar10"), (image_gpt, "mnist")):
        taker = application.__name__.rpartition(".")[2]
        data, settings = IMAGE_DATA[taker][name], settings_on(taker, name, application.SETTINGS)
        expected[0].append(f"{data.on_hub.n_learnt:,} of {of_all[name][0]}")
        expected[1].append(f"{data.on_hub.n_tested:,} of {of_all[name][1]}")
        expected[2].append(f"{settings['training']['steps']:,}")
        sizes = f"{data.side} x {data.side} pixels"
        assert re.search(rf"headstart run {taker} --data {name} +# {sizes}", PAGE)
        assert f"`{data.on_hub.name}` ({data.on_hub.size})" in PAGE
        if taker == "vit":
            patch = settings["model"]["patch_size"]
            assert f"{(data.side // patch) ** 2} patches of {patch} x {patch}" in PAGE
        assert f"after {data.max_iter} rounds" in PAGE
    assert rows("what differs") == expected
