"""Train the embedded checkpoint: a GPT-2-format folder of about 3M parameters that speaks like Shakespeare.

    python -m graders.weights.train --text tinyshakespeare.txt

It may be stopped at any time: run the same command again and it goes on where it was. The text is
downloaded when none is given. Two cores need about an hour and a half. What is left in `shakespeare/` is what
`transformers` and TransformerLens read: config.json, model.safetensors (float16), tokenizer.json.
"""

import argparse
import hashlib
import json
import math
import time
import urllib.request
from dataclasses import asdict
from pathlib import Path

import torch
from einops import rearrange
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from reference.config import GPTConfig
from reference.gpt import GPT

HERE = Path(__file__).parent
TEXT_URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
TEXT_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"

CONFIG = GPTConfig(d_vocab=1024, n_ctx=256, n_layers=6, n_heads=6, d_model=192, d_head=32, d_mlp=768)
DROPOUT = 0.15
BATCH = 8
STEPS = 4200
WARMUP_STEPS = 150
MAX_LR, MIN_LR = 1.5e-3, 5e-5
WEIGHT_DECAY = 0.1
MAX_NORM = 1.0
EVALUATE_EVERY = 200
SEED = 1623  # the First Folio


def read_text(path: Path | None) -> str:
    """The training text, from a file or downloaded; refused when it is not the text of the model card."""
    data = path.read_bytes() if path else urllib.request.urlopen(TEXT_URL, timeout=60).read()
    found = hashlib.sha256(data).hexdigest()
    if found != TEXT_SHA256:
        raise SystemExit(f"this is not the text of the model card: sha256 {found}, expected {TEXT_SHA256}")
    return data.decode()


def train_tokenizer(text: str) -> Tokenizer:
    """Byte-level BPE, as GPT-2 has it, with `<|endoftext|>` as the last id."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        [text],
        trainers.BpeTrainer(
            vocab_size=CONFIG.d_vocab - 1,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


def tied_parameters(model: GPT) -> dict[str, Tensor]:
    """The model's parameters as GPT-2 has them: the unembedding is the token table, without a bias."""
    parameters: dict[str, Tensor] = dict(model.named_parameters())
    parameters["unembed.W_U"] = model.embed.W_E.T
    parameters["unembed.b_U"] = torch.zeros(CONFIG.d_vocab)
    return parameters


def add_dropout(model: GPT) -> None:
    """Drop from the embeddings and from what each layer writes, in training mode only."""

    def drop(module: torch.nn.Module, _inputs: tuple, output: Tensor) -> Tensor:
        return F.dropout(output, DROPOUT, module.training)

    def drop_input(module: torch.nn.Module, inputs: tuple[Tensor]) -> Tensor:
        return F.dropout(inputs[0], DROPOUT, module.training)

    model.blocks[0].register_forward_pre_hook(drop_input)
    for block in model.blocks:
        block.attn.register_forward_hook(drop)
        block.mlp.register_forward_hook(drop)


def make_optimizer(model: GPT) -> torch.optim.AdamW:
    """AdamW that decays the matrices of the blocks and leaves tables, biases and norms alone."""
    trained = {name: p for name, p in model.named_parameters() if not name.startswith("unembed.")}
    matrices = [p for name, p in trained.items() if ".W_" in name and name.startswith("blocks.")]
    others = [p for name, p in trained.items() if not (".W_" in name and name.startswith("blocks."))]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=MAX_LR, betas=(0.9, 0.95))


def learning_rate(step: int) -> float:
    """A linear warm-up, then half a cosine down to `MIN_LR`."""
    if step < WARMUP_STEPS:
        return MAX_LR * (step + 1) / WARMUP_STEPS
    progress = (step - WARMUP_STEPS) / (STEPS - WARMUP_STEPS)
    return MIN_LR + 0.5 * (MAX_LR - MIN_LR) * (1 + math.cos(math.pi * progress))


@torch.no_grad()
def nats_per_character(model: GPT, ids: Tensor, n_characters: int) -> float:
    """Cross-entropy of a text, every token but the first predicted once, over its length in characters.

    The text is cut into windows of n_ctx tokens that do not overlap, so the first tokens of each
    window are predicted from little context: no better figure is made by a better cut.
    """
    model.eval()
    parameters = tied_parameters(model)
    total = 0.0
    for start in range(0, len(ids) - 1, CONFIG.n_ctx):
        window = ids[start : start + CONFIG.n_ctx + 1]
        logits = functional_call(model, parameters, (window[None, :-1],))
        total += F.cross_entropy(logits[0], window[1:], reduction="sum").item()
    model.train()
    return total / n_characters


