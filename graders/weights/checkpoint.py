"""Read a GPT-2-format checkpoint: the embedded one, one from the hub, or any folder of the same format.

A folder holds config.json and model.safetensors, and usually tokenizer.json; it is what
`GPT2LMHeadModel.save_pretrained` writes (Radford et al. 2019, in the layout of Hugging Face). It is read
with safetensors alone: nothing in it is executed, and neither transformers nor TransformerLens is imported.
Everything that would make a right model look wrong is refused here, with one line that says what to do.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from graders.weights.sums import EMBEDDED
from reference.config import GPTConfig
from reference.gpt import convert_gpt2_weights

FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"]
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
# Options of GPT-2's configuration that change what it computes, with the values that leave it GPT-2.
OPTIONS = {
    "activation_function": "gelu_new",
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "reorder_and_upcast_attn": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}
# Tables are padded to a multiple of 64 or 128 for speed, so fewer rows than this may have no token.
PADDING = 128


class CheckpointError(Exception):
    """A checkpoint that cannot be used: what happened, what was expected, what to do next."""


@dataclass(frozen=True, eq=False)  # two dictionaries of tensors have no single truth value
class Checkpoint:
    """A checkpoint in the names of `GPT`.

    `cfg` holds the fields of `GPTConfig`, `weights` every tensor of `GPT` in float64; `folder` is where they
    were read. `weights` is made by `convert_gpt2_weights`, so the unembedding is the transposed token table.
    """

    folder: Path
    cfg: dict[str, Any]
    weights: dict[str, Tensor]

    @cached_property
    def sha256(self) -> str:
        """The hash of config.json and model.safetensors: what was computed from one is valid for the same hash."""
        digest = hashlib.sha256()
        for name in ("config.json", "model.safetensors"):
            with (self.folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()


def load_checkpoint(where: str | Path | None = None) -> Checkpoint:
    """Load the embedded checkpoint (None), a folder, or a model of the hub by its name, such as "gpt2".

    A folder is preferred to a name of the hub, and the hub's local cache (`HF_HOME`, `HF_HUB_CACHE`) to the network.
    Raises `CheckpointError`, in one line, when there is none or it is not GPT-2's.
    """
    folder = EMBEDDED if where is None else find_folder(where)
    config = read_config(folder / "config.json")
    cfg = sizes(config, folder / "config.json")
    state_dict = read_tensors(folder / "model.safetensors")
    check_vocabulary(folder, cfg, state_dict)
    try:
        weights = convert_gpt2_weights(state_dict, cfg)
    except ValueError as error:
        raise CheckpointError(
            f"{folder / 'model.safetensors'}: {error}; expected the tensors that its config.json describes; "
            "fetch both files again, from the same place"
        ) from error
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise CheckpointError(
                f"{folder / 'model.safetensors'}: {name} holds NaN or infinity; expected finite numbers; "
                "fetch the file again, or train again"
            )
    weights = {name: tensor.to(torch.float64).contiguous() for name, tensor in weights.items()}
    return Checkpoint(folder, asdict(cfg), weights)


def find_folder(where: str | Path) -> Path:
    """The folder itself, or the hub's snapshot of that name. Raises `CheckpointError` when there is neither."""
    folder = Path(where).expanduser()
    if folder.is_dir():
        return folder
    if isinstance(where, Path) or not HUB_NAME.fullmatch(where):
        raise CheckpointError(
            f"there is no folder {str(where)!r}; expected a GPT-2-format folder (config.json, model.safetensors) "
            "or a name of the hub such as 'gpt2'; check the path"
        )
    return cached_snapshot(where) or downloaded_snapshot(where)


def cached_snapshot(name: str) -> Path | None:
    """The snapshot of a model of the hub on this machine, or None when it is not there, or only in part."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, allow_patterns=FILES, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return folder if is_whole(folder) else None


def is_whole(snapshot: Path) -> bool:
    """Whether a snapshot has what every checkpoint needs; an interrupted download leaves one without its last files."""
    return all((snapshot / file).exists() for file in FILES[:2])


def downloaded_snapshot(name: str) -> Path:
    """Download a model of the hub into the hub's cache. Raises `CheckpointError` when that cannot be done."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HTTPError, RepositoryNotFoundError

    fetch = f"with a network, run `hf download {name} {' '.join(FILES[:3])}`, then try again"
    try:
        snapshot = Path(snapshot_download(name, allow_patterns=FILES))
    except RepositoryNotFoundError as error:
        raise CheckpointError(
            f"{name!r} is neither a folder nor a public model of the hub; expected a GPT-2-format checkpoint "
            "such as 'gpt2'; check the spelling"
        ) from error
    except (OSError, HTTPError) as error:
        raise CheckpointError(
            f"{name!r} is neither a folder nor in the hub's cache, and the hub cannot be reached; expected a "
            f"GPT-2-format checkpoint; {fetch}"
        ) from error
    if not is_whole(snapshot):  # without a network, part of a snapshot is what the hub's library returns
        raise CheckpointError(
            f"{snapshot}, fetched for {name!r}, has no {' or no '.join(FILES[:2])}; expected both; {fetch}"
        )
    return snapshot


