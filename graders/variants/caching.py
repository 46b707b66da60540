"""Right answers to caching, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    # KVCache
    Variant(
        "concatenated_tensors",
        """
class KVCache:
    def __init__(self, layers, padding):
        self.layers, self.padding = layers, padding

    @classmethod
    def empty(cls, cfg, batch, dtype=None):
        nothing = torch.zeros(batch, 0, cfg.n_heads, cfg.d_head, dtype=dtype)
        return cls([(nothing, nothing)] * cfg.n_layers, torch.zeros(batch, dtype=torch.int64))

    @property
    def length(self):
        return min(k.shape[1] for k, _ in self.layers)

    def __getitem__(self, layer):
        return self.layers[layer]

    def append(self, layer, k, v):
        if layer not in range(len(self.layers)):
            raise ValueError(f"layer {layer} of {len(self.layers)}")
        for old, new in zip(self.layers[layer], (k, v)):
            if new.shape != (old.shape[0], k.shape[1], *old.shape[2:]) or new.dtype != old.dtype:
                raise ValueError(f"{tuple(new.shape)} {new.dtype} does not fit behind {tuple(old.shape)} {old.dtype}")
        layers = list(self.layers)
        layers[layer] = tuple(torch.cat(pair, dim=1) for pair in zip(self.layers[layer], (k, v)))
        return KVCache(layers, self.padding)

    def select(self, rows):
        if not all(0 <= row < len(self.padding) for row in rows.tolist()):
            raise ValueError(f"there are {len(self.padding)} rows")
        return KVCache([(k[rows], v[rows]) for k, v in self.layers], self.padding[rows])


def check_call(cache, empty, padding, new, n_ctx):
    def kind(cache):
        k, _ = cache.layers[0]
        return len(cache.layers), k.shape[0], k.shape[2:], k.dtype

    if kind(cache) != kind(empty):
        raise ValueError("the cache was made for something else")
    if cache.length + new > n_ctx:
        raise ValueError("more than n_ctx tokens")
    if padding is not None and (cache.length or len(padding) != len(cache.padding)):
        raise ValueError("this padding does not belong here")
    if padding is not None and not all(0 <= n < new for n in padding.tolist()):
        raise ValueError("every row needs a token")


def replace(cache, padding):
    return KVCache(cache.layers, padding)
""",
    ),
    Variant(
        "everything_copied_in_each_step",
        """
def append(self, layer, k, v):
    check_fits(self, layer, k, v)
    start, new = self.lengths[layer], k.shape[1]
    kv = torch.nn.functional.pad(self.memory.kv, (0, 0, 0, new))
    kv[layer, 0, :, :, start : start + new] = k.permute(0, 2, 1, 3)
    kv[layer, 1, :, :, start : start + new] = v.permute(0, 2, 1, 3)
    lengths = tuple(length + new * (i == layer) for i, length in enumerate(self.lengths))
    return KVCache(Memory(kv, list(lengths)), lengths, self.padding)


def select(self, rows):
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(self.padding):
        raise ValueError("there is no such row")
    kv = self.memory.kv.index_select(2, rows)
    return KVCache(Memory(kv, list(self.lengths)), self.lengths, self.padding.index_select(0, rows))


KVCache.append, KVCache.select = append, select
""",
    ),
    # CachedAttention
    Variant(
        "attention_s_own_functions",
        """
from einops import einsum

from reference.attention import attention_scores, mix_values


def forward(self, x, past, key_mask=None):
    k_past, v_past = past
    into_heads = "batch seq d_model, n_heads d_model d_head -> batch seq n_heads d_head"
    q, k, v = (einsum(x, W, into_heads) + b for W, b in (
        (self.W_Q, self.b_Q), (self.W_K, self.b_K), (self.W_V, self.b_V)))
    keys, values = torch.cat([k_past, k], dim=1), torch.cat([v_past, v], dim=1)
    scores = apply_causal_mask(attention_scores(q, keys))
    if key_mask is not None:
        hidden = ~key_mask[:, None, None, :].repeat(1, 1, x.shape[1], 1)
        hidden &= ~torch.eye(keys.shape[1], dtype=torch.bool)[k_past.shape[1] :]
        scores = scores + torch.zeros(hidden.shape, dtype=x.dtype).masked_fill(hidden, float("-inf"))
    z = mix_values(attention_pattern(scores), values)
    return einsum(z, self.W_O, "b s h e, h e d -> b s d") + self.b_O, (k, v)


