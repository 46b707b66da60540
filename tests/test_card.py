"""The figures of the model card are those of the committed weights."""

import json
import os
from pathlib import Path

import pytest

from graders.weights.card import FIGURES, FIXTURE, loss_on
from graders.weights.checkpoint import EMBEDDED, load_checkpoint
from graders.weights.train import read_text

GOAL = 1.60  # nats a character
MAX_BYTES = 8 * 1000 * 1000


@pytest.fixture(scope="module")
def figures():
    return json.loads((EMBEDDED / FIGURES).read_text())


def test_the_loss_on_the_project_s_own_text_is_the_card_s(figures):
    found = loss_on(FIXTURE.read_text(encoding="utf-8"), load_checkpoint(None))
    assert found == pytest.approx(figures["fixture"], abs=1e-4)


@pytest.mark.skipif("HEADSTART_TEXT" not in os.environ, reason="HEADSTART_TEXT does not name tinyshakespeare.txt")
def test_the_held_out_loss_is_the_card_s(figures):
    text = read_text(Path(os.environ["HEADSTART_TEXT"]))
    found = loss_on(text[int(0.9 * len(text)) :], load_checkpoint(None))
    assert found == pytest.approx(figures["held_out"], abs=1e-4)


def test_the_held_out_loss_reaches_the_goal(figures):
    assert figures["held_out"] <= GOAL


def test_the_card_states_the_figures(figures):
    card = (EMBEDDED / "README.md").read_text(encoding="utf-8")
    assert f"**{figures['held_out']:.3f} nats a character**" in card
    assert f"| {figures['fixture']:.3f} nats a character |" in card


def test_the_folder_stays_small():
    assert sum(path.stat().st_size for path in EMBEDDED.iterdir()) <= MAX_BYTES
