"""The codec: what crosses comes out the same; what is not plain data does not cross; a bad message is refused."""

import ast
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from graders.engine.worker import codec
from graders.engine.worker.codec import CodecError, Opaque, decode, encode, plain


def crossed(value):
    return decode(encode(plain(value)))


def message(header, blob=b""):
    """A message with any header and any bytes after it."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + blob


def random_bits(shape, dtype):
    """A tensor of any bits at all, NaN and -0.0 among them."""
    generator = torch.Generator().manual_seed(0)
    size = (math.prod(shape), dtype.itemsize)
    raw = torch.randint(2 if dtype == torch.bool else 256, size, generator=generator, dtype=torch.uint8)
    return raw.reshape(-1).view(dtype).reshape(shape)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3,), (2, 0, 3), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("name", codec.DTYPES)
def test_a_tensor_of_every_dtype_and_shape_keeps_every_bit(name, shape):
    value = random_bits(shape, codec.DTYPES[name])
    back = crossed(value)
    assert (back.dtype, back.shape) == (value.dtype, value.shape)
    assert (
        back.numpy().tobytes() == value.numpy().tobytes()
        if name != "bfloat16"
        else torch.equal(back.view(torch.int16), value.view(torch.int16))
    )


@pytest.mark.parametrize(
    "value",
    [
        torch.arange(6.0).reshape(2, 3).T,
        torch.arange(6.0)[::2],
        torch.arange(6.0)[::2][:1],
        torch.ones(1).expand(3, 2),
        torch.tensor([1 + 2j]).conj(),
        torch.tensor([1 + 2j]).conj().imag,
    ],
    ids=["transposed", "strided", "one number of a strided one", "expanded", "conjugated", "negated"],
)
def test_a_view_crosses_as_the_numbers_it_shows(value):
    assert torch.equal(crossed(value), value)


def test_a_parameter_crosses_as_a_tensor_apart_from_its_graph():
    back = crossed(nn.Parameter(torch.ones(2)))
    assert (type(back), back.requires_grad) == (torch.Tensor, False)


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -1, 2**4000, -(2**4000), 0.1, -0.0, math.inf, -math.inf, "", "é \ud800 \0", [], (), {},
        [1, (2.5, "x"), {"a": [None]}], {"$tensor": ["float64", [1]]}, {"$float": "nan", "$tuple": []},
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_plain_data_comes_out_the_same(value):
    assert repr(crossed(value)) == repr(value)


def test_nan_comes_out_as_nan():
    assert math.isnan(crossed(math.nan))


class Count(int):
    """An int with something of its own."""


class Traced(torch.Tensor):
    """A tensor with something of its own."""


@pytest.mark.parametrize(
    ("value", "type_name"),
    [
        (np.ones(2), "numpy.ndarray"),
        (np.float64(1.0), "numpy.float64"),
        (torch.ones(2).as_subclass(Traced), "test_codec.Traced"),
        (torch.ones(2, device="meta"), "torch.Tensor"),
        (torch.eye(2).to_sparse(), "torch.Tensor"),
        (torch.zeros(1, dtype=torch.uint8).expand(codec.MAX_BYTES + 1), "torch.Tensor"),
        (Count(3), "test_codec.Count"),
        (2**5000, "int"),
        (object(), "object"),
        ({1: 2}, "dict"),
        (len, "builtin_function_or_method"),
    ],
    ids=["numpy", "numpy number", "subclass", "meta", "sparse", "huge", "int subclass", "huge int",
         "object", "int keys", "function"],
)  # fmt: skip
def test_what_is_not_plain_crosses_as_the_name_of_its_type(value, type_name):
    back = crossed([value])[0]
    assert (type(back), back.type_name) == (Opaque, type_name)


def test_a_list_that_holds_itself_ends_at_a_depth():
    endless: list = []
    endless.append(endless)
    assert "nested too deeply" in repr(crossed(endless))


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 12, -1])
def test_a_truncated_message_is_refused(cut):
    with pytest.raises(CodecError):
        decode(encode({"x": torch.ones(3)})[:cut])


def test_a_padded_message_is_refused():
    with pytest.raises(CodecError, match="longer than its header says"):
        decode(encode({"x": torch.ones(3)}) + b"\0")


@pytest.mark.parametrize(
    "header",
    [
        {"$unknown": 1},
        {},
        {"$float": "0.5"},
        {"$float": 1},
        {"$dict": [5]},
        {"$dict": [[1, 2]]},
        {"$dict": [["a"]]},
        {"$dict": {}},
        {"$opaque": ["a"]},
        {"$tensor": ["object", [1]]},
        {"$tensor": ["float64", [-1]]},
        {"$tensor": ["float64", [True]]},
        {"$tensor": ["float64", [1.5]]},
        {"$tensor": ["float64", [10**6]]},
        {"$tensor": ["float64", [0, 10**30]]},
        {"$tensor": ["float64"]},
    ],
    ids=str,
)
def test_a_bad_header_is_refused(header):
    with pytest.raises(CodecError):
        decode(message(header))


@pytest.mark.parametrize("text", [b"{", b"\xff", b"[" * 100_000, b"1" * 5000], ids=["cut", "bytes", "deep", "long"])
def test_a_header_that_is_no_json_is_refused(text):
    with pytest.raises(CodecError):
        decode(len(text).to_bytes(8, "little") + text)


def test_a_header_nested_beyond_what_is_ever_sent_is_refused():
    header: list = []
    for _ in range(100):
        header = [header]
    with pytest.raises(CodecError, match="nested too deeply"):
        decode(message(header))


def test_truth_values_are_zero_or_one():
    with pytest.raises(CodecError, match="truth values"):
        decode(message({"$tensor": ["bool", [1]]}, b"\2"))


def test_nothing_that_executes_is_imported_by_the_codec():
    tree = ast.parse(Path(codec.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    modules = {node.module for node in imports if isinstance(node, ast.ImportFrom)}
    assert names | modules == {"json", "math", "dataclasses", "typing", "torch"}


def test_a_header_above_the_limit_is_not_parsed():
    text = encode(["x" * 100])
    assert decode(text, max_header=200) == ["x" * 100]
    with pytest.raises(CodecError, match="the header of the message is too long"):
        decode(text, max_header=100)


@pytest.mark.parametrize(
    "header",
    [{"$tensor": ["float32", [9] * 100 + [0]]}, {"$tensor": ["float32", [0, 2**70]]}, {"$set": [1] * 20_000}],
    ids=["axes", "length", "members"],
)
def test_what_would_keep_the_judge_busy_is_refused(header):
    with pytest.raises(CodecError, match=r"unknown dtype or shape|too many members"):
        decode(message(header))
