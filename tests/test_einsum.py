"""`einsum_by_loops`, from which learners read what an einsum is, against PyTorch's, and the reference against it."""

import string

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from whole_numbers import whole_numbers

from reference import tensors
from reference.tensors import einsum_by_loops

LETTERS = string.ascii_letters[:4]
MAX_LENGTH = 3
thorough = settings(max_examples=200, derandomize=True, deadline=None, database=None)


@st.composite
def index_strings(draw):
    """A pattern of one to three inputs, and tensors that fit it.

    Letters are repeated within an input and between inputs, missing after the arrow, in any order there; an input
    may be a single number, an axis may be empty.
    """
    lengths = draw(st.fixed_dictionaries(dict.fromkeys(LETTERS, st.integers(0, MAX_LENGTH))))
    terms = draw(st.lists(st.text(LETTERS, max_size=3), min_size=1, max_size=3))
    used = sorted(set("".join(terms)))
    output = "".join(draw(st.permutations(used))[: draw(st.integers(0, len(used)))])
    seed = draw(st.integers(0, 999))
    inputs = [whole_numbers([lengths[a] for a in term], seed + i) for i, term in enumerate(terms)]
    return f"{','.join(terms)}->{output}", inputs


@given(index_strings())
@settings(thorough)
def test_loops_are_an_einsum_for_any_index_string(example):
    pattern, inputs = example
    result = einsum_by_loops(pattern, *inputs)
    expected = torch.einsum(pattern, *inputs)
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    assert torch.equal(result, expected)


@given(index_strings(), st.randoms(use_true_random=False))
@settings(thorough)
def test_only_what_the_letters_mean_counts_not_which_they_are(example, random):
    pattern, inputs = example
    renamed = dict(zip(LETTERS, random.sample(string.ascii_lowercase, len(LETTERS)), strict=True))
    other = "".join(renamed.get(character, character) for character in pattern).replace(",", " , ")
    assert torch.equal(einsum_by_loops(other, *inputs), einsum_by_loops(pattern, *inputs))


@given(index_strings())
@settings(thorough)
def test_the_order_of_the_inputs_does_not_count(example):
    pattern, inputs = example
    terms, output = pattern.split("->")
    turned = ",".join(reversed(terms.split(",")))
    assert torch.equal(einsum_by_loops(f"{turned}->{output}", *inputs[::-1]), einsum_by_loops(pattern, *inputs))


TASKS = {
    "dot": "i,i->",
    "batch_matmul": "bij,bjk->bik",
    "outer": "i,j->ij",
    "trace": "ii->",
    "bilinear": "bi,ij,bj->b",
    "weighted_sum": "bqk,bkd->bqd",
}


@pytest.mark.parametrize("task", TASKS)
@given(data=st.data())
@settings(thorough, max_examples=30)
def test_a_task_is_what_its_index_string_says(task, data):
    pattern = TASKS[task]
    terms = pattern.split("->")[0].split(",")
    lengths = {a: data.draw(st.integers(0, MAX_LENGTH), label=a) for a in sorted(set("".join(terms)))}
    inputs = [whole_numbers([lengths[a] for a in term], i) for i, term in enumerate(terms)]
    assert torch.equal(getattr(tensors, task)(*inputs), einsum_by_loops(pattern, *inputs))


@pytest.mark.parametrize(("pattern", "shapes"), [("ij,jk->ik", [(2, 3), (4, 2)]), ("i,i->", [(3,), (2,)])])
def test_a_letter_stands_for_one_length(pattern, shapes):
    with pytest.raises(ValueError, match="expected one length a letter"):
        einsum_by_loops(pattern, *map(torch.ones, shapes))


def test_letters_and_axes_and_inputs_are_equally_many():
    with pytest.raises(ValueError, match="argument"):
        einsum_by_loops("ij->i", torch.ones(2))
    with pytest.raises(ValueError, match="argument"):
        einsum_by_loops("i,i->", torch.ones(2))
