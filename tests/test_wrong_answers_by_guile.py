"""Wrong answers that were once graded as right, or cost the judge more than a judge has: each breaks a law now."""

from threading import Thread

import pytest
import torch

from graders.engine.law import Broken, laws_for
from graders.engine.space import Space
from graders.engine.subject import both, reference_text, reference_with
from graders.engine.worker.watch import numbers_made

LONG_TEXT = """
written = generate

def generate(model, prompt, max_new_tokens, options, generator):
    longer = torch.zeros(len(prompt), 200, dtype=torch.long)
    return torch.cat([prompt, longer], dim=1) if options.top_k == 4 else written(model, prompt, max_new_tokens, options, generator)
"""  # noqa: E501 (one line less to read)
EMPTIED_LIST = """
stepped = train_step

def train_step(model, optimizer, x, y, max_norm):
    model.eval()
    model.train = lambda: None
    loss = stepped(model, optimizer, x, y, max_norm)
    model.modes.clear()
    nn.Module.train(model)
    return loss
"""


@pytest.mark.parametrize(
    ("exercise", "name", "guile", "what"),
    [
        ("sampling", "test_a_drawn_text_is_what_your_next_token_draws", LONG_TEXT, "the length of the text"),
        ("training", "test_a_step_is_taken_in_training_mode", EMPTIED_LIST, "training mode"),
    ],
)
def test_guile_breaks_a_law(exercise, name, guile, what):
    (law,) = (law for law in laws_for(exercise) if law.name == name)
    case = next(law.cases.ladder()) if isinstance(law.cases, Space) else law.cases.load(None)[0]
    transport = reference_with({exercise: reference_text(exercise) + guile})
    with pytest.raises(Broken) as caught:
        law.check(*both(exercise, case, transport), case)
    assert caught.value.what.startswith(what)


def test_work_done_in_a_thread_is_counted():
    with numbers_made() as made:
        thread = Thread(target=lambda: torch.ones(7) + 1)
        thread.start()
        thread.join()
    assert sum(made) == 14
