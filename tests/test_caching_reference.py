"""The reference of `caching`: however a text is read and whatever its cache is used for, the logits are the model's."""

import pytest
import torch
from caching_models import CFG, close, models, text

from reference.attention import Attention
from reference.caching import CHUNK, CachedAttention, CachedGPT, KVCache
from reference.config import GPTConfig

SEEDS = range(25)

pytestmark = pytest.mark.usefixtures("in_float64_without_gradients")


def pieces(seed: int, tokens: torch.Tensor, first: int = 1) -> list[torch.Tensor]:
    """A text cut at random places, in pieces of any length from one token on; the first has at least `first`."""
    chance = torch.Generator().manual_seed(seed)
    seq = tokens.shape[1]
    cuts = [i for i in range(first, seq) if torch.rand(1, generator=chance) < (seed % 3 + 1) / 4]
    return [tokens[:, a:b] for a, b in zip([0, *cuts], [*cuts, seq], strict=True)]


def read(model: CachedGPT, parts: list[torch.Tensor], padding: torch.Tensor | None = None):
    """The logits of all pieces, read one after the other, and every cache on the way, the last one last."""
    logits, caches = [], [KVCache.empty(model.cfg, len(parts[0]))]
    for i, part in enumerate(parts):
        out, cache = model(part, caches[-1], padding if i == 0 else None)
        logits.append(out)
        caches.append(cache)
    return torch.cat(logits, dim=1), caches


def copies(cache: KVCache) -> list[torch.Tensor]:
    """What a cache holds, as it is now."""
    return [t.clone() for layer in range(CFG.n_layers) for t in cache[layer]] + [cache.padding.clone()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(one, two) for one, two in zip(a, b, strict=True))


# Logits


@pytest.mark.parametrize("seed", SEEDS)
def test_the_logits_do_not_depend_on_where_a_text_is_cut(seed):
    cached, plain = models(seed=seed)
    tokens = text(seed, 1 + seed % 3, 1 + seed % CFG.n_ctx)
    logits, caches = read(cached, pieces(seed, tokens))
    close(logits, plain(tokens))
    assert caches[-1].length == tokens.shape[1]


@pytest.mark.parametrize("batch", [1, 3])
def test_a_text_as_long_as_n_ctx_is_read_token_by_token(batch):
    cached, plain = models()
    tokens = text(1, batch, CFG.n_ctx)
    logits, _ = read(cached, list(tokens.split(1, dim=1)))
    close(logits, plain(tokens))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_padded_row_has_the_logits_it_has_alone_and_without_pads(seed):
    cached, plain = models(seed=seed)
    batch, seq = 1 + seed % 3, 2 + seed % (CFG.n_ctx - 1)
    tokens = text(seed, batch, seq)
    padding = torch.randint(seq, (batch,), generator=torch.Generator().manual_seed(seed))
    parts = pieces(seed, tokens, first=int(padding.max()) + 1)
    logits, caches = read(cached, parts, padding)
    for row, n_pads in enumerate(padding.tolist()):
        close(logits[row, n_pads:], plain(tokens[row : row + 1, n_pads:])[0])
    assert logits.isfinite().all()
    assert caches[-1].length == seq
    assert torch.equal(caches[-1].padding, padding)


def test_what_stands_in_the_pads_is_not_read():
    cached, _ = models()
    tokens, padding = text(1, 2, 6), torch.tensor([3, 0])
    other = tokens.clone()
    other[0, :3] = (other[0, :3] + 1) % CFG.d_vocab
    assert torch.equal(cached(tokens, None, padding)[0][0, 3:], cached(other, None, padding)[0][0, 3:])


def test_two_texts_may_be_read_in_turns():
    cached, plain = models()
    one, two = text(1, 2, 8), text(2, 1, 8)
    logits, caches = {0: [], 1: []}, {0: None, 1: None}
    for part in range(4):
        for which, tokens in enumerate((one, two)):
            out, caches[which] = cached(tokens[:, 2 * part : 2 * part + 2], caches[which])
            logits[which].append(out)
    close(torch.cat(logits[0], dim=1), plain(one))
    close(torch.cat(logits[1], dim=1), plain(two))


