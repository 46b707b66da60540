"""The specification of training, as laws that hold for every input. Read it beside `exercises/training.py`.

In the place of a transformer stands a small model of tables (`Trainee` in `graders/engine/worker/probes.py`), and in
that of your optimizer, but for `train`, one that is given. The last two laws of `train` run your own GPT.
"""

import math
import re

import torch

from graders.cases.training_checkpoints import (
    FILE,
    FILES,
    SEEDED,
    another,
    damages,
    expect_file_is_enough,
    expect_raised,
    expect_refused_file,
    full_disk,
    kept,
    moves,
    one_voyage,
    others,
    power_cut,
    saved,
    started,
    voyage,
    ways,
)
from graders.cases.training_evaluations import (
    evaluations,
    evaluations_in_float32,
    expect_refused_evaluation,
    few_evaluations,
    left_by_an_evaluation,
    long_evaluations,
    modes_of_evaluations,
    no_evaluations,
    too_short,
    yours_and_losses,
)
from graders.cases.training_gpts import first_loss, gpts, learnt_by_heart
from graders.cases.training_runs import (
    another_in,
    batches_of,
    called,
    failed,
    failed_and_gone_on,
    long_runs,
    run_of,
    run_on,
    runs,
    runs_of_a_dozen_steps,
    runs_on_a_short_text,
    runs_on_one_window,
    runs_that_fail,
    runs_that_fail_late,
    runs_with_ctrl_c,
    short_runs,
    stopped_and_gone_on,
    stopped_while_saving,
    trainee_in,
)
from graders.cases.training_steps import (
    BAD,
    PARAMETERS,
    clipped_steps,
    expect_close,
    few_steps,
    numbers_of,
    refused_first_step,
    refused_step,
    single_steps,
    steps,
    steps_by_torch,
    steps_in_float32,
    steps_of_an_infinite_norm,
    steps_taken,
    two_steps,
    wide_steps,
)
from graders.cases.training_windows import (
    drawn_by_torch,
    example,
    expect_own_generator,
    expect_windows,
    long_texts,
    shortest_texts,
    texts,
    texts_of_few_windows,
    texts_of_many_windows,
    texts_of_two_windows,
)
from graders.engine.law import Broken, expect_equal, expect_refusal, law
from graders.engine.script import default_generator, folder, generator, optimizer, path, probe
from graders.engine.space import fixed

# get_batch


@law("get_batch", long_texts)
def test_chance_comes_from_the_generator_alone(subject, reference, case):
    """Generators seeded alike give the same batches, and one generator gives another batch at each call.

    PyTorch's own generator, from which dropout draws, is left where it is.
    """

    def story(do):
        one, other = do.make(generator(5)), do.make(generator(5))
        of = (case.data, case.batch, case.n_ctx)
        do.make(default_generator(3))
        seen = {"one": [do.get_batch(*of, one), do.get_batch(*of, one)], "after": drawn_by_torch(do)}
        do.make(default_generator(3))
        seen |= {"before": drawn_by_torch(do)}
        return seen | {"other": [do.get_batch(*of, other), do.get_batch(*of, other)]}

    seen = subject.tell(story)
    expect_equal(seen["other"], seen["one"], what="the other generator's batches", note="of one seeded alike")
    if torch.equal(seen["one"][0][0], seen["one"][1][0]):
        raise Broken("values", "the first batch again", "another batch", what="the second batch")
    expect_own_generator(seen)


@law("get_batch", texts)
def test_every_row_is_a_window_of_the_text(subject, reference, case):
    """Each row of x is n_ctx tokens of the text that follow each other, and y is what comes one token later."""
    x, y = subject.get_batch(case.data, case.batch, case.n_ctx, generator(case.seed))
    expect_windows(case, x, y)


@law("get_batch", shortest_texts)
def test_the_shortest_text_has_one_window(subject, reference, case):
    """In a text of n_ctx + 1 tokens every row of x is the whole text but its last token, and y all but its first."""
    x, y = subject.get_batch(case.data, case.batch, case.n_ctx, generator(case.seed))
    expect_equal(x, case.data[:-1].repeat(case.batch, 1), what="x")
    expect_equal(y, case.data[1:].repeat(case.batch, 1), what="y")