def read_config(path: Path) -> dict[str, object]:
    """What config.json says. Raises `CheckpointError` when it is missing, no JSON, or another architecture's."""
    if not path.is_file():
        raise CheckpointError(
            f"{path.parent} has no config.json; expected a GPT-2-format folder (config.json, model.safetensors); "
            "save one with GPT2LMHeadModel.save_pretrained"
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # not JSON, or not even text
        raise CheckpointError(
            f"{path} is not JSON ({error}); expected GPT-2's configuration; fetch it again"
        ) from error
    found = config.get("model_type") if isinstance(config, dict) else None
    if found != "gpt2":
        raise CheckpointError(
            f"{path} describes another architecture: model_type is {found!r}, expected 'gpt2'; use a GPT-2 checkpoint"
        )
    for option, expected in OPTIONS.items():
        if config.get(option, expected) != expected:
            raise CheckpointError(
                f"{path} describes another architecture: {option} is {config[option]!r}, expected {expected!r}; "
                "use a checkpoint that computes what GPT-2 does"
            )
    return config


def sizes(config: dict[str, object], path: Path) -> GPTConfig:
    """`GPTConfig` from GPT-2's own names. Raises `CheckpointError` when a size is missing or impossible."""

    def size(name: str) -> int:
        value = config.get(name)
        if type(value) is not int or value < 1:
            raise CheckpointError(f"{path}: {name} is {value!r}; expected a whole number above 0; fetch the file again")
        return value

    d_model, n_heads = size("n_embd"), size("n_head")
    if d_model % n_heads:
        raise CheckpointError(
            f"{path}: n_embd {d_model} cannot be shared out among {n_heads} heads; expected a multiple of n_head; "
            "fetch the file again"
        )
    eps = config.get("layer_norm_epsilon", 1e-5)
    if type(eps) is not float or not 0 < eps < 1:
        raise CheckpointError(
            f"{path}: layer_norm_epsilon is {eps!r}; expected a small number such as 1e-05; fetch the file again"
        )
    return GPTConfig(
        d_vocab=size("vocab_size"),
        n_ctx=size("n_positions"),
        n_layers=size("n_layer"),
        n_heads=n_heads,
        d_model=d_model,
        d_head=d_model // n_heads,
        d_mlp=4 * d_model if config.get("n_inner") is None else size("n_inner"),
        layer_norm_eps=eps,
    )


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The checkpoint's own tensors, each name with the prefix `transformer.`, which the hub's gpt2 lacks.

    Raises `CheckpointError` when the file is missing or damaged, or when it has an unembedding of its own.
    """
    if not path.is_file():
        raise CheckpointError(
            f"{path.parent} has no model.safetensors; expected the weights in one safetensors file; "
            "save them with GPT2LMHeadModel.save_pretrained, which writes it"
        )
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is damaged ({error}); expected a whole safetensors file; fetch it again"
        ) from error
    prefix = "transformer."
    state_dict = {prefix + name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    head, table = tensors.get("lm_head.weight"), state_dict.get("transformer.wte.weight")
    if head is not None and table is not None and not torch.equal(head, table):
        raise CheckpointError(
            f"{path}: lm_head.weight differs from the token table; expected GPT-2's unembedding, which is that table; "
            "use a checkpoint whose embeddings are tied"
        )
    return state_dict


def check_vocabulary(folder: Path, cfg: GPTConfig, state_dict: dict[str, Tensor]) -> None:
    """Raise `CheckpointError` unless token table, config.json and tokenizer.json (if any) fit one another.

    Every id must have a row. A few rows may have no token, since tables are padded; `PADDING` or more mean
    that the tokenizer is another model's.
    """
    table = state_dict.get("transformer.wte.weight")
    if table is not None and len(table) != cfg.d_vocab:
        raise CheckpointError(
            f"{folder}: wrong vocabulary: the token table has {len(table)} rows, expected the {cfg.d_vocab} that "
            "config.json says; fetch both files again, from the same place"
        )
    ids = token_ids(folder / "tokenizer.json")
    if ids is not None and not cfg.d_vocab - PADDING < max(ids, default=-1) + 1 <= cfg.d_vocab:
        raise CheckpointError(
            f"{folder}: wrong vocabulary: tokenizer.json has {max(ids, default=-1) + 1} tokens, expected the "
            f"{cfg.d_vocab} that config.json says; use the tokenizer that the model was trained with"
        )


def token_ids(path: Path) -> list[int] | None:
    """Every id of a tokenizer.json, or None when there is none. Raises `CheckpointError` when it cannot be read."""
    if not path.is_file():
        return None
    from tokenizers import Tokenizer

    try:
        return list(Tokenizer.from_file(str(path)).get_vocab().values())
    except Exception as error:  # tokenizers raises nothing narrower
        raise CheckpointError(
            f"{path} is not a tokenizer ({error}); expected what the tokenizers library writes; fetch it again"
        ) from error
