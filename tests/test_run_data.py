"""`headstart run --data`: MNIST and CIFAR-10 as the Hub gives them, what a run makes of them, and what stops one."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace

import datasets
import numpy as np
import pytest
import small_image_runs
import torch
from small_image_runs import drawn, invoke, on_hub

from graders.applications import image_gpt, image_pictures, images, vit
from graders.applications.image_data import IMAGE_DATA, MNIST, data_of, settings_on
from graders.applications.images import coarser, load_images
from graders.commands.naming import complete_data
from graders.engine.course import ROOT

CIFAR10 = IMAGE_DATA["vit"]["cifar10"]
FETCHED = [(taker, name) for taker, sets in IMAGE_DATA.items() for name, data in sets.items() if data.on_hub]

small = pytest.fixture(small_image_runs.small, scope="module", autouse=True)


@pytest.fixture(scope="module")
def hub():
    return on_hub()


@pytest.fixture(autouse=True)
def fetched(hub, tmp_path, monkeypatch):
    """The names of the sets that were asked for; what comes are the drawn ones. The working directory is empty."""
    asked = []
    monkeypatch.setattr(datasets, "load_dataset", lambda name: asked.append(name) or hub[name])
    for taker, name in FETCHED:  # as few steps as on the digits
        data = IMAGE_DATA[taker][name]
        sizes = {what: other for what, other in data.settings.items() if what == "model"}
        monkeypatch.setitem(IMAGE_DATA[taker], name, replace(data, settings=sizes))
    images._fetched.cache_clear()
    monkeypatch.chdir(tmp_path)
    yield asked
    images._fetched.cache_clear()


# What is learnt from


@pytest.mark.parametrize(("data", "shape"), [(MNIST, (28, 28)), (CIFAR10, (3, 32, 32))])
def test_what_is_tested_on_is_the_set_s_own_test_split(data, shape):
    learnt, tested = load_images(data)
    assert (learnt.levels.shape, tested.levels.shape) == ((40, *shape), (120, *shape))
    for found, mark in ((learnt, 1), (tested, 2)):
        assert found.levels.flatten(1)[:, 0].tolist() == [mark] * len(found.labels)
        assert set(found.labels.tolist()) == set(range(10))


def test_an_image_comes_pixel_by_pixel_with_its_own_class(hub):
    learnt, _tested = load_images(MNIST)
    expected = {bytes(row["image"].tobytes()): row["label"] for row in hub["ylecun/mnist"]["train"]}
    found = {bytes(levels.numpy().tobytes()): label for levels, label in zip(learnt.levels, learnt.labels, strict=True)}
    assert found == expected
    assert torch.equal(learnt.images[:, 0], learnt.levels / 255)


def test_the_channels_of_a_colour_are_red_green_and_blue(hub, monkeypatch):
    orange = drawn("img", np.full((10, 32, 32, 3), (255, 128, 0), dtype=np.uint8))
    monkeypatch.setitem(hub, "uoft-cs/cifar10", datasets.DatasetDict(train=orange, test=orange))
    learnt, _tested = load_images(CIFAR10)
    assert learnt.images[3, :, 5, 7].tolist() == pytest.approx([1, 128 / 255, 0])


def test_of_a_large_set_some_images_count_the_same_every_time():
    few = replace(MNIST, on_hub=replace(MNIST.on_hub, n_learnt=7, n_tested=11))
    learnt, tested = load_images(few)
    images._fetched.cache_clear()
    again, _tested = load_images(few)
    assert (len(learnt.labels), len(tested.labels)) == (7, 11)
    assert torch.equal(learnt.levels, again.levels)
    assert learnt.labels.tolist() != [0, 1, 2, 3, 4, 5, 6]  # the first of a set that may be in order


def test_a_level_is_that_of_the_mean_of_a_square():
    pixels = torch.tensor([[[0, 255, 255, 255], [255, 0, 255, 255], [0, 0, 12, 12], [0, 1, 12, 12]]]).byte()
    assert coarser(pixels, IMAGE_DATA["image_gpt"]["mnist"]).tolist() == [[[8, 16], [0, 1]]]


def test_sizes_fit_what_reads_them():
    for taker, name in FETCHED:
        data = IMAGE_DATA[taker][name]
        if taker == "vit":
            assert data.side % 4 == 0  # the convolutional network halves it twice
            assert data.side % settings_on(taker, name, vit.SETTINGS)["model"]["patch_size"] == 0
        assert len(data.class_names) in (0, 10)
        assert data.n_levels == (image_gpt.N_LEVELS if taker == "image_gpt" else 256)


def test_settings_are_those_on_the_digits_but_for_what_the_table_says(monkeypatch):
    other = replace(MNIST, settings={"model": {"patch_size": 7}, "batch": 3})
    monkeypatch.setitem(IMAGE_DATA["vit"], "mnist", other)
    settings = {"data": "digits", "model": {"patch_size": 2, "d_model": 5}, "batch": 8, "channels": 9}
    expected = {"data": "mnist", "model": {"patch_size": 7, "d_model": 5}, "batch": 3, "channels": 9}
    assert settings_on("vit", "mnist", settings) == expected
    assert settings_on("vit", "digits", settings) == settings_on("vit", None, settings) == settings
    assert data_of("vit", expected) is other


# What a run leaves


@pytest.mark.parametrize(("taker", "name"), FETCHED)
def test_a_run_on_other_images_leaves_all_that_one_on_the_digits_does(taker, name, tmp_path, fetched):
    result = invoke(taker, "--data", name, "--subject", "reference")
    assert result.exit_code == 0, result.output
    data, folder = IMAGE_DATA[taker][name], tmp_path / f"run-{taker}-{name}"
    assert fetched == [data.on_hub.name]  # once, though it is rehearsed
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["settings"]["data"] == name
    first, *_others = result.stderr.splitlines()
    said = f"reading {data.on_hub.name}: {data.on_hub.size} from the Hugging Face Hub the first time"
    assert first == f"{said}, kept by `datasets`"
    pictures = image_pictures.OF_VIT if taker == "vit" else image_pictures.OF_IMAGE_GPT
    assert {path.stem for path in folder.glob("*.png")} == {picture.__name__ for picture in pictures}
    if taker == "vit":
        assert f"{data.title} that were not learnt from" in result.stdout
        levels, maps = (torch.tensor(metrics["figures"]["attention"][part]) for part in ("levels", "maps"))
        assert levels.shape == ((10, 28, 28) if name == "mnist" else (10, 3, 32, 32))
        assert maps.shape == (1, 10, data.side // 4, data.side // 4)
        assert metrics["figures"]["parameters"]["logistic regression"] == 10 * (1 + levels[0].numel())
    else:
        (completed,) = metrics["figures"]["completions"][0]["completed"]
        assert torch.tensor(completed).shape == (14, 14)
        assert completed[:7] == metrics["figures"]["completions"][0]["levels"][:7]


def test_the_digits_by_name_are_the_run_that_there_is_without(tmp_path):
    assert invoke("vit", "--subject", "reference").exit_code == 0
    again = invoke("vit", "--data", "digits", "--subject", "reference")
    assert again.stdout.startswith("this run is done; nothing to do")
    assert [path.name for path in tmp_path.iterdir()] == ["run-vit"]


def attention_of(data):
    levels = torch.zeros(10, data.n_channels, data.side, data.side).squeeze(1).tolist()
    maps = torch.ones(2, 10, 2, 2).tolist()
    return image_pictures.vit_attention({"attention": {"levels": levels, "maps": maps}}, data)


def test_pictures_are_shown_in_their_colours_under_the_names_of_their_classes():
    shown = attention_of(CIFAR10).axes[:10]
    assert tuple(axes.get_title() for axes in shown) == CIFAR10.class_names
    assert shown[0].images[0].get_array().shape == (32, 32, 3)
    shown = attention_of(MNIST).axes[:10]
    assert {axes.get_title() for axes in shown} == {""}
    assert shown[0].images[0].get_array().shape == (28, 28)


def test_a_red_mark_stands_at_the_corner_of_its_own_sample():
    data = IMAGE_DATA["image_gpt"]["mnist"]
    blank = torch.zeros(14, 14).tolist()
    row = [{"levels": blank, "read_as": 0}, {"levels": blank, "read_as": 5}]
    axes = image_pictures.image_gpt_samples({"samples": {"1.0": [row] * 10}}, data).axes[0]
    assert axes.images[0].get_array().shape == (14, 29)
    assert [line.get_xdata().tolist() for line in axes.lines] == [[28]]


# What stops one


@pytest.mark.parametrize(
    ("name", "data", "takes"),
    [("vit", "imagenet", "digits or mnist or cifar10"), ("image_gpt", "cifar10", "digits or mnist")],
)
def test_images_that_an_application_does_not_take_are_refused(name, data, takes, tmp_path):
    result = invoke(name, "--data", data)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"--data is {data}; {name} takes {takes}; "
        "it is an option of vit (digits, mnist, cifar10) and image_gpt (digits, mnist)\n"
    )
    assert not list(tmp_path.iterdir())


def test_an_application_that_is_about_no_images_takes_none():
    result = invoke("arithmetic", "--data", "digits")
    assert (result.exit_code, result.stderr) == (
        2,
        "--data is digits; arithmetic takes none; "
        "it is an option of vit (digits, mnist, cifar10) and image_gpt (digits, mnist)\n",
    )


def test_the_library_that_fetches_is_named_with_the_command_when_it_is_missing(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda wanted: None if wanted == "datasets" else found(wanted))
    result = invoke("vit", "--data", "mnist", "--subject", "reference")
    assert (result.exit_code, result.stderr) == (
        1,
        'vit needs datasets, which is not installed; in the course\'s folder: pip install -e ".[applications]"\n',
    )
    assert invoke("vit", "--subject", "reference").exit_code == 0  # the digits do not need it


@pytest.mark.parametrize(("name", "set_name"), [("mnist", "ylecun/mnist"), ("cifar10", "uoft-cs/cifar10")])
def test_without_the_hub_and_without_a_copy_one_line_says_what_to_do(name, set_name, tmp_path):
    """The true call, in a process of its own, with nothing kept from before."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "kept"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "graders.cli", "run", "vit", "--data", name, "--subject", "reference"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    reading, said = result.stderr.splitlines()
    assert reading.startswith(f"reading {set_name}: ")
    assert said == (
        f"{set_name} is not on this computer and cannot be fetched from the Hugging Face Hub (ConnectionError); "
        "run this once where it can be reached; --data digits needs nothing"
    )
    assert not (tmp_path / f"run-vit-{name}").exists()