@law("get_batch", texts_of_few_windows)
def test_every_window_is_as_likely_as_any_other(subject, reference, case):
    """In 8000 rows, each of the 8 windows comes about 1000 times, the first and the last as often as the others.

    Each count is binomial, with a deviation of 29.6; one is 6 deviations off in one run in 6e7.
    """
    x, y = subject.get_batch(case.data, case.batch, case.n_ctx, generator(case.seed))
    expect_windows(case, x[:20], y[:20])
    for start in range(8):
        count = int((x[:, 0] == case.data[start]).sum())
        if abs(count - 1000) > 178:
            raise Broken("values", count, "about 1000", what=f"how often the window at token {start} is drawn")


@law("get_batch", texts_of_two_windows)
def test_rows_are_drawn_independently(subject, reference, case):
    """In 100 batches of a text with two windows, every two rows are in all four ways equal and different.

    One of the four is missing, in one of three pairs, in one run in 2e11.
    """

    def story(do):
        chance = do.make(generator(case.n_ctx))
        return [do.get_batch(case.data, case.batch, case.n_ctx, chance)[0] for _ in range(100)]

    starts = (torch.stack(subject.tell(story))[:, :, 0] == case.data[1]).long()  # batch-number row
    for a, b in ((0, 1), (0, 2), (1, 2)):
        ways = len(set((2 * starts[:, a] + starts[:, b]).tolist()))
        expect_equal(ways, 4, what=f"ways in which the windows of rows {a} and {b} come together")


@law("get_batch", texts_of_many_windows)
def test_a_window_may_come_twice(subject, reference, case):
    """Of 400 rows drawn from 1000 windows some are equal; that all differ comes once in 1e40 runs."""
    x, _ = subject.get_batch(case.data, case.batch, case.n_ctx, generator(case.seed))
    expect_equal(len(x.unique()) < case.batch, True, what="whether two of the rows are equal")


@law("get_batch", fixed(lambda where: [example(2, 1, 3), example(3, 1, 3), example(0, 1, 1), example(1, 2, 1)]))
def test_a_text_that_is_too_short_is_refused(subject, reference, case):
    """A text of fewer than n_ctx + 1 tokens raises ValueError."""
    what = f"{len(case.data)} tokens, n_ctx {case.n_ctx}"
    expect_refusal(subject, "get_batch", case.data, case.batch, case.n_ctx, generator(0), what=what)


@law("get_batch", fixed(lambda where: [example(9, 0, 3), example(9, -1, 3), example(9, 1, 0), example(9, 1, -2)]))
def test_empty_batches_are_refused(subject, reference, case):
    """A batch of no rows, and rows of no tokens, raise ValueError."""
    what = f"batch {case.batch}, n_ctx {case.n_ctx}"
    expect_refusal(subject, "get_batch", case.data, case.batch, case.n_ctx, generator(0), what=what)


# train_step


@law("train_step", few_steps)
def test_a_step_is_taken_in_training_mode(subject, reference, case):
    """Whichever mode the model was in, the step is taken in training mode, and the model is left in it."""

    def story(do):
        seen: dict = {}
        for mode in ("eval", "train"):
            model = do.make(probe("trainee", **case.tables))
            getattr(model, mode)()
            do.train_step(model, do.make(optimizer(model, **case.settings)), case.x[0], case.y[0], 1.0)
            seen[f"in a step after {mode}()"] = model.modes
            seen[f"when a step after {mode}() is done"] = [model.training, model.drop.training]
        return seen

    for when, modes in subject.tell(story).items():
        what = f"training mode, of the model and of the dropout in it, {when}"
        expect_equal(bool(modes) and all(modes), True, what=what)


@law("train_step", single_steps)
def test_one_step_moves_every_parameter_by_its_gradient(subject, reference, case):
    """The mean cross-entropy before the step is returned, and every parameter moves by lr times its gradient."""
    expect_equal(subject.tell(steps_taken(case)), steps_by_torch(case), note="computed by PyTorch")


@law("train_step", steps)
def test_every_step_has_gradients_of_its_own(subject, reference, case):
    """Gradients from before the first step, or from one of several steps, do not count in the next."""
    yours = subject.tell(steps_taken(case, old_gradients=True))
    expect_equal(yours, steps_by_torch(case), note="computed by PyTorch")


@law("train_step", clipped_steps)
def test_gradients_are_clipped_together(subject, reference, case):
    """All gradients are shortened by one factor when their joint norm is more than max_norm, and else not at all."""
    expect_equal(subject.tell(steps_taken(case)), steps_by_torch(case), note="computed by PyTorch")


