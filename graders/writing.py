"""`headstart write`: a subject's own model, caching and sampling continue a text, one token after another."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from graders.model_folder import read_model
from graders.subject_code import CannotGoOn, Printed, Subject

PARTS = ("sampling", "beam_search", "caching")  # the files of a subject that write
TIMED_AGAIN = 20  # tokens that are written once more without the cache, to compare
UNFINISHED = "\N{REPLACEMENT CHARACTER}"  # what stands for a character of which a token holds only a part


@dataclass
class Writer:
    """A subject's model with the weights of a checkpoint, and the tokenizer that belongs to them."""

    model: Any
    tokenizer: Tokenizer
    parts: dict[str, Any]  # the subject's `PARTS`
    printed: Printed
    seconds: list[tuple[float, float]] = field(default_factory=list)  # each new token took: to read, and to choose
    written: Tensor = field(default_factory=lambda: torch.empty(1, 0, dtype=torch.long))  # the prompt and what follows

    @property
    def n_ctx(self) -> int:
        return self.model.cfg.n_ctx

    def encode(self, text: str) -> Tensor:
        """The prompt as ids (1, seq)."""
        return torch.tensor([self.tokenizer.encode(text).ids])

    def end_of_text(self, eos_id: int | None) -> int | None:
        """The id that ends a text: of this vocabulary, None for -1, and the tokenizer's own, if any, for None."""
        if eos_id is None:
            return self.tokenizer.token_to_id("<|endoftext|>")
        d_vocab = self.model.cfg.d_vocab
        if eos_id >= d_vocab:
            raise CannotGoOn(f"--eos-id is {eos_id}; expected at most {d_vocab - 1}, the last id of the vocabulary")
        return None if eos_id < 0 else eos_id

    def write(self, tokens: Tensor, n_tokens: int, options: dict[str, Any], seed: int) -> Iterator[str]:
        """Continue `tokens` (1, seq) and give the text that each new token adds, as soon as it is there."""
        sampling = self.parts["sampling"]
        generator = torch.Generator().manual_seed(seed)
        shown, cache, unread = self.tokenizer.decode(tokens[0].tolist()), None, tokens
        for _ in range(n_tokens):
            if tokens.shape[1] > self.n_ctx:  # the window slides, and every position changes
                cache, unread = None, tokens[:, -self.n_ctx :]
            with self.printed.listening():
                began = time.perf_counter()
                logits, cache = self.model(unread, cache)
                read = time.perf_counter()
                chosen = sampling.SamplingOptions(**options)
                unread = sampling.next_token(logits[:, -1], tokens, chosen, generator).unsqueeze(1)
                self.seconds.append((read - began, time.perf_counter() - read))
            self.written = tokens = torch.cat([tokens, unread], dim=1)
            text = self.tokenizer.decode(tokens[0].tolist())
            if not text.endswith(UNFINISHED):
                yield text[len(shown) :]
                shown = text
            if options["eos_id"] is not None and unread.item() == options["eos_id"]:
                break

    def speed(self) -> str:
        """How many tokens were written and, if enough of them were, how many a second with the cache and without.

        The first is not counted, since it took the reading of the prompt; the last few are read once more, without
        the cache.
        """
        told = f"{len(self.seconds)} token" + "s" * (len(self.seconds) != 1)
        if len(self.seconds) <= TIMED_AGAIN:
            return told
        last = self.seconds[-TIMED_AGAIN:]
        told = f"{told}; the last {TIMED_AGAIN}: {TIMED_AGAIN / sum(map(sum, last)):.0f} a second"
        length = self.written.shape[1]
        if length - 1 > self.n_ctx:  # so many were read for the last token
            return f"{told}, for past {self.n_ctx} tokens the window slides, and the cache is of no use"
        with self.printed.listening():
            began = time.perf_counter()
            for end in range(length - TIMED_AGAIN, length):
                self.model(self.written[:, :end], None)
            read = time.perf_counter() - began
        without = TIMED_AGAIN / (read + sum(choosing for _reading, choosing in last))
        return f"{told} with the cache, {without:.0f} without it"

    def beams(self, tokens: Tensor, n_beams: int, n_tokens: int, **options: Any) -> list[tuple[float, str]]:
        """The best continuations that beam search finds: score and text of each, the best first."""
        with self.printed.listening():
            found = self.parts["caching"].beam_search_cached(self.model, tokens[0], n_beams, n_tokens, **options)
            return [(float(beam.score), self.tokenizer.decode(list(map(int, beam.tokens)))) for beam in found]


def load_writer(subject: Subject, weights: str | None, printed: Printed) -> Writer:
    """A subject's model with the weights of the embedded checkpoint (None), a folder, or a model of the hub.

    Raises what the subject's files raise, and `CannotGoOn` when files are missing or the checkpoint cannot be used.
    """
    try:
        found = read_model(weights)
    except CannotGoOn as error:
        raise CannotGoOn(f"--weights: {error}") from error
    vocabulary = found.vocabulary
    with printed.listening():
        parts: dict[str, Any] = subject.load(PARTS)
        model = parts["caching"].CachedGPT(parts["config"].GPTConfig(**found.cfg))
        model.load_state_dict({name: tensor.float() for name, tensor in found.weights.items()})
    model.eval().requires_grad_(False)  # nothing is recorded for gradients
    return Writer(model, Tokenizer.from_file(str(vocabulary)), parts, printed)
