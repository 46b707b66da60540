"""A key-value cache: the same text as before, with every token read only once.

To write one token, attention needs the keys and values of all earlier ones. These never change: the causal
mask keeps whatever comes later away from them. So they are computed once and kept, and each new token costs
one pass over one token, where it used to cost one over the whole text.

Sources: Shazeer, "Fast Transformer Decoding: One Write-Head is All You Need", 2019, section 2.4; `past` and
`present` are the words of GPT-2's published code (Radford et al. 2019). That caches which begin alike share
memory until they part is the idea of Kwon et al., "PagedAttention", 2023, section 4.4, at its simplest.

Yours to write: everything below that raises `NotImplementedError`.
`pytest graders/test_caching.py` checks it; docs/exercises/caching.md explains it.
"""

from dataclasses import dataclass, replace
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from exercises.attention import Attention, apply_causal_mask, attention_pattern
from exercises.beam_search import Hypothesis, beam_search
from exercises.block import TransformerBlock
from exercises.config import GPTConfig
from exercises.gpt import GPT
from exercises.sampling import SamplingOptions, check_tokens, next_token

CHUNK = 128  # room is made for so many positions at a time, so that most steps copy nothing of what is held
KeysAndValues = tuple[Float[Tensor, "batch k n_heads d_head"], Float[Tensor, "batch k n_heads d_head"]]


@dataclass
class Memory:
    """Room for keys and values. Caches that begin alike share it, and each knows how much of it is its own."""

    kv: Float[Tensor, "n_layers 2 batch n_heads room d_head"]  # keys are [:, 0], values [:, 1]
    filled: list[int]  # for each layer, how many positions have been written, by whichever cache


@dataclass(frozen=True, eq=False)
class KVCache:
    """The keys and values of every token so far, layer by layer. A cache never changes; `append` makes a new one.

    How it keeps them is free, if the checks below follow. What others use are its methods, and `padding`.
    """

    memory: Memory
    lengths: tuple[int, ...]  # for each layer, how many positions of the memory are this cache's
    padding: Int[Tensor, "batch"]  # for each row, how many of its first positions are pads

    @classmethod
    def empty(cls, cfg: GPTConfig, batch: int, dtype: torch.dtype | None = None) -> "KVCache":
        """A cache for `batch` rows without pads that holds nothing yet; `dtype` None is PyTorch's default."""
        # 1. Memory without room: n_layers 2 batch n_heads 0 d_head

        # 2. Nothing held in any layer, no pads in any row

        raise NotImplementedError

    @property
    def length(self) -> int:
        """How many positions are held in every layer, pads included."""
        # 1. As many as in the layer that holds fewest

        raise NotImplementedError

    def __getitem__(self, layer: int) -> KeysAndValues:
        """The keys and values appended to a layer so far, in their order: (batch held n_heads d_head) each."""
        # 1. What is this cache's, with positions before heads: 2 batch held n_heads d_head

        raise NotImplementedError

    def append(
        self, layer: int, k: Float[Tensor, "batch new n_heads d_head"], v: Float[Tensor, "batch new n_heads d_head"]
    ) -> "KVCache":
        """A cache in which `layer` holds `k` and `v` behind what it holds here; this one reads as before.

        No gradient passes through a cache. Raises `ValueError` when there is no such layer, or `k` and `v` differ
        from what is held in batch, heads, d_head or dtype, or from each other.
        """
        # 1. Refuse what does not fit

        # 2. A copy with room, if there is none or another cache was first: n_layers 2 batch n_heads room d_head

        # 3. Write behind what is held: 2 batch n_heads new d_head

        # 4. A cache of the same memory that holds more of it

        raise NotImplementedError

    def select(self, rows: Int[Tensor, "rows"]) -> "KVCache":
        """A cache whose row i is row `rows[i]` of this one, pads and all; a row may be taken twice, or not at all.

        Raises `ValueError` when there is no such row.
        """
        # 1. Refuse rows that are not there

        # 2. Those rows of the memory, as a memory of their own: n_layers 2 rows n_heads room d_head

        raise NotImplementedError


def check_fits(cache: KVCache, layer: int, k: Tensor, v: Tensor) -> None:
    """Raise `ValueError` unless `cache` has this layer, and `k` and `v` are (batch new n_heads d_head) as it holds."""
    n_layers, _, batch, n_heads, _, d_head = cache.memory.kv.shape
    shape, dtype = (batch, *k.shape[1:2], n_heads, d_head), cache.memory.kv.dtype
    if not 0 <= layer < n_layers:
        raise ValueError(f"there is no layer {layer}; expected one from 0 to {n_layers - 1}")
    for name, tensor in (("k", k), ("v", v)):
        if tensor.shape != shape or tensor.dtype != dtype:
            raise ValueError(f"{name} is {tuple(tensor.shape)}, {tensor.dtype}; expected {shape}, {dtype}")


def check_rows(rows: Tensor, batch: int) -> None:
    """Raise `ValueError` unless every row is from 0 to batch - 1."""
    if ((rows < 0) | (rows >= batch)).any():
        raise ValueError(f"the rows to select are {rows.tolist()}; expected rows from 0 to {batch - 1}")