def to_gpt2(model: GPT) -> dict[str, Tensor]:
    """The inverse of `convert_gpt2_weights`: GPT-2's names and layout, in float16."""
    theirs = {
        "transformer.wte.weight": model.embed.W_E,
        "transformer.wpe.weight": model.pos_embed.W_pos,
        "transformer.ln_f.weight": model.ln_final.w,
        "transformer.ln_f.bias": model.ln_final.b,
    }
    for layer, block in enumerate(model.blocks):
        attn, mlp, prefix = block.attn, block.mlp, f"transformer.h.{layer}."
        qkv = torch.stack([attn.W_Q, attn.W_K, attn.W_V])
        qkv_bias = torch.stack([attn.b_Q, attn.b_K, attn.b_V])
        theirs |= {
            prefix + "ln_1.weight": block.ln1.w,
            prefix + "ln_1.bias": block.ln1.b,
            prefix + "attn.c_attn.weight": rearrange(qkv, "qkv h d e -> d (qkv h e)"),
            prefix + "attn.c_attn.bias": rearrange(qkv_bias, "qkv h e -> (qkv h e)"),
            prefix + "attn.c_proj.weight": rearrange(attn.W_O, "h e d -> (h e) d"),
            prefix + "attn.c_proj.bias": attn.b_O,
            prefix + "ln_2.weight": block.ln2.w,
            prefix + "ln_2.bias": block.ln2.b,
            prefix + "mlp.c_fc.weight": mlp.W_in,
            prefix + "mlp.c_fc.bias": mlp.b_in,
            prefix + "mlp.c_proj.weight": mlp.W_out,
            prefix + "mlp.c_proj.bias": mlp.b_out,
        }
    return {name: tensor.detach().to(torch.float16).contiguous() for name, tensor in theirs.items()}


def gpt2_config() -> dict[str, object]:
    """`config.json` as `transformers` reads it."""
    end = CONFIG.d_vocab - 1
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": CONFIG.d_vocab,
        "n_positions": CONFIG.n_ctx,
        "n_ctx": CONFIG.n_ctx,
        "n_embd": CONFIG.d_model,
        "n_layer": CONFIG.n_layers,
        "n_head": CONFIG.n_heads,
        "n_inner": CONFIG.d_mlp,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": CONFIG.layer_norm_eps,
        "resid_pdrop": DROPOUT,
        "embd_pdrop": DROPOUT,
        "attn_pdrop": 0.0,
        "bos_token_id": end,
        "eos_token_id": end,
        "tie_word_embeddings": True,
    }


def write_folder(folder: Path, model: GPT, tokenizer: Tokenizer, history: list[dict]) -> None:
    """Everything a GPT-2-format folder holds, and the history from which the card's curve is drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(to_gpt2(model), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(gpt2_config(), indent=2) + "\n")
    tokenizer.save(str(folder / "tokenizer.json"))
    end = "<|endoftext|>"
    special = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": end, "eos_token": end, "unk_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps(special, indent=2) + "\n")
    (folder / "training.jsonl").write_text("".join(json.dumps(row) + "\n" for row in history))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="tinyshakespeare; downloaded when not given")
    parser.add_argument("--out", type=Path, default=HERE / "shakespeare")
    parser.add_argument("--state", type=Path, default=Path("train-state.pt"), help="where a stopped run goes on from")
    parser.add_argument("--bfloat16", action="store_true", help="multiply in bfloat16, on a CPU that has it")
    options = parser.parse_args()

    text = read_text(options.text)
    cut = int(0.9 * len(text))
    tokenizer = train_tokenizer(text[:cut])
    train_ids, held_out_ids = (torch.tensor(tokenizer.encode(part).ids) for part in (text[:cut], text[cut:]))
    print(f"{len(train_ids):,} tokens to train on, {len(held_out_ids):,} held out; {asdict(CONFIG)}", flush=True)

    torch.manual_seed(SEED)
    model = GPT(CONFIG)
    add_dropout(model)
    optimizer = make_optimizer(model)
    first_step, best, history = 0, math.inf, []
    if options.state.exists():
        state = torch.load(options.state, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"])
        first_step, best, history = state["step"], state["best"], state["history"]

    recent, began = [], time.monotonic()
    for step in range(first_step, STEPS):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        starts = torch.randint(len(train_ids) - CONFIG.n_ctx, (BATCH, 1))
        windows = train_ids[starts + torch.arange(CONFIG.n_ctx + 1)]
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
            logits = functional_call(model, tied_parameters(model), (windows[:, :-1],)).float()
        loss = F.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)
        optimizer.step()
        recent.append(loss.item())
        if (step + 1) % EVALUATE_EVERY == 0 or step + 1 == STEPS:
            held_out = nats_per_character(model, held_out_ids, len(text) - cut)
            tokens = (step + 1) * BATCH * CONFIG.n_ctx
            history.append({"tokens": tokens, "train_nats_per_token": sum(recent) / len(recent), "held_out": held_out})
            rate = len(recent) * BATCH * CONFIG.n_ctx / (time.monotonic() - began)
            print(f"step {step + 1}  {history[-1]}  {rate:,.0f} tokens/s", flush=True)
            if held_out < best:
                best = held_out
                write_folder(options.out, model, tokenizer, history)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "rng": torch.get_rng_state()}
            torch.save(state | {"step": step + 1, "best": best, "history": history}, options.state)
            recent, began = [], time.monotonic()
    print(f"best: {best:.4f} nats a character")


if __name__ == "__main__":
    main()
