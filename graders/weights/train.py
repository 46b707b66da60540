"""Train the embedded checkpoint: a GPT-2-format folder of about 3M parameters that speaks like Shakespeare.

    python -m graders.weights.train --text tinyshakespeare.txt

It is made by the reference of the exercises `optimizer` and `training`, and may be stopped at any time: run the same
command again and it goes on where it was. The text is downloaded when none is given. A core with bfloat16 needs about
an hour (`--bfloat16`), one without about two. What is left in `shakespeare/` is what `transformers` and TransformerLens
read: config.json, model.safetensors (float16), tokenizer.json. The run itself, in a folder of its own, is a checkpoint
and the losses with their curve.
"""

import argparse
import hashlib
import json
import math
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from einops import rearrange
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional as F

from graders.weights.loss_curve import draw_loss_curve, keep_losses
from reference.config import GPTConfig
from reference.gpt import GPT
from reference.loss import uniform_loss, unigram_loss
from reference.optimizer import AdamW, decay_groups, warmup_cosine
from reference.training import Progress, deferred_ctrl_c, get_batch, load_checkpoint, save_checkpoint, train_step

HERE = Path(__file__).parent
TEXT_URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
TEXT_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"

CONFIG = GPTConfig(d_vocab=1024, n_ctx=256, n_layers=6, n_heads=6, d_model=192, d_head=32, d_mlp=768)


@dataclass(frozen=True)
class Plan:
    """How a model is trained."""

    steps: int = 6000
    batch: int = 8
    dropout: float = 0.2
    warmup_steps: int = 150
    max_lr: float = 1.5e-3
    min_lr: float = 5e-5
    weight_decay: float = 0.1
    max_norm: float = 1.0
    evaluate_every: int = 200  # steps
    seed: int = 1623  # the First Folio


def read_text(path: Path | None) -> str:
    """The training text, from a file or downloaded; refused when it is not the text of the model card."""
    data = path.read_bytes() if path else urllib.request.urlopen(TEXT_URL, timeout=60).read()
    found = hashlib.sha256(data).hexdigest()
    if found != TEXT_SHA256:
        raise SystemExit(f"this is not the text of the model card: sha256 {found}, expected {TEXT_SHA256}")
    return data.decode()


def train_tokenizer(text: str, d_vocab: int) -> Tokenizer:
    """Byte-level BPE, as GPT-2 has it, with `<|endoftext|>` as the last id."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        [text],
        trainers.BpeTrainer(
            vocab_size=d_vocab - 1,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


def tie(model: GPT) -> None:
    """Make the unembedding GPT-2's: the token table, and no bias. It is then no parameter of its own."""
    del model.unembed.W_U, model.unembed.b_U

    def use_the_token_table(unembed: nn.Module, _inputs: tuple) -> None:
        unembed.W_U, unembed.b_U = model.embed.W_E.T, torch.zeros(model.cfg.d_vocab)

    model.unembed.register_forward_pre_hook(use_the_token_table)


def add_dropout(model: GPT, dropout: float) -> None:
    """Drop from the embeddings and from what each layer writes, in training mode only."""

    def drop(module: nn.Module, _inputs: tuple, output: Tensor) -> Tensor:
        return F.dropout(output, dropout, module.training)

    def drop_input(module: nn.Module, inputs: tuple[Tensor]) -> Tensor:
        return F.dropout(inputs[0], dropout, module.training)

    model.blocks[0].register_forward_pre_hook(drop_input)
    for block in model.blocks:
        block.attn.register_forward_hook(drop)
        block.mlp.register_forward_hook(drop)


class InBfloat16(nn.Module):
    """A model that multiplies in bfloat16, on a CPU that has it, and gives logits in float32."""

    def __init__(self, model: GPT):
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return self.model(tokens).float()


@torch.no_grad()
def nats_per_character(model: GPT, ids: Tensor, n_characters: int) -> float:
    """Cross-entropy of a text, every token but the first predicted once, over its length in characters.

    The text is cut into windows of n_ctx tokens that do not overlap, so the first tokens of each
    window are predicted from little context: no better figure is made by a better cut.
    """
    was_training = model.training
    model.eval()
    total = 0.0
    for start in range(0, len(ids) - 1, model.cfg.n_ctx):
        window = ids[start : start + model.cfg.n_ctx + 1]
        total += F.cross_entropy(model(window[None, :-1])[0], window[1:], reduction="sum").item()
    model.train(was_training)
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


def gpt2_config(cfg: GPTConfig, dropout: float) -> dict[str, object]:
    """`config.json` as `transformers` reads it."""
    end = cfg.d_vocab - 1
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": cfg.d_vocab,
        "n_positions": cfg.n_ctx,
        "n_ctx": cfg.n_ctx,
        "n_embd": cfg.d_model,
        "n_layer": cfg.n_layers,
        "n_head": cfg.n_heads,
        "n_inner": cfg.d_mlp,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": cfg.layer_norm_eps,
        "resid_pdrop": dropout,
        "embd_pdrop": dropout,
        "attn_pdrop": 0.0,
        "bos_token_id": end,
        "eos_token_id": end,
        "tie_word_embeddings": True,
    }