@law("train_step", two_steps)
def test_a_step_that_would_ruin_the_parameters_is_refused(subject, reference, case):
    """When the loss or the gradient is NaN or infinite, ValueError is raised, and nothing has changed."""
    seen = subject.tell(lambda do: {bad: refused_step(do, case, bad) for bad in BAD})
    for bad, (raised, before, after) in seen.items():
        expect_raised(raised, "ValueError", f"a step with {BAD[bad]}")
        for name in before:
            expect_equal(
                after[name], before[name], what=f"{name} after a step with {BAD[bad]}", note="before that step"
            )


@law("train_step", steps_of_an_infinite_norm)
def test_a_gradient_that_is_too_long_for_a_number_is_refused(subject, reference, case):
    """When every element of the gradient is finite, and its norm is not, ValueError is raised, and nothing changes."""
    seen = subject.tell(refused_first_step(case))
    expect_raised(seen["raised"], "ValueError", "a step with a gradient of an infinite norm")
    expect_equal(seen["now"], case.tables, what="after that step", note="before it")


@law("train_step", wide_steps)
def test_steps_on_a_larger_batch(subject, reference, case):
    """Three steps on nine windows of twelve tokens are as right."""
    expect_equal(subject.tell(steps_taken(case)), steps_by_torch(case), note="computed by PyTorch")


@law("train_step", steps_in_float32)
def test_steps_work_in_float32(subject, reference, case):
    """In float32 every step gives the same, to float32's precision, in float32."""
    yours, expected = subject.tell(steps_taken(case)), steps_by_torch(case)
    for step, seen in expected.items():
        expect_close(yours[step].pop("loss"), seen.pop("loss"), f"{step} loss")
    expect_equal(yours, expected, note="computed by PyTorch")


# evaluate


@law("evaluate", few_evaluations)
def test_an_evaluation_changes_nothing(subject, reference, case):
    """No parameter, gradient, count or generator is another after an evaluation, and what was frozen is so again.

    Of the generators that is PyTorch's own: the one passed in draws the batches.
    """

    seen = subject.tell(left_by_an_evaluation(case))
    for name in PARAMETERS:
        expect_equal(seen[name], case.tables[name], what=name, note="as it was")
        expect_equal(seen[f"gradient of {name}"], torch.ones_like(seen[name]), what=f"gradient of {name}")
    expect_equal(int(seen["n_read"]), 0, what="what the model counts in training mode only")
    for name, asks in zip(PARAMETERS, seen["frozen"], strict=True):
        expect_equal(asks, name != "places", what=f"requires_grad of {name}", note="as it was")
    expect_equal(seen["recorded"], True, what="whether gradients are recorded after an evaluation")
    expect_own_generator(seen)


@law("evaluate", few_evaluations)
def test_the_model_is_evaluated_in_evaluation_mode(subject, reference, case):
    """While the model runs it is in evaluation mode and no gradient is recorded; afterwards both are as before."""

    for mode, seen in subject.tell(modes_of_evaluations(case)).items():
        note = f"{mode}() was called before"
        expect_equal(any(seen["training mode"]), False, what="training mode in a call of the model", note=note)
        what = "gradients recorded in a call of the model"
        expect_equal(any(seen["gradients"] or [True]), False, what=what, note=note)
        expect_equal(seen["afterwards"], mode == "train", what="training mode afterwards", note=note)
        what = "training mode of the dropout in the model afterwards"
        expect_equal(seen["its dropout's afterwards"], mode == "train", what=what, note=note)
        expect_equal(seen["after Ctrl-C"], mode == "train", what="training mode after Ctrl-C in a call", note=note)
        expect_equal(seen["recorded"], True, what="whether gradients are recorded after Ctrl-C in a call", note=note)


@law("evaluate", long_evaluations)
def test_the_mean_over_many_batches(subject, reference, case):
    """Over thirty batches of nine windows the mean is as right."""
    yours, losses = yours_and_losses(subject, case)
    note = "by PyTorch, for the batches of your get_batch that come after the generator's first"
    expect_equal(yours, sum(losses) / len(losses), note=note)


@law("evaluate", evaluations)
def test_the_mean_loss_is_that_of_batches_from_get_batch(subject, reference, case):
    """What is returned is the mean of the losses of n_batches batches, drawn one after another by your get_batch."""
    yours, losses = yours_and_losses(subject, case)
    note = f"the mean of {', '.join(f'{loss:.4g}' for loss in losses)}, by PyTorch, for the batches of your get_batch"
    expect_equal(yours, sum(losses) / len(losses), note=note)


