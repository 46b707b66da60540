"""A key-value cache: the same text as before, with every token read only once.

To write one token, attention needs the keys and values of all earlier ones. These never change: the causal
mask keeps whatever comes later away from them. So they are computed once and kept, and each new token costs
one pass over one token, where it used to cost one over the whole text.

Sources: Shazeer, "Fast Transformer Decoding: One Write-Head is All You Need", 2019, section 2.4; `past` and
`present` are the words of GPT-2's published code (Radford et al. 2019). That caches which begin alike share
memory until they part is the idea of Kwon et al., "PagedAttention", 2023, section 4.4, at its simplest.
"""

from dataclasses import dataclass, replace
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reference.attention import Attention, apply_causal_mask, attention_pattern
from reference.beam_search import Hypothesis, beam_search
from reference.block import TransformerBlock
from reference.config import GPTConfig
from reference.gpt import GPT
from reference.sampling import SamplingOptions, check_tokens, next_token

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
        kv = torch.empty(cfg.n_layers, 2, batch, cfg.n_heads, 0, cfg.d_head, dtype=dtype)
        # 2. Nothing held in any layer, no pads in any row
        return cls(Memory(kv, [0] * cfg.n_layers), (0,) * cfg.n_layers, torch.zeros(batch, dtype=torch.long))

    @property
    def length(self) -> int:
        """How many positions are held in every layer, pads included."""
        # 1. As many as in the layer that holds fewest
        return min(self.lengths)

    def __getitem__(self, layer: int) -> KeysAndValues:
        """The keys and values appended to a layer so far, in their order: (batch held n_heads d_head) each."""
        # 1. What is this cache's, with positions before heads: 2 batch held n_heads d_head
        k, v = self.memory.kv[layer, :, :, :, : self.lengths[layer]].transpose(2, 3)
        return k, v

    def append(
        self, layer: int, k: Float[Tensor, "batch new n_heads d_head"], v: Float[Tensor, "batch new n_heads d_head"]
    ) -> "KVCache":
        """A cache in which `layer` holds `k` and `v` behind what it holds here; this one reads as before.

        No gradient passes through a cache. Raises `ValueError` when there is no such layer, or `k` and `v` differ
        from what is held in batch, heads, d_head or dtype, or from each other.
        """
        # 1. Refuse what does not fit
        check_fits(self, layer, k, v)
        memory, start = self.memory, self.lengths[layer]
        end = start + k.shape[1]
        # 2. A copy with room, if there is none or another cache was first: n_layers 2 batch n_heads room d_head
        if memory.filled[layer] > start or memory.kv.shape[4] < end:
            held = memory.kv[:, :, :, :, : max(self.lengths)]
            room = held.new_empty(*held.shape[:4], k.shape[1] + CHUNK, held.shape[5])
            memory = Memory(torch.cat([held, room], dim=4), list(self.lengths))
        # 3. Write behind what is held: 2 batch n_heads new d_head
        memory.kv[layer, :, :, :, start:end] = torch.stack([k, v]).detach().transpose(2, 3)
        memory.filled[layer] = end
        # 4. A cache of the same memory that holds more of it
        return replace(self, memory=memory, lengths=(*self.lengths[:layer], end, *self.lengths[layer + 1 :]))

    def select(self, rows: Int[Tensor, "rows"]) -> "KVCache":
        """A cache whose row i is row `rows[i]` of this one, pads and all; a row may be taken twice, or not at all.

        Raises `ValueError` when there is no such row.
        """
        # 1. Refuse rows that are not there
        check_rows(rows, len(self.padding))
        # 2. Those rows of the memory, as a memory of their own: n_layers 2 rows n_heads room d_head
        return KVCache(Memory(self.memory.kv[:, :, rows], list(self.lengths)), self.lengths, self.padding[rows])


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
        (_, held, n_heads, _), new = past[0].shape, x.shape[1]
        # 1. The new tokens of all rows in one list, the same list for every head: n_heads (batch new) d_model
        tokens = x.flatten(0, 1).expand(n_heads, -1, -1)
        # 2. Their queries, keys and values, each with its bias: batch n_heads new d_head
        q, k, v = (
            torch.baddbmm(b.unsqueeze(1), tokens, W).unflatten(1, (len(x), new)).transpose(0, 1)
            for W, b in ((self.W_Q, self.b_Q), (self.W_K, self.b_K), (self.W_V, self.b_V))
        )
        # 3. How well each query matches the keys of the past, then the new ones: batch n_heads new keys
        k_past, v_past = (kept.transpose(1, 2) for kept in past)
        scores = torch.cat([q @ k_past.mT, q @ k.mT], dim=-1) / k.shape[-1] ** 0.5
        # 4. Hide the future; where there is one new token, it has none: batch n_heads new keys
        if new > 1:
            scores = apply_causal_mask(scores)
        # 5. Hide pads from all but themselves: batch n_heads new keys
        if key_mask is not None:
            is_self = torch.arange(held, held + new).unsqueeze(1) == torch.arange(held + new)
            scores = scores.masked_fill(~(key_mask[:, None, None] | is_self), float("-inf"))
        # 6. The weights, and with them a mixture of past values and new ones: batch n_heads new d_head
        to_past, to_new = attention_pattern(scores).split([held, new], dim=-1)
        z = to_past @ v_past + to_new @ v
        # 7. Project the heads, side by side, back, and add the bias: batch new d_model
        out = z.transpose(1, 2).flatten(2) @ self.W_O.flatten(0, 1) + self.b_O
        return out, (k.transpose(1, 2), v.transpose(1, 2))


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
        batch, new = tokens.shape
        # 1. Where the text begins, an empty cache
        empty = KVCache.empty(self.cfg, batch, self.embed.W_E.dtype)
        cache = empty if cache is None else cache
        # 2. Refuse what cannot be read; remember the pads: batch
        check_tokens(tokens, self.cfg.d_vocab)
        check_call(cache, empty, padding, new, self.cfg.n_ctx)
        if padding is not None:
            cache = replace(cache, padding=padding.clone())
        # 3. What each token is, plus where it stands in its own row: batch new d_model
        held, past = cache.length, cache
        residual = self.embed(tokens) + self.pos_embed(tokens, held - cache.padding)
        # 4. Which keys are no pads, held and new, if there are pads at all: batch keys
        key_mask = torch.arange(held + new) >= cache.padding.unsqueeze(1) if cache.padding.any() else None
        for layer, block in enumerate(cast(list[TransformerBlock], self.blocks)):
            # 5. In each block, attention reads what its layer held, and gives what to add to it: batch new d_model
            added, present = block.attn(block.ln1(residual), past[layer], key_mask)
            cache = cache.append(layer, *present)
            residual = residual + added
            # 6. The MLP needs no memory: batch new d_model
            residual = residual + block.mlp(block.ln2(residual))
        # 7. Normalise once more, then compare with every token of the vocabulary: batch new d_vocab
        return self.unembed(self.ln_final(residual)), cache


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
    if prompt.shape[1] == 0:
        raise ValueError("the prompt is empty; expected at least one token for the model to continue")
    check_tokens(prompt, model.cfg.d_vocab)
    # 2. The text so far, the part of it that no cache holds yet, and which rows have ended
    tokens, unread, cache = prompt.clone(), prompt, None
    ended = prompt.new_zeros(len(prompt), dtype=torch.bool)
    for _ in range(max_new_tokens):
        # 3. When the window slides, every position changes, and nothing held is of use: batch n_ctx
        if tokens.shape[1] > model.cfg.n_ctx:
            unread, cache = tokens[:, -model.cfg.n_ctx :], None
        # 4. In each step, read what is unread, for the logits after the last token: batch d_vocab
        with torch.inference_mode():  # `no_grad` with less bookkeeping, which many small operations feel
            logits, cache = model(unread, cache)
        # 5. What each row writes next; one that has ended writes eos_id again: batch
        new = next_token(logits[:, -1], tokens, options, generator)
        if options.eos_id is not None:
            new = new.masked_fill(ended, options.eos_id)
            ended = new == options.eos_id
        # 6. Append it; nothing else is unread. Stop when no row has more to say: batch seq, and batch 1
        unread = new.unsqueeze(1)
        tokens = torch.cat([tokens, unread], dim=1)
        if ended.all():
            break
    return tokens


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
    class Reader:
        cfg = model.cfg
        read = prompt
        cache: KVCache | None = None

        def __call__(self, tokens: Int[Tensor, "beams seq"]) -> Float[Tensor, "beams new d_vocab"]:
            unread, cache = tokens, None
            if self.cache is not None and tokens.shape[1] == self.cache.length + 1:
                # 2. For each beam, a row that was read and that it has grown from: beams
                rows = (tokens[:, None, :-1] == self.read).all(dim=2).int().argmax(dim=1)
                # 3. The one token that is new, and the cache of the rest: beams 1
                unread, cache = tokens[:, -1:], self.cache.select(rows)
            # 4. The logits: beams new d_vocab
            logits, self.cache = model(unread, cache)
            self.read = tokens
            return logits

    # 5. Search with it
    return beam_search(Reader(), prompt, n_beams, max_new_tokens, eos_id, length_penalty, no_repeat_ngram_size)
