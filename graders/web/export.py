"""A model as the three files that the site's Explorer fetches: the graph, the tokenizer, and what the page shows of it.

The Explorer runs the model's parameters through the reference's maths, whoever's code trained them, and cuts a text
into tokens itself, as GPT-2 does: so a tokenizer of another kind is refused here.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.func import functional_call

from graders.model_folder import ModelFolder
from graders.subject_code import CannotGoOn
from graders.web.graph import gpt_graph
from graders.weights.checkpoint import EMBEDDED, CheckpointError, token_ids
from reference.config import GPTConfig
from reference.gpt import GPT

MODEL, TOKENIZER, ABOUT = "model.onnx", "tokenizer.json", "about.json"
EMBEDDED_TITLE, EMBEDDED_EXAMPLE = "Shakespeare, the model that comes with the course", "To be, or not to be"
EXAMPLE = "The"  # of a model that has read who knows what
HALF_WITHIN = 5e-4  # the page's logits may differ by 1e-3; the other half is for the rounding of float32
MAX_BYTES = 2**31 - 2**20  # of one protobuf message, less the graph itself


@dataclass(frozen=True)
class WebModel:
    """The files of a model, by name, what about.json says, and whether the parameters are stored as float16."""

    files: dict[str, bytes]
    about: dict[str, Any]
    half: bool

    def told(self) -> str:
        """What it is and how large, in one line."""
        about, size = self.about, sum(map(len, self.files.values())) / 1e6
        stored = "float16" if self.half else "float32: rounded to float16, half the size, they would give other numbers"
        return (
            f"{about['title']}: {about['n_layers']} layers, {about['n_heads']} heads, width {about['d_model']}; "
            f"{size:.1f} MB, parameters in {stored}"
        )


def web_model(found: ModelFolder, named: str | None) -> WebModel:
    """The files of a model that was found by the name that was typed, None for the embedded checkpoint.

    Raises `CannotGoOn` when its parameters are not those of a `GPT`, are too many, or its tokenizer is of another kind.
    """
    vocabulary = found.vocabulary
    model = _gpt(found)
    cfg = model.cfg
    _check_tokenizer(vocabulary, cfg.d_vocab)
    half = _moved_by_float16(model) <= HALF_WITHIN
    if sum(w.numel() for w in model.parameters()) * (2 if half else 4) > MAX_BYTES:
        raise CannotGoOn(f"{found.folder} is too large: an ONNX file holds at most 2 GB; expected a smaller model")
    graph, hooks = gpt_graph(cfg, model.state_dict(), half)
    about = {
        "title": _title(found, named),
        **{size: getattr(cfg, size) for size in ("n_layers", "n_heads", "d_model", "d_head", "d_vocab", "n_ctx")},
        "eos": Tokenizer.from_file(str(vocabulary)).token_to_id("<|endoftext|>"),
        "example": EMBEDDED_EXAMPLE if found.folder == EMBEDDED else EXAMPLE,
        "hooks": hooks,
    }
    files = {
        MODEL: graph.SerializeToString(deterministic=True),
        TOKENIZER: vocabulary.read_bytes(),
        ABOUT: f"{json.dumps(about, ensure_ascii=False, indent=2)}\n".encode(),
    }
    return WebModel(files, about, half)


def write_files(out: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder, which is made if there is none. Raises `CannotGoOn` when that cannot be done."""
    partial = {name: out / f".{name}.{os.getpid()}" for name in files}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, path in partial.items():
            path.write_bytes(files[name])
        for name, path in partial.items():  # all of them are written, so what is there stays whole if the disk is full
            path.replace(out / name)
    except OSError as error:
        for path in partial.values():
            if path.is_file():
                path.unlink()
        raise CannotGoOn(f"{out} could not be written ({error.strerror}); --out names another folder") from error


def own_title(folder: Path) -> str:
    """The title of the model in a folder, if it is whole and another than the embedded one; else empty."""
    if not all((folder / name).is_file() for name in (MODEL, TOKENIZER, ABOUT)):
        return ""
    try:
        title = json.loads((folder / ABOUT).read_text(encoding="utf-8"))["title"]
    except (ValueError, KeyError, TypeError):  # no file of ours
        return ""
    return "" if title == EMBEDDED_TITLE else str(title)


def _title(found: ModelFolder, named: str | None) -> str:
    """What the page calls a model."""
    if found.folder == EMBEDDED:
        return EMBEDDED_TITLE
    if found.run:  # the text's name alone: where it lies on the learner's disk is nobody's business
        return f"{found.folder.resolve().name}, trained on {Path(str(found.run.get('text', 'a text'))).name}"
    return found.folder.resolve().name if Path(str(named)).expanduser().is_dir() else str(named)


def _gpt(found: ModelFolder) -> GPT:
    """The reference's model with these parameters, float32. Raises `CannotGoOn` when they are not those of a `GPT`."""
    try:
        model = GPT(GPTConfig(**found.cfg))
    except (TypeError, RuntimeError) as error:
        raise CannotGoOn(
            f"the run in {found.folder}/ has sizes that no GPT has ({error}); expected those of a GPTConfig; train it "
            "again, with --out for another folder"
        ) from error
    expected, shapes = (
        {name: tuple(w.shape) for name, w in weights.items()} for weights in (model.state_dict(), found.weights)
    )
    for name in [*expected, *shapes]:
        if shapes.get(name) != expected.get(name):
            raise CannotGoOn(
                f"{found.folder}: {name} is {shapes.get(name, 'missing')}; expected {expected.get(name, 'none')}, as "
                "in the course's GPT; `pytest graders/test_gpt.py` says where yours differs"
            )
        if not found.weights[name].isfinite().all():
            raise CannotGoOn(
                f"{found.folder}: {name} holds NaN or infinity; expected finite numbers; train it again, with --out "
                "for another folder"
            )
    model.load_state_dict(found.weights)
    return model.requires_grad_(False)


def _moved_by_float16(model: GPT) -> float:
    """By how much the logits move at most when the parameters are rounded, on tokens from all over the vocabulary."""
    tokens = torch.linspace(0, model.cfg.d_vocab - 1, model.cfg.n_ctx).long().unsqueeze(0)
    rounded = {name: w.half().float() for name, w in model.state_dict().items()}
    return (functional_call(model, rounded, tokens) - model(tokens)).abs().max().item()


def _check_tokenizer(path: Path, d_vocab: int) -> None:
    """Raise `CannotGoOn` unless the page can cut texts as this tokenizer does, and every token has its row."""
    try:
        ids = token_ids(path) or []
    except CheckpointError as error:
        raise CannotGoOn(str(error)) from error
    told = json.loads(path.read_text(encoding="utf-8"))
    cut = told.get("pre_tokenizer") or {}
    is_gpt2_s = cut.get("type") == "ByteLevel" and cut.get("use_regex", True) and not cut.get("add_prefix_space")
    if told["model"].get("type") != "BPE" or told.get("normalizer") or not is_gpt2_s:
        raise CannotGoOn(
            f"{path} cuts texts in another way than GPT-2; expected byte-level BPE, without a normalizer or a space "
            "put before the text, since that is how the page cuts them; use a model with such a tokenizer"
        )
    if max(ids, default=-1) >= d_vocab:
        raise CannotGoOn(
            f"{path} has {max(ids) + 1} tokens; expected at most {d_vocab}, the rows of the model's token table; use "
            "the tokenizer that it was trained with"
        )