def test_reading_no_token_adds_nothing():
    cached, _ = models()
    _, cache = cached(text(1, 2, 3))
    logits, after = cached(text(1, 2, 0), cache)
    assert (logits.shape, after.length) == ((2, 0, CFG.d_vocab), 3)


# Caches


@pytest.mark.parametrize("seed", SEEDS)
def test_every_older_cache_reads_as_before_and_may_be_gone_on_from_in_several_ways(seed):
    cached, plain = models(seed=seed)
    tokens = text(seed, 2, 8)
    _, caches = read(cached, pieces(seed, tokens))
    before = [copies(cache) for cache in caches]
    chance = torch.Generator().manual_seed(seed)
    for branch in range(12):
        older = caches[int(torch.randint(len(caches), (1,), generator=chance))]
        more = text(100 * seed + branch, 2, int(torch.randint(1, 4, (1,), generator=chance)))
        logits, newer = cached(more, older)
        whole = torch.cat([tokens[:, : older.length], more], dim=1)
        if older in caches[: len(before)]:
            close(logits, plain(whole)[:, older.length :])
        assert newer.length == older.length + more.shape[1]
        for cache, was in zip(caches, before, strict=True):
            assert same(copies(cache), was)


def test_branches_of_branches_keep_apart():
    cached, plain = models()
    root = text(1, 1, 3)
    _, start = cached(root)
    told = {(): (root, start)}
    for step in range(3):
        for key, (tokens, cache) in list(told.items()):
            if len(key) == step:
                for token in (0, 1):
                    new = torch.tensor([[token]])
                    told[*key, token] = (torch.cat([tokens, new], dim=1), cached(new, cache)[1])
    for tokens, cache in told.values():
        close(cached(torch.tensor([[2]]), cache)[0][0, -1], plain(torch.cat([tokens, torch.tensor([[2]])], 1))[0, -1])


def test_a_cache_outgrows_its_room_and_reads_the_same():
    cfg = GPTConfig(d_vocab=7, n_ctx=3 * CHUNK, n_layers=1, n_heads=1, d_model=4, d_head=2, d_mlp=3)
    cached, plain = models(cfg)
    tokens = text(1, 2, 2 * CHUNK + 9, cfg)
    logits, caches = read(cached, [tokens[:, :5], *tokens[:, 5:].split(1, dim=1)])
    close(logits, plain(tokens))
    assert len({id(cache.memory) for cache in caches}) <= 4  # steps that copied what is held


def test_appending_writes_behind_what_is_held_and_copies_only_when_another_did():
    cached, _ = models()
    _, held = cached(text(1, 1, 3))
    _, first = cached(text(2, 1, 1), held)
    _, second = cached(text(3, 1, 1), held)
    _, third = cached(text(4, 1, 1), first)
    assert first.memory is held.memory
    assert second.memory is not held.memory
    assert third.memory is held.memory


def test_layers_are_appended_one_by_one_in_any_order():
    cache = KVCache.empty(CFG, 2)
    k, v = torch.randn(2, 2, 4, 2, 3)
    newer = cache.append(2, k, v).append(0, k[:, :3], v[:, :3])
    assert [newer[layer][0].shape[1] for layer in range(3)] == [3, 0, 4]
    assert (newer.length, cache.length) == (0, 0)
    assert torch.equal(newer.append(1, v, k).append(0, k[:, 3:], v[:, 3:])[0][1], v)


def test_what_was_appended_may_be_changed_afterwards():
    k, v = torch.randn(2, 1, 4, 2, 3)
    cache = KVCache.empty(CFG, 1).append(0, k, v)
    kept = k.clone()
    k.zero_()
    assert torch.equal(cache[0][0], kept)


