"""`headstart write`: a subject's own model, caching and sampling continue a text, one token after another."""

import json
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from graders.engine.stubs import stub_files
from graders.engine.worker.loading import Source, SubjectPackage
from graders.training_run import RUN, CannotTrain
from graders.weights.checkpoint import CheckpointError, load_checkpoint

TIMED_AGAIN = 20  # tokens that are written once more without the cache, to compare
UNFINISHED = "\N{REPLACEMENT CHARACTER}"  # what stands for a character of which a token holds only a part


class CannotWrite(Exception):
    """Why nothing can be written, and what to do, in one line."""


@dataclass
class Writer:
    """A subject's model with the weights of a checkpoint, and the tokenizer that belongs to them."""

    model: Any
    tokenizer: Tokenizer
    parts: dict[str, Any]  # the subject's `sampling`, `beam_search` and `caching`
    seconds: list[float] = field(default_factory=list)  # each token took, the prompt's not counted

    @property
    def n_ctx(self) -> int:
        return self.model.cfg.n_ctx

    def encode(self, text: str) -> Tensor:
        """The prompt as ids (1, seq). Raises `CannotWrite` when it is empty."""
        ids = self.tokenizer.encode(text).ids
        if not ids:
            raise CannotWrite("the text to continue is empty; expected at least a word, such as 'To be, or'")
        return torch.tensor([ids])

    def end_of_text(self) -> int | None:
        """The id that ends a text in this tokenizer, if it has one."""
        return self.tokenizer.token_to_id("<|endoftext|>")

    def write(self, tokens: Tensor, n_tokens: int, options: dict[str, Any], seed: int) -> Iterator[str]:
        """Continue `tokens` (1, seq) and give the text that each new token adds, as soon as it is there."""
        chosen = self.parts["sampling"].SamplingOptions(**options)
        generator = torch.Generator().manual_seed(seed)
        shown, cache, unread = self.tokenizer.decode(tokens[0].tolist()), None, tokens
        for _ in range(n_tokens):
            began = time.perf_counter()
            if tokens.shape[1] > self.n_ctx:  # the window slides, and every position changes
                cache, unread = None, tokens[:, -self.n_ctx :]
            logits, cache = self.model(unread[:, -self.n_ctx :], cache)
            unread = self.parts["sampling"].next_token(logits[:, -1], tokens, chosen, generator).unsqueeze(1)
            tokens = torch.cat([tokens, unread], dim=1)
            self.seconds.append(time.perf_counter() - began)
            text = self.tokenizer.decode(tokens[0].tolist())
            if not text.endswith(UNFINISHED):
                yield text[len(shown) :]
                shown = text
            if options["eos_id"] is not None and unread.item() == options["eos_id"]:
                break
        self.written = tokens

    def speed(self) -> str:
        """Tokens a second with the cache, and of the last few, written again, without it."""
        again = self.written[:, -TIMED_AGAIN - 1 :].shape[1] - 1
        again = min(again, len(self.seconds))
        began = time.perf_counter()
        for end in range(self.written.shape[1] - again, self.written.shape[1]):
            self.model(self.written[:, max(0, end - self.n_ctx) : end], None)
        without = again / (time.perf_counter() - began)
        with_cache = again / sum(self.seconds[-again:])
        compared = f"{with_cache:.0f} a second with the cache, {without:.0f} without it"
        return f"{len(self.seconds)} tokens; the last {again}: {compared}"

    def beams(self, tokens: Tensor, n_beams: int, n_tokens: int, **options: Any) -> list[tuple[float, str]]:
        """The best continuations that beam search finds: score and text of each, the best first."""
        found = self.parts["caching"].beam_search_cached(self.model, tokens[0], n_beams, n_tokens, **options)
        return [(float(beam.score), self.tokenizer.decode(list(map(int, beam.tokens)))) for beam in found]


@contextmanager
def explained(subject: str) -> Iterator[None]:
    """Turn what a subject's code raises into one line: `CannotWrite`."""
    try:
        yield
    except (CannotWrite, CannotTrain):
        raise
    except NotImplementedError as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        raise CannotWrite(
            f"{frame.name} in {subject}/{Path(frame.filename).name} is not written yet; write it first, or run this "
            "with --subject reference"
        ) from error
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}, line {frame.lineno}"
        raise CannotWrite(
            f"it stopped with {type(error).__name__}: {error} ({where}); the graders say more, and --subject "
            "reference shows what to expect"
        ) from error


def load_writer(subject: Path, weights: str | None) -> Writer:
    """A subject's model with the weights of the embedded checkpoint (None), a folder, or a model of the hub.

    Raises `CannotWrite` when the subject's files or the checkpoint cannot be used.
    """
    folder, cfg, state = _read(weights)
    vocabulary = folder / "tokenizer.json"
    if not vocabulary.is_file():
        raise CannotWrite(f"{folder} has no tokenizer.json, without which no text can be read or written")
    package = SubjectPackage(Source(folder=str(subject), stubs=stub_files()), "caching")
    parts = {name: package.load(name) for name in ("sampling", "beam_search", "caching")}
    model = parts["caching"].CachedGPT(package.load("config").GPTConfig(**cfg))
    model.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    model.eval().requires_grad_(False)  # nothing is recorded for gradients
    return Writer(model, Tokenizer.from_file(str(vocabulary)), parts)


def _read(weights: str | None) -> tuple[Path, dict[str, Any], dict[str, Tensor]]:
    """The folder, sizes and parameters of a training run or of a checkpoint."""
    if weights is not None and (Path(weights) / RUN).is_file():
        folder = Path(weights)
        try:
            cfg = json.loads((folder / RUN).read_text(encoding="utf-8"))["cfg"]
            return folder, cfg, load_file(folder / "model.safetensors")
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise CannotWrite(f"--weights: the run in {folder} is damaged ({error}); train it again") from error
    try:
        checkpoint = load_checkpoint(weights)
    except CheckpointError as error:
        raise CannotWrite(f"--weights: {error}") from error
    return checkpoint.folder, checkpoint.cfg, checkpoint.weights
