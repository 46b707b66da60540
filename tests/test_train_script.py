"""The script that trains the embedded checkpoint, on a tiny model and a made-up text."""

import json
import signal

import pytest
import torch

from graders.weights import train
from graders.weights.checkpoint import load_checkpoint
from graders.weights.loss_curve import keep_losses, running_mean
from graders.weights.train import Plan, add_dropout, nats_per_character, tie, train_folder
from reference.config import GPTConfig
from reference.gpt import GPT

CFG = GPTConfig(d_vocab=300, n_ctx=8, n_layers=2, n_heads=2, d_model=12, d_head=6, d_mlp=16)
PLAN = Plan(steps=12, batch=4, warmup_steps=2, evaluate_every=5, max_lr=0.01)
TEXT = "".join(f"The {i}. line says {'no' * (i % 5)}.\n" for i in range(150))


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run that never stopped, and what it returned."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, train_folder(TEXT, CFG, PLAN, folder / "out", folder / "run")


def test_the_folder_is_read_as_any_checkpoint_and_holds_the_best_model(whole):
    folder, history = whole
    best = min(history, key=lambda row: row["held_out"])
    assert read(folder / "out" / "training.jsonl")[-1] == best
    checkpoint = load_checkpoint(folder / "out")
    assert GPTConfig(**checkpoint.cfg) == CFG
    model, tokenizer = GPT(CFG).double(), train.train_tokenizer(TEXT[: int(0.9 * len(TEXT))], 300)
    model.load_state_dict(checkpoint.weights)
    held_out = TEXT[int(0.9 * len(TEXT)) :]
    found = nats_per_character(model, torch.tensor(tokenizer.encode(held_out).ids), len(held_out))
    assert found == pytest.approx(best["held_out"], abs=1e-3)  # the file is float16


def test_the_run_keeps_every_loss_and_draws_them(whole):
    folder, history = whole
    assert [row["tokens"] for row in history] == [5 * 32, 10 * 32, 12 * 32]
    losses = read(folder / "run" / "losses.jsonl")
    assert [step for step, _loss in losses] == list(range(12))
    assert history[0]["train_nats_per_token"] == pytest.approx(sum(loss for _, loss in losses[:5]) / 5)
    assert (folder / "run" / "loss.png").stat().st_size > 5000


@pytest.mark.parametrize("pressed_in", [3, 10])
def test_a_run_that_was_stopped_is_the_run_that_never_stopped(whole, tmp_path, monkeypatch, pressed_in):
    folder, history = whole
    steps = []

    def press(*arguments):
        steps.append(arguments)
        if len(steps) == pressed_in:
            signal.raise_signal(signal.SIGINT)
        return get_batch(*arguments)

    get_batch = train.get_batch
    monkeypatch.setattr(train, "get_batch", press)
    assert len(train_folder(TEXT, CFG, PLAN, tmp_path / "out", tmp_path / "run")) < len(history)
    assert len(steps) == pressed_in
    assert train_folder(TEXT, CFG, PLAN, tmp_path / "out", tmp_path / "run") == history
    for name in ("out/model.safetensors", "out/training.jsonl", "run/losses.jsonl"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_tied_model_has_no_unembedding_of_its_own_and_learns_through_it():
    model = GPT(CFG)
    tie(model)
    add_dropout(model, 0.5)
    assert not [name for name, _ in model.named_parameters() if name.startswith("unembed")]
    tokens = torch.arange(8).unsqueeze(0)
    model(tokens).sum().backward()
    assert model.embed.W_E.grad[20:].abs().sum() > 0  # rows that no token asked for: only the unembedding reaches them
    model.eval()
    untied = GPT(CFG)
    untied.load_state_dict({**model.state_dict(), "unembed.W_U": model.embed.W_E.T, "unembed.b_U": torch.zeros(300)})
    assert torch.equal(model(tokens), untied(tokens))


def test_losses_of_a_step_that_was_taken_twice_are_kept_once(tmp_path):
    path = tmp_path / "losses.jsonl"
    assert keep_losses(path, [(0, 3.0), (1, 2.5)]) == [(0, 3.0), (1, 2.5)]
    path.write_text(path.read_text() + "[2, 2.")
    assert keep_losses(path, [(1, 2.0), (2, 1.5)]) == [(0, 3.0), (1, 2.0), (2, 1.5)]


def test_the_running_mean_is_over_what_came_just_before():
    assert running_mean([4.0, 2.0, 6.0, 10.0], over=2) == [4.0, 3.0, 4.0, 8.0]