@pytest.mark.parametrize("rows", [[0, 1, 2], [2, 0, 1], [1, 1, 1], [2], [0, 0, 1, 2, 2]])
def test_selected_rows_go_on_as_their_own_texts(rows):
    cached, plain = models()
    tokens, padding = text(1, 3, 5), torch.tensor([2, 0, 1])
    _, cache = cached(tokens, None, padding)
    was = copies(cache)
    chosen = cache.select(torch.tensor(rows))
    more = text(2, len(rows), 3)
    logits, _ = read_on(cached, more, chosen)
    for i, row in enumerate(rows):
        n_pads = int(padding[row])
        whole = torch.cat([tokens[row : row + 1, n_pads:], more[i : i + 1]], dim=1)
        close(logits[i], plain(whole)[0, -3:])
    assert same(copies(cache), was)
    assert chosen.length == 5


def read_on(model: CachedGPT, tokens: torch.Tensor, cache: KVCache):
    """Token by token, from a cache on."""
    logits = []
    for token in tokens.split(1, dim=1):
        out, cache = model(token, cache)
        logits.append(out)
    return torch.cat(logits, dim=1), cache


def test_an_older_cache_selects_only_what_is_its_own():
    cached, _ = models()
    _, older = cached(text(1, 2, 3))
    cached(text(2, 2, 2), older)
    chosen = older.select(torch.tensor([1, 0]))
    assert chosen.length == 3
    assert torch.equal(chosen[0][0], older[0][0].flip(0))


def test_a_cache_has_the_dtype_it_is_made_with():
    assert KVCache.empty(CFG, 2)[0][0].dtype == torch.float64
    assert KVCache.empty(CFG, 2, torch.float32)[0][1].dtype == torch.float32
    cached, _ = models()
    tokens = text(1, 2, 5)
    _, cache = cached.float()(tokens)
    assert cache[0][0].dtype == torch.float32
    assert cached(tokens[:, :1], cache)[0].dtype == torch.float32


# Attention


def test_without_a_past_it_is_attention():
    attention, cached = Attention(CFG), CachedAttention(CFG)
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter)
    cached.load_state_dict(attention.state_dict())
    x = torch.randn(2, 4, CFG.d_model)
    close(cached(x, KVCache.empty(CFG, 2)[0])[0], attention(x))


def test_a_pad_attends_to_itself_alone():
    cached, _ = models()
    attention = cached.blocks[0].attn
    x = torch.randn(2, 3, CFG.d_model)
    mask = torch.tensor([[False, False, True], [True, True, True]])
    out, (k, v) = attention(x, KVCache.empty(CFG, 2)[0], mask)
    alone, _ = attention(x[:1, 1:2], KVCache.empty(CFG, 1)[0])
    close(out[:1, 1:2], alone)
    assert k.shape == v.shape == (2, 3, 2, 3)


def test_gradients_are_attention_s_own_where_there_is_no_past():
    attention, cached = Attention(CFG), CachedAttention(CFG)
    cached.load_state_dict(attention.state_dict())
    x = torch.randn(2, 4, CFG.d_model)
    with torch.enable_grad():
        attention(x).pow(2).sum().backward()
        cached(x, KVCache.empty(CFG, 2)[0])[0].pow(2).sum().backward()
    for name, parameter in attention.named_parameters():
        close(cached.get_parameter(name).grad, parameter.grad)


@pytest.mark.parametrize("padding", [None, torch.tensor([0, 2])])
def test_a_model_learns_from_a_text_that_begins(padding):
    cached, plain = models()
    tokens = text(1, 2, 6)
    with torch.enable_grad():
        cached(tokens, None, padding)[0][:, 2:].pow(2).sum().backward()
        for row, n_pads in zip(tokens, [0, 0] if padding is None else padding.tolist(), strict=True):
            plain(row[None, n_pads:])[:, 2 - n_pads :].pow(2).sum().backward()
    for name, parameter in plain.named_parameters():
        close(cached.get_parameter(name).grad, parameter.grad)
