"""Right answers to the whole model, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    # GPT
    Variant(
        "numbered_blocks",
        """
def forward(self, tokens):
    x = self.embed(tokens)
    x += self.pos_embed(tokens, 0)
    for layer in range(self.cfg.n_layers):
        x = self.blocks[layer](x)
    x = self.ln_final(x)
    logits = self.unembed(x)
    return logits


GPT.forward = forward
""",
    ),
    Variant(
        "tables_read_directly",
        """
def forward(self, tokens):
    batch, seq = tokens.shape
    residuals = [self.embed.W_E[tokens] + self.pos_embed.W_pos[:seq]]
    for layer, block in enumerate(self.blocks):
        residuals.append(block(residuals[layer]))
    return self.ln_final(residuals[-1]) @ self.unembed.W_U + self.unembed.b_U


GPT.forward = forward
""",
    ),
    Variant(
        "functions_composed",
        """
import functools


def forward(self, tokens):
    parts = [*self.blocks, self.ln_final, self.unembed]
    return functools.reduce(lambda x, part: part(x), parts, self.pos_embed(tokens, start=0) + self.embed(tokens))


GPT.forward = forward
""",
    ),
    Variant(
        "one_hot_and_sequential",
        """
import torch


def forward(self, tokens):
    ids = torch.arange(self.embed.W_E.shape[0])
    x = (tokens.unsqueeze(-1) == ids).to(self.embed.W_E.dtype) @ self.embed.W_E
    return nn.Sequential(*self.blocks, self.ln_final, self.unembed)(x + self.pos_embed(tokens))


GPT.forward = forward
""",
    ),
    Variant(
        "sequential_blocks",
        """
class GPT(GPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.blocks = nn.Sequential(*(TransformerBlock(cfg) for _ in range(cfg.n_layers)))
        self.dropout = nn.Identity()

    def forward(self, tokens):
        x = self.dropout(self.pos_embed(tokens) + self.embed(tokens))
        return self.unembed(self.ln_final(self.blocks(x)))
""",
    ),
    Variant(
        "one_row_at_a_time",
        """
import torch


def forward(self, tokens):
    rows = []
    for row in tokens.split(1):
        x = torch.stack([self.embed(row), self.pos_embed(row)]).sum(0)
        for block in self.blocks.children():
            x = block.forward(x)
        rows.append(self.ln_final(x))
    return self.unembed(torch.cat(rows))


GPT.forward = forward
""",
    ),
    # count_parameters
    Variant(
        "shapes_in_a_dictionary",
        """
import math


def count_parameters(cfg):
    heads, d_model = (cfg.n_heads, cfg.d_head), cfg.d_model
    once = {
        "W_E": (cfg.d_vocab, d_model), "W_pos": (cfg.n_ctx, d_model), "w": (d_model,), "b": (d_model,),
        "W_U": (d_model, cfg.d_vocab), "b_U": (cfg.d_vocab,),
    }
    layer = {f"W_{letter}": (*heads, d_model) for letter in "QKVO"} | {f"b_{letter}": heads for letter in "QKV"}
    layer |= {"b_O": (d_model,), "W_in": (d_model, cfg.d_mlp), "b_in": (cfg.d_mlp,)}
    layer |= {"W_out": (cfg.d_mlp, d_model), "b_out": (d_model,)}
    layer |= {f"ln{i}.{name}": (d_model,) for i in (1, 2) for name in "wb"}
    return sum(map(math.prod, once.values())) + cfg.n_layers * sum(map(math.prod, layer.values()))
""",
    ),
    Variant(
        "counted_on_the_meta_device",
        """
import torch


def count_parameters(cfg):
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in GPT(cfg).parameters())
""",
    ),
    Variant(
        "collected_by_width",
        """
def count_parameters(cfg):
    d_attn = cfg.n_heads * cfg.d_head
    read_or_write = 4 * d_attn + 2 * cfg.d_mlp + 6
    total = (2 * cfg.d_vocab + cfg.n_ctx + 2 + cfg.n_layers * read_or_write) * cfg.d_model
    return total + cfg.n_layers * (3 * d_attn + cfg.d_mlp) + cfg.d_vocab
""",
    ),
    # convert_gpt2_weights
    Variant(
        "split_view_permute",
        """
import torch


