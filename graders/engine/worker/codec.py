"""Plain data as bytes and back: a JSON header, then the raw bytes of the tensors. Never pickle.

What may cross: None, bool, int, float, str, lists, tuples, sets of these, dicts with str keys, and dense tensors
of the dtypes below. A dataclass crosses as a dict of its fields and its name, under `TYPE`. Anything else becomes
`Opaque`, which says its type and what it looks like.
"""

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.complex128,
        torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool,
    )
}  # fmt: skip
MAX_DEPTH = 20
MAX_BYTES = 2**30  # of one tensor; GPT-2's largest, in float64, has a third of that
MAX_AXES = 64  # of a tensor; torch's own operations take no more
MAX_SET = 10_000  # members, which may be chosen so that finding each one's place takes as long as there are others
MAX_BITS = 4096  # of an integer; Python itself refuses to write down one of more than 4300 digits
SCALARS = (bool, int, float, str)
ATOMS = frozenset({*SCALARS, type(None)})  # of JSON
TYPE = "type"
HEADER_LENGTH = 8  # bytes that say how long the header is


class CodecError(ValueError):
    """A message that is not one of ours."""


@dataclass(frozen=True)
class Opaque:
    """A value that does not cross: the name of its type, and the start of its text."""

    type_name: str
    text: str = ""


