"""The distribution of the next token before and after each filter, and what each of them cuts.

The logits are TransformerLens's, so that only the sampling is the learner's; every filter works on what the learner's
filter before it returned, and is held to the reference's chain.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graders.see.compared import listed, plain
from graders.see.page import Picture
from graders.see.scene import Scene
from graders.subject_code import CannotGoOn
from reference import sampling

N_SHOWN = 14  # tokens with a bar of their own


@dataclass(frozen=True)
class Filters:
    """What the filters are set to, by the names of `SamplingOptions`."""

    frequency_penalty: float = 0.5
    temperature: float = 0.8
    top_k: int = 12
    top_p: float = 0.9

    def in_order(self, tokens: Tensor) -> list[tuple[str, str, tuple[Any, ...]]]:
        """Each filter: how it is said, its function, and what the function takes after the logits."""
        penalty = self.frequency_penalty
        return [
            (f"frequency penalty {penalty:g}", "apply_frequency_penalty", (tokens, penalty)),
            (f"temperature {self.temperature:g}", "apply_temperature", (self.temperature,)),
            (f"top-k {self.top_k}", "top_k_filter", (self.top_k,)),
            (f"top-p {self.top_p:g}", "top_p_filter", (self.top_p,)),
        ]


def see_sampling(scene: Scene, filters: Filters) -> Picture:
    """The picture of sampling. Raises `CannotGoOn` when not even the first filter can be drawn."""
    model = scene.computed["unembed.hook_out"][:, -1]
    chain, missing = [("the model", "", model, model)], ""
    yours = expected = model
    for said, name, args in filters.in_order(scene.tokens):
        expected = getattr(sampling, name)(expected, *args)
        try:
            yours = scene.call("sampling", name, yours, *args)
            if yours.shape != expected.shape:
                raise CannotGoOn(
                    f"{name} in {scene.whose.name}/sampling.py returned shape {tuple(yours.shape)}; expected "
                    f"{tuple(expected.shape)}; `pytest graders/test_sampling.py` says more"
                )
        except CannotGoOn as stopped:
            if len(chain) == 1:
                raise
            missing = str(stopped)
            break
        chain.append((said, name, yours, expected))
    ids = shown_ids([yours for _said, _name, yours, _expected in chain])
    steps = [_step(ids, before[2], *step) for before, step in zip([chain[0], *chain], chain, strict=False)]
    verdict, is_equal = _verdict(steps)
    verdict = f"so far {verdict}" if missing else verdict
    return Picture(
        "sampling.js",
        "From logits to the next token",
        "Every filter takes probability from some tokens and shares it out among the rest. Look at who is cut, and at "
        "how much probability goes with them.",
        verdict,
        is_equal,
        {"tokens": scene.names, "shown": [scene.decoded(i) for i in ids], "d_vocab": model.shape[1], "steps": steps},
        missing=missing,
    )


def shown_ids(chain: list[Tensor]) -> list[int]:
    """The tokens with bars of their own, from the model's likeliest down: its own, and those likeliest at the end."""
    first, last = chain[0][0], chain[-1][0].nan_to_num(-torch.inf, -torch.inf, -torch.inf)
    survivors = [i for i in last.topk(N_SHOWN // 3).indices.tolist() if not last[i].isneginf()]
    return sorted({*first.topk(N_SHOWN).indices.tolist(), *survivors}, key=lambda i: -first[i].item())


def _step(ids: list[int], before: Tensor, said: str, name: str, yours: Tensor, expected: Tensor) -> dict[str, Any]:
    """One filter as it is drawn; probabilities are of `ids`, and of all other tokens together."""
    share, right, was = (logits[0].double().softmax(dim=-1) for logits in (yours, expected, before))
    cut = yours[0].isneginf() & ~before[0].isneginf()
    others = torch.ones_like(cut)
    others[ids] = False
    wrong = ~torch.isclose(yours[0].double(), expected[0].double(), atol=1e-9, rtol=1e-9)
    return {
        "name": said,
        "function": name,
        "shares": listed(share[ids]),
        "expected": listed(right[ids]),
        "kept": (~yours[0].isneginf())[ids].tolist(),
        "wrong": wrong[ids].tolist(),
        "n_wrong": int(wrong.sum()),
        "others": plain(share[others].sum().item()),
        "others_expected": plain(right[others].sum().item()),
        "n_others": int((others & ~yours[0].isneginf()).sum()),
        "n_kept": int((~yours[0].isneginf()).sum()),
        "n_cut": int(cut.sum()),
        "cut": plain(was[cut].sum().item()),
    }


def _verdict(steps: list[dict[str, Any]]) -> tuple[str, bool]:
    last = ""
    for step in steps[1:]:
        if step["n_wrong"]:
            begin = f"equal up to {last}; " if last else ""
            where = "1 token" if step["n_wrong"] == 1 else f"{step['n_wrong']} tokens"
            return f"{begin}{step['function']} is the first to differ, at {where}", False
        last = step["function"]
    return f"equal to the reference after every filter, up to {last}", True