CachedAttention.forward = forward
""",
    ),
    Variant(
        "loops_over_rows_heads_and_tokens",
        """
def forward(self, x, past, key_mask=None):
    batch, new, _ = x.shape
    held = past[0].shape[1]
    if key_mask is None:
        key_mask = torch.ones(batch, held + new, dtype=torch.bool)
    k_new = torch.stack([x @ W + b for W, b in zip(self.W_K, self.b_K)], dim=2)
    v_new = torch.stack([x @ W + b for W, b in zip(self.W_V, self.b_V)], dim=2)
    out = self.b_O.expand(batch, new, -1).clone()
    for row in range(batch):
        for token in range(new):
            at = held + token
            seen = [key for key in range(at + 1) if key_mask[row, key] or key == at]
            for head, (W_Q, b_Q, W_O) in enumerate(zip(self.W_Q, self.b_Q, self.W_O)):
                keys = torch.cat([past[0][row, :, head], k_new[row, :, head]])[seen]
                values = torch.cat([past[1][row, :, head], v_new[row, :, head]])[seen]
                weights = (keys @ (x[row, token] @ W_Q + b_Q) / torch.tensor(float(keys.shape[1])).sqrt()).softmax(0)
                out[row, token] += weights @ values @ W_O
    return out, (k_new, v_new)


CachedAttention.forward = forward
""",
    ),
    # CachedGPT
    Variant(
        "one_token_after_another",
        """
def forward(self, tokens, cache=None, padding=None):
    batch, new = tokens.shape
    empty = KVCache.empty(self.cfg, batch, self.unembed.W_U.dtype)
    if cache is None:
        cache = empty
    check_tokens(tokens, self.cfg.d_vocab)
    check_call(cache, empty, padding, new, self.cfg.n_ctx)
    if padding is not None:
        cache = replace(cache, padding=padding)
    logits = [torch.zeros(batch, 0, self.cfg.d_vocab)]
    for token in tokens.split(1, dim=1)[: new]:
        at = cache.length
        x = self.embed(token) + self.pos_embed(token, at - cache.padding)
        is_token = torch.stack([cache.padding <= key for key in range(at + 1)], dim=1)
        for layer, block in enumerate(self.blocks):
            out, (k, v) = block.attn(block.ln1(x), cache[layer], is_token)
            cache = cache.append(layer, k, v)
            x = x + out
            x = x + block.mlp(block.ln2(x))
        logits.append(self.unembed(self.ln_final(x)))
    return torch.cat(logits, dim=1), cache


CachedGPT.forward = forward
""",
    ),
    # generate_cached
    Variant(
        "generate_with_a_reader",
        """
from reference.sampling import generate


def generate_cached(model, prompt, max_new_tokens, options, generator):
    class Reader:
        cfg, cache = model.cfg, None

        def __call__(self, tokens):
            held = 0 if self.cache is None else self.cache.length
            if held == tokens.shape[1]:
                held, self.cache = 0, None
            logits, self.cache = model(tokens[:, held:], self.cache)
            return logits

    return generate(Reader(), prompt, max_new_tokens, options, generator)
""",
    ),
    Variant(
        "recursion",
        """
def generate_cached(model, prompt, max_new_tokens, options, generator):
    if prompt.shape[1] < 1:
        raise ValueError("an empty prompt has nothing to continue")
    check_tokens(prompt, model.cfg.d_vocab)

    def go_on(tokens, cache, left, ended):
        if left <= 0 or (len(ended) and all(ended)):
            return tokens
        if cache is None or cache.length >= model.cfg.n_ctx:
            out, cache = model(tokens[:, -model.cfg.n_ctx :])
        else:
            out, cache = model(tokens[:, -1:], cache)
        new = next_token(out[:, -1], tokens, options, generator)
        new = torch.where(torch.tensor(ended), torch.tensor(options.eos_id or 0), new)
        if options.eos_id is not None:
            ended = [bool(e) for e in new == options.eos_id]
        return go_on(torch.cat((tokens, new[:, None]), dim=1), cache, left - 1, ended)

    with torch.no_grad():
        return go_on(prompt.clone(), None, max_new_tokens, [False] * len(prompt))
""",
    ),
    # beam_search_cached
    Variant(
        "rows_found_by_their_text",
        """
