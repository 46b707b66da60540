"""How fast the exported graph writes: tokens a second in ONNX Runtime over the reference's own, both with their cache.

    python benchmarks/web.py [--pairs 5]

The embedded checkpoint in float32, one text, greedy, both on one thread, since a browser gives a page one. The two take
turns, and what is printed is the median, over pairs of runs, of the ratio of their tokens a second. What is left of it
in a browser, whose ONNX Runtime is WebAssembly, the page Explorer says of itself.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import onnxruntime
import torch

from graders.model_folder import read_model
from graders.web.export import MODEL, web_model
from reference.caching import CachedGPT, generate_cached
from reference.config import GPTConfig
from reference.sampling import SamplingOptions

PROMPT, NEW = 16, 200  # tokens

Writer = Callable[[torch.Tensor, int], list[int]]


def writers() -> tuple[Writer, Writer]:
    """Two functions that continue a prompt (1, seq) by so many tokens: by the exported graph, and by the reference."""
    found = read_model(None)
    cfg = GPTConfig(**found.cfg)
    model = CachedGPT(cfg)
    model.load_state_dict(found.weights)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    graph = web_model(found, None).files[MODEL]
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    nothing = np.zeros((cfg.n_layers, 1, cfg.n_heads, 0, cfg.d_head), np.float32)

    def exported(prompt: torch.Tensor, n: int) -> list[int]:
        written, unread, keys, values = [], prompt.numpy(), nothing, nothing
        for _ in range(n):
            feeds = {"tokens": unread, "past_keys": keys, "past_values": values}
            logits, keys, values = session.run(["logits", "keys", "values"], feeds)
            unread = logits[:, -1:].argmax(-1)
            written.append(int(unread[0, 0]))
        return written

    def reference(prompt: torch.Tensor, n: int) -> list[int]:
        return generate_cached(model, prompt, n, SamplingOptions(temperature=0.0), None)[0, -n:].tolist()

    return exported, reference


def rate(write: Writer, prompt: torch.Tensor) -> float:
    """Tokens a second."""
    began = time.perf_counter()
    write(prompt, NEW)
    return NEW / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs of which the median is taken")
    pairs = parser.parse_args().pairs
    torch.set_num_threads(1)
    exported, reference = writers()
    prompt = torch.randint(1024, (1, PROMPT), generator=torch.Generator().manual_seed(1))
    texts = [write(prompt, NEW) for write in (exported, reference)]  # and both are warm
    same = statistics.mean(one == other for one, other in zip(*texts, strict=True))
    rates = [(rate(exported, prompt), rate(reference, prompt)) for _ in range(pairs)]
    ratio = statistics.median(one / other for one, other in rates)
    graph, torchs = (statistics.median(side) for side in zip(*rates, strict=True))
    print(
        f"{ratio:5.2f}  the exported graph, {graph:,.0f} tokens/s, over the reference, {torchs:,.0f}, one thread each; "
        f"{same:.0%} of the tokens agree"
    )


if __name__ == "__main__":
    main()
