"""Known mistakes in training: each a patch on `reference/training.py` that makes it."""

from graders.engine.misconception import Misconception

POSSIBLE = "if batch < 1 or not 1 <= n_ctx < len(data):"
STARTS = "starts = torch.randint(len(data) - n_ctx, (batch, 1), generator=generator)"
PLACES = "places = starts + torch.arange(n_ctx)"
PAIR = "return data[places], data[places + 1]"

TRAINING = "    model.train()\n    optimizer.zero_grad()\n"
LOSS = "loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())"
CLIPPED = "norm = clip_grad_norm(model.parameters(), max_norm)"
FINITE = "    if not (loss + norm).isfinite():\n"
REFUSED = (
    '        raise ValueError(f"the loss is {loss.item()}, '
    "the gradients' norm {norm.item()}; expected finite numbers\")\n"
)
STEP = "    # 5. The step\n    optimizer.step()\n    return loss.item()\n"

SOME = "    if n_batches < 1:\n"
EVALUATION = "    model.eval()\n"
WITHOUT_GRADIENTS = "        with torch.no_grad():\n"
BATCHES = "for _ in range(n_batches):"
SCORED = "losses.append(F.cross_entropy(model(x).flatten(0, 1), y.flatten()).item())"
DRAWN = f"                x, y = get_batch(data, batch, n_ctx, generator)\n                {SCORED}\n"
BACK = "        model.train(was_training)\n"
MEAN = "return sum(losses) / n_batches"

STATE = 'state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}'
GENERATORS = '{"generator": generator.get_state(), "global_generator": torch.get_rng_state()}'
PARTIAL = 'partial = Path(f"{os.fspath(path)}.partial")'
SYNCED = "            os.fsync(file.fileno())\n"
RENAMED = "        partial.replace(path)\n    finally:\n        partial.unlink(missing_ok=True)\n"

OPENED = '    with Path(path).open("rb") as file:\n        try:\n            # 1.'
READ = "state = torch.load(file, weights_only=True)"
MODEL = "            model.load_state_dict(theirs)\n"
OPTIMIZER = '            optimizer.load_state_dict(state["optimizer"])\n'
GENERATOR = "            generator.set_state(drawn)\n"
GLOBAL = "            torch.set_rng_state(dropped)\n"
NEXT = "return step\n"
FITS = "if theirs.keys() != ours.keys() or any(theirs[name].shape != ours[name].shape for name in ours):"
DAMAGE = "except Exception as error:"
NAMED = 'f"{path} is no whole checkpoint of this model and optimizer: {error}"'

ADAMW = "optimizer = AdamW(decay_groups(model, weight_decay), lr=max_lr)"
SEEDED = "generator = torch.Generator().manual_seed(seed)"
RESUMED = "        first = load_checkpoint(checkpoint, model, optimizer, generator)\n"
CTRL_C = "with deferred_ctrl_c() as ctrl_c_came,"
IMPORTED = "from contextlib import contextmanager"
LOOP = "for step in range(first, steps):"
GROUPS = "for group in optimizer.param_groups:"
RATE = 'group["lr"] = warmup_cosine(step, warmup_steps, steps, max_lr, min_lr)'
TAKEN = "loss = train_step(model, optimizer, x, y, max_norm)"
BATCH = f"            x, y = get_batch(data, batch, n_ctx, generator)\n            try:\n                {TAKEN}"
STOPPED = (
    "            except ValueError as error:\n"
    '                raise ValueError(f"stopped at step {step}: {error}; '
    'the last checkpoint: {checkpoint}") from error\n'
)
KEPT = "losses.append((step, loss))"
ASKED = "done, stop = step + 1, ctrl_c_came()"
TIME = "if checkpoint is not None and (stop or done == steps or done % max(1, steps // 20) == 0):"
SAVED = "save_checkpoint(checkpoint, model, optimizer, done, generator)"
SAID = '                sys.stderr.write(f"\\nstopped after {done} of {steps} steps, {where}\\n")\n'