def beam_search_cached(
    model, prompt, n_beams, max_new_tokens, eos_id=None, length_penalty=0.0, no_repeat_ngram_size=0
):
    read = {}  # what has been read in the last step, as a text, and the cache of that row alone

    def rows(tokens):
        out = []
        for row in tokens:
            *before, last = row.tolist()
            logits, cache = model(row[-1:][None], read[tuple(before)]) if tuple(before) in read else model(row[None])
            out.append((logits[:, -1:], (*before, last), cache))
        read.clear()
        read.update({text: cache for _, text, cache in out if len(text) < model.cfg.n_ctx})
        return torch.cat([logits for logits, _, _ in out])

    rows.cfg = model.cfg
    return beam_search(rows, prompt, n_beams, max_new_tokens, eos_id, length_penalty, no_repeat_ngram_size)
""",
    ),
    Variant(
        "the_whole_search_written_out",
        """
from reference.beam_search import banned_tokens, extend_beams


def beam_search_cached(
    model, prompt, n_beams, max_new_tokens, eos_id=None, length_penalty=0.0, no_repeat_ngram_size=0
):
    if prompt.ndim != 1 or not len(prompt) or n_beams < 1 or no_repeat_ngram_size < 0:
        raise ValueError("a prompt of one row, at least one beam, and no negative n-grams")
    check_tokens(prompt, model.cfg.d_vocab)
    n_ctx = model.cfg.n_ctx
    beams, sums, cache, done = prompt[None], torch.zeros(1), None, []

    def text(tokens, total):
        return Hypothesis(tokens, total, total / max(1, len(tokens) - len(prompt)) ** length_penalty)

    def ranked(texts):
        return sorted(texts, key=lambda h: -h.score)[:n_beams]

    for n_new in range(1, max_new_tokens + 1):
        with torch.no_grad():
            if cache is None or beams.shape[1] > n_ctx:
                logits, cache = model(beams[:, -n_ctx:])
            else:
                logits, cache = model(beams[:, -1:], cache)
        if logits[:, -1].isneginf().all(dim=-1).any():
            raise ValueError("nothing to choose from")
        log_probs = logits[:, -1].log_softmax(-1)
        for i, beam in enumerate(beams.tolist()):
            for token in banned_tokens(beam, no_repeat_ngram_size):
                log_probs[i, token] = float("-inf")
        totals, parents, tokens = extend_beams(sums, log_probs, 2 * n_beams)
        live = []
        for place, (total, parent, token) in enumerate(zip(totals.tolist(), parents.tolist(), tokens.tolist())):
            if total == float("-inf"):
                continue
            if token == eos_id:
                if place < n_beams:
                    done.append(text([*beams[parent].tolist(), token], total))
            elif len(live) < n_beams:
                live.append(place)
        done = ranked(done)
        parents, tokens, sums = parents[live], tokens[live], totals[live]
        beams = torch.cat([beams[parents], tokens[:, None]], dim=1)
        cache = cache.select(parents)
        if not live:
            break
        longest = max_new_tokens if length_penalty > 0 else n_new
        if len(done) == n_beams and sums[0].item() / longest**length_penalty <= done[-1].score:
            break
    return ranked(done + [text(b, s) for b, s in zip(beams.tolist(), sums.tolist())])
""",
    ),
    # CachedAttention and CachedGPT, which agree on what they hand to one another
    Variant(
        "present_begins_with_the_past",
        """
own_part = CachedAttention.forward


def forward(self, x, past, key_mask=None):
    out, present = own_part(self, x, past, key_mask)
    return out, tuple(torch.cat(pair, dim=1) for pair in zip(past, present))


def read_on(self, tokens, cache=None, padding=None):
    empty = KVCache.empty(self.cfg, tokens.shape[0], self.embed.W_E.dtype)
    cache = cache or empty
    check_tokens(tokens, self.cfg.d_vocab)
    check_call(cache, empty, padding, tokens.shape[1], self.cfg.n_ctx)
    cache = cache if padding is None else replace(cache, padding=padding)
    held = cache.length
    x = self.embed(tokens) + self.pos_embed(tokens, held - cache.padding)
    is_token = cache.padding[:, None] <= torch.arange(held + tokens.shape[1])
    for layer, block in enumerate(self.blocks):
        out, (k, v) = block.attn(block.ln1(x), cache[layer], is_token)
        cache = cache.append(layer, k[:, held:], v[:, held:])
        x = x + out
        x = x + block.mlp(block.ln2(x))
    return self.unembed(self.ln_final(x)), cache


CachedAttention.forward, CachedGPT.forward = forward, read_on
""",
    ),
)