def check_call(cache: KVCache, empty: KVCache, padding: Tensor | None, new: int, n_ctx: int) -> None:
    """Raise `ValueError` unless `cache` is like `empty`, `new` tokens fit behind it, and `padding` fits them."""

    def sizes(cache: KVCache) -> str:
        n_layers, _, batch, n_heads, _, d_head = cache.memory.kv.shape
        return f"{n_layers} layers, batch {batch}, {n_heads} heads of width {d_head}, {cache.memory.kv.dtype}"

    if sizes(cache) != sizes(empty):
        raise ValueError(f"the cache is for {sizes(cache)}; expected {sizes(empty)}")
    if cache.length + new > n_ctx:
        raise ValueError(f"the cache holds {cache.length} tokens and {new} more came; expected n_ctx, {n_ctx}, at most")
    if padding is not None and cache.length:
        raise ValueError(f"the cache holds {cache.length} tokens; expected padding in the first call only")
    if padding is not None and (padding.shape != empty.padding.shape or ((padding < 0) | (padding >= new)).any()):
        raise ValueError(
            f"the padding is {padding.tolist()}; expected a number from 0 to {new - 1} for each of "
            f"{len(empty.padding)} rows, so that each has a token"
        )


class CachedAttention(Attention):
    """Attention for the newest tokens of a text whose earlier keys and values are known."""

    def forward(  # type: ignore[override]
        self,
        x: Float[Tensor, "batch new d_model"],
        past: KeysAndValues,
        key_mask: Bool[Tensor, "batch keys"] | None = None,
    ) -> tuple[Float[Tensor, "batch new d_model"], KeysAndValues]:
        """What attention adds at the new tokens `x`, and their own keys and values, for the cache (`present`).

        `past` holds keys and values of the `held` tokens before them, (batch held n_heads d_head) each, perhaps
        none. `key_mask`, of held + new keys, is False at pads: nobody attends to a pad, except a pad to itself.
        """
        # 1. The new tokens of all rows in one list, the same list for every head: n_heads (batch new) d_model

        # 2. Their queries, keys and values, each with its bias: batch n_heads new d_head

        # 3. How well each query matches the keys of the past, then the new ones: batch n_heads new keys

        # 4. Hide the future; where there is one new token, it has none: batch n_heads new keys

        # 5. Hide pads from all but themselves: batch n_heads new keys

        # 6. The weights, and with them a mixture of past values and new ones: batch n_heads new d_head

        # 7. Project the heads, side by side, back, and add the bias: batch new d_model

        raise NotImplementedError


class CachedGPT(GPT):
    """A GPT, parameter for parameter, that goes on from where a cache ends."""

    def __init__(self, cfg: GPTConfig):
        super().__init__(cfg)
        for block in self.blocks:
            block.attn = CachedAttention(cfg)

    def forward(  # type: ignore[override]
        self,
        tokens: Int[Tensor, "batch new"],
        cache: KVCache | None = None,
        padding: Int[Tensor, "batch"] | None = None,
    ) -> tuple[Float[Tensor, "batch new d_vocab"], KVCache]:
        """Logits for what follows each of `tokens`, which come after those of `cache`, and the cache of all of them.

        Without a cache, `tokens` begin the text, and gradients flow; `padding` then says how many pads each row begins
        with, and the cache remembers it. A row's positions are counted from its first token that is no pad.
        Raises `ValueError` when a token id is not from 0 to d_vocab - 1, there are more than n_ctx, pads included, the
        cache is of another batch, dtype or model, `padding` comes late, is negative, or leaves a row without a token.
        """
        # 1. Where the text begins, an empty cache

        # 2. Refuse what cannot be read; remember the pads: batch

        # 3. What each token is, plus where it stands in its own row: batch new d_model

        # 4. Which keys are no pads, held and new, if there are pads at all: batch keys

        # 5. In each block, attention reads what its layer held, and gives what to add to it: batch new d_model

        # 6. The MLP needs no memory: batch new d_model

        # 7. Normalise once more, then compare with every token of the vocabulary: batch new d_vocab

        raise NotImplementedError


def generate_cached(
    model: CachedGPT,
    prompt: Int[Tensor, "batch seq"],
    max_new_tokens: int,
    options: SamplingOptions,
    generator: torch.Generator | None,
) -> Int[Tensor, "batch longer"]:
    """What `generate` writes, token for token, with less work: the model reads the prompt once, then each new token.

    Past n_ctx tokens the model sees the last n_ctx. Then every token's position changes in every step, and with it
    its keys and values: the cache is of no more use, and the whole window is read again. Raises `ValueError` when the
    prompt is empty, has an id not from 0 to d_vocab - 1, and where `next_token` does. No gradients; the mode stays.
    """
    # 1. Refuse a prompt that the model cannot read

    # 2. The text so far, the part of it that no cache holds yet, and which rows have ended

    # 3. When the window slides, every position changes, and nothing held is of use: batch n_ctx

    # 4. In each step, read what is unread, for the logits after the last token: batch d_vocab

    # 5. What each row writes next; one that has ended writes eos_id again: batch

    # 6. Append it; nothing else is unread. Stop when no row has more to say: batch seq, and batch 1

    raise NotImplementedError


def beam_search_cached(
    model: CachedGPT,
    prompt: Int[Tensor, "seq"],
    n_beams: int,
    max_new_tokens: int,
    eos_id: int | None = None,
    length_penalty: float = 0.0,
    no_repeat_ngram_size: int = 0,
) -> list[Hypothesis]:
    """What `beam_search` finds, with less work: of each beam the model reads only the token it has grown by.

    Beams change places, die and fork from step to step, and so must the rows of the cache. When the window slides,
    it is of no use, as in `generate_cached`. Raises `ValueError` where `beam_search` does. No gradients; same mode.
    """
    # 1. What `beam_search` can take for a model: it is given whole beams, and remembers those it was given before

    # 2. For each beam, a row that was read and that it has grown from: beams

    # 3. The one token that is new, and the cache of the rest: beams 1

    # 4. The logits: beams new d_vocab

    # 5. Search with it

    raise NotImplementedError
