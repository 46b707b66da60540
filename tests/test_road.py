"""What "From counting to attention" says in numbers, and in the words under its pictures, is so."""

import math
import re
import warnings
from itertools import pairwise

import pytest
import torch

from docs import formula_pictures as formula
from docs import model_pictures as model
from docs import toy_pictures as toy
from docs.all_pictures import DRAWN, ROAD
from docs.drawing import svg
from graders.engine.course import ROOT, load_course
from reference.attention import Attention, apply_causal_mask, attention_pattern, attention_scores, mix_values
from reference.config import GPTConfig
from reference.embedding import Embed, PosEmbed, Unembed
from reference.markov import masked_votes, second_order, skip_votes
from reference.softmax import softmax
from reference.tensors import batch_matmul, lookup_by_matmul, merge_heads, one_hot, split_heads

N_CTX, D_VOCAB, D_MODEL, N_HEADS, D_HEAD = 12, 13, 512, 8, 64


def test_a_one_hot_row_times_itself_is_1_times_another_0_and_times_a_mix_its_weight():
    assert toy.products_with_my() == {"files": 0, "find": 0, "my": 1, "a mix": 0.5}


def test_the_rows_of_the_one_matrix_meet_the_columns_of_the_other_and_inner_sizes_have_to_agree():
    a, b = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[3.0, 5.0], [4.0, 6.0]]])
    assert batch_matmul(a, b).tolist() == [[[11, 17]]]
    with pytest.raises(RuntimeError):
        batch_matmul(a, torch.ones(1, 3, 2))


def test_five_votes_against_four_become_one_against_none():
    words, text, votes = toy.ballots()
    please, down = words.ids("please down")
    everyone, some = skip_votes(text, votes), masked_votes(text, votes, toy.may_vote(words).bool())
    assert (len(text) - 1, words.n) == (9, 13)
    assert (everyone[please], everyone[down]) == (5, 4)
    assert (some[please], some[down]) == (1, 0)


def test_the_one_hot_row_of_a_word_times_the_stack_of_masks_is_the_mask_of_that_word():
    words, _text, _votes = toy.ballots()
    mask = toy.may_vote(words)
    assert [word for word, may in zip(words.words, mask, strict=True) if may] == ["battery", "program"]


def test_a_product_and_a_cut_say_which_pair_was_heard():
    assert toy.pair_sums().relu().tolist() == [[1, 0], [0, 1], [0, 0]]


def test_one_step_down_the_parabola_is_that_of_the_page():
    after = formula.W - formula.RATE * formula.slope_at(formula.W)
    assert (formula.loss_of(formula.W), formula.slope_at(formula.W)) == (1, 6)
    assert (after, formula.loss_of(after)) == (pytest.approx(1.7), pytest.approx(0.01))


def test_eight_heads_of_64_are_512():
    x = torch.randn(1, N_CTX, D_MODEL, generator=torch.Generator().manual_seed(0))
    heads = split_heads(x, N_HEADS)
    assert heads.shape == (1, N_CTX, N_HEADS, D_HEAD)
    assert torch.equal(merge_heads(heads), x)


def test_one_head_has_the_shapes_of_the_page_from_one_hot_rows_to_a_number_for_each_word():
    sizes = {"d_vocab": D_VOCAB, "n_ctx": N_CTX, "d_model": D_MODEL, "n_heads": N_HEADS, "d_head": D_HEAD}
    cfg = GPTConfig(n_layers=1, d_mlp=4 * D_MODEL, layer_norm_eps=1e-5, **sizes)
    embed, pos_embed, attn, unembed = (part(cfg) for part in (Embed, PosEmbed, Attention, Unembed))
    tokens = torch.arange(N_CTX)[None] % D_VOCAB
    rows = one_hot(tokens, D_VOCAB)
    assert rows.shape == (1, 12, 13)
    assert torch.equal(lookup_by_matmul(embed.W_E, tokens), embed(tokens))
    x = embed(tokens) + pos_embed(tokens)
    assert x.shape == (1, 12, 512)
    q, k, v = (torch.einsum("bsd,hde->bshe", x, W)[:, :, :1] for W in (attn.W_Q, attn.W_K, attn.W_V))
    assert q.shape == k.shape == v.shape == (1, 12, 1, 64)
    scores = attention_scores(q, k)
    assert scores.shape == (1, 1, 12, 12)
    assert torch.allclose(scores[0, 0], q[0, :, 0] @ k[0, :, 0].T / math.sqrt(64), atol=1e-5)
    pattern = attention_pattern(apply_causal_mask(scores))
    assert torch.equal(pattern[0, 0].triu(1), torch.zeros(12, 12))
    assert mix_values(pattern, v).shape == (1, 12, 1, 64)
    out = attn(x)
    assert out.shape == (1, 12, 512)
    assert unembed(x + out).shape == (1, 12, 13)


