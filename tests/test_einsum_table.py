"""The table "What does this string do?" of the page on tensors is generated, and true."""

import pytest
import torch
from einops import rearrange
from hypothesis import given, settings
from hypothesis import strategies as st
from whole_numbers import whole_numbers

from docs.einsum_table import BEYOND, INPUTS, ROWS, with_table
from docs.regions import end
from graders.engine.course import ROOT

PAGE = ROOT / "docs" / "exercises" / "tensors.md"
MAX_LENGTH = 4
tried_often = settings(max_examples=25, derandomize=True, deadline=None, database=None)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.string)
@given(data=st.data())
@tried_often
def test_a_string_and_its_plain_pytorch_give_the_same(row, data):
    lengths = {a: data.draw(st.integers(1, MAX_LENGTH), label=a) for a in row.string if a.isalpha()}
    further = data.draw(st.lists(st.integers(1, 3), max_size=2), label="...")
    inputs = {}
    for name, term in zip(INPUTS, row.string.split("->")[0].split(","), strict=False):
        shape = [*(further if "..." in term else []), *(lengths[a] for a in term if a.isalpha())]
        inputs[name] = whole_numbers(shape, seed=len(inputs))
    plain = eval(row.plain, {}, inputs)
    expected = torch.einsum(row.string, *inputs.values())
    assert plain.shape == expected.shape
    assert torch.equal(plain, expected)


@pytest.mark.parametrize("row", BEYOND, ids=lambda row: row.string)
def test_no_einsum_splits_or_merges_heads_and_einops_does(row):
    split, merged = whole_numbers((2, 3, 4, 5), seed=0), whole_numbers((2, 3, 20), seed=0)
    x, expected = (split, merged) if row.string.endswith(")") else (merged, split)
    with pytest.raises(RuntimeError):
        torch.einsum(row.string, x)
    assert torch.equal(eval(row.plain, {"rearrange": rearrange}, {"x": x, "h": 4}), expected)


def test_the_page_shows_the_table_as_it_is_generated():
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_table(page), "run headstart site"


def test_a_page_without_its_marks_is_refused():
    page = PAGE.read_text(encoding="utf-8")
    for text in ("no marks", page.replace(end("einsum table"), ""), page + end("einsum table")):
        with pytest.raises(ValueError, match=r"tensors\.md must hold"):
            with_table(text)
