"""A checkpoint of the reference's training is whole, whatever happens, and a file that is not is refused by name."""

import contextlib
import copy
import os
import re
from pathlib import Path

import pytest
import torch

from reference.config import GPTConfig
from reference.gpt import GPT
from reference.optimizer import AdamW, decay_groups
from reference.training import get_batch, load_checkpoint, save_checkpoint, train_step

CFG = GPTConfig(d_vocab=7, n_ctx=5, n_layers=2, n_heads=2, d_model=6, d_head=3, d_mlp=8)


@contextlib.contextmanager
def disk_with_room_for(n_bytes: int):
    """No file may grow beyond so many bytes: writing more raises `OSError`, as on a full disk."""
    resource = pytest.importorskip("resource", reason="Windows sets no limit to the size of a file")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def saved(tmp_path):
    """The checkpoint of a model after two steps, and that model, its optimizer and its generator."""
    model, generator, data = GPT(CFG), torch.Generator().manual_seed(3), torch.arange(60) % 7
    optimizer = AdamW(decay_groups(model, 0.1))
    for _ in range(2):
        train_step(model, optimizer, *get_batch(data, 2, 4, generator), 1.0)
    save_checkpoint(tmp_path / "run.pt", model, optimizer, 2, generator)
    return tmp_path / "run.pt", model, optimizer, generator


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_full_disk_leaves_the_last_checkpoint_whole_and_no_half_of_a_new_one(saved, share):
    path, model, optimizer, generator = saved
    before = path.read_bytes()
    with disk_with_room_for(int(share * len(before))), pytest.raises(OSError, match="too large"):
        save_checkpoint(path, model, optimizer, 9, generator)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["run.pt"]


def test_the_new_checkpoint_is_on_the_disk_before_it_takes_the_old_one_s_place(saved, monkeypatch):
    path, model, optimizer, generator = saved
    done = []
    monkeypatch.setattr(os, "fsync", lambda file: done.append(("fsync", os.fstat(file).st_size)))
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda a, b: done.append(("rename", a.stat().st_size)) or replace(a, b))
    save_checkpoint(path, model, optimizer, 9, generator)
    assert done == [("fsync", path.stat().st_size), ("rename", path.stat().st_size)]


@pytest.mark.parametrize("damaged", [lambda d: b"", lambda d: d[:50], lambda d: d[:-50], lambda d: b"x" * len(d)])
def test_a_damaged_checkpoint_is_refused_by_name(saved, damaged):
    path, model, optimizer, generator = saved
    path.write_bytes(damaged(path.read_bytes()))
    message = f"^{re.escape(str(path))} is no whole checkpoint of this model and optimizer: "
    with pytest.raises(ValueError, match=message):
        load_checkpoint(path, model, optimizer, generator)


def of_fewer_layers():
    model = GPT(GPTConfig(7, 5, 1, 2, 6, 3, 8))
    return model, AdamW(decay_groups(model, 0.1))


def of_a_longer_context():
    model = GPT(GPTConfig(7, 6, 2, 2, 6, 3, 8))
    return model, AdamW(decay_groups(model, 0.1))


def of_one_group():
    model = GPT(CFG)
    return model, AdamW(model.parameters())


@pytest.mark.parametrize("others", [of_fewer_layers, of_a_longer_context, of_one_group])
def test_a_checkpoint_of_another_model_or_optimizer_is_refused_and_changes_nothing(saved, others):
    path, generator = saved[0], torch.Generator().manual_seed(8)
    model, optimizer = others()
    train_step(model, optimizer, *get_batch(torch.arange(60) % 7, 2, 4, generator), 1.0)
    parts = (model.state_dict, optimizer.state_dict, generator.get_state, torch.get_rng_state)
    before = copy.deepcopy([part() for part in parts])
    with pytest.raises(ValueError, match="no whole checkpoint of this model"):
        load_checkpoint(path, model, optimizer, generator)
    torch.testing.assert_close([part() for part in parts], before, rtol=0, atol=0)


@pytest.mark.parametrize("part", ["model", "optimizer", "generator", "global_generator"])
@pytest.mark.parametrize("forged", [3, None, torch.zeros(3)])
def test_a_part_of_another_kind_is_refused_by_name(saved, part, forged):
    path, model, optimizer, generator = saved
    torch.save(torch.load(path, weights_only=True) | {part: forged}, path)
    with pytest.raises(ValueError, match="no whole checkpoint"):
        load_checkpoint(path, model, optimizer, generator)


def test_a_checkpoint_that_would_run_code_is_refused_and_does_not_run_it(saved):
    path, model, optimizer, generator = saved
    state = torch.load(path, weights_only=True)
    torch.save(state | {"step": Touches(path.with_name("touched"))}, path)
    with pytest.raises(ValueError, match="no whole checkpoint"):
        load_checkpoint(path, model, optimizer, generator)
    assert not path.with_name("touched").exists()


class Touches:
    """Pickled, it creates a file when it is read."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)