@law("evaluate", evaluations_in_float32)
def test_evaluations_work_in_float32(subject, reference, case):
    """In float32 the mean loss is the same, to float32's precision."""
    yours, losses = yours_and_losses(subject, case)
    expect_close(yours, sum(losses) / len(losses), "the mean loss")


@law("evaluate", no_evaluations)
def test_the_mean_of_no_batches_is_refused(subject, reference, case):
    """n_batches below 1 raises ValueError, and the mode of the model is as it was."""
    expect_refused_evaluation(subject, case, f"n_batches is {case.n_batches}")


@law("evaluate", too_short)
def test_a_text_that_is_too_short_to_evaluate_is_refused(subject, reference, case):
    """A text of fewer than n_ctx + 1 tokens raises ValueError, and the mode of the model is as it was."""
    expect_refused_evaluation(subject, case, f"{len(case.data)} tokens, n_ctx {case.n_ctx}")


# save_checkpoint


@law("save_checkpoint", one_voyage)
def test_the_file_holds_numbers_only(subject, reference, case):
    """What is saved, to a `Path` too, is one file, and `torch.load` reads it with `weights_only=True`."""

    def story(do):
        files = do.make(folder())
        saved(do, case, files.path.joinpath(FILE))
        return {"files": files.names(), "is read": files.is_plain(FILE)}

    expect_equal(subject.tell(story), {"files": [FILE], "is read": True})


@law("save_checkpoint", one_voyage)
def test_saving_changes_nothing(subject, reference, case):
    """Model, optimizer and both generators go on after it is saved as if it had not been."""

    def story(do, saves=True):
        do.make(default_generator(4))
        made = started(do, case, case.tables, lr=0.01)
        if saves:
            do.save_checkpoint(path(FILE), made[0], made[1], case.step, made[2])
        return moves(do, case, *made)

    expect_equal(subject.tell(story), reference.tell(lambda do: story(do, saves=False)), note="without being saved")


@law("save_checkpoint", ways)
def test_the_file_holds_all_that_the_next_step_depends_on(subject, reference, case):
    """Parameters, buffers, the optimizer's memory and settings, the step and both generators' states are in it."""
    story = kept(case)
    seen, expected = subject.tell(story), reference.tell(story)
    del expected["held"][SEEDED], expected["numbers"][SEEDED]
    note = "to the last bit, so in the dtype that it has"
    expect_equal(seen["held"], expected["held"], what="whether the file holds the numbers of", note=note)
    expect_equal(seen["numbers"], expected["numbers"], note="when it was saved")


@law("save_checkpoint", one_voyage)
def test_the_last_checkpoint_survives_a_full_disk(subject, reference, case):
    """On a full disk OSError is raised, the last checkpoint is as it was, and no other file is left.

    It may be called as a partial one is by many: `run.tmp`.
    """
    seen = subject.tell(full_disk(case))
    expect_equal(seen["files"], sorted(FILES), what="files that are there when each was saved")
    expect_equal(seen["changed"], [], what="files that are new, gone or another when the disk was full")
    for classes in seen["raised"]:
        expect_raised(classes, "OSError", "saving on a full disk")


@law("save_checkpoint", one_voyage)
def test_a_folder_that_is_not_there_is_told(subject, reference, case):
    """Where there is no folder of this name OSError is raised: nobody should believe that it was saved."""

    def story(do):
        model, descent, chance = started(do, case, case.tables, lr=0.01)
        place = path(f"no such folder/{FILE}")
        return do.caught(do.save_checkpoint, place, model, descent, case.step, chance)["classes"]

    expect_raised(subject.tell(story), "OSError", "saving in a folder that is not there")


@law("save_checkpoint", one_voyage)
def test_the_disk_has_it_before_it_takes_the_old_one_s_place(subject, reference, case):
    """When the power is cut, the file is whole: it was sent to the disk before it was renamed, in the same folder."""
    seen = subject.tell(power_cut(case))
    expect_equal(seen["written over"], False, what="whether the old one is written over, where another is renamed")
    expect_equal(seen["lost"], [], what="what a power cut destroys")
    expect_equal(seen["is read"], True, what="whether the file can be read after it")
    expect_equal(seen["files"], [FILE], what="files that are there after it")


# load_checkpoint