def plain(value: Any, depth: int = 0) -> Any:
    """The same value made of plain data only; what is not plain becomes `Opaque`."""
    if value is None or type(value) in (bool, float, str, Opaque):
        return value
    if type(value) is int:
        return value if value.bit_length() <= MAX_BITS else Opaque("int", f"of {value.bit_length()} bits")
    if depth > MAX_DEPTH:
        return Opaque(type(value).__name__, "nested too deeply")
    if isinstance(value, Tensor):
        return plain_tensor(value)
    if type(value) in (list, tuple):
        return type(value)(plain(item, depth + 1) for item in value)
    if type(value) is set and all(type(item) in SCALARS for item in value):
        return value if len(value) <= MAX_SET else Opaque("set", f"of {len(value)} members")
    if isinstance(value, dict) and all(type(key) is str for key in value):  # a state_dict is an OrderedDict
        return {key: plain(item, depth + 1) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {part.name: getattr(value, part.name, None) for part in dataclasses.fields(value)}
        return {TYPE: type(value).__name__} | {key: plain(item, depth + 1) for key, item in fields.items()}
    return Opaque(f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins."))


def plain_tensor(value: Tensor) -> Tensor | Opaque:
    """A tensor as dense numbers on the CPU, apart from any graph; a lazy or foreign one as `Opaque`."""
    name = str(value.dtype).removeprefix("torch.")
    if type(value) not in (Tensor, torch.nn.Parameter):
        return Opaque(f"{type(value).__module__}.{type(value).__name__}")
    if value.layout is not torch.strided or value.device.type == "meta" or name not in DTYPES:
        return Opaque("torch.Tensor", f"layout {value.layout}, device {value.device}, dtype {value.dtype}")
    if value.numel() * value.dtype.itemsize > MAX_BYTES:
        return Opaque("torch.Tensor", f"of {value.numel()} numbers, too many to look at")
    return value.detach().cpu().resolve_conj().resolve_neg().contiguous()


def bytes_of(value: Tensor) -> bytes:
    """The raw bytes of a tensor, in reading order."""
    if value.dtype == torch.bfloat16:  # which NumPy does not know
        value = value.detach().view(torch.int16)
    return value.numpy(force=True).tobytes()


def encode(value: Any) -> bytes:
    """Plain data as bytes. Large integers and non-finite floats keep their exact value."""
    blobs: list[bytes] = []
    header = json.dumps(_to_json(value, blobs), allow_nan=False, separators=(",", ":")).encode()
    return len(header).to_bytes(HEADER_LENGTH, "little") + header + b"".join(blobs)


def decode(message: bytes | bytearray, max_header: int | None = None) -> Any:
    """The value that was encoded. Raises `CodecError` when the bytes do not fit together.

    `max_header` is the size, in bytes, from which the header of a sender that is not to be trusted is refused.
    """
    length = int.from_bytes(message[:HEADER_LENGTH], "little")
    body = HEADER_LENGTH + length
    if max_header is not None and length > max_header:
        raise CodecError("the header of the message is too long")
    if len(message) < body:
        raise CodecError("the message is shorter than its header says")
    try:
        header = json.loads(message[HEADER_LENGTH:body])
    except (ValueError, RecursionError) as error:
        raise CodecError("the header of the message is not JSON") from error
    reader = _Reader(memoryview(message)[body:])
    value = reader.value(header, 0)
    if reader.at != len(reader.blob):
        raise CodecError("the message is longer than its header says")
    return value


def _to_json(value: Any, blobs: list[bytes]) -> Any:
    if type(value) in ATOMS:  # most of a message: told first, for speed
        return {"$float": str(value)} if type(value) is float and not math.isfinite(value) else value
    if isinstance(value, Tensor):
        blobs.append(bytes_of(value))
        return {"$tensor": [str(value.dtype).removeprefix("torch."), list(value.shape)]}
    if isinstance(value, Opaque):
        return {"$opaque": [value.type_name[:200], value.text[:200]]}
    if isinstance(value, set):
        return {"$set": [_to_json(item, blobs) for item in sorted(value, key=repr)]}
    if isinstance(value, tuple):
        return {"$tuple": [_to_json(item, blobs) for item in value]}
    if isinstance(value, list):
        return [_to_json(item, blobs) for item in value]
    if isinstance(value, dict):
        return {"$dict": [[key, _to_json(item, blobs)] for key, item in value.items()]}
    return value


class _Reader:
    """Turns a parsed header back into values, taking each tensor's bytes in turn."""

    def __init__(self, blob: memoryview):
        self.blob = blob
        self.at = 0

    def value(self, node: Any, depth: int) -> Any:
        if type(node) in ATOMS:  # most of a message: told first, for speed
            return node
        if depth > MAX_DEPTH + 5:
            raise CodecError("the message is nested too deeply")
        if type(node) is list:
            return [self.value(item, depth + 1) for item in node]
        match next(iter(node.items()), None):
            case ("$float", ("nan" | "inf" | "-inf") as text):
                return float(text)
            case ("$tensor", [str(dtype), list(shape)]):
                return self.tensor(dtype, shape)
            case ("$opaque", [str(type_name), str(text)]):
                return Opaque(type_name, text)
            case ("$tuple", list(items)):
                return tuple(self.value(item, depth + 1) for item in items)
            case ("$set", list(items)):
                return self.scalars(items, depth + 1)
            case ("$dict", list(items)):
                return dict(self.pair(item, depth + 1) for item in items)
        raise CodecError("the message holds something that is not plain data")

    def scalars(self, items: list, depth: int) -> set:
        if len(items) > MAX_SET:
            raise CodecError("a set of too many members")
        values = [self.value(item, depth) for item in items]
        if not all(type(value) in SCALARS for value in values):
            raise CodecError("a set of something else than numbers and texts")
        return set(values)

    def pair(self, node: Any, depth: int) -> tuple[str, Any]:
        if type(node) is not list or len(node) != 2 or type(node[0]) is not str:
            raise CodecError("a dictionary whose entries are not pairs")
        return node[0], self.value(node[1], depth)

    def tensor(self, name: str, shape: list) -> Tensor:
        is_shape = len(shape) <= MAX_AXES and all(type(n) is int and 0 <= n < 2**63 for n in shape)
        if name not in DTYPES or not is_shape:
            raise CodecError("a tensor of an unknown dtype or shape")
        dtype = DTYPES[name]
        n_bytes = math.prod(shape) * dtype.itemsize
        if self.at + n_bytes > len(self.blob):
            raise CodecError("a tensor is larger than its bytes")
        raw = bytearray(self.blob[self.at : self.at + n_bytes])
        self.at += n_bytes
        if dtype == torch.bool and raw.strip(b"\0\1"):
            raise CodecError("a tensor of truth values holds something else")
        try:
            return torch.frombuffer(raw, dtype=dtype).reshape(shape) if raw else torch.empty(shape, dtype=dtype)
        except (RuntimeError, TypeError) as error:  # an empty tensor may still claim an axis larger than any integer
            raise CodecError("a tensor of an impossible shape") from error