def test_each_word_is_nearer_to_all_others_of_its_kind_than_to_any_other_word():
    words, near = model.nearness()
    kinds = [kind for kind, group in enumerate(model.KINDS) for _ in group.split()]
    for i, word in enumerate(words):
        own = [near[i, j].item() for j in range(len(words)) if kinds[j] == kinds[i] and j != i]
        other = [near[i, j].item() for j in range(len(words)) if kinds[j] != kinds[i]]
        assert min(own) > max(other), word


def test_a_word_of_several_tokens_is_not_compared(monkeypatch):
    monkeypatch.setattr(model, "KINDS", ("king morrow",))
    with pytest.raises(ValueError, match="not one token each"):
        model.nearness()


def test_the_stream_grows_from_1_to_48_and_stays_between_6_and_22_as_layer_norm_has_it():
    raw, level = model.lengths()
    assert raw == sorted(raw)
    assert (round(raw[0]), round(raw[-1])) == (1, 48)
    assert (math.floor(min(level)), math.ceil(max(level))) == (6, 22)


def test_each_block_guesses_better_and_two_pieces_come_first_late():
    names, logits, losses = model.guesses()
    assert losses == sorted(losses, reverse=True)
    assert (round(losses[1], 1), round(losses[-1], 1)) == (4.2, 2.0)
    for piece, late in (("est", 2), ("\N{OPEN BOX}your", 1)):
        place = names.index(piece)
        guessed = [model.shown(i) == piece for i in logits[1:, place - 1].argmax(dim=-1).tolist()]
        assert guessed == [False] * (6 - late) + [True] * late


def test_the_more_merges_the_fewer_ids():
    counts = formula.ids_in_the_line()
    assert all(more > fewer for more, fewer in pairwise(counts))


def page() -> str:
    return (ROOT / "docs" / "from-counting-to-attention.md").read_text(encoding="utf-8")


def test_the_table_of_the_road_is_in_the_order_of_the_course():
    listed = [
        name for line in page().splitlines() if line[:1] == "|" for name in re.findall(r"exercises/(\w+)\.md", line)
    ]
    known = [exercise.name for exercise in load_course().exercises]
    assert listed == known[: len(listed)]


def test_pictures_are_drawn_in_the_order_of_the_page():
    assert re.findall(r"pictures/(\w+)\.svg\)", page()) == [draw.__name__ for draw in ROAD]


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_a_picture_is_drawn_without_a_warning(draw):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg(draw())


def test_layer_norm_makes_the_vectors_before_the_first_block_longer():
    raw, level = model.lengths()
    assert (round(raw[0]), round(level[0]), round(math.sqrt(model.checkpoint()[0].embed.W_E.shape[1]))) == (1, 6, 14)


def test_of_the_same_five_numbers_the_largest_has_three_quarters_or_one():
    x = torch.tensor(formula.NUMBERS)
    assert 0.70 < softmax(x / 0.2, dim=0).max() < 0.75
    assert softmax(x / 5, dim=0).max() < 0.25


def test_seven_of_64_pairs_are_followed_and_one_of_them_by_two_words():
    words = toy.Words(toy.CHECK)
    rows = second_order(words.texts, words.n)
    assert (len(rows), int(rows.any(dim=1).sum()), int((rows.count_nonzero(dim=1) > 1).sum())) == (64, 7, 1)