@law("load_checkpoint", one_voyage)
def test_a_missing_file_is_told_from_a_damaged_one(subject, reference, case):
    """When there is no such file, FileNotFoundError is raised."""
    model = probe("trainee", **case.tables)
    what = "a file that is not there"
    found = subject.error("load_checkpoint", path(FILE), model, optimizer(model, lr=0.1), generator(0), note=what)
    expect_raised(found[0], "FileNotFoundError", what)


@law("load_checkpoint", ways)
def test_parameters_and_step_come_back(subject, reference, case):
    """Another model then has the parameters and buffers that were saved, and the step is returned."""
    seen = subject.tell(voyage(case))
    expect_equal(seen["now"], seen["was"], note="when it was saved")
    expect_equal(seen["step"], case.step, what="the step")


@law("load_checkpoint", one_voyage)
def test_both_generators_go_on_where_they_were(subject, reference, case):
    """The generator and PyTorch's own, from which dropout draws, go on as if nothing had happened."""
    seen = subject.tell(voyage(case))
    for name in ("drawn by PyTorch's own generator", "drawn by the generator"):
        expect_equal(seen["resumed"][name], seen["never stopped"][name], what=name, note="without the stop")


@law("load_checkpoint", ways)
def test_the_optimizer_goes_on_with_what_it_remembers(subject, reference, case):
    """The next steps are those that would have been taken without the stop."""
    seen = subject.tell(voyage(case))
    expect_equal(seen["resumed"], seen["never stopped"], note="without the stop")


@law("load_checkpoint", one_voyage)
def test_the_file_is_all_that_another_process_needs(subject, reference, case):
    """A process that was begun later, and has nothing but the file, goes on with it as if nothing had happened."""
    expect_file_is_enough(subject, reference, case)


@law("load_checkpoint", damages)
def test_a_damaged_file_is_refused_by_name(subject, reference, case):
    """A file that was cut short, or that holds something else, raises ValueError, which names the file."""

    def story(do):
        files = do.make(folder())
        made = saved(do, case)
        files.write(FILE, case.text) if case.text else files.cut(FILE, case.share)
        return do.caught(do.load_checkpoint, path(FILE), *made)

    expect_refused_file(subject.tell(story), case)


@law("load_checkpoint", others)
def test_a_checkpoint_of_another_model_is_refused(subject, reference, case):
    """A file of a model or an optimizer with other parameters raises ValueError, which names it; nothing changes."""

    def story(do, loads=True):
        do.make(default_generator(4))
        model, descent, chance = started(do, case, case.tables, lr=0.01)
        other = do.make(case.other)
        theirs = descent if case.part == "model" else do.make(optimizer(other, lr=0.1))
        do.save_checkpoint(path(FILE), model if case.part == "optimizer" else other, theirs, 1, chance)
        moves(do, case, model, descent, chance)
        raised = do.caught(do.load_checkpoint, path(FILE), model, descent, chance) if loads else None
        return {"raised": raised, "now": numbers_of(do, model), "then": moves(do, case, model, descent, chance)}

    seen, expected = subject.tell(story), reference.tell(lambda do: story(do, loads=False))
    expect_refused_file(seen["raised"], case)
    expect_equal(seen["now"], expected["now"], what="after the refusal", note="before it")
    expect_equal(seen["then"], expected["then"], what="some steps later", note="without the file that was refused")


@law("load_checkpoint", one_voyage)
def test_code_in_a_file_is_not_run(subject, reference, case):
    """A file from a stranger that would run code is refused, and its code is not run."""

    def story(do):
        files = do.make(folder())
        files.forge(FILE, trace="what its code made")
        raised = do.caught(do.load_checkpoint, path(FILE), *another(do, case))
        return {"files": files.names(), "raised": raised["classes"]}

    seen = subject.tell(story)
    expect_equal(seen["files"], [FILE], what="files that are there afterwards")
    expect_raised(seen["raised"], "ValueError", "a file that would run code")


# train


@law("train", runs_on_a_short_text)
def test_a_short_text_is_learnt(subject, reference, case):
    """After thirty steps on a text that repeats itself, the loss is below half of that of guessing."""
    losses = subject.tell(run_of(case))["losses"]
    if not losses[-1][1] < math.log(4) / 2:
        raise Broken("values", losses[-1][1], f"less than {math.log(4) / 2:.4g}", what="the last loss")


