"""Known mistakes in caching: each a patch on `reference/caching.py` that makes it."""

from graders.engine.misconception import Misconception

KV = "kv = torch.empty(cfg.n_layers, 2, batch, cfg.n_heads, 0, cfg.d_head, dtype=dtype)"
ROOM = "cfg.n_heads, 0, cfg.d_head, dtype=dtype)"
EMPTY = "return cls(Memory(kv, [0] * cfg.n_layers), (0,) * cfg.n_layers, torch.zeros(batch, dtype=torch.long))"
READ = "k, v = self.memory.kv[layer, :, :, :, : self.lengths[layer]].transpose(2, 3)\n        return k, v"
FITS = "        check_fits(self, layer, k, v)\n"
START = "memory, start = self.memory, self.lengths[layer]\n        end = start + k.shape[1]"
TAKEN = "memory.filled[layer] > start or memory.kv.shape[4] < end"
ROOMIER = "torch.cat([held, room], dim=4)"
WRITE = "memory.kv[layer, :, :, :, start:end] = torch.stack([k, v]).detach().transpose(2, 3)"
WRITTEN = "torch.stack([k, v]).detach()"
APPENDED = "return replace(self, memory=memory, lengths=(*self.lengths[:layer], end, *self.lengths[layer + 1 :]))"
ROWS_THERE = "        check_rows(rows, len(self.padding))\n"
SELECTED = "return KVCache(Memory(self.memory.kv[:, :, rows], list(self.lengths)), self.lengths, self.padding[rows])"
BIASES = "for W, b in ((self.W_Q, self.b_Q), (self.W_K, self.b_K), (self.W_V, self.b_V))"
SCORES = "scores = torch.cat([q @ k_past.mT, q @ k.mT], dim=-1) / k.shape[-1] ** 0.5\n"
CAUSAL = "if new > 1:\n            scores = apply_causal_mask(scores)"
HAS_PADS = "if key_mask is not None:"
SELF = "is_self = torch.arange(held, held + new).unsqueeze(1)"
HIDDEN = "~(key_mask[:, None, None] | is_self)"
WEIGHTS = "to_past, to_new = attention_pattern(scores).split([held, new], dim=-1)"
PRESENT = "return out, (k.transpose(1, 2), v.transpose(1, 2))"
NO_CACHE = "cache = empty if cache is None else cache"
REFUSED = "        check_call(cache, empty, padding, new, self.cfg.n_ctx)\n"
POSITIONS = "self.pos_embed(tokens, held - cache.padding)"
MASK = "torch.arange(held + new) >= cache.padding.unsqueeze(1) if cache.padding.any() else None"
ATTENDED = "block.attn(block.ln1(residual), past[layer], key_mask)"
KEPT = "cache = cache.append(layer, *present)"
LOGITS = "return self.unembed(self.ln_final(residual)), cache"
CHECKED_PROMPT = "        check_tokens(tokens, self.cfg.d_vocab)\n"
SLIDES = (
    "        if tokens.shape[1] > model.cfg.n_ctx:\n            unread, cache = tokens[:, -model.cfg.n_ctx :], None\n"
)
NEXT = "new = next_token(logits[:, -1], tokens, options, generator)"
UNREAD = "        unread = new.unsqueeze(1)\n        tokens = torch.cat([tokens, unread], dim=1)\n"
GROWN = "(tokens[:, None, :-1] == self.read).all(dim=2).int().argmax(dim=1)"
ONE_TOKEN = "unread, cache = tokens[:, -1:], self.cache.select(rows)"
SEARCH = "Reader(), prompt, n_beams, max_new_tokens, eos_id, length_penalty, no_repeat_ngram_size"

