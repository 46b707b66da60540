"""The reference's `CachedGPT` as one ONNX graph, in which every hook point is an output.

To be read beside `reference/attention.py`, `block.py` and `gpt.py`: it does what they do, step by step, in float32, and
a test holds it to them at every hook point.

    inputs   tokens                  int64    (batch, new)
             past_keys, past_values  float32  (n_layers, batch, n_heads, past, d_head)
    outputs  logits                  float32  (batch, new, d_vocab)
             keys, values            float32  (n_layers, batch, n_heads, past+new, d_head)
             the hook points         float32  under TransformerLens's names, in its shapes; a masked score is -inf

`past` may be 0: then `tokens` begin the text. The operators are ONNX's own: https://onnx.ai/onnx/operators/.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper
from torch import Tensor, equal

from reference.config import GPTConfig

OPSET, IR_VERSION = 20, 9  # the first opset with `Gelu`, and the version of the file's format that came with it


class Graph:
    """A graph that grows node by node. A value is known by its name; `hooks` are the names of those to look at."""

    def __init__(self, weights: Mapping[str, Tensor], half: bool):
        self.weights, self.half = weights, half
        self.nodes: list[NodeProto] = []
        self.stored: list[TensorProto] = []
        self.hooks: list[str] = []

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Append a node; returns the name of what it computes."""
        name = name or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def hook(self, hook_point: str, operator: str, *inputs: str, **attributes: Any) -> str:
        """Append a node that computes a hook point."""
        self.hooks.append(hook_point)
        return self.add(operator, *inputs, name=hook_point, **attributes)

    def weight(self, parameter: str, *shape: int) -> str:
        """A parameter of `GPT` as float32, in another shape if one is given."""
        array = self.weights[parameter].float().numpy()
        array = array.reshape(shape) if shape else array
        if not self.half:
            return self._store(parameter, array)
        return self.add("Cast", self._store(f"{parameter}.float16", array.astype(np.float16)), to=TensorProto.FLOAT)

    def constant(self, value: float | list[int]) -> str:
        """A number: float32, or int64 where it is a whole one, or a list of such."""
        dtype = np.float32 if isinstance(value, float) else np.int64
        return self._store(f"constant_{len(self.stored)}", np.array(value, dtype))

    def _store(self, name: str, array: np.ndarray) -> str:
        self.stored.append(numpy_helper.from_array(array, name))
        return name


def gpt_graph(cfg: GPTConfig, weights: Mapping[str, Tensor], half: bool) -> tuple[ModelProto, list[str]]:
    """The graph of a `GPT` with these parameters, by their names in it, and its hook points as they are computed.

    With `half` the parameters are stored as float16, and made float32 when the graph is loaded. A token table that is
    the unembedding too is stored once.
    """
    graph = Graph(weights, half)
    # 1. Where the new tokens stand: new. And which keys come after each of them: new past+new
    positions, is_future = _positions(graph)
    # 2. What each token is, plus where it stands: batch new d_model
    W_E = graph.weight("embed.W_E")
    embed = graph.hook("hook_embed", "Gather", W_E, "tokens")
    rows = graph.add("Gather", graph.weight("pos_embed.W_pos"), positions)
    residual = graph.add("Add", embed, graph.hook("hook_pos_embed", "Expand", rows, graph.add("Shape", embed)))
    # 3. Every block adds to the residual stream, and has keys and values to keep
    keys, values = [], []
    for layer in range(cfg.n_layers):
        residual, k, v = _block(graph, cfg, layer, residual, is_future)
        keys.append(k)
        values.append(v)
    # 4. Normalise once more, then compare with every token of the vocabulary: batch new d_vocab
    normed = _layer_norm(graph, cfg, "ln_final", residual)
    is_tied = equal(weights["unembed.W_U"], weights["embed.W_E"].T)
    W_U = graph.add("Transpose", W_E, perm=[1, 0]) if is_tied else graph.weight("unembed.W_U")
    graph.add("Add", graph.add("MatMul", normed, W_U), graph.weight("unembed.b_U"), name="logits")
    # 5. The keys of all layers, and the values: n_layers batch n_heads past+new d_head
    for name, layers in (("keys", keys), ("values", values)):
        stacked = [graph.add("Unsqueeze", one, graph.constant([0])) for one in layers]
        graph.add("Concat", *stacked, name=name, axis=0)
    return _model(graph, cfg), graph.hooks


def _positions(graph: Graph) -> tuple[str, str]:
    """The position of each new token: new. And whether each key comes after it: new past+new."""
    past, new = (
        graph.add("Squeeze", graph.add("Shape", whose, start=axis, end=axis + 1))
        for whose, axis in (("past_keys", 3), ("tokens", 1))
    )
    end, one = graph.add("Add", past, new), graph.constant(1)
    q_pos = graph.add("Range", past, end, one)
    k_pos = graph.add("Range", graph.constant(0), end, one)
    return q_pos, graph.add("Greater", k_pos, graph.add("Unsqueeze", q_pos, graph.constant([1])))


