"""What every picture starts from: a sentence, the embedded checkpoint, TransformerLens's numbers, and whom to ask."""

from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from graders.engine.script import Story, told
from graders.engine.transport import Transport
from graders.engine.wording import kind_of
from graders.engine.worker.messages import ModuleRequest, Reply, Request
from graders.subject_code import CannotGoOn, Subject
from graders.weights.activations import activations
from graders.weights.checkpoint import Checkpoint

MAX_TOKENS = 32  # more do not fit on a phone
SECONDS = 10.0  # what one call may take; a whole GPT takes a tenth of one


class Unfit(ValueError):
    """A text that cannot be drawn, and what could be, in one line."""


@dataclass(frozen=True)
class Scene:
    """One sentence, as the checkpoint reads it, and the subject that is looked at."""

    whose: Subject
    transport: Transport
    checkpoint: Checkpoint
    text: str
    tokens: Tensor  # (1, seq)
    computed: dict[str, Tensor]  # by TransformerLens, by its names, float64
    tokenizer: Tokenizer

    @property
    def names(self) -> list[str]:
        """The text of each token, (seq)."""
        return [self.decoded(i) for i in self.tokens[0].tolist()]

    def decoded(self, token: int) -> str:
        """The text of one token."""
        return self.tokenizer.decode([token], skip_special_tokens=False)

    @property
    def n_layers(self) -> int:
        return self.checkpoint.cfg["n_layers"]

    def module(self, exercise: str, task: str, weights: dict[str, Tensor], *args: Tensor) -> dict[str, Tensor]:
        """What the subject's module took and returned inside, and its result under the key ''.

        Raises `CannotGoOn` when the call fails or does not return a tensor.
        """
        made = ModuleRequest(self.checkpoint.cfg, weights)
        reply = self._ask(Request(exercise, task, args, module=made, record=True, seconds=SECONDS))
        return reply.recorded | {"": self._tensor(reply.value, exercise, task)}

    def call(self, exercise: str, task: str, *args: Any) -> Tensor:
        """What the subject's function returns. Raises `CannotGoOn` when it fails or does not return a tensor."""
        return self._tensor(self._ask(Request(exercise, task, args, seconds=SECONDS)).value, exercise, task)

    def tell(self, exercise: str, story: Story, task: str) -> Any:
        """What a story comes to, in which most is of `task`. Raises `CannotGoOn` when one of its steps fails."""
        steps, result = told(story)
        return self._ask(Request(exercise, "", steps=steps, result=result, seconds=SECONDS), task).value

    def _ask(self, request: Request, task: str = "") -> Reply:
        reply = self.transport.ask(request)
        if reply.failure:
            raise self.whose.failed(reply.failure, request.exercise, request.task or task)
        return reply

    def _tensor(self, value: Any, exercise: str, task: str) -> Tensor:
        if isinstance(value, Tensor) and value.dtype != torch.bool:
            return value.double()
        raise CannotGoOn(
            f"{task} in {self.whose.name}/{exercise}.py returned {kind_of(value)}; expected a tensor of numbers; "
            f"`pytest graders/test_{exercise}.py` says more"
        )


def read_scene(whose: Subject, transport: Transport, checkpoint: Checkpoint, text: str) -> Scene:
    """The scene of a text. Raises `Unfit` when it has too few tokens or too many."""
    tokenizer = Tokenizer.from_file(str(checkpoint.folder / "tokenizer.json"))
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    if not 2 <= len(ids) <= MAX_TOKENS:
        raise Unfit(f"--text is {len(ids)} token{'s' * (len(ids) != 1)}; expected 2 to {MAX_TOKENS}")
    computed = activations(checkpoint, text)
    return Scene(whose, transport, checkpoint, text, torch.tensor([ids]), computed, tokenizer)
