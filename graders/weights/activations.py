"""What TransformerLens computes for a checkpoint on a short text, at every hook point that is compared.

    python -m graders.weights.activations

writes them beside the embedded checkpoint, so that nobody's first run pays for importing TransformerLens (9 s). For
any other checkpoint or text they are computed once and kept in the user's cache folder. All are float64, in the names
and shapes of TransformerLens, which are those of `reference`: queries, values and z are (batch seq n_heads d_head).
Masked scores hold the most negative float.
"""

import argparse
import contextlib
import hashlib
import os
from importlib.metadata import version
from pathlib import Path

import platformdirs
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from graders.weights.checkpoint import EMBEDDED, Checkpoint, load_checkpoint
from graders.weights.divergence import hook_points

SHIPPED = EMBEDDED / "activations.safetensors"
TEXT = "All:\nSpeak, speak."  # 10 tokens of the embedded tokenizer, repeated ones among them
N_IDS = 10  # how many ids stand for the text where there is no tokenizer


def tokens_for(checkpoint: Checkpoint, text: str = TEXT) -> Tensor:
    """The ids (1, seq) on which a checkpoint is run, no more than its context holds.

    They are those of `text`, without special tokens; where the folder has no tokenizer.json, or one that makes
    nothing of `text`, they are spread over the vocabulary.
    """
    path = checkpoint.folder / "tokenizer.json"
    ids: list[int] = []
    if path.is_file():
        from tokenizers import Tokenizer

        ids = Tokenizer.from_file(str(path)).encode(text, add_special_tokens=False).ids
    ids = ids or torch.linspace(0, checkpoint.cfg["d_vocab"] - 1, N_IDS).long().tolist()
    return torch.tensor([ids[: checkpoint.cfg["n_ctx"]]])


def activations(checkpoint: Checkpoint, text: str = TEXT) -> dict[str, Tensor]:
    """The activations of every hook point, by TransformerLens's name, on `tokens_for(checkpoint, text)`.

    They are read from what is shipped, else from the user's cache folder, if made from just these weights and tokens;
    else they are computed, and kept in the cache.
    """
    cached = cache_path(checkpoint, text)
    for path in (SHIPPED, cached):
        found = read_activations(path, checkpoint, text)
        if found is not None:
            return found
    computed = compute_activations(checkpoint, text)
    with contextlib.suppress(OSError):  # a home that is full or cannot be written to costs time, not a verdict
        write_activations(cached, checkpoint, computed, text)
    return computed


def compute_activations(checkpoint: Checkpoint, text: str = TEXT) -> dict[str, Tensor]:
    """The activations as TransformerLens computes them in float64, from the checkpoint's folder, not its `weights`."""
    from transformer_lens.model_bridge import TransformerBridge
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    names = hook_names(checkpoint)
    bridge = TransformerBridge.boot_transformers(str(checkpoint.folder), device="cpu", dtype=torch.float64)
    with torch.no_grad():
        # Tokens, not text: a text would get a BOS token.
        _, cache = bridge.run_with_cache(tokens_for(checkpoint, text), names_filter=names)
    # Some hook points share memory, which safetensors refuses.
    return {name: cache[name].clone().contiguous() for name in names}


def hook_names(checkpoint: Checkpoint) -> list[str]:
    """The names of every hook point of a checkpoint of this depth."""
    return [point.name for point in hook_points(checkpoint.cfg["n_layers"])]


def input_hash(checkpoint: Checkpoint, text: str = TEXT) -> str:
    """The hash of weights, configuration and tokens."""
    return hashlib.sha256(f"{checkpoint.sha256} {tokens_for(checkpoint, text).tolist()}".encode()).hexdigest()


def cache_path(checkpoint: Checkpoint, text: str = TEXT) -> Path:
    """Where the activations of a checkpoint are kept: another version of torch or TransformerLens gets another file."""
    versions = f"lens-{version('transformer-lens')}-torch-{version('torch')}"
    name = f"{input_hash(checkpoint, text)[:32]}-{versions}.safetensors"
    return Path(platformdirs.user_cache_dir("headstart")) / "activations" / name


def read_activations(path: Path, checkpoint: Checkpoint, text: str = TEXT) -> dict[str, Tensor] | None:
    """The activations in a file, or None when it is missing, damaged, or was made from something else."""
    try:
        with safe_open(path, "pt") as file:
            if (file.metadata() or {}).get("input") != input_hash(checkpoint, text):
                return None
            names = hook_names(checkpoint)
            return {name: file.get_tensor(name) for name in names} if set(names) == set(file.keys()) else None
    except (OSError, SafetensorError):
        return None


def write_activations(path: Path, checkpoint: Checkpoint, tensors: dict[str, Tensor], text: str = TEXT) -> None:
    """Write a file that `read_activations` accepts, all of it or nothing. Raises `OSError` when that cannot be done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(save(tensors, metadata={"input": input_hash(checkpoint, text)}))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=EMBEDDED, help="GPT-2 format; the embedded one by default")
    folder = parser.parse_args().folder
    checkpoint = load_checkpoint(folder)
    path = folder / SHIPPED.name
    write_activations(path, checkpoint, compute_activations(checkpoint))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {tokens_for(checkpoint).shape[1]} tokens")


if __name__ == "__main__":
    main()