def _block(graph: Graph, cfg: GPTConfig, layer: int, residual: str, is_future: str) -> tuple[str, str, str]:
    """What a block makes of the stream: batch new d_model. And its keys and values: batch n_heads past+new d_head."""
    block = f"blocks.{layer}"
    resid_pre = graph.hook(f"{block}.hook_resid_pre", "Identity", residual)
    attn_out, k, v = _attention(graph, cfg, layer, _layer_norm(graph, cfg, f"{block}.ln1", resid_pre), is_future)
    resid_mid = graph.hook(f"{block}.hook_resid_mid", "Add", resid_pre, attn_out)
    x, mlp = _layer_norm(graph, cfg, f"{block}.ln2", resid_mid), f"{block}.mlp"
    pre = graph.hook(
        f"{mlp}.hook_pre", "Add", graph.add("MatMul", x, graph.weight(f"{mlp}.W_in")), graph.weight(f"{mlp}.b_in")
    )
    post = graph.hook(f"{mlp}.hook_post", "Gelu", pre, approximate="tanh")
    back = graph.add("MatMul", post, graph.weight(f"{mlp}.W_out"))
    mlp_out = graph.hook(f"{block}.hook_mlp_out", "Add", back, graph.weight(f"{mlp}.b_out"))
    return graph.hook(f"{block}.hook_resid_post", "Add", resid_mid, mlp_out), k, v


def _layer_norm(graph: Graph, cfg: GPTConfig, part: str, x: str) -> str:
    w, b = (graph.weight(f"{part}.{name}") for name in "wb")
    return graph.hook(f"{part}.hook_out", "LayerNormalization", x, w, b, epsilon=cfg.layer_norm_eps)


def _attention(graph: Graph, cfg: GPTConfig, layer: int, x: str, is_future: str) -> tuple[str, str, str]:
    """What attention adds to the stream: batch new d_model. And the layer's keys and values, with those of the past."""
    attn, heads_first = f"blocks.{layer}.attn", [0, 2, 1, 3]
    # 1. Queries, keys and values of every head, each with its bias: batch n_heads new d_head
    for_every_head = graph.add("Unsqueeze", x, graph.constant([1]))
    q, k, v = (
        graph.add(
            "Add",
            graph.add("MatMul", for_every_head, graph.weight(f"{attn}.W_{letter}")),
            graph.weight(f"{attn}.b_{letter}", cfg.n_heads, 1, cfg.d_head),
        )
        for letter in "QKV"
    )
    for name, value in (("hook_q", q), ("hook_k", k), ("hook_v", v)):
        graph.hook(f"{attn}.{name}", "Transpose", value, perm=heads_first)
    # 2. Behind the keys and values of the past, the new ones: batch n_heads past+new d_head
    k, v = (
        graph.add("Concat", graph.add("Gather", past, graph.constant(layer), axis=0), new, axis=2)
        for past, new in (("past_keys", k), ("past_values", v))
    )
    # 3. How well every query matches every key, the future hidden: batch n_heads new past+new
    scaled = graph.add("Div", q, graph.constant(cfg.d_head**0.5))
    matched = graph.add("MatMul", scaled, graph.add("Transpose", k, perm=[0, 1, 3, 2]))
    scores = graph.hook(f"{attn}.hook_attn_scores", "Where", is_future, graph.constant(float("-inf")), matched)
    # 4. The weights, and with them the mixture of values: batch new n_heads d_head
    pattern = graph.hook(f"{attn}.hook_pattern", "Softmax", scores, axis=-1)
    z = graph.hook(f"{attn}.hook_z", "Transpose", graph.add("MatMul", pattern, v), perm=heads_first)
    # 5. Project the heads, side by side, back, and add the bias: batch new d_model
    W_O = graph.weight(f"{attn}.W_O", cfg.n_heads * cfg.d_head, cfg.d_model)
    added = graph.add("MatMul", graph.add("Reshape", z, graph.constant([0, 0, -1])), W_O)  # 0: as it was
    return graph.hook(f"blocks.{layer}.hook_attn_out", "Add", added, graph.weight(f"{attn}.b_O")), k, v


def _model(graph: Graph, cfg: GPTConfig) -> ModelProto:
    """The graph with its inputs and outputs declared; the sizes that may change from call to call have names."""
    per_head = ("batch", "new", cfg.n_heads, cfg.d_head)
    per_key = ("batch", cfg.n_heads, "new", "past+new")
    shapes: dict[str, tuple[str | int, ...]] = {
        **dict.fromkeys(("hook_q", "hook_k", "hook_v", "hook_z"), per_head),
        **dict.fromkeys(("hook_attn_scores", "hook_pattern"), per_key),
        **dict.fromkeys(("hook_pre", "hook_post"), ("batch", "new", cfg.d_mlp)),
    }  # by the end of a hook point's name; all others are of the stream's width

    def kept(name: str, length: str) -> ValueInfoProto:
        return _floats(name, cfg.n_layers, "batch", cfg.n_heads, length, cfg.d_head)

    tokens = helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "new"])
    inputs = [tokens, kept("past_keys", "past"), kept("past_values", "past")]
    outputs = [_floats("logits", "batch", "new", cfg.d_vocab), kept("keys", "past+new"), kept("values", "past+new")]
    outputs += [
        _floats(hook, *shapes.get(hook.rpartition(".")[2], ("batch", "new", cfg.d_model))) for hook in graph.hooks
    ]
    return helper.make_model(
        helper.make_graph(graph.nodes, "GPT", inputs, outputs, graph.stored),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="headstart",
    )


def _floats(name: str, *shape: str | int) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