READ_OFFLINE = """
import os, datasets
datasets.disable_progress_bars()
datasets.load_dataset("ylecun/mnist")  # a folder of this name here, as if it were the Hub
os.rename("home/datasets/mnist", "home/datasets/ylecun___mnist")  # as what comes from the Hub is kept
os.rename("ylecun", "gone")
from graders.applications.images import load_images
from graders.applications.image_data import MNIST
print(*(len(found.labels) for found in load_images(MNIST)))
"""


def test_a_copy_that_is_kept_is_read_without_the_hub_and_without_a_word_of_the_library(hub, tmp_path):
    for split, found in hub["ylecun/mnist"].items():
        (tmp_path / "ylecun" / "mnist").mkdir(parents=True, exist_ok=True)
        found.to_parquet(tmp_path / "ylecun" / "mnist" / f"{split}.parquet")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", READ_OFFLINE]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "40 120\n"), result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_folder_with_a_run_on_other_images_is_refused():
    assert invoke("vit", "--data", "mnist", "--subject", "reference", "--out", "mine").exit_code == 0
    for other in ((), ("--data", "cifar10")):
        result = invoke("vit", *other, "--subject", "reference", "--out", "mine")
        asked = other[-1] if other else "digits"
        said = f"mine/ holds a run of data mnist; asked for is data {asked}; use --out for another folder\n"
        assert (result.exit_code, result.stderr) == (1, said)


def test_after_ctrl_c_the_command_that_goes_on_says_which_images(monkeypatch):
    def press(_run):
        raise KeyboardInterrupt

    monkeypatch.setattr(vit, "rehearse", press)
    result = invoke("vit", "--data", "mnist", "--subject", "reference")
    assert result.stderr == "\nstopped; to go on: headstart run vit --subject reference --data mnist\n"


def test_names_of_images_are_completed_for_what_takes_them():
    class Typed:
        params = {"name": "image_gpt"}  # noqa: RUF012 - as typer's context has it

    assert complete_data(Typed(), "") == ["digits", "mnist"]
    assert complete_data(Typed(), "m") == ["mnist"]
    Typed.params = {"name": "arithmetic"}
    assert complete_data(Typed(), "") == []