MISCONCEPTIONS = (
    # KVCache
    Misconception(
        "dtype_ignored",
        "KVCache",
        ((ROOM, "cfg.n_heads, 0, cfg.d_head)"),),
        "The dtype that was asked for is ignored: the cache always has PyTorch's default.",
        "What can a model in float64 do with keys in float32?",
    ),
    Misconception(
        "first_slot_is_zeros",
        "KVCache",
        (
            ("kv = torch.empty(", "kv = torch.zeros("),
            (ROOM, "cfg.n_heads, 1, cfg.d_head, dtype=dtype)"),
            (EMPTY, EMPTY.replace("[0]", "[1]").replace("(0,)", "(1,)")),
        ),
        "An empty cache is not empty: it begins with one position of zeros, to which every query attends.",
        "What is the length of a cache that has seen no token?",
    ),
    Misconception(
        "length_one_too_many",
        "KVCache",
        (("return min(self.lengths)", "return min(self.lengths) + 1"),),
        "The length is one more than the number of positions held.",
        "What is the length of a cache that has seen no token?",
    ),
    Misconception(
        "length_of_the_fullest_layer",
        "KVCache",
        (("return min(self.lengths)", "return max(self.lengths)"),),
        "The length is that of the layer that holds most: it grows before every layer holds the new token.",
        "Layer 0 has been given 3 positions and layer 1 none yet: how many tokens can every layer go back to?",
    ),
    Misconception(
        "length_of_the_first_layer",
        "KVCache",
        (("return min(self.lengths)", "return self.lengths[0]"),),
        "The length is that of layer 0, whatever the others hold.",
        "Layer 0 has been given 3 positions and layer 1 none yet: how many are held in every layer?",
    ),
    Misconception(
        "pads_not_counted_in_length",
        "CachedGPT",
        (("return min(self.lengths)", "return max(min(self.lengths) - int(self.padding.max()), 0)"),),
        "The length leaves the pads out; it counts all positions held, pads included.",
        "How many keys does a layer hold for a row of two pads and three tokens?",
    ),
    Misconception(
        "keys_and_values_swapped",
        "KVCache",
        ((READ, READ.replace("return k, v", "return v, k")),),
        "Keys come back as values, and values as keys.",
        "In which order did you store the two, and in which order do you read them?",
    ),
    Misconception(
        "unwritten_room_is_read",
        "KVCache",
        (
            (READ, READ.replace(": self.lengths[layer]]", ":]")),
            ("held.new_empty(", "held.new_zeros("),
        ),
        "The room that nothing has been written to yet is read too.",
        "How many positions does the cache hold, and how many has it room for?",
    ),
    Misconception(
        "misfits_accepted",
        "KVCache",
        ((FITS, ""),),
        "Keys and values that do not fit are not refused: a layer that is not there, another batch, another dtype.",
        "What does PyTorch do when you assign one row to a place for three?",
    ),
    Misconception(
        "append_changes_the_cache",
        "KVCache",
        (
            (
                APPENDED,
                APPENDED.replace("return replace(", "longer = replace(")
                + '\n        object.__setattr__(self, "memory", memory)'
                + '\n        object.__setattr__(self, "lengths", longer.lengths)\n        return self',
            ),
        ),
        "Appending changes the cache itself, so whoever kept the older one finds it longer.",
        "Two people go on from the same prompt. What does the second find in the cache after the first?",
    ),
    Misconception(
        "branches_write_over_each_other",
        "KVCache",
        ((TAKEN, "memory.kv.shape[4] < end"),),
        "Two caches that go on from the same one share memory and overwrite each other's tokens.",
        "Who else may have written behind the part of the memory that is yours?",
    ),
    Misconception(
        "newest_replace_the_rest",
        "KVCache",
        ((START, "memory, start = self.memory, 0\n        end = k.shape[1]"),),
        "What is appended takes the place of what was held; the past is lost.",
        "How long is the cache after 5 tokens and 1 more?",
    ),
    Misconception(
        "only_the_last_position_appended",
        "KVCache",
        ((START, "k, v = k[:, -1:], v[:, -1:]\n        " + START),),
        "Only the last of the new positions is kept, which is right one token at a time and wrong for a prompt.",
        "A prompt of 5 tokens was read in one call: how long is the cache?",
    ),
    Misconception(
        "newest_put_first",
        "KVCache",
        (
            (
                APPENDED,
                "memory = Memory(memory.kv.clone(), list(memory.filled))\n"
                "        memory.kv[layer, :, :, :, :end] = memory.kv[layer, :, :, :, :end].roll(end - start, dims=3)\n"
                "        " + APPENDED,
            ),
        ),
        "What is new is put before what was held.",
        "In which order do the keys stand when two pieces have been read?",
    ),
    Misconception(
        "layers_not_kept_apart",
        "KVCache",
        ((START, "layer = 0\n        " + START),),
        "Every layer appends to the same place: layers are not kept apart.",
        "How long are the keys of layer 1 after two layers have appended 3 positions each?",
    ),
    Misconception(
        "keys_kept_as_values",
        "KVCache",
        ((WRITTEN, "torch.stack([k, k]).detach()"),),
        "The keys are kept twice, and the values not at all.",
        "Which of the two did you write into the place of the values?",
    ),
    Misconception(
        "lost_when_room_is_made",
        "KVCache",
        ((ROOMIER, "torch.cat([torch.zeros_like(held), room], dim=4)"),),
        "When room is made or a branch is copied, what was held is lost.",
        "What does the new memory hold at the positions of the old one?",
    ),
    Misconception(
        "padding_not_selected",
        "KVCache",
        ((SELECTED, SELECTED.replace("self.padding[rows]", "self.padding")),),
        "`select` does not move the padding: rows change places, and their pads stay where they were.",
        "Row 2 begins with one pad and is moved to row 0. How many pads does row 0 begin with?",
    ),
    Misconception(
        "padding_lost_in_select",
        "CachedGPT",
        ((SELECTED, SELECTED.replace("self.padding[rows]", "torch.zeros_like(rows)")),),
        "What `select` returns has forgotten its padding: tokens attend to the pads of selected rows.",
        "Row 2 begins with one pad and is moved to row 0. How many pads does row 0 begin with?",
    ),
    Misconception(
        "rows_not_selected",
        "KVCache",
        ((SELECTED, "return self"),),
        "`select` returns the rows as they were.",
        "After select of rows 1 and 1, whose keys are in row 0?",
    ),
    Misconception(
        "rows_moved_the_other_way",
        "KVCache",
        (
            (
                SELECTED,
                SELECTED.replace("[:, :, rows]", "[:, :, rows.argsort()]").replace(
                    "padding[rows]", "padding[rows.argsort()]"
                ),
            ),
        ),
        "Rows are moved the other way round: row i goes to place rows[i], where it should be taken from there.",
        "With rows 2, 0, 1, whose keys should row 0 have?",
    ),
    Misconception(
        "only_keys_selected",
        "KVCache",
        (
            (
                SELECTED,
                "k, v = self.memory.kv.unbind(1)\n"
                "        as_they_were = torch.arange(len(rows)) % len(self.padding)\n"
                "        kv = torch.stack([k[:, rows], v[:, as_they_were]], dim=1)\n        "
                + SELECTED.replace("self.memory.kv[:, :, rows]", "kv"),
            ),
        ),
        "The keys are selected and the values are not.",
        "What has to move along when a row changes its place?",
    ),
    Misconception(
        "select_changes_the_cache",
        "KVCache",
        (
            (
                SELECTED,
                SELECTED.replace("return KVCache(", "chosen = KVCache(")
                + '\n        object.__setattr__(self, "memory", chosen.memory)'
                + '\n        object.__setattr__(self, "padding", chosen.padding)\n        return self',
            ),
        ),
        "`select` changes the cache itself, so whoever kept it finds other rows in it.",
        "Can you still select from the cache you started from?",
    ),
    Misconception(
        "rows_from_the_end",
        "KVCache",
        ((ROWS_THERE, ""),),
        "Rows that are not there are not refused; a negative one counts from the end.",
        "Which beam is row -1?",
    ),
    # CachedAttention
    Misconception(
        "past_ignored",
        "CachedAttention",
        ((SCORES, SCORES + '        scores[..., :held] = float("-inf")\n'),),
        "The new tokens attend to one another only: the past is not looked at.",
        "Which keys may the sixth token look at?",
    ),
    Misconception(
        "current_token_left_out",
        "CachedAttention",
        ((SCORES, SCORES + '        scores[..., held:] = float("-inf") if held else scores[..., held:]\n'),),
        "With a past, the new tokens attend to it alone, not to themselves.",
        "May a token look at itself?",
    ),
    Misconception(
        "mask_without_offset",
        "CachedAttention",
        (
            (
                CAUSAL,
                "future = torch.ones(new, held + new).triu(1).bool()\n"
                '        scores = scores.masked_fill(future, float("-inf"))',
            ),
        ),
        "The mask takes the first new query for position 0: one new token sees the first key and nothing else.",
        "The cache holds 5 positions and one token is new: at which position does it stand?",
    ),
    Misconception(
        "no_mask_with_a_past",
        "CachedAttention",
        ((CAUSAL, CAUSAL.replace("new > 1", "new > 1 and held == 0")),),
        "With a past there is no mask, so several new tokens see each other's future.",
        "Three tokens are read at once behind a cache: may the first of them see the third?",
    ),
    Misconception(
        "no_mask",
        "CachedAttention",
        ((CAUSAL, "pass"),),
        "Nothing is masked: a prompt that is read in one call sees its own future.",
        "One token at a time needs no mask. What about a whole prompt?",
    ),
    Misconception(
        "past_hidden_from_all_but_one_query",
        "CachedAttention",
        ((CAUSAL, CAUSAL + "\n            scores[:, :, :-1, :held] = float('-inf')"),),
        "Of several new tokens only the last sees the past.",
        "May the first of three new tokens look at the past?",
    ),
    Misconception(
        "pads_are_seen",
        "CachedAttention",
        ((HAS_PADS, "if False:"),),
        "The key mask is not used: tokens attend to the pads before them.",
        "What does a pad have to say?",
    ),
    Misconception(
        "key_mask_inverted",
        "CachedAttention",
        ((HIDDEN, "~(~key_mask[:, None, None] | is_self)"),),
        "The key mask is inverted: the tokens are hidden and the pads are seen.",
        "Does False in `key_mask` mean pad, or token?",
    ),
    Misconception(
        "pads_see_nothing",
        "CachedAttention",
        ((HIDDEN, "~key_mask[:, None, None]"),),
        "A pad may look at nothing at all: its row of scores is all -inf, and the softmax of that is NaN.",
        "What is the softmax of a row of nothing but -inf, and where does it spread to in the next layer?",
    ),
    Misconception(
        "pads_hidden_only_at_first",
        "CachedAttention",
        ((HAS_PADS, "if key_mask is not None and held == 0:"),),
        "Pads are hidden in the first call only; tokens that come later see them in the cache.",
        "The pads' keys stay in the cache. Who hides them from the next token?",
    ),
    Misconception(
        "pads_hidden_only_in_the_past",
        "CachedAttention",
        ((HIDDEN, "~(key_mask[:, None, None] | is_self | (torch.arange(held + new) >= held))"),),
        "Only pads in the past are hidden, not those that are read together with the tokens.",
        "In the first call, where are the pads?",
    ),
    Misconception(
        "self_without_offset",
        "CachedAttention",
        ((SELF, "is_self = torch.arange(new).unsqueeze(1)"),),
        "A new token's own key is looked for at the wrong place: the positions of the past are not counted.",
        "The cache holds 5 positions: which key is the first new token's own?",
    ),
    Misconception(
        "no_scaling",
        "CachedAttention",
        ((SCORES, "scores = torch.cat([q @ k_past.mT, q @ k.mT], dim=-1)\n"),),
        "The scores are not scaled.",
        "What does `attention_scores` divide by?",
    ),
    Misconception(
        "only_past_scores_scaled",
        "CachedAttention",
        ((SCORES, "scores = torch.cat([q @ k_past.mT / k.shape[-1] ** 0.5, q @ k.mT], dim=-1)\n"),),
        "The scores of the past are scaled and those of the new keys are not.",
        "Are all scores of a query on the same scale when the softmax compares them?",
    ),
    Misconception(
        "two_softmaxes",
        "CachedAttention",
        (
            (
                WEIGHTS,
                "to_past, to_new = scores[..., :held].softmax(-1), scores[..., held:].softmax(-1)",
            ),
        ),
        "Past and new keys have a softmax each, so that a query gives away its whole weight twice.",
        "What do all the weights of one query add up to?",
    ),
    Misconception(
        "past_keys_taken_for_values",
        "CachedAttention",
        (("z = to_past @ v_past", "z = to_past @ k_past"),),
        "The past's keys are mixed where its values should be.",
        "Which of the two tensors of `past` holds the messages?",
    ),
    Misconception(
        "past_changed_in_place",
        "CachedAttention",
        (
            (
                SCORES,
                "k_past /= k.shape[-1] ** 0.5\n"
                "        scores = torch.cat([q @ k_past.mT, q @ k.mT / k.shape[-1] ** 0.5], dim=-1)\n",
            ),
        ),
        "The keys of the past are scaled in place: every step scales what the cache holds once more.",
        "What does `/=` do to the tensor that someone else still reads?",
    ),
    Misconception(
        "value_bias_left_out",
        "CachedAttention",
        ((BIASES, BIASES.replace("self.b_V", "torch.zeros_like(self.b_V)")),),
        "The values are made without their bias.",
        "Which three biases go into queries, keys and values?",
    ),
    Misconception(
        "query_bias_left_out",
        "CachedAttention",
        ((BIASES, BIASES.replace("self.b_Q", "torch.zeros_like(self.b_Q)")),),
        "The queries are made without their bias.",
        "Which three biases go into queries, keys and values?",
    ),
    Misconception(
        "keys_from_the_queries_weights",
        "CachedAttention",
        ((BIASES, BIASES.replace("self.W_K", "self.W_Q")),),
        "The keys are made with the queries' weights.",
        "A line was copied: what did you not edit?",
    ),
    Misconception(
        "output_bias_left_out",
        "CachedAttention",
        ((" + self.b_O\n", "\n"),),
        "The bias of the output is not added.",
        "What does `Attention` add once, after the heads?",
    ),
    Misconception(
        "present_of_the_last_token_only",
        "CachedAttention",
        ((PRESENT, "return out, (k.transpose(1, 2)[:, -1:], v.transpose(1, 2)[:, -1:])"),),
        "Only the last new token's key and value are handed back.",
        "Five tokens were read: how many keys has the cache to keep?",
    ),
    Misconception(
        "present_is_the_past",
        "CachedAttention",
        ((PRESENT, "return out, past"),),
        "What is handed back is the past, not the new keys and values.",
        "What has to be added to the cache after this call?",
    ),
    # CachedGPT
    Misconception(
        "no_position_offset",
        "CachedGPT",
        ((POSITIONS, "self.pos_embed(tokens, -cache.padding)"),),
        "New tokens get the positions from 0 on, whatever the cache holds.",
        "The cache holds 5 tokens: at which position does the next one stand?",
    ),
    Misconception(
        "pads_counted_as_positions",
        "CachedGPT",
        ((POSITIONS, "self.pos_embed(tokens, held)"),),
        "Pads are counted as positions, so a padded row stands further back than it would alone.",
        "A row begins with two pads: at which position does its first token stand?",
    ),
    Misconception(
        "padding_added_to_positions",
        "CachedGPT",
        ((POSITIONS, "self.pos_embed(tokens, held + cache.padding)"),),
        "The padding is added to the positions where it should be taken off.",
        "Do pads on the left make the position of a token smaller or larger?",
    ),
    Misconception(
        "pads_not_masked",
        "CachedGPT",
        ((MASK, "None"),),
        "No key mask is handed to attention, so tokens attend to pads.",
        "How does attention learn which keys are pads?",
    ),
    Misconception(
        "pads_hidden_only_where_all_rows_have_some",
        "CachedGPT",
        ((MASK, MASK.replace("padding.any()", "padding.all()")),),
        "Pads are hidden only when every row has some: beside one row without pads, all others see theirs.",
        "The paddings are 2 and 0. Has anybody pads to hide?",
    ),
    Misconception(
        "cache_in_the_default_dtype",
        "CachedGPT",
        (("KVCache.empty(self.cfg, batch, self.embed.W_E.dtype)", "KVCache.empty(self.cfg, batch)"),),
        "The cache a text begins with is in PyTorch's default dtype, not in the model's.",
        "A model in float64 makes its keys in which dtype, and which does `KVCache.empty` take for them unasked?",
    ),
    Misconception(
        "first_token_masked_too",
        "CachedGPT",
        ((MASK, MASK.replace(">=", ">")),),
        "The first token after the pads is hidden as if it were one of them.",
        "A row has 2 pads: is key 2 one of them?",
    ),
    Misconception(
        "right_padding_masked",
        "CachedGPT",
        ((MASK, "torch.arange(held + new).flip(0) >= cache.padding.unsqueeze(1) if cache.padding.any() else None"),),
        "The mask hides the last keys of a row, as if the pads were on the right.",
        "On which side of a row are the pads?",
    ),
    Misconception(
        "padding_forgotten",
        "CachedGPT",
        ((LOGITS, LOGITS.replace(", cache", ", replace(cache, padding=torch.zeros_like(cache.padding))")),),
        "The cache forgets the padding after the first call.",
        "In the second call nobody says where the pads are. Who knows?",
    ),
    Misconception(
        "what_append_returns_is_dropped",
        "CachedGPT",
        ((KEPT, "cache.append(layer, *present)"),),
        "What `append` returns is not kept, so the cache that comes back is the one that went in.",
        "Does `append` change the cache, or make a new one?",
    ),
    Misconception(
        "all_layers_read_the_first",
        "CachedGPT",
        ((ATTENDED, ATTENDED.replace("past[layer]", "cache[0]")),),
        "Every block is given the past of the first layer.",
        "Whose keys does block 1 need?",
    ),
    Misconception(
        "past_not_handed_on",
        "CachedGPT",
        (
            (
                ATTENDED,
                "block.attn(block.ln1(residual), empty[layer], None if key_mask is None else key_mask[:, held:])",
            ),
        ),
        "Attention is given an empty past in every call.",
        "Where does the new token find the keys of the old ones?",
    ),
    Misconception(
        "cache_kept_on_the_model",
        "CachedGPT",
        (
            (NO_CACHE, 'cache = vars(self).get("kept", empty) if cache is None else cache'),
            (LOGITS, "self.kept = cache\n        " + LOGITS),
        ),
        "The model keeps the cache of the last text and goes on from it when a new text begins.",
        "Two prompts are read, one after the other, both without a cache. What should the second see of the first?",
    ),
    Misconception(
        "only_the_last_logits",
        "CachedGPT",
        ((LOGITS, LOGITS.replace("(residual)", "(residual[:, -1:])")),),
        "Only the last position's logits are returned.",
        "For 3 new tokens, how many rows of logits come out?",
    ),
    Misconception(
        "final_norm_left_out",
        "CachedGPT",
        ((LOGITS, LOGITS.replace("self.ln_final(residual)", "residual")),),
        "The last normalisation is missing.",
        "What stands between the last block and the unembedding?",
    ),
    Misconception(
        "attention_not_added_to_the_stream",
        "CachedGPT",
        (("residual = residual + added", "residual = added"),),
        "What attention gives takes the place of the residual stream, to which it should be added.",
        "Is the residual stream ever replaced?",
    ),
    Misconception(
        "call_not_checked",
        "CachedGPT",
        ((REFUSED, ""),),
        "A cache of another batch, dtype or model, too many tokens, or impossible padding is not refused.",
        "What happens when 3 rows go on from a cache of 1?",
    ),
    Misconception(
        "ids_not_checked",
        "CachedGPT",
        ((CHECKED_PROMPT, ""),),
        "Token ids outside the vocabulary are not refused; a negative one reads the table from its end.",
        "Which row of the table is token -1?",
    ),
    # generate_cached
    Misconception(
        "everything_read_again",
        "generate_cached",
        ((UNREAD, UNREAD + "        unread, cache = tokens, None\n"),),
        "The text is right, but the whole of it is read again in every step: nothing is saved.",
        "How many tokens does the model read for the tenth new token?",
    ),
    Misconception(
        "whole_text_read_behind_the_cache",
        "generate_cached",
        ((UNREAD, UNREAD + "        unread = tokens\n"),),
        "The whole text is read again behind the cache that holds it already.",
        "Which tokens does the cache not hold yet?",
    ),
    Misconception(
        "first_logits_taken",
        "generate_cached",
        ((NEXT, NEXT.replace("logits[:, -1]", "logits[:, 0]")),),
        "The logits after the first token read are taken, which is right only when one token was read.",
        "After a prompt of 5 tokens, which row of logits is about the sixth?",
    ),
    Misconception(
        "stops_at_n_ctx",
        "generate_cached",
        ((SLIDES, ""),),
        "Nothing happens when the text outgrows n_ctx, and the model refuses it.",
        "What does `generate` show the model when the text is longer than n_ctx?",
    ),
    Misconception(
        "slides_one_too_early",
        "generate_cached",
        ((SLIDES, SLIDES.replace(" > ", " >= ")),),
        "The window is read again as soon as it is full, though no position has changed yet.",
        "A text has exactly n_ctx tokens: at which position does its first token stand?",
    ),
    Misconception(
        "oldest_keys_dropped",
        "generate_cached",
        (
            (
                SLIDES,
                "        if cache is not None and tokens.shape[1] > model.cfg.n_ctx:\n"
                "            kept = model.cfg.n_ctx - 1\n"
                "            lengths = (kept,) * model.cfg.n_layers\n"
                "            kv = cache.memory.kv[:, :, :, :, cache.length - kept : cache.length]\n"
                "            cache = KVCache(Memory(kv, list(lengths)), lengths, cache.padding)\n"
                "        unread = unread[:, -model.cfg.n_ctx :]\n",
            ),
        ),
        "When the window slides, the oldest keys are dropped and the others kept, though their positions have changed.",
        "A token moves from position 5 to position 4: are its keys the same?",
    ),
    Misconception(
        "only_newest_token_counted",
        "generate_cached",
        ((NEXT, NEXT.replace("tokens,", "unread,")),),
        "`next_token` is given only what was read in this step, so the frequency penalty misses the rest of the text.",
        "Which tokens does the frequency penalty count?",
    ),
    Misconception(
        "only_the_window_counted",
        "generate_cached",
        ((NEXT, NEXT.replace("tokens,", "tokens[:, -model.cfg.n_ctx :],")),),
        "The frequency penalty counts only what is in the window, which past n_ctx is not the whole text.",
        "A token was written before the window began. Does `generate` still count it?",
    ),
    Misconception(
        "draws_for_live_rows_only",
        "generate_cached",
        (
            (
                NEXT,
                "new = tokens[:, -1].clone()\n"
                "        new[~ended] = next_token(logits[~ended, -1], tokens[~ended], options, generator)",
            ),
        ),
        "Rows that have ended are not drawn for, so the others get other draws than in `generate`.",
        "One row of three has ended. For how many rows does `generate` call `next_token`?",
    ),
    Misconception(
        "generator_not_used",
        "generate_cached",
        ((NEXT, NEXT.replace("generator", "None")),),
        "The generator is not handed on, so the same seed writes different texts.",
        "Where does the chance come from?",
    ),
    Misconception(
        "end_of_text_ignored",
        "generate_cached",
        (("if options.eos_id is not None:", "if False:"),),
        "Rows that have written the end token go on writing.",
        "What follows `eos_id` in its row?",
    ),
    Misconception(
        "end_0_taken_for_none",
        "generate_cached",
        (("if options.eos_id is not None:", "if options.eos_id:"),),
        "An `eos_id` of 0 is taken for none at all, so that no row ends.",
        "What is `bool(0)`?",
    ),
    Misconception(
        "one_end_stops_all",
        "generate_cached",
        (("if ended.all():", "if ended.any():"),),
        "All rows stop as soon as one of them has ended.",
        "One row of three has ended. May the others go on?",
    ),
    Misconception(
        "only_the_continuation",
        "generate_cached",
        (("    return tokens\n\n\ndef beam", "    return tokens[:, prompt.shape[1] :]\n\n\ndef beam"),),
        "Only the new tokens are returned, without the prompt.",
        "What does `generate` return?",
    ),
    Misconception(
        "one_token_too_many",
        "generate_cached",
        (("for _ in range(max_new_tokens):", "for _ in range(max_new_tokens + 1):"),),
        "One token too many is written: the prompt's step writes the first of them.",
        "How many tokens are new when the prompt has just been read and one was chosen?",
    ),
    Misconception(
        "empty_prompt_accepted",
        "generate_cached",
        (("if prompt.shape[1] == 0:", "if False:"),),
        "An empty prompt is not refused with a `ValueError`.",
        "Which logits does an empty prompt give?",
    ),
    # beam_search_cached
    Misconception(
        "beams_not_reordered",
        "beam_search_cached",
        ((GROWN, "torch.arange(len(tokens)).clamp(max=len(self.read) - 1)"),),
        "Beams change places and the rows of the cache do not, so beams read each other's past.",
        "The new second beam has grown from the old first one: whose keys does it need?",
    ),
    Misconception(
        "all_beams_read_the_best",
        "beam_search_cached",
        ((GROWN, "torch.zeros(len(tokens), dtype=torch.long)"),),
        "Every beam goes on from the cache of the first one.",
        "Have all beams grown from the same beam?",
    ),
    Misconception(
        "parents_told_by_their_last_token",
        "beam_search_cached",
        ((GROWN, "(tokens[:, None, -2] == self.read[:, -1]).int().argmax(dim=1)"),),
        "Beams are told apart by one token, so two that end alike read the same past.",
        "Two beams end with the same token: are they the same?",
    ),
    Misconception(
        "whole_beams_read_again",
        "beam_search_cached",
        ((ONE_TOKEN, "pass"),),
        "The beams are right, but all of each is read again in every step: nothing is saved.",
        "How many tokens of each beam are new in a step?",
    ),
    Misconception(
        "end_token_not_handed_on",
        "beam_search_cached",
        ((SEARCH, SEARCH.replace(" eos_id,", " None,")),),
        "The end token is not used: no beam ever finishes.",
        "What is `eos_id` for?",
    ),
    Misconception(
        "length_penalty_not_handed_on",
        "beam_search_cached",
        ((SEARCH, SEARCH.replace("length_penalty,", "0.0,")),),
        "The length penalty is not used.",
        "How are texts of different lengths compared?",
    ),
    Misconception(
        "repeats_not_banned",
        "beam_search_cached",
        ((SEARCH, SEARCH.replace("no_repeat_ngram_size", "0")),),
        "Repeated n-grams are not banned.",
        "What is `no_repeat_ngram_size` for?",
    ),
)