MISCONCEPTIONS = (
    # get_batch
    Misconception(
        "y_is_x",
        "get_batch",
        ((PAIR, "return data[places], data[places]"),),
        "y is not shifted: it holds the same tokens as x, and a model learns to copy its input.",
        "Which token should the model predict after it has read x[:, 0]?",
    ),
    Misconception(
        "y_one_earlier",
        "get_batch",
        ((PAIR, "return data[places], data[places - 1]"),),
        "y is shifted the wrong way: it holds the token before each token of x.",
        "In a text 3, 1, 4, what follows the 1?",
    ),
    Misconception(
        "y_two_later",
        "get_batch",
        ((PAIR, "return data[places], data[(places + 2).clamp(max=len(data) - 1)]"),),
        "y is two tokens later than x: it was shifted twice.",
        "In a text 3, 1, 4, what follows the 3?",
    ),
    Misconception(
        "y_is_only_the_token_after_the_window",
        "get_batch",
        ((PAIR, "return data[places], data[places[:, -1] + 1]"),),
        "y holds one token a row, the one after the window; every position of x has a next token.",
        "How many predictions does a model make in one pass over n_ctx tokens?",
    ),
    Misconception(
        "last_window_never_drawn",
        "get_batch",
        ((STARTS, STARTS.replace("len(data) - n_ctx,", "len(data) - n_ctx - 1,")),),
        "The last window is never drawn, so the last token of the text is never predicted.",
        "With 4 tokens and n_ctx 3, how many windows are there, and does randint's upper limit count?",
    ),
    Misconception(
        "first_window_never_drawn",
        "get_batch",
        ((STARTS, STARTS.replace("randint(len", "randint(min(1, len(data) - n_ctx - 1), len")),),
        "The first window is never drawn, unless it is the only one: starts are counted from 1.",
        "Where does the first window start?",
    ),
    Misconception(
        "window_reaches_past_the_end",
        "get_batch",
        ((STARTS, STARTS.replace("len(data) - n_ctx,", "len(data) - n_ctx + 1,")),),
        "A window can be drawn that ends with the text, so that its y reaches past the end.",
        "Where is the last token of y when x ends with the last token of the text?",
    ),
    Misconception(
        "windows_wrap_around",
        "get_batch",
        (
            (STARTS, STARTS.replace("len(data) - n_ctx,", "len(data),")),
            (PAIR, "return data[places % len(data)], data[(places + 1) % len(data)]"),
        ),
        "Windows run over the end of the text and go on at its beginning.",
        "Does the first word of a text follow its last?",
    ),
    Misconception(
        "one_window_for_all_rows",
        "get_batch",
        ((STARTS, STARTS.replace("(batch, 1)", "(1, 1)") + ".expand(batch, 1)"),),
        "All rows of a batch are the same window.",
        "How many starts does your code draw for a batch of 8?",
    ),
    Misconception(
        "windows_never_overlap",
        "get_batch",
        ((STARTS, "starts = n_ctx * torch.randint((len(data) - 1) // n_ctx, (batch, 1), generator=generator)"),),
        "Windows start only at multiples of n_ctx, so most windows are never drawn.",
        "May a window start at token 1?",
    ),
    Misconception(
        "windows_without_replacement",
        "get_batch",
        ((STARTS, "starts = torch.randperm(len(data) - n_ctx, generator=generator)[:batch].unsqueeze(1)"),),
        "The windows of a batch are drawn without putting any back: rows depend on each other, and may run out.",
        "A text with one window, a batch of two: what should the rows be?",
    ),
    Misconception(
        "tokens_drawn_one_by_one",
        "get_batch",
        ((STARTS, STARTS.replace("(batch, 1)", "(batch, n_ctx)")), (PLACES, "places = starts")),
        "Each token of x is drawn by itself; a window is n_ctx tokens that follow each other.",
        "How many random numbers does one row need?",
    ),
    Misconception(
        "batch_last",
        "get_batch",
        ((PAIR, "return data[places.T], data[places.T + 1]"),),
        "The axes are swapped: x is (n_ctx, batch), with a window in each column.",
        "Does GPT read (batch, seq) or (seq, batch)?",
    ),
    Misconception(
        "windows_one_too_short",
        "get_batch",
        ((PAIR, "return data[places[:, :-1]], data[places[:, 1:]]"),),
        "x and y are n_ctx - 1 tokens wide: both were cut from n_ctx tokens.",
        "How many tokens of the text do x and y cover together?",
    ),
    Misconception(
        "windows_one_too_long",
        "get_batch",
        ((PAIR, "return torch.cat([data[places], data[places[:, -1:] + 1]], dim=1), data[places + 1]"),),
        "x holds n_ctx + 1 tokens: its last is the one that y is there to tell.",
        "Which of the n_ctx + 1 tokens is no part of x?",
    ),
    Misconception(
        "global_generator_in_batches",
        "get_batch",
        ((STARTS, "starts = torch.randint(len(data) - n_ctx, (batch, 1))"),),
        "The generator that is passed in is not used: PyTorch's global one is.",
        "If two runs seed their generators alike, will they see the same batches?",
    ),
    Misconception(
        "generator_copied",
        "get_batch",
        ((STARTS, STARTS.replace("=generator)", "=torch.Generator().set_state(generator.get_state()))")),),
        "The generator stays where it was, so every call draws the same batch.",
        "What do two calls with the same generator, one after the other, return?",
    ),
    Misconception(
        "short_data_by_one",
        "get_batch",
        ((POSSIBLE, "if batch < 1 or not 1 <= n_ctx <= len(data):"),),
        "A text of n_ctx tokens is not refused, though it has no window with a y.",
        "How many tokens do x and y cover together?",
    ),
    Misconception(
        "short_data_not_refused",
        "get_batch",
        ((POSSIBLE, "if batch < 1 or n_ctx < 1:"),),
        "A text that is too short is not refused with a ValueError.",
        "What should happen with 3 tokens and n_ctx 8?",
    ),
    Misconception(
        "empty_batch_not_refused",
        "get_batch",
        ((POSSIBLE, "if n_ctx >= len(data):"),),
        "A batch or an n_ctx of 0 is not refused with a ValueError.",
        "What is the mean loss of no tokens?",
    ),
    Misconception(
        "own_generator_drawn_from_as_well",
        "get_batch",
        ((STARTS, f"{STARTS}\n    torch.randperm(batch)"),),
        "PyTorch's own generator is drawn from as well, so that getting a batch changes what dropout drops next.",
        "Which of your random numbers do not come from `generator`?",
    ),
    # train_step
    Misconception(
        "gradients_not_cleared",
        "train_step",
        ((TRAINING, "    model.train()\n"),),
        "The gradients of earlier steps are not cleared: each backward adds to them.",
        "What is in .grad at the start of the second step?",
    ),
    Misconception(
        "mode_left_as_it_was",
        "train_step",
        ((TRAINING, "    optimizer.zero_grad()\n"),),
        "The model is not put into training mode: after an evaluation there is no dropout any more.",
        "In which mode is the model when someone has called model.eval() before?",
    ),
    Misconception(
        "only_the_model_s_own_mode_is_set",
        "train_step",
        ((TRAINING, TRAINING.replace("model.train()", "model.training = True")),),
        "The mode of the model itself is set, and not that of the modules in it: its dropout stays as it was.",
        "Which module reads `training` when something is dropped?",
    ),
    Misconception(
        "stepped_in_evaluation_mode",
        "train_step",
        ((TRAINING, TRAINING.replace("train()", "eval()")),),
        "The step is taken in evaluation mode.",
        "Which mode switches dropout on?",
    ),
    Misconception(
        "left_in_evaluation_mode",
        "train_step",
        ((STEP, STEP.replace("    return", "    model.eval()\n    return")),),
        "The model is left in evaluation mode after the step.",
        "In which mode does the next step begin?",
    ),
    Misconception(
        "not_clipped",
        "train_step",
        ((CLIPPED, "norm = clip_grad_norm(model.parameters(), float('inf'))"),),
        "The gradients are not clipped, or only after the step was taken with them.",
        "In which order do backward, clipping and step come?",
    ),
    Misconception(
        "clipped_one_by_one",
        "train_step",
        (
            (
                CLIPPED,
                "norm = torch.stack([clip_grad_norm([p], max_norm) for p in model.parameters()]).norm()",
            ),
        ),
        "Each parameter's gradient is clipped on its own, which turns the direction of the whole.",
        "How many norms are there for the gradient of a model?",
    ),
    Misconception(
        "clipped_by_value",
        "train_step",
        (
            (
                CLIPPED,
                "norm = clip_grad_norm(model.parameters(), float('inf'))\n"
                "    for parameter in model.parameters():\n"
                "        parameter.grad.clamp_(-max_norm, max_norm)",
            ),
        ),
        "Each number of the gradient is cut to max_norm, instead of all being shortened by one factor.",
        "Is max_norm a limit for each number, or for the length of them all?",
    ),
    Misconception(
        "clipped_to_one",
        "train_step",
        ((CLIPPED, "norm = clip_grad_norm(model.parameters(), 1.0)"),),
        "The gradients are clipped to 1, whatever max_norm says.",
        "Where does your code use max_norm?",
    ),
    Misconception(
        "shifted_again",
        "train_step",
        ((LOSS, "loss = F.cross_entropy(model(x)[:, :-1].flatten(0, 1), y[:, 1:].flatten())"),),
        "The loss shifts y once more, though get_batch has shifted it already.",
        "Which position of y belongs to the logits at position 0?",
    ),
    Misconception(
        "step_scored_against_x",
        "train_step",
        ((LOSS, "loss = F.cross_entropy(model(x).flatten(0, 1), x.flatten())"),),
        "The loss is taken against x: the model learns to repeat what it has just read.",
        "What do the logits at a position predict?",
    ),
    Misconception(
        "last_position_only",
        "train_step",
        ((LOSS, "loss = F.cross_entropy(model(x)[:, -1], y[:, -1])"),),
        "Only the last position of each row is scored.",
        "How many predictions does the model make in one row?",
    ),
    Misconception(
        "loss_summed",
        "train_step",
        ((LOSS, LOSS.replace("y.flatten())", 'y.flatten(), reduction="sum")')),),
        "The loss is the sum over all positions, not their mean.",
        "Should a batch twice as large have a loss twice as large?",
    ),
    Misconception(
        "loss_summed_over_rows",
        "train_step",
        ((LOSS, f"{LOSS} * len(x)"),),
        "The loss is averaged over each row, and then summed over the rows.",
        "Should a batch twice as large have a loss twice as large?",
    ),
    Misconception(
        "probabilities_as_logits",
        "train_step",
        ((LOSS, LOSS.replace("model(x)", "model(x).softmax(-1)")),),
        "The cross-entropy is given probabilities, and applies a softmax to them once more.",
        "Does cross_entropy expect logits or probabilities?",
    ),
    Misconception(
        "rows_and_positions_crossed",
        "train_step",
        ((LOSS, LOSS.replace("model(x)", "model(x).transpose(0, 1)")),),
        "The logits and y are flattened in different orders: one row after another, one position after another.",
        "After flattening, which token does the second row of logits predict?",
    ),
    Misconception(
        "token_0_ignored",
        "train_step",
        ((LOSS, LOSS.replace("y.flatten())", "y.flatten(), ignore_index=0)")),),
        "Token 0 is left out of the loss, as if it were padding; here it is a token like any other.",
        "Is there padding in a batch of whole windows?",
    ),
    Misconception(
        "no_step",
        "train_step",
        ((STEP, STEP.replace("    optimizer.step()\n", "")),),
        "Nothing moves: the optimizer is not asked to step, or the gradients are cleared before it does.",
        "When the optimizer steps, which gradients does it find?",
    ),
    Misconception(
        "loss_kept_with_its_graph",
        "train_step",
        ((STEP, STEP.replace("loss.item()", "loss")),),
        "The loss is returned as a tensor with its graph; a list of such losses keeps the graph of every step.",
        "What does a tensor that requires gradients hold on to?",
    ),
    Misconception(
        "loss_after_the_step",
        "train_step",
        ((STEP, STEP.replace("loss.item()", LOSS.removeprefix("loss = ") + ".item()")),),
        "The loss that is returned is that after the step, at the price of a second pass.",
        "Which loss did the gradient come from?",
    ),
    Misconception(
        "perplexity_of_a_step",
        "train_step",
        ((STEP, STEP.replace("loss.item()", "loss.exp().item()")),),
        "The perplexity is returned: e to the power of the loss.",
        "In which unit is the loss asked for?",
    ),
    Misconception(
        "elements_checked_for_the_norm",
        "train_step",
        (
            (CLIPPED, f"finite = all(p.grad.isfinite().all() for p in model.parameters())\n    {CLIPPED}"),
            (FINITE, "    if not (finite and loss.isfinite()):\n"),
        ),
        "The elements of the gradient are checked, and not its norm, which can be infinite when every one is finite.",
        "What is the square of 1e200 in float64?",
    ),
    Misconception(
        "nan_not_refused",
        "train_step",
        ((FINITE + REFUSED, ""),),
        "A loss that is NaN is not refused: the step turns every parameter into NaN.",
        "What does one NaN in the gradients do to the parameters?",
    ),
    Misconception(
        "nan_refused_too_late",
        "train_step",
        (
            (FINITE + REFUSED, ""),
            (STEP, STEP.replace("    return", FINITE + REFUSED + "    return")),
        ),
        "A loss that is NaN is refused only after the step, when the parameters are ruined.",
        "What must have been checked before optimizer.step()?",
    ),
    Misconception(
        "only_the_loss_is_checked",
        "train_step",
        ((FINITE, FINITE.replace("(loss + norm)", "loss")),),
        "Only the loss is checked; a gradient can be infinite when the loss is not.",
        "What does clipping make of an infinite norm?",
    ),
    Misconception(
        "only_nan_is_refused",
        "train_step",
        ((FINITE, "    if (loss + norm).isnan():\n"),),
        "NaN is refused and infinity is not, though a step by it ends in NaN as well.",
        "What is infinity times 0?",
    ),
    Misconception(
        "bad_step_skipped_in_silence",
        "train_step",
        ((REFUSED, "        return loss.item()\n"),),
        "A step that cannot be taken is skipped in silence.",
        "Who will learn that every step since Tuesday was skipped?",
    ),
    # evaluate
    Misconception(
        "eval_never_undone",
        "evaluate",
        ((BACK, "        pass\n"),),
        "The model stays in evaluation mode: training goes on without dropout.",
        "Who calls model.train() after your evaluation?",
    ),
    Misconception(
        "always_back_to_training",
        "evaluate",
        ((BACK, "        model.train()\n"),),
        "The model is put into training mode whatever mode it was in before.",
        "What if a finished model, in evaluation mode, is evaluated?",
    ),
    Misconception(
        "only_the_model_s_own_mode_comes_back",
        "evaluate",
        ((BACK, BACK.replace("train(was_training)", "training = was_training")),),
        "The mode of the model itself is put back, and not that of the modules in it: its dropout stays switched off.",
        "`model.eval()` reaches every module inside. What reaches them on the way back?",
    ),
    Misconception(
        "evaluated_in_training_mode",
        "evaluate",
        ((EVALUATION, ""),),
        "The model is evaluated in the mode it happens to be in, with dropout in training mode.",
        "Should the same model on the same batches have two different losses?",
    ),
    Misconception(
        "evaluated_with_gradients",
        "evaluate",
        ((WITHOUT_GRADIENTS, "        if True:\n"),),
        "The evaluation records what gradients would need: it takes memory and time for nothing.",
        "What does PyTorch keep for each operation unless it is told not to?",
    ),
    Misconception(
        "backward_in_evaluation",
        "evaluate",
        (
            (WITHOUT_GRADIENTS, "        if True:\n"),
            (SCORED, f"{LOSS}\n                loss.backward()\n                losses.append(loss.item())"),
        ),
        "The evaluation calls backward, which leaves gradients behind for the next step.",
        "What should an evaluation leave in .grad?",
    ),
    Misconception(
        "one_batch_again_and_again",
        "evaluate",
        (
            (EVALUATION, f"{EVALUATION}    x, y = get_batch(data, batch, n_ctx, generator)\n"),
            (DRAWN, f"                {SCORED}\n"),
        ),
        "The batch is drawn once, and scored n_batches times.",
        "How many different batches does your mean run over?",
    ),
    Misconception(
        "losses_summed",
        "evaluate",
        ((MEAN, "return sum(losses)"),),
        "The losses of the batches are summed, not averaged.",
        "Should twice as many batches give twice the loss?",
    ),
    Misconception(
        "last_batch_only",
        "evaluate",
        ((MEAN, "return losses[-1]"),),
        "Only the loss of the last batch is returned.",
        "Which of the batches count?",
    ),
    Misconception(
        "one_batch_too_many",
        "evaluate",
        ((BATCHES, "for _ in range(n_batches + 1):"),),
        "One batch too many is scored.",
        "How many numbers does range(n + 1) give?",
    ),
    Misconception(
        "mean_of_perplexities",
        "evaluate",
        ((MEAN, "return torch.tensor(losses).exp().mean().item()"),),
        "The mean is that of the perplexities, e to the power of each loss.",
        "In which unit is the loss asked for?",
    ),
    Misconception(
        "evaluation_summed_over_tokens",
        "evaluate",
        ((SCORED, SCORED.replace("y.flatten())", 'y.flatten(), reduction="sum")')),),
        "The loss of a batch is the sum over its positions, not their mean.",
        "Should a longer window have a higher loss?",
    ),
    Misconception(
        "evaluation_scored_against_x",
        "evaluate",
        ((SCORED, SCORED.replace("y.flatten()", "x.flatten()")),),
        "The loss is taken against x, which the model has just read.",
        "What do the logits at a position predict?",
    ),
    Misconception(
        "global_generator_in_evaluation",
        "evaluate",
        ((DRAWN, DRAWN.replace("generator)", "torch.default_generator)")),),
        "The generator that is passed in is not used: PyTorch's global one is.",
        "Will two evaluations with generators seeded alike agree?",
    ),
    Misconception(
        "evaluation_seeded_anew",
        "evaluate",
        ((DRAWN, DRAWN.replace("generator)", "torch.Generator().manual_seed(0))")),),
        "A generator with a fixed seed replaces the one that is passed in, so every batch is the same.",
        "Whose choice is the seed?",
    ),
    Misconception(
        "evaluation_seeds_pytorch",
        "evaluate",
        ((EVALUATION, f"{EVALUATION}    torch.manual_seed(0)\n"),),
        "Every evaluation seeds PyTorch's own generator, so that afterwards dropout drops the same again.",
        "From which generator does dropout draw, and where was it before the evaluation?",
    ),
    Misconception(
        "mode_lost_when_something_is_raised",
        "evaluate",
        ((f"    finally:\n{BACK}", f"    except ZeroDivisionError:\n        pass\n{BACK[4:]}"),),
        "When a batch cannot be drawn, the model is left in evaluation mode.",
        "Which of your lines are not reached when get_batch raises?",
    ),
    Misconception(
        "mode_back_for_a_short_text_only",
        "evaluate",
        ((f"    finally:\n{BACK}", f"    except ValueError:\n{BACK}        raise\n{BACK[4:]}"),),
        "When the model itself is stopped, by Ctrl-C or an error of its own, it is left in evaluation mode.",
        "Which exceptions can come out of model(x), and which of your lines are not reached then?",
    ),
    Misconception(
        "no_batches_not_refused",
        "evaluate",
        ((SOME, "    if n_batches < 0:\n"),),
        "n_batches of 0 is not refused with a ValueError.",
        "What is the mean of no numbers?",
    ),
    # save_checkpoint
    Misconception(
        "module_pickled",
        "save_checkpoint",
        ((STATE, STATE.replace("model.state_dict()", "model")),),
        "The module itself is pickled: such a file can run code when it is read, and weights_only refuses it.",
        "Which of its parts does a model need to go on?",
    ),
    Misconception(
        "written_in_place",
        "save_checkpoint",
        (
            (PARTIAL, "partial = Path(path)"),
            (RENAMED, "    finally:\n        pass\n"),
        ),
        "The file is written in place: when the disk is full, the last good checkpoint is gone as well.",
        "What is at path while half of the file is written?",
    ),
    Misconception(
        "suffix_replaced",
        "save_checkpoint",
        ((PARTIAL, 'partial = Path(path).with_suffix(".tmp")'),),
        "The suffix of path is replaced by another one: a checkpoint that is called so itself is written in place.",
        "If path is run.tmp, what is the other name under which you write?",
    ),
    Misconception(
        "old_one_removed_before_the_rename",
        "save_checkpoint",
        ((RENAMED, f"        Path(path).unlink(missing_ok=True)\n{RENAMED}"),),
        "The last checkpoint is removed just before the new one takes its place: for a moment there is none at path.",
        "Does replace need the place to be empty? What is at path when the power is cut between the two lines?",
    ),
    Misconception(
        "old_one_removed_first",
        "save_checkpoint",
        ((PARTIAL, f"Path(path).unlink(missing_ok=True)\n    {PARTIAL}"),),
        "The last checkpoint is removed before the new one is written.",
        "What is left when the computer is switched off in between?",
    ),
    Misconception(
        "half_a_file_left_behind",
        "save_checkpoint",
        ((RENAMED, "        partial.replace(path)\n    finally:\n        pass\n"),),
        "When writing fails, the half-written file is left behind, and the disk stays full.",
        "Who removes the file that was not finished?",
    ),
    Misconception(
        "failure_to_save_in_silence",
        "save_checkpoint",
        ((RENAMED, RENAMED.replace("    finally", "    except OSError:\n        pass\n    finally")),),
        "That the checkpoint could not be written is told to nobody.",
        "What does the caller believe when save_checkpoint returns?",
    ),
    Misconception(
        "not_sent_to_the_disk",
        "save_checkpoint",
        ((SYNCED, ""),),
        "The file is renamed before the disk has it: after a power cut, path may be an empty file.",
        "Where are the bytes after write and before os.fsync?",
    ),
    Misconception(
        "path_taken_for_a_text",
        "save_checkpoint",
        ((PARTIAL, 'partial = Path(path + ".partial")'),),
        "A path is taken for a text: a `Path`, to which no text can be added, stops it.",
        "What does os.fspath make of a str, and of a Path?",
    ),
    Misconception(
        "copied_over_the_old_one",
        "save_checkpoint",
        ((RENAMED, RENAMED.replace("partial.replace(path)", "Path(path).write_bytes(partial.read_bytes())")),),
        "The file is copied over the last checkpoint: whoever stops it half-way leaves half a checkpoint.",
        "What is at path when half of it is copied? What is there in the middle of a rename?",
    ),
    Misconception(
        "sent_to_the_disk_after_the_rename",
        "save_checkpoint",
        (
            (SYNCED, ""),
            (
                RENAMED,
                RENAMED.replace(
                    "(path)\n    f",
                    '(path)\n        with Path(path).open("rb+") as file:\n            os.fsync(file.fileno())\n    f',
                ),
            ),
        ),
        "The file is sent to the disk after it was renamed: a power cut between the two leaves path empty.",
        "The power is cut right after the rename. What is at path?",
    ),
    Misconception(
        "written_in_another_folder",
        "save_checkpoint",
        (
            ("import time\n", "import tempfile\nimport time\n"),
            (PARTIAL, 'partial = Path(tempfile.gettempdir()) / f"{os.getpid()}.partial"'),
        ),
        "The file is written in another folder and moved: from another disk it would come as a copy, cut in half.",
        "Is the folder for temporary files on the disk of path?",
    ),
    Misconception(
        "failure_to_save_is_no_oserror",
        "save_checkpoint",
        (("            file.write(buffer.getbuffer())\n", "            torch.save(state, partial)\n"),),
        "What torch.save raises on a full disk, a RuntimeError, is passed on; OSError is asked for.",
        "Which class of error does Python itself raise when a disk is full?",
    ),
    Misconception(
        "optimizer_not_saved",
        "save_checkpoint",
        (
            (
                STATE,
                STATE.replace(
                    '"optimizer": optimizer.state_dict()',
                    '"optimizer": optimizer.state_dict() | {"state": {}}',
                ),
            ),
        ),
        "What the optimizer remembers is not saved: after a stop its averages start at zero.",
        "What does AdamW remember from one step to the next?",
    ),
    Misconception(
        "generator_not_saved",
        "save_checkpoint",
        ((GENERATORS, GENERATORS.replace("generator.get_state()", "torch.Generator().get_state()")),),
        "The state of the generator is not saved: after a stop other batches are drawn.",
        "Which batch would the run have seen next?",
    ),
    Misconception(
        "seed_saved_for_state",
        "save_checkpoint",
        (
            (
                GENERATORS,
                GENERATORS.replace(
                    "generator.get_state()", "torch.Generator().manual_seed(generator.initial_seed()).get_state()"
                ),
            ),
        ),
        "The generator's seed is saved, not its state: after a stop it begins anew with the first batch.",
        "How often has the generator been used since it was seeded?",
    ),
    Misconception(
        "global_generator_not_saved",
        "save_checkpoint",
        ((GENERATORS, GENERATORS.replace("torch.get_rng_state()", "torch.Generator().get_state()")),),
        "The state of PyTorch's global generator is not saved: after a stop dropout drops something else.",
        "Where does dropout take its chance from?",
    ),
    Misconception(
        "buffers_not_saved",
        "save_checkpoint",
        ((STATE, STATE.replace("model.state_dict()", "{n: p.detach() for n, p in model.named_parameters()}")),),
        "Only parameters are saved, and no buffers, such as running averages.",
        "What else does a model's state_dict hold?",
    ),
    # load_checkpoint
    Misconception(
        "optimizer_not_loaded",
        "load_checkpoint",
        ((OPTIMIZER, ""),),
        "What the optimizer remembered is not put back: its averages start at zero.",
        "What does AdamW remember from one step to the next?",
    ),
    Misconception(
        "generator_not_loaded",
        "load_checkpoint",
        ((GENERATOR, ""),),
        "The generator is not put back where it was: other batches are drawn.",
        "Which batch would the run have seen next?",
    ),
    Misconception(
        "global_generator_not_loaded",
        "load_checkpoint",
        ((GLOBAL, ""),),
        "PyTorch's global generator is not put back where it was: dropout drops something else.",
        "Where does dropout take its chance from?",
    ),
    Misconception(
        "model_not_loaded",
        "load_checkpoint",
        ((MODEL, ""),),
        "The parameters are not put back.",
        "What is the model before load_checkpoint, and after it?",
    ),
    Misconception(
        "step_forgotten",
        "load_checkpoint",
        ((NEXT, "return 0\n"),),
        "The step is not saved, or not read from the file: the run starts again at step 0.",
        "At which step does a run go on that was saved after 7?",
    ),
    Misconception(
        "step_one_too_many",
        "load_checkpoint",
        ((NEXT, "return step + 1\n"),),
        "One is added to the step, which is the next one's number already: a step is left out.",
        "If 3 steps have been taken, numbered 0, 1 and 2, which is next?",
    ),
    Misconception(
        "code_in_the_file_is_run",
        "load_checkpoint",
        ((READ, "state = torch.load(file, weights_only=False)"),),
        "The file is read with weights_only=False, so that a file from a stranger can run any code.",
        "What can unpickling do that reading numbers cannot?",
    ),
    Misconception(
        "loaded_not_strictly",
        "load_checkpoint",
        (
            (FITS, "if any(name in ours and theirs[name].shape != ours[name].shape for name in theirs):"),
            (MODEL, MODEL.replace("theirs)", "theirs, strict=False)")),
        ),
        "The parameters are loaded with strict=False: what does not fit by name stays at its random start.",
        "How would you learn that half of the names do not match?",
    ),
    Misconception(
        "model_overwritten_by_what_does_not_fit",
        "load_checkpoint",
        ((FITS, "if False:"), (OPTIMIZER, ""), (MODEL, MODEL + OPTIMIZER)),
        "A file that does not fit is refused when a part of it is loaded already: the model is no longer what it was.",
        "The optimizer's part is refused. What has become of the parameters by then?",
    ),
    Misconception(
        "optimizer_overwritten_by_what_does_not_fit",
        "load_checkpoint",
        ((FITS, "if False:"),),
        "A file of another model is refused when the optimizer is loaded already, and then parts of the model.",
        "Which of the two can you check before you change the other?",
    ),
    Misconception(
        "damage_not_named",
        "load_checkpoint",
        ((DAMAGE, "except ZeroDivisionError as error:"),),
        "A damaged file raises whatever the library happens to raise, not a ValueError.",
        "What should someone read whose checkpoint was cut short?",
    ),
    Misconception(
        "file_not_named",
        "load_checkpoint",
        ((NAMED, 'f"no whole checkpoint of this model and optimizer: {error}"'),),
        "The message does not say which file is damaged.",
        "Which of ten files should be removed?",
    ),
    Misconception(
        "missing_file_is_a_fresh_start",
        "load_checkpoint",
        ((OPENED, f"    if not Path(path).exists():\n        return 0\n{OPENED}"),),
        "A file that is not there is taken for a run at step 0: a misspelt path would start all over.",
        "How would you notice that the path was wrong?",
    ),
    Misconception(
        "kept_in_memory",
        "load_checkpoint",
        (
            (READ, f"{READ}\n            state['model'] = KEPT or state['model']"),
            ("def save_checkpoint(", "KEPT: dict = {}\n\n\ndef save_checkpoint("),
            (
                STATE,
                f"{STATE}\n    KEPT.clear()\n    KEPT.update({{n: p.clone() for n, p in model.state_dict().items()}})"
                "\n    state['model'] = {n: torch.zeros_like(p) for n, p in model.state_dict().items()}",
            ),
        ),
        "What is loaded comes from a variable that save_checkpoint filled, and not from the file.",
        "What is left of a variable when the computer has been switched off?",
    ),
    # train
    Misconception(
        "rate_never_set",
        "train",
        ((RATE, "pass"),),
        "The learning rate stays at max_lr: the schedule is not used.",
        "Which lr does the optimizer read at its tenth step?",
    ),
    Misconception(
        "rate_of_the_next_step",
        "train",
        ((RATE, RATE.replace("(step,", "(step + 1,")),),
        "The schedule is one step ahead: each step has the learning rate of the next.",
        "Are the schedule's steps counted from 0 or from 1?",
    ),
    Misconception(
        "rate_set_after_the_step",
        "train",
        (
            (RATE, "pass"),
            (KEPT, f"{KEPT}\n            for group in optimizer.param_groups:\n                {RATE}"),
        ),
        "The learning rate is set after the step, so that each step has that of the one before, and the first max_lr.",
        "Which rate does the very first step have?",
    ),
    Misconception(
        "rate_of_one_group_only",
        "train",
        ((GROUPS, "for group in optimizer.param_groups[:1]:"),),
        "Only the first group gets the learning rate of the step; biases and tables keep max_lr.",
        "How many groups does decay_groups make?",
    ),
    Misconception(
        "schedule_starts_again",
        "train",
        ((RATE, RATE.replace("(step,", "(step - first,")),),
        "After a stop the schedule starts again, with its warm-up.",
        "Which learning rate would step 500 have had without the stop?",
    ),
    Misconception(
        "warmup_not_counted_in",
        "train",
        ((RATE, RATE.replace("steps, max_lr", "steps + warmup_steps, max_lr")),),
        "The cosine is given warmup_steps too many: the run ends before the rate has reached min_lr.",
        "Are the steps of the warm-up part of the steps of the run?",
    ),
    Misconception(
        "rates_swapped",
        "train",
        ((RATE, RATE.replace("max_lr, min_lr", "min_lr, max_lr")),),
        "max_lr and min_lr are swapped.",
        "In which order does warmup_cosine take them?",
    ),
    Misconception(
        "everything_decays",
        "train",
        ((ADAMW, "optimizer = AdamW(model.parameters(), lr=max_lr, weight_decay=weight_decay)"),),
        "All parameters decay, biases, norms and tables too: decay_groups is not used.",
        "Which parameters should be pulled towards zero?",
    ),
    Misconception(
        "decay_of_the_default",
        "train",
        ((ADAMW, ADAMW.replace("model, weight_decay", "model, 0.1")),),
        "The weight decay is AdamW's default, 0.1, not the one asked for.",
        "Where does your code use weight_decay?",
    ),
    Misconception(
        "one_step_too_few",
        "train",
        ((LOOP, "for step in range(first, steps - 1):"),),
        "One step too few is taken.",
        "How many numbers does range(n - 1) give?",
    ),
    Misconception(
        "one_step_too_many",
        "train",
        ((LOOP, "for step in range(first, steps + 1):"),),
        "One step too many is taken.",
        "How many numbers does range(n + 1) give?",
    ),
    Misconception(
        "all_steps_again_after_a_stop",
        "train",
        ((LOOP, "for step in range(first, first + steps):"),),
        "After a stop all steps are taken once more, not only those that are missing.",
        "A run of 100 steps was stopped after 60: how many are left?",
    ),
    Misconception(
        "steps_counted_from_1",
        "train",
        ((KEPT, "losses.append((step + 1, loss))"),),
        "The steps in the list are counted from 1.",
        "Which number does the first step have?",
    ),
    Misconception(
        "losses_without_their_steps",
        "train",
        ((KEPT, "losses.append(loss)"),),
        "The list holds losses only, not (step, loss): after a stop nobody knows which steps they belong to.",
        "What are the two parts of each entry?",
    ),
    Misconception(
        "losses_smoothed",
        "train",
        ((KEPT, "losses.append((step, loss if not losses else 0.9 * losses[-1][1] + 0.1 * loss))"),),
        "The losses are smoothed by a running average.",
        "Is each entry the loss of its own step?",
    ),
    Misconception(
        "seed_ignored",
        "train",
        ((SEEDED, "generator = torch.Generator().manual_seed(0)"),),
        "The seed is not used: every run draws the same batches.",
        "Where does your code use seed?",
    ),
    Misconception(
        "seeded_at_every_step",
        "train",
        ((BATCH, BATCH.replace("generator)", "torch.Generator().manual_seed(seed))")),),
        "The generator is made anew, with the same seed, at every step: every batch is the same.",
        "How many generators does a run need?",
    ),
    Misconception(
        "seeded_by_the_step",
        "train",
        ((BATCH, BATCH.replace("generator)", "generator.manual_seed(seed + step))")),),
        "The generator is seeded anew at every step; runs with seeds that are one apart see the same batches.",
        "Which batch does step 1 of seed 0 see, and which step 0 of seed 1?",
    ),
    Misconception(
        "clipping_limit_not_passed_on",
        "train",
        ((TAKEN, TAKEN.replace("max_norm", "float('inf')")),),
        "max_norm is not passed on: nothing is clipped.",
        "Where does your code use max_norm?",
    ),
    Misconception(
        "optimizer_made_at_every_step",
        "train",
        ((GROUPS, f"{ADAMW}\n            {GROUPS}"),),
        "The optimizer is made anew at every step, so that it remembers nothing.",
        "What does AdamW remember from one step to the next?",
    ),
    Misconception(
        "checkpoint_not_read",
        "train",
        ((RESUMED, "        pass\n"),),
        "The checkpoint that is there is not read: the run starts again, and overwrites it.",
        "What should the same call do after a stop?",
    ),
    Misconception(
        "path_object_not_read",
        "train",
        (
            (
                "if checkpoint is not None and Path(checkpoint).exists():",
                "if isinstance(checkpoint, str) and Path(checkpoint).exists():",
            ),
        ),
        "A checkpoint that is given as a `Path`, not as a text, is not read.",
        "What is `checkpoint` for a caller who writes folder / 'run.pt'?",
    ),
    Misconception(
        "seeded_again_after_a_stop",
        "train",
        ((RESUMED, RESUMED + "        generator.manual_seed(seed)\n"),),
        "After a stop the batches begin again: the generator that was loaded is not the one they are drawn from.",
        "Which batch would the run have seen next?",
    ),
    Misconception(
        "steps_taken_again_after_a_stop",
        "train",
        ((RESUMED, RESUMED.replace("first = ", "")),),
        "The checkpoint is read, but the steps are counted from 0 again.",
        "What does load_checkpoint return?",
    ),
    Misconception(
        "never_saved",
        "train",
        ((TIME, "if False:"),),
        "No checkpoint is ever written.",
        "What is checkpoint for?",
    ),
    Misconception(
        "saved_only_at_the_end",
        "train",
        ((TIME, "if checkpoint is not None and (stop or done == steps):"),),
        "The checkpoint is written only at the end: whatever happens before costs the whole run.",
        "What is lost when the computer is switched off at the last step but one?",
    ),
    Misconception(
        "not_saved_at_the_end",
        "train",
        ((TIME, "if checkpoint is not None and (stop or done % max(1, steps // 20) == 0):"),),
        "The last steps are not saved: only every twentieth part of the run is.",
        "Is the last step always one of those after which you save?",
    ),
    Misconception(
        "saves_counted_from_the_stop",
        "train",
        ((TIME, TIME.replace("done %", "(done - first) %")),),
        "After a stop the steps between two checkpoints are counted from there, not from the start of the run.",
        "A run of 100 steps was stopped after 61. After which step is it saved next?",
    ),
    Misconception(
        "saved_with_the_step_just_taken",
        "train",
        ((SAVED, SAVED.replace("done", "step")),),
        "The step that was just taken is saved as the next one: after a stop it is taken twice.",
        "After step 6 is taken, which step is next?",
    ),
    Misconception(
        "step_not_said",
        "train",
        ((STOPPED, "            except ValueError as error:\n                raise error\n"),),
        "The message does not say at which step the loss became NaN.",
        "What will you look for in the log?",
    ),
    Misconception(
        "nan_ends_the_run_in_silence",
        "train",
        ((STOPPED, "            except ValueError:\n                break\n"),),
        "A loss that is NaN ends the run as if it were done, without an error.",
        "How does the caller learn that the run failed?",
    ),
    Misconception(
        "saved_after_nan",
        "train",
        (
            (
                STOPPED,
                STOPPED.replace(
                    "as error:\n",
                    "as error:\n                if checkpoint is not None:\n"
                    "                    save_checkpoint(checkpoint, model, optimizer, step + 1, generator)\n",
                ),
            ),
        ),
        "The checkpoint is overwritten after the loss has become NaN.",
        "Which checkpoint do you want to have after that?",
    ),
    Misconception(
        "ctrl_c_saves_nothing",
        "train",
        ((TIME, TIME.replace("stop or ", "")),),
        "Ctrl-C stops the run without saving: the steps since the last checkpoint are lost.",
        "What is in the file when someone presses Ctrl-C?",
    ),
    Misconception(
        "ctrl_c_not_heard",
        "train",
        ((ASKED, "done, stop = step + 1, False"),),
        "Ctrl-C is held back and never looked at: the run cannot be stopped.",
        "Who asks whether Ctrl-C came?",
    ),
    Misconception(
        "ctrl_c_held_back_after_a_failure",
        "train",
        (
            (
                "    try:\n        yield lambda: bool(pressed)\n    finally:\n        sig",
                "    yield lambda: bool(pressed)\n    if True:\n        sig",
            ),
        ),
        "After a run that failed Ctrl-C is still held back: its own handler is taken away only when all goes well.",
        "Which lines run when a step raises?",
    ),
    Misconception(
        "ctrl_c_not_held_back",
        "train",
        (
            (IMPORTED, "from contextlib import contextmanager, nullcontext"),
            (CTRL_C, "with nullcontext(lambda: False) as ctrl_c_came,"),
        ),
        "Ctrl-C ends the run with a KeyboardInterrupt, and nothing is saved.",
        "What happens to a KeyboardInterrupt that nobody catches?",
    ),
    Misconception(
        "ctrl_c_held_back_in_steps_only",
        "train",
        (
            (IMPORTED, "from contextlib import contextmanager, nullcontext"),
            (CTRL_C, "with nullcontext() as _,"),
            (TAKEN, f"with deferred_ctrl_c() as ctrl_c_came:\n                    {TAKEN}"),
        ),
        "Ctrl-C is held back while a step is taken, and not between two, when a checkpoint may be half written.",
        "Ctrl-C comes during save_checkpoint. Who hears it?",
    ),
    Misconception(
        "saved_in_the_middle_of_a_step",
        "train",
        (
            (IMPORTED, "from contextlib import contextmanager, nullcontext"),
            (CTRL_C, "with nullcontext(lambda: False) as ctrl_c_came,"),
            (
                STOPPED,
                "            except KeyboardInterrupt:\n                if checkpoint is not None:\n"
                "                    save_checkpoint(checkpoint, model, optimizer, step, generator)\n"
                '                sys.stderr.write(f"stopped at step {step}, saved in {checkpoint}")\n'
                f"                break\n{STOPPED}",
            ),
        ),
        "Ctrl-C saves in the middle of a step: its batch is drawn, but the step is not taken.",
        "After such a stop, which batch does the step see, and which would it have seen?",
    ),
    Misconception(
        "ctrl_c_said_on_stdout",
        "train",
        ((SAID, SAID.replace("stderr", "stdout")),),
        "What is said after Ctrl-C goes to stdout, among what a program gives as its result; stderr is asked for.",
        "Where does a message go in `python run.py > losses.txt`?",
    ),
    Misconception(
        "ctrl_c_says_nothing",
        "train",
        ((SAID, ""),),
        "After Ctrl-C nothing is said about how to go on.",
        "What would you want to read after pressing Ctrl-C?",
    ),
)

EQUIVALENT: dict[str, str] = {
    "train_step: if not (loss + norm).isfinite():  ->  if not (loss - norm).isfinite():": (
        "the difference of two numbers is finite when both are, as their sum is"
    ),
    "train: shown.update(step + 1, loss)  ->  shown.update(step + 2, loss)": (
        "not equivalent, and let through: the words of the progress line are left to learners, so no law reads them"
    ),
    "train: if stop and done < steps:  ->  if stop and done <= steps:": (
        "Ctrl-C in the very last step: whether something is said then is left open"
    ),
}
