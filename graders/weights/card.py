"""Writes the model card of the embedded checkpoint: its figures, its loss curve, and what it says.

    python -m graders.weights.card --text tinyshakespeare.txt

Run it after `graders.weights.train`, and `graders.weights.activations` after both.
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer

from graders.weights.checkpoint import EMBEDDED, Checkpoint, load_checkpoint
from graders.weights.loss_curve import figure
from graders.weights.train import CONFIG, TEXT_SHA256, TEXT_URL, nats_per_character, read_text
from reference.config import GPTConfig
from reference.gpt import GPT, count_parameters
from reference.sampling import SamplingOptions, generate

FIXTURE = Path(__file__).parents[2] / "tests" / "fixtures" / "own_text.txt"
FIGURES = "figures.json"
CURVE = "loss.svg"
PROMPTS = ("ROMEO:\n", "First Citizen:\nWe are", "To be, or")
TEMPERATURE, NEW_TOKENS = 0.8, 80


def model_of(checkpoint: Checkpoint) -> GPT:
    """The checkpoint as the reference's `GPT`, in float32."""
    model = GPT(GPTConfig(**checkpoint.cfg))
    model.load_state_dict(checkpoint.weights)
    return model.eval()


def loss_on(text: str, checkpoint: Checkpoint) -> float:
    """Nats a character of a text under a checkpoint with a tokenizer."""
    ids = Tokenizer.from_file(str(checkpoint.folder / "tokenizer.json")).encode(text).ids
    return nats_per_character(model_of(checkpoint), torch.tensor(ids), len(text))


def continued(prompt: str, checkpoint: Checkpoint) -> str:
    """The prompt and a seeded continuation of it."""
    tokenizer = Tokenizer.from_file(str(checkpoint.folder / "tokenizer.json"))
    ids, options = torch.tensor([tokenizer.encode(prompt).ids]), SamplingOptions(temperature=TEMPERATURE)
    generator = torch.Generator().manual_seed(1)
    return tokenizer.decode(generate(model_of(checkpoint), ids, NEW_TOKENS, options, generator)[0].tolist())


def draw_curve(history: list[dict], path: Path) -> None:
    """The held-out loss over training, with the goal drawn in."""
    with figure(path, "million tokens seen", "nats a character, held out", size=(6, 3.2)) as axes:
        axes.plot([row["tokens"] / 1e6 for row in history], [row["held_out"] for row in history], marker=".")
        axes.axhline(1.60, linestyle=":", color="grey")
        axes.annotate("goal: 1.60", (0.4, 1.605), color="grey")


def card(figures: dict[str, float], history: list[dict], samples: list[str]) -> str:
    """The text of the card."""
    said = "\n\n".join(f"```\n{sample.strip()}\n```" for sample in samples)
    return f"""# The embedded checkpoint

A GPT-2 of {count_parameters(CONFIG) - CONFIG.d_model * CONFIG.d_vocab - CONFIG.d_vocab:,} parameters that speaks
like Shakespeare, in GPT-2's format: `config.json`, `model.safetensors` (float16), `tokenizer.json` (byte-level BPE).
It is here so that a learner's model meets real weights offline.

| | |
|---|---|
| layers, heads, width, context | {CONFIG.n_layers}, {CONFIG.n_heads}, {CONFIG.d_model}, {CONFIG.n_ctx} |
| vocabulary | {CONFIG.d_vocab}, trained on the first 90% of the text only |
| text | [tinyshakespeare]({TEXT_URL}), public domain, sha256 `{TEXT_SHA256}` |
| tokens seen up to the kept weights | {history[-1]["tokens"]:,} |
| loss on the last 10% of the text, never trained on | **{figures["held_out"]:.3f} nats a character** |
| loss on `tests/fixtures/own_text.txt`, written for this project | {figures["fixture"]:.3f} nats a character |

Both losses are of the committed float16 weights, computed in float32 over windows of {CONFIG.n_ctx} tokens that do not
overlap; a test recomputes them. For comparison, nanoGPT publishes 1.88 for its CPU setting on the same text (a
smaller model over single characters).

![Held-out loss over training]({CURVE})

Trained by `python -m graders.weights.train --bfloat16`: the GPT, the AdamW and the training step of `reference/`, with
dropout from forward hooks. The weights of the lowest held-out loss are kept, so that figure is slightly flattered: it
chose the moment to stop. Card: `python -m graders.weights.card`.

It is good for checking models and for fun. It knows no facts, and it was never made safe.

## What it says

Temperature {TEMPERATURE}, seed 1, {NEW_TOKENS} tokens, not picked.

{said}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="tinyshakespeare; downloaded when not given")
    options = parser.parse_args()
    text, checkpoint = read_text(options.text), load_checkpoint(None)
    figures = {
        "held_out": loss_on(text[int(0.9 * len(text)) :], checkpoint),
        "fixture": loss_on(FIXTURE.read_text(encoding="utf-8"), checkpoint),
    }
    history = [json.loads(line) for line in (EMBEDDED / "training.jsonl").read_text().splitlines()]
    (EMBEDDED / FIGURES).write_text(json.dumps(figures, indent=2) + "\n")
    draw_curve(history, EMBEDDED / CURVE)
    samples = [continued(prompt, checkpoint) for prompt in PROMPTS]
    (EMBEDDED / "README.md").write_text(card(figures, history, samples), encoding="utf-8")


if __name__ == "__main__":
    main()
