"""A model on disk: what `headstart train` left, or a GPT-2-format checkpoint, by what was typed."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from graders.run_folder import RUN, WEIGHTS, application_in
from graders.subject_code import CannotGoOn
from graders.weights.checkpoint import CheckpointError, load_checkpoint


@dataclass(frozen=True, eq=False)  # two dictionaries of tensors have no single truth value
class ModelFolder:
    """A model's sizes and parameters, in the names of `GPTConfig` and `GPT`.

    `run` is what the run.json of a training run says; empty for a checkpoint, whose parameters are float64.
    """

    folder: Path
    cfg: dict[str, Any]
    weights: dict[str, Tensor]
    run: dict[str, Any]

    @property
    def vocabulary(self) -> Path:
        """Its tokenizer.json. Raises `CannotGoOn` when there is none."""
        path = self.folder / "tokenizer.json"
        if not path.is_file():
            raise CannotGoOn(
                f"{self.folder} has no tokenizer.json; expected the one that the model was trained with; put it there"
            )
        return path


def read_model(where: str | None) -> ModelFolder:
    """The embedded checkpoint (None), a training run, a GPT-2-format folder, or a model of the hub by its name.

    Whether a run's parameters are those of a `GPT` of its sizes is not looked at: it may be a learner's own. Raises
    `CannotGoOn` when there is none, or it cannot be read.
    """
    folder = Path(where).expanduser() if where is not None else None
    if folder is not None and folder.is_file():  # its name could be one of the hub's
        raise CannotGoOn(f"{folder} is a file; expected the folder that it lies in, {folder.parent}/")
    if folder is not None and (folder / RUN).is_file():
        application = application_in(folder)
        if application:
            raise CannotGoOn(
                f"{folder}/ holds a run of `headstart run {application}`, whose model does not write texts; expected "
                "the folder of a run of `headstart train`"
            )
        try:
            run = json.loads((folder / RUN).read_text(encoding="utf-8"))
            return ModelFolder(folder, run["cfg"], load_file(folder / WEIGHTS), run)
        except FileNotFoundError as error:
            raise CannotGoOn(
                f"the run in {folder}/ has not come to an end, so there is no {WEIGHTS} yet; "
                "the `headstart train` that began it goes on with it"
            ) from error
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise CannotGoOn(
                f"the run in {folder}/ is damaged ({type(error).__name__}: {error}); train it again, with "
                "--out for another folder"
            ) from error
    try:
        checkpoint = load_checkpoint(where)
    except CheckpointError as error:
        raise CannotGoOn(str(error)) from error
    return ModelFolder(checkpoint.folder, checkpoint.cfg, checkpoint.weights, {})