def convert_gpt2_weights(state_dict, cfg):
    width = cfg.n_heads * cfg.d_head

    def take(key, shape):
        tensor = state_dict.get("transformer." + key)
        if tensor is None or list(tensor.shape) != shape:
            raise ValueError(f"expected a tensor transformer.{key} of shape {shape}")
        return tensor.detach().clone()

    out = {}
    out["embed.W_E"] = take("wte.weight", [cfg.d_vocab, cfg.d_model])
    out["pos_embed.W_pos"] = take("wpe.weight", [cfg.n_ctx, cfg.d_model])
    for i in range(cfg.n_layers):
        for ln in "12":
            out[f"blocks.{i}.ln{ln}.w"] = take(f"h.{i}.ln_{ln}.weight", [cfg.d_model])
            out[f"blocks.{i}.ln{ln}.b"] = take(f"h.{i}.ln_{ln}.bias", [cfg.d_model])
        parts = take(f"h.{i}.attn.c_attn.weight", [cfg.d_model, 3 * width]).split(width, dim=1)
        biases = take(f"h.{i}.attn.c_attn.bias", [3 * width]).split(width)
        for k in range(3):
            weight = parts[k].contiguous().view(cfg.d_model, cfg.n_heads, cfg.d_head).permute(1, 0, 2)
            out[f"blocks.{i}.attn.W_{'QKV'[k]}"] = weight
            out[f"blocks.{i}.attn.b_{'QKV'[k]}"] = biases[k].view(cfg.n_heads, cfg.d_head)
        W_O = take(f"h.{i}.attn.c_proj.weight", [width, cfg.d_model])
        out[f"blocks.{i}.attn.W_O"] = W_O.view(cfg.n_heads, cfg.d_head, cfg.d_model)
        out[f"blocks.{i}.attn.b_O"] = take(f"h.{i}.attn.c_proj.bias", [cfg.d_model])
        out[f"blocks.{i}.mlp.W_in"] = take(f"h.{i}.mlp.c_fc.weight", [cfg.d_model, cfg.d_mlp])
        out[f"blocks.{i}.mlp.b_in"] = take(f"h.{i}.mlp.c_fc.bias", [cfg.d_mlp])
        out[f"blocks.{i}.mlp.W_out"] = take(f"h.{i}.mlp.c_proj.weight", [cfg.d_mlp, cfg.d_model])
        out[f"blocks.{i}.mlp.b_out"] = take(f"h.{i}.mlp.c_proj.bias", [cfg.d_model])
    out["ln_final.w"], out["ln_final.b"] = take("ln_f.weight", [cfg.d_model]), take("ln_f.bias", [cfg.d_model])
    out["unembed.W_U"] = out["embed.W_E"].transpose(0, 1).contiguous()
    out["unembed.b_U"] = torch.zeros(cfg.d_vocab)
    return out
""",
    ),
    Variant(
        "a_table_and_one_pattern_for_all_heads",
        """
def convert_gpt2_weights(state_dict, cfg):
    sizes = {"v": cfg.d_vocab, "n": cfg.n_ctx, "d": cfg.d_model, "m": cfg.d_mlp, "a": cfg.n_heads * cfg.d_head}
    sizes["q"] = 3 * sizes["a"]
    table = {"wte.weight": ("vd", "embed.W_E"), "wpe.weight": ("nd", "pos_embed.W_pos")}
    table |= {"ln_f.weight": ("d", "ln_final.w"), "ln_f.bias": ("d", "ln_final.b")}
    for n in range(cfg.n_layers):
        for theirs, ours, w, b in (
            ("ln_1", "ln1.{}", "d", "d"), ("ln_2", "ln2.{}", "d", "d"), ("attn.c_attn", "attn.{}_QKV", "dq", "q"),
            ("attn.c_proj", "attn.{}_O", "ad", "d"), ("mlp.c_fc", "mlp.{}_in", "dm", "m"),
            ("mlp.c_proj", "mlp.{}_out", "md", "d"),
        ):
            big = "W" if "_" in ours else "w"
            table[f"h.{n}.{theirs}.weight"] = (w, f"blocks.{n}." + ours.format(big))
            table[f"h.{n}.{theirs}.bias"] = (b, f"blocks.{n}." + ours.format("b"))
    weights = {}
    for theirs, (axes, ours) in table.items():
        try:
            tensor = state_dict["transformer." + theirs]
        except KeyError:
            raise ValueError(f"missing: transformer.{theirs}") from None
        if tensor.shape != tuple(sizes[axis] for axis in axes):
            raise ValueError(f"transformer.{theirs} does not fit: {tuple(tensor.shape)}")
        if ours.endswith("QKV"):
            pattern = "d (p h e) -> p h d e" if tensor.ndim == 2 else "(p h e) -> p h e"
            parts = rearrange(tensor, pattern, p=3, h=cfg.n_heads)
            weights |= {ours[:-3] + letter: part for letter, part in zip("QKV", parts)}
        elif ours.endswith("W_O"):
            weights[ours] = tensor.unflatten(0, (cfg.n_heads, cfg.d_head))
        else:
            weights[ours] = tensor
    weights["unembed.W_U"] = rearrange(weights["embed.W_E"], "v d -> d v")
    weights["unembed.b_U"] = 0 * weights["embed.W_E"][:, 0]
    return weights
""",
    ),
    Variant(
        "loops_over_heads",
        """
import torch

solved = convert_gpt2_weights


def convert_gpt2_weights(state_dict, cfg):
    weights = solved(dict(state_dict), cfg)
    h, e = cfg.n_heads, cfg.d_head
    for layer in range(cfg.n_layers):
        c_attn = state_dict[f"transformer.h.{layer}.attn.c_attn.weight"]
        bias = state_dict[f"transformer.h.{layer}.attn.c_attn.bias"]
        c_proj = state_dict[f"transformer.h.{layer}.attn.c_proj.weight"]
        for part, letter in enumerate("QKV"):
            starts = [(part * h + head) * e for head in range(h)]
            weights[f"blocks.{layer}.attn.W_{letter}"] = torch.stack([c_attn[:, s : s + e] for s in starts])
            weights[f"blocks.{layer}.attn.b_{letter}"] = torch.stack([bias[s : s + e] for s in starts])
        rows = [c_proj[head * e : (head + 1) * e] for head in range(h)]
        weights[f"blocks.{layer}.attn.W_O"] = torch.stack(rows)
    return dict(sorted(weights.items()))
""",
    ),
)