@law("train", runs_on_one_window)
def test_a_run_on_one_window_is_that_of_the_reference(subject, reference, case):
    """Where there is one window to draw, every loss and every parameter at the end is that of the formulas."""
    window = (
        case.data[None, :-1].repeat(case.settings["batch"], 1),
        case.data[None, 1:].repeat(case.settings["batch"], 1),
    )
    expect_equal(subject.tell(run_of(case)), run_on([window] * case.settings["steps"], case), note="one step by one")


@law("train", runs)
def test_batches_are_those_of_get_batch_and_the_seed(subject, reference, case):
    """All batches are drawn by get_batch from one generator, seeded with `seed`."""
    yours = subject.tell(run_of(case))
    expect_equal(yours, run_on(subject.tell(batches_of(case)), case), note="on the batches of your get_batch")


@law("train", runs_of_a_dozen_steps)
def test_a_dozen_steps_are_those_of_the_formulas(subject, reference, case):
    """In a run of twelve steps every loss, and every parameter at the end, is that of the formulas."""
    yours = subject.tell(run_of(case))
    expect_equal(yours, run_on(subject.tell(batches_of(case)), case), note="on the batches of your get_batch")


@law("train", runs_with_ctrl_c)
def test_a_run_stopped_by_ctrl_c_goes_on_as_if_it_had_not_stopped(subject, reference, case):
    """Ctrl-C lets a step finish, saves, says so and returns early; the same call then goes on from there."""
    seen = subject.tell(stopped_and_gone_on(case))
    done = case.stops_at + 1
    expect_equal(seen["stopped"], seen["never stopped"][:done], what="what a call returns that is stopped")
    expect_equal(seen["files"], [FILE], what="files that are there after it")
    expect_equal(seen["rest"], seen["never stopped"][done:], what="what the next call returns")
    expect_equal(seen["yours"], seen["expected"], what="afterwards", note="without the stop")
    expect_equal(not seen["silent"], True, what="whether something is printed after Ctrl-C")
    expect_equal(seen["on stdout"], False, what="whether something is printed on stdout, not stderr, after Ctrl-C")


@law("train", runs_that_fail)
def test_a_run_that_fails_goes_on_from_the_last_good_checkpoint(subject, reference, case):
    """NaN raises ValueError, and leaves the last checkpoint: one is written after every steps // 20 steps.

    These are counted from the start of the run, also when it has been stopped.
    """
    seen = subject.tell(failed_and_gone_on(case))
    expect_equal(seen["files at first"], [], what="files that are there after a loss that is NaN in step 0")
    expect_raised(seen["raised"], "ValueError", f"a loss that is NaN from step {case.fails_at} on")
    expect_equal(seen["files"], [FILE], what="files that are there after it")
    expect_equal([step for step, _ in seen["rest"]], [case.goes_on_at], what="the step that the next call takes")
    expect_equal(seen["rest"], seen["never failed"][case.goes_on_at :], what="what the next call returns")
    expect_equal(seen["yours"], seen["expected"], what="afterwards", note="without the failure")


@law("train", short_runs)
def test_ctrl_c_while_a_checkpoint_is_written_waits(subject, reference, case):
    """Ctrl-C that comes while a checkpoint is written lets that finish as well, and then stops the run."""
    # A model whose `state_dict` is not asked for has nothing that could press it: nothing is held then
    seen = subject.tell(stopped_while_saving(case))
    if seen["pressed"]:
        done = len(seen["stopped"])
        expect_equal(done < case.settings["steps"], True, what="whether the run is then stopped")
        expect_equal(seen["stopped"], seen["never stopped"][:done], what="what a call returns that is stopped")
        expect_equal(seen["rest"], seen["never stopped"][done:], what="what the next call returns")
        expect_equal(seen["yours"], seen["expected"], what="afterwards", note="without the stop")


@law("train", runs_that_fail_late)
def test_the_step_at_which_it_failed_is_named(subject, reference, case):
    """The message of the ValueError says at which step the loss became NaN, counted from 0."""

    raised = subject.tell(lambda do: failed(do, case, trainee_in(do, case, nan_from=case.fails_at)))
    expect_raised(raised["classes"], "ValueError", f"a loss that is NaN from step {case.fails_at} on")
    if not re.search(rf"\b{case.fails_at}\b", raised["message"]):
        raise Broken("values", raised["message"], f"... {case.fails_at} ...", what="the message of the ValueError")