ROOM_MADE = "room = held.new_empty(*held.shape[:4], k.shape[1] + CHUNK, held.shape[5])"
HELD = "(_, held, n_heads, _), new = (past[0].shape, x.shape[1])"
COPIED = "what seems to be taken, or too small, is copied: a cache of the copy reads the same"

EQUIVALENT: dict[str, str] = {
    f"KVCache: {KV}  ->  {KV.replace(' 0,', ' 1,')}": "room that nothing was written to is not read",
    f"KVCache: {EMPTY}  ->  {EMPTY.replace('[0] * cfg.n_layers', '[0]')}": COPIED,
    f"KVCache: {EMPTY}  ->  {EMPTY.replace('[0]', '[1]')}": COPIED,
    f"KVCache: {EMPTY}  ->  {EMPTY.replace('[0]', '[-1]')}": COPIED,
    f"KVCache: if {TAKEN}:  ->  if {TAKEN.replace('>', '>=')}:": COPIED,
    f"KVCache: if {TAKEN}:  ->  if {TAKEN.replace('<', '<=')}:": COPIED,
    f"KVCache: {ROOM_MADE}  ->  {ROOM_MADE.replace(' + CHUNK', '')}": COPIED,
    f"KVCache: {WRITE}  ->  {WRITE.replace('.detach()', '')}": "nobody asks for gradients through a cache",
    f"CachedAttention: {HELD}  ->  {HELD.replace('past[0]', 'past[1]')}": "there are as many values as keys",
    f"CachedAttention: {HELD}  ->  {HELD.replace('past[0]', 'past[-1]')}": "there are as many values as keys",
    "CachedAttention: if new > 1:  ->  if new >= 1:": "the mask hides nothing from a single new token",
    "CachedAttention: if new > 1:  ->  if new > 0:": "the mask hides nothing from a single new token",
}