def write_folder(folder: Path, model: GPT, dropout: float, tokenizer: Tokenizer, history: list[dict]) -> None:
    """Everything a GPT-2-format folder holds, and the history from which the card's curve is drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(to_gpt2(model), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(gpt2_config(model.cfg, dropout), indent=2) + "\n")
    tokenizer.save(str(folder / "tokenizer.json"))
    end = "<|endoftext|>"
    special = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": end, "eos_token": end, "unk_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps(special, indent=2) + "\n")
    write_rows(folder / "training.jsonl", history)


def write_rows(path: Path, rows: list[dict]) -> None:
    """One row a line, as JSON; the file is replaced whole."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text("".join(json.dumps(row) + "\n" for row in rows))
    partial.replace(path)


def read_rows(path: Path) -> list[dict]:
    """The rows of a file; none when there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def train_folder(text: str, cfg: GPTConfig, plan: Plan, out: Path, run: Path, bfloat16: bool = False) -> list[dict]:
    """Train on the first nine tenths of a text, and keep in `out` the model that does best on the rest.

    The steps are those of `reference.training.train`, with an evaluation now and then. What the same call goes on from
    is in the folder `run`, with the loss curve. Returns the history: what each evaluation so far found. Ctrl-C lets a
    step finish, saves, and returns it.
    """
    cut = int(0.9 * len(text))
    tokenizer = train_tokenizer(text[:cut], cfg.d_vocab)
    train_ids, held_out_ids = (torch.tensor(tokenizer.encode(part).ids) for part in (text[:cut], text[cut:]))
    print(f"{len(train_ids):,} tokens to train on, {len(held_out_ids):,} held out; {asdict(cfg)}", flush=True)

    torch.manual_seed(plan.seed)
    model = GPT(cfg)
    tie(model)
    add_dropout(model, plan.dropout)
    stepped = InBfloat16(model) if bfloat16 else model
    optimizer = AdamW(decay_groups(model, plan.weight_decay), lr=plan.max_lr)
    generator = torch.Generator().manual_seed(plan.seed)
    run.mkdir(parents=True, exist_ok=True)
    checkpoint, kept_losses, kept_history = run / "checkpoint.pt", run / "losses.jsonl", run / "history.jsonl"
    first = load_checkpoint(checkpoint, model, optimizer, generator) if checkpoint.exists() else 0
    per_step = plan.batch * cfg.n_ctx
    history = [row for row in read_rows(kept_history) if row["tokens"] <= first * per_step]
    baselines = uniform_loss(cfg.d_vocab), unigram_loss(train_ids, cfg.d_vocab)
    losses = []
    with deferred_ctrl_c() as asked_to_stop, Progress(first, plan.steps, per_step, visible=True) as line:
        for step in range(first, plan.steps):
            for group in optimizer.param_groups:
                group["lr"] = warmup_cosine(step, plan.warmup_steps, plan.steps, plan.max_lr, plan.min_lr)
            x, y = get_batch(train_ids, plan.batch, cfg.n_ctx, generator)
            try:
                losses.append((step, train_step(stepped, optimizer, x, y, plan.max_norm)))
            except ValueError as error:
                raise SystemExit(
                    f"stopped at step {step}: {error}; the last good checkpoint is {checkpoint}"
                ) from error
            line.update(step + 1, losses[-1][1])
            done, stop = step + 1, asked_to_stop()
            is_evaluated = done % plan.evaluate_every == 0 or done == plan.steps
            if not (is_evaluated or stop):
                continue
            all_losses = keep_losses(kept_losses, losses)
            if is_evaluated:
                recent = [loss for taken, loss in all_losses if done - plan.evaluate_every <= taken < done]
                held_out = nats_per_character(model, held_out_ids, len(text) - cut)
                best = min((row["held_out"] for row in history), default=math.inf)
                train_loss = sum(recent) / len(recent)
                history.append({"tokens": done * per_step, "train_nats_per_token": train_loss, "held_out": held_out})
                print(f"\nstep {done}: {held_out:.4f} nats a character held out, best before {best:.4f}", flush=True)
                if held_out < best:
                    write_folder(out, model, plan.dropout, tokenizer, history)
                write_rows(kept_history, history)
            save_checkpoint(checkpoint, model, optimizer, done, generator)
            per_token = (len(text) - cut) / len(held_out_ids)  # characters
            points = [(row["tokens"] // per_step, row["held_out"] * per_token) for row in history]
            draw_loss_curve(run / "loss.png", all_losses, *baselines, points)
            if stop and done < plan.steps:
                print(f"\nstopped after {done} of {plan.steps} steps, saved in {run}: the same command goes on")
                break
    return history


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="tinyshakespeare; downloaded when not given")
    parser.add_argument("--out", type=Path, default=HERE / "shakespeare")
    parser.add_argument("--run", type=Path, default=Path("train-run"), help="the folder a stopped run goes on from")
    parser.add_argument("--bfloat16", action="store_true", help="multiply in bfloat16, on a CPU that has it")
    options = parser.parse_args()
    history = train_folder(read_text(options.text), CONFIG, Plan(), options.out, options.run, options.bfloat16)
    print(f"best: {min((row['held_out'] for row in history), default=math.nan):.4f} nats a character")


if __name__ == "__main__":
    main()