@law("train", long_runs)
def test_a_run_that_is_done_is_saved(subject, reference, case):
    """After the last step the checkpoint is written: the same call once more takes no step and changes nothing."""

    def story(do):
        files, whole, fresh = do.make(folder()), trainee_in(do, case), another_in(do, case)
        seen = {"losses": called(do, case, whole, FILE)["result"]}
        seen["again"] = called(do, case, fresh, files.path.joinpath(FILE), progress=True)["result"]
        return seen | {"expected": numbers_of(do, whole), "yours": numbers_of(do, fresh), "files": files.names()}

    seen = subject.tell(story)
    expect_equal(len(seen["losses"]), case.settings["steps"], what="how many losses are returned")
    expect_equal(seen["again"], [], what="what the second call returns, given the same file, as a `Path`")
    expect_equal(seen["yours"], seen["expected"], what="after the second call", note="after the first")
    expect_equal(seen["files"], [FILE], what="files that are there")


@law("train", short_runs)
def test_what_is_printed(subject, reference, case):
    """With progress something is printed, and in a quiet run nothing is; after Ctrl-C without a checkpoint it may be.

    All of it goes to stderr, and nothing to stdout.
    """

    def story(do):
        seen = {
            "in a quiet run": called(do, case, trainee_in(do, case)),
            "after Ctrl-C": called(do, case, trainee_in(do, case, interrupted_at=1)),
            "with progress": called(do, case, trainee_in(do, case), progress=True),
        }
        kept = {"silent": "is_silent", "on stdout": "on_stdout", "losses": "result"}
        return {name: {key: said[part] for key, part in kept.items()} for name, said in seen.items()}

    seen = subject.tell(story)
    quiet = seen["in a quiet run"]
    expect_equal(not quiet["silent"], False, what="whether something is printed in a quiet run")
    expect_equal(not seen["with progress"]["silent"], True, what="whether something is printed with progress")
    for name, said in seen.items():
        expect_equal(said["on stdout"], False, what=f"whether something is printed on stdout, not stderr, {name}")
    expect_equal(seen["after Ctrl-C"]["losses"], quiet["losses"][:2], what="what is returned after Ctrl-C in step 1")
    expect_equal(seen["with progress"]["losses"], quiet["losses"], what="what is returned with progress")


@law("train", short_runs)
def test_ctrl_c_interrupts_again_after_a_run(subject, reference, case):
    """When a run is over, or has failed, Ctrl-C raises KeyboardInterrupt as it did before."""

    def story(do):
        model, failing = trainee_in(do, case, interrupted_at=case.settings["steps"]), trainee_in(do, case, nan_from=1)
        called(do, case, model)
        seen = {"over": do.caught(model, case.data[:1].unsqueeze(0))["classes"]}
        failed(do, case, failing)
        again = trainee_in(do, case, interrupted_at=0)
        return seen | {"ended by NaN": do.caught(again, case.data[:1].unsqueeze(0))["classes"]}

    for how, classes in subject.tell(story).items():
        expect_raised(classes, "KeyboardInterrupt", f"Ctrl-C in a call of a model after a run that is {how}")


@law("train", short_runs)
def test_a_text_that_is_too_short_to_train_on_is_refused(subject, reference, case):
    """A text of fewer than n_ctx + 1 tokens raises ValueError."""
    model = probe("toy", table=torch.zeros(4, 4), places=torch.zeros(3, 4))
    expect_refusal(subject, "train", model, case.data[:3], *case.settings.values(), what="3 tokens, n_ctx 3")


@law("train", gpts)
def test_your_own_gpt_starts_near_the_uniform_loss(subject, reference, case):
    """Your own GPT, which has learnt nothing, has a loss near ln d_vocab: it is sure of nothing yet."""
    loss = subject.tell(first_loss(case))
    if not abs(loss - math.log(7)) < 0.3:
        raise Broken("values", loss, f"{math.log(7):.4g}, give or take 0.3", what="the loss of a GPT at its start")


@law("train", gpts)
def test_your_own_gpt_learns_a_batch_by_heart(subject, reference, case):
    """Your own GPT, trained by your own `train` on one batch, learns it by heart: its loss comes near 0."""
    seen = subject.tell(learnt_by_heart(case))
    if not seen["losses"][-1][1] < 0.1:
        raise Broken("values", seen["losses"][-1][1], "less than 0.1", what="the last loss")
    expect_equal(seen["said"], case.data[1:], what="the likeliest next tokens afterwards", note="the text")
