"""The specification of the optimizer, as laws that hold for every input. Read it beside `exercises/optimizer.py`."""

import math

import torch
from torch import nn

from graders.cases import optimizer_groups as groups
from graders.cases import optimizer_runs as runs
from graders.engine.from_scratch import from_scratch
from graders.engine.law import expect_equal, expect_refusal, law
from graders.engine.script import parameter, probe
from graders.engine.space import Case, fixed, given_case, space

ON_THE_PAGE = (0.2, 0.4, 0.6, 0.8, 0.8, 0.777164, 0.712132, 0.614805, 0.5, 0.385195, 0.287868, 0.222836, 0.2, 0.2)
QUARTERS = (1, 0.5 + math.sqrt(2) / 4, 0.5, 0.5 - math.sqrt(2) / 4, 0)  # left after each quarter of the way down


@space(warmup_steps=(0, 4), way_down=(0, 6), further=(1, 4))
def schedules(case, warmup_steps, way_down, further):
    """Every step of a schedule, and some after its end."""
    case.show("warmup_steps", warmup_steps)
    case.show("total_steps", warmup_steps + way_down)
    case.show("max_lr", (0.8, 1.0, 6e-4, 1.0)[case.seed % 4])
    case.show("min_lr", (0.2, 0.7, 3e-4, 0.0)[case.seed % 4])
    case.n_steps = warmup_steps + way_down + further


@space(hundreds_up=(1, 4), hundreds_down=(1, 90))
def long_schedules(case, hundreds_up, hundreds_down):
    """Schedules of hundreds and of thousands of steps."""
    schedules.build(case, warmup_steps=100 * hundreds_up, way_down=100 * hundreds_down, further=0)


@space(size=(1, 3))
def gradients(case, size):
    """The gradients of two parameters, some of them short enough; with every other seed, in a generator.

    With every fourth seed gradients and limit are about a ten-millionth, and the limit is below the norm: by less than
    1e-6 above it, who compares the two and who follows the formula differ, and neither is worth a refusal.
    """
    is_tiny = case.seed % 4 == 3
    scale, shares = (1e-7, (0.5, 0.03, 0.2)) if is_tiny else (1.0, (0.5, 0.03, 1.7))
    case.show("of_matrix", case.draw(size, size) * scale, size=size, d=size)
    case.show("of_bias", case.draw(size) * scale, size=size)
    case.params = {"matrix": case.draw(size, size), "bias": case.draw(size)}
    case.norm = math.hypot(case.of_matrix.norm().item(), case.of_bias.norm().item())
    case.show("max_norm", (case.norm or 1.0) * shares[case.seed % 3])


@fixed
def gradients_on_the_page(where):
    """The example of the exercise's page: [2, -3] and [6]."""
    of_matrix, of_bias = (torch.tensor(numbers, dtype=torch.float64) for numbers in ([2.0, -3.0], [6.0]))
    case = given_case(of_matrix=of_matrix, of_bias=of_bias, max_norm=3.5)
    case.params = {"matrix": torch.ones_like(of_matrix), "bias": torch.ones_like(of_bias)}
    return [case]


impossible = fixed(lambda where: [given_case(steps=steps) for steps in ((-1, 2, 5), (0, -1, 5), (3, 6, 5), (0, 0, -1))])
schedule_on_the_page = fixed(lambda where: [schedules.case(0, warmup_steps=4, way_down=8, further=2)])


@fixed
def gradients_that_are_no_numbers(where):
    """One number of one gradient is NaN, or infinite."""
    cases: list[Case] = []
    for of, number in (("of_bias", math.nan), ("of_bias", math.inf), ("of_matrix", math.nan), ("of_matrix", -math.inf)):
        case = gradients.case(len(cases), size=2)
        gradient = getattr(case, of).clone()
        gradient.view(-1)[-1] = number
        setattr(case, of, gradient)
        cases.append(case)
    return cases


@fixed
def gradients_of_one_shape(where):
    """Gradients of four parameters of one shape, of which one is frozen; they are long, and short enough."""
    cases = []
    for seed, share in ((0, 0.5), (1, 0.1), (2, 1.5)):
        case = Case(seed, {})
        case.tensor("gradients", parameter=4, size=2)
        case.show("frozen", [i == seed for i in range(4)])
        case.show("max_norm", share * case.gradients.norm().item())
        cases.append(case)
    return cases


some_gradients = fixed(lambda where: [gradients.case(seed, size=2) for seed in range(2)])
large_in_float32 = fixed(lambda where: [gradients.in_float32().case(1, size=60)])
no_limits = fixed(lambda where: [given_case(max_norm=max_norm) for max_norm in (0.0, -1.0, math.nan)])


# AdamW


@law("AdamW", runs.steady)
def test_every_step_moves_every_parameter_as_the_formulas_say(subject, reference, case):
    """After each step, every parameter is where AdamW's formulas, with its group's settings at that step, put it."""
    story = runs.run(case)
    expect_equal(subject.tell(story), reference.tell(story))


@law("AdamW", runs.on_the_page)
def test_steps_agree_with_the_example_on_the_page(subject, reference, case):
    """In the page's example, 1 becomes 0.85 and then 0.780663."""
    expect_equal(subject.tell(runs.run(case)), case.expected, note="worked out by hand on the page")


@law("AdamW", runs.with_zeros)
def test_where_gradients_are_zero_only_the_decay_is_left(subject, reference, case):
    """A parameter whose gradient is 0 at every step becomes 1 - lr * weight_decay times as large at each of them."""
    second = case.settings | case.second_group
    left = {0: case.params[0], 2: case.params[2]}
    for (step, seen), rate in zip(subject.tell(runs.run(case)).items(), case.rates, strict=True):
        for i, lr, settings in ((0, rate, case.settings), (2, second["lr"], second)):
            left[i] = left[i] * (1 - lr * settings["weight_decay"])
            expect_equal(seen[f"parameter {i}"], left[i], what=f"{step} parameter {i}")


@law("AdamW", runs.with_gaps)
def test_a_parameter_without_a_gradient_rests(subject, reference, case):
    """Where a parameter has no gradient it does not move, decay, forget or count a step; all others go on."""
    story = runs.run(case)
    expect_equal(subject.tell(story), reference.tell(story))


@law("AdamW", runs.changing)
def test_settings_may_change_between_steps(subject, reference, case):
    """Betas, eps and decay are those of the group at this step, and t goes on; PyTorch's own AdamW does the same."""
    expect_equal(subject.tell(runs.run(case)), runs.by_torch(case), note="computed by PyTorch")


@law("AdamW", runs.without_memory)
def test_a_beta_may_be_0(subject, reference, case):
    """With a beta of 0 nothing of the past is left in that average; PyTorch's own AdamW does the same."""
    expect_equal(subject.tell(runs.run(case)), runs.by_torch(case), note="computed by PyTorch")


@law("AdamW", runs.tables)
def test_steps_are_taken_in_place(subject, reference, case):
    """A parameter moves where it is stored, in whatever order, and with it what shares its memory, as a tied W_U."""
    story = runs.through_shared_memory(case)
    seen = subject.tell(story)
    expect_equal(seen, reference.tell(story))
    expect_equal(seen["the table"].T, seen["the parameter"], what="the table", note="the parameter")


@law("AdamW", runs.short)
def test_a_group_may_be_added_later(subject, reference, case):
    """A parameter that joins after some steps moves from then on, and its own steps are counted from 1."""
    story = runs.joined_later(case)
    expect_equal(subject.tell(story), reference.tell(story))


@law("AdamW", runs.short)
def test_settings_that_are_not_given_are_those_of_the_signature(subject, reference, case):
    """Without settings, lr is 0.001, the betas are 0.9 and 0.95, eps is 1e-8 and the decay 0.1."""
    story = runs.run(case, settings={})
    expect_equal(subject.tell(story), reference.tell(story))


@law("AdamW", runs.with_gaps)
def test_a_run_that_is_resumed_goes_on_as_if_it_had_not_stopped(subject, reference, case):
    """What `state_dict` holds is all that another optimizer needs to go on with the same parameters."""
    resumed = subject.tell(runs.run(case, stops_at=len(case.gradients) - 1))
    expect_equal(resumed, subject.tell(runs.run(case)), note="without the stop")


@law("AdamW", runs.steady)
def test_a_closure_is_called_first(subject, reference, case):
    """A closure is called once, first, with gradients on; its loss is returned. Gradients stay until `zero_grad`."""

    def story(do):
        params = [do.make(parameter(value)) for value in case.params]
        optimizer = runs.optimizer_of(do, params, case.settings, case.second_group)
        gradients = do.make(parameter(case.gradients[0])).data
        for i, p in enumerate(params):
            do.set(p, "grad", gradients[i])
        optimizer.step(gradients.neg_)  # a closure that turns all gradients round
        seen = {"moved": {f"parameter {i}": do.look(p) for i, p in enumerate(params)}}
        seen |= {"loss": do.look(optimizer.step(params[0].sum)), "gradient": do.look(params[0].grad)}
        optimizer.zero_grad()
        return seen | {"cleared": params[0].grad}

    expect_equal(subject.tell(story), reference.tell(story))
    inside = subject.tell(lambda do: do.AdamW([p := do.make(parameter(case.params[0]))]).step(p.sum).requires_grad)
    expect_equal(inside, True, what="whether gradients are on inside the closure")


@law("AdamW", runs.long)
def test_long_runs_agree_with_torch(subject, reference, case):
    """After each of fifteen steps, in float64 and in float32, every parameter is where PyTorch's own AdamW puts it."""
    expect_equal(subject.tell(runs.run(case)), runs.by_torch(case), note="computed by PyTorch")


@law("AdamW", some_gradients)
def test_parameters_may_come_from_a_generator(subject, reference, case):
    """What `model.parameters()` gives can be read once only; all of it moves at a step."""

    def story(do):
        model = do.make(probe("affine", **case.params))
        optimizer = do.AdamW(model.parameters())
        for p, gradient in ((model.matrix, case.of_matrix), (model.bias, case.of_bias)):
            do.set(p, "grad", gradient)
        optimizer.step()
        return {"matrix": model.matrix, "bias": model.bias}

    expect_equal(subject.tell(story), reference.tell(story))


@law("AdamW", runs.unworkable)
def test_settings_that_cannot_work_are_refused(subject, reference, case):
    """A negative or infinite lr, eps or weight_decay, or a beta outside [0, 1), also of a group, raises ValueError."""
    params = [{"params": [groups.ones(2)]} | case.of_group] if case.of_group else [groups.ones(2)]
    value = case.of_group[case.name] if case.of_group else case.settings[-1]
    what = f"{case.name} = {value}{' in one group' if case.of_group else ''}"
    expect_refusal(subject, "AdamW", params, *case.settings, what=what, naming=case.name)


test_adam_w_is_from_scratch = from_scratch("optimizer", "AdamW")


# decay_groups


@law("decay_groups", groups.untied)
def test_matrices_decay_and_nothing_else(subject, reference, case):
    """The matrices of attention and MLP and an unembedding of its own decay; tables, biases and norms do not."""
    groups.expect_groups(subject, case)


@law("decay_groups", groups.tied)
def test_a_tied_unembedding_is_a_table(subject, reference, case):
    """W_U does not decay when it is W_E, or W_E seen from the other side."""
    groups.expect_groups(subject, case)


@law("decay_groups", groups.equal)
def test_equal_numbers_do_not_tie(subject, reference, case):
    """W_U decays when it merely holds the same numbers as W_E."""
    groups.expect_groups(subject, case)


@law("decay_groups", groups.tied_in_part)
def test_an_unembedding_that_is_a_part_of_the_table_is_tied(subject, reference, case):
    """W_U does not decay when it is stored in the memory of W_E, also when it begins elsewhere in it."""
    groups.expect_groups(subject, case)


@law("decay_groups", groups.used_twice)
def test_a_parameter_with_two_names_is_listed_once(subject, reference, case):
    """The parameters of a block that is used twice are each in one group, and there once."""
    groups.expect_groups(subject, case)


@law("decay_groups", groups.frozen)
def test_a_frozen_parameter_is_in_its_group_too(subject, reference, case):
    """What requires no gradient is in the group of its name all the same, and a frozen W_E is a table: it may thaw."""
    groups.expect_groups(subject, case)


@law("decay_groups", groups.several_tables)
def test_every_table_counts(subject, reference, case):
    """In a model with two GPTs inside, neither W_U decays that is its W_E seen from the other side."""
    groups.expect_groups(subject, case)


@law("decay_groups", groups.parts)
def test_both_groups_are_there_whatever_the_model(subject, reference, case):
    """A part of a model has its two groups too, perhaps an empty one, and its names mean what they mean in a GPT."""
    groups.expect_groups(subject, case)


@law("decay_groups", groups.named_otherwise)
def test_the_last_part_of_a_name_decides(subject, reference, case):
    """A name means the same however deep in a model, and all of its last part counts: old_W_E is no W_E."""
    groups.expect_groups(subject, case)


# warmup_cosine


def rates(case, *steps):
    """A story: the learning rates at these steps."""
    schedule = (case.warmup_steps, case.total_steps, case.max_lr, case.min_lr)
    return lambda do: {f"at step {step}": do.warmup_cosine(step, *schedule) for step in steps}


@law("warmup_cosine", schedules)
def test_rate_at_every_step(subject, reference, case):
    """The rate rises in equal steps to max_lr, comes down half a cosine to min_lr, and stays there."""
    story = rates(case, *range(case.n_steps), 10**6)
    expect_equal(subject.tell(story), reference.tell(story))


@law("warmup_cosine", schedule_on_the_page)
def test_rates_agree_with_the_table_on_the_page(subject, reference, case):
    """The rates of the page's schedule, to six places, are those of its table."""
    seen = subject.tell(rates(case, *range(case.n_steps)))
    for (step, rate), expected in zip(seen.items(), ON_THE_PAGE, strict=True):
        expect_equal(round(rate, 6), expected, what=step, note="in the table on the page")


@law("warmup_cosine", schedules)
def test_the_way_down_is_symmetric(subject, reference, case):
    """As many steps after the top as before the end, the rate is as far below max_lr as it is above min_lr."""
    first, last = case.warmup_steps, case.total_steps
    down = list(subject.tell(rates(case, *range(first, last + 1))).values())
    for i, (rate, mirrored) in enumerate(zip(down, reversed(down), strict=True)):
        if first < last:
            expect_equal(rate, case.max_lr + case.min_lr - mirrored, what=f"at step {first + i}", note="mirrored")


@law("warmup_cosine", long_schedules)
def test_long_schedules_have_the_same_shape(subject, reference, case):
    """However many steps there are, the quarters of the rise and of the way down have the rates of the formulas."""
    up, top, low = case.warmup_steps, case.max_lr, case.min_lr
    way = (case.total_steps - up) // 4
    expected = {f"at step {up // 4 * i - 1}": top * i / 4 for i in (1, 2, 3, 4)}
    expected |= {f"at step {up + way * i}": low + (top - low) * share for i, share in enumerate(QUARTERS)}
    seen = subject.tell(rates(case, *(int(step.split()[-1]) for step in expected)))
    expect_equal(seen, expected, note="worked out by hand")


@law("warmup_cosine", impossible)  # step, warmup_steps, total_steps
def test_impossible_schedules_are_refused(subject, reference, case):
    """A negative step, a negative warm-up, and a warm-up longer than the whole raise ValueError."""
    expect_refusal(subject, "warmup_cosine", *case.steps, 0.8, 0.2, what="steps that make no schedule")


# clip_grad_norm


def clipped(case, *missing):
    """A story: the norm, and what then is in the gradients, but for `missing`, and in the parameters."""

    def story(do):
        model = do.make(probe("affine", **case.params))
        params = {"matrix": model.matrix, "bias": model.bias}
        for name, gradient in (("matrix", case.of_matrix), ("bias", case.of_bias)):
            if name not in missing:  # what is made here may be changed; what is handed over may not
                do.set(params[name], "grad", do.make(parameter(gradient)).data)
        norm = do.clip_grad_norm(model.parameters() if case.seed % 2 else list(params.values()), case.max_norm)
        return {"norm": norm, "gradient of": {name: p.grad for name, p in params.items()}, "parameter": params}

    return story


@law("clip_grad_norm", gradients)
def test_all_gradients_are_shortened_by_one_factor(subject, reference, case):
    """All gradients are multiplied by min(1, max_norm / (norm + 1e-6)), and the norm before is returned."""
    story = clipped(case)
    expect_equal(subject.tell(story), reference.tell(story))


@law("clip_grad_norm", large_in_float32)
def test_clipping_agrees_with_torch(subject, reference, case):
    """In float32, thousands of numbers are clipped as PyTorch's own function clips them."""
    params = {"matrix": nn.Parameter(case.of_matrix), "bias": nn.Parameter(case.of_bias)}
    params["matrix"].grad, params["bias"].grad = case.of_matrix.clone(), case.of_bias.clone()
    norm = nn.utils.clip_grad_norm_(params.values(), case.max_norm)
    expected = {"norm": norm, "gradient of": {name: p.grad for name, p in params.items()}}
    expect_equal(subject.tell(clipped(case)), expected, note="computed by PyTorch")


@law("clip_grad_norm", gradients_on_the_page)
def test_clipping_agrees_with_the_example_on_the_page(subject, reference, case):
    """In the page's example, gradients [2, -3] and [6] have norm 7 and are cut in half for a limit of 3.5."""
    half = 3.5 / (7 + 1e-6)
    expected = {
        "norm": 7 * groups.ones(),
        "gradient of": {"matrix": half * case.of_matrix, "bias": half * case.of_bias},
    }
    expect_equal(subject.tell(clipped(case)), expected, note="worked out by hand on the page")


@law("clip_grad_norm", gradients)
def test_gradients_are_shortened_in_place(subject, reference, case):
    """A gradient changes where it is stored, in whatever order its numbers are; who else holds it sees it shortened."""

    def story(do):
        params, held = {}, {}
        for name, gradient in (("matrix", case.of_matrix), ("bias", case.of_bias)):
            params[name] = do.make(parameter(case.params[name]))
            held[name] = do.make(parameter(gradient.t().contiguous())).data.t()  # by columns, where there are two
            do.set(params[name], "grad", held[name])
        do.clip_grad_norm(list(params.values()), case.max_norm)
        return {"held gradient of": held}

    expect_equal(subject.tell(story), reference.tell(story))


@law("clip_grad_norm", gradients)
def test_short_gradients_keep_every_bit(subject, reference, case):
    """When the norm is below max_norm, which may be infinite, no bit of any gradient changes."""
    for times in (2.0, math.inf):
        case.max_norm = times * (case.norm + 1)
        seen = subject.tell(clipped(case))["gradient of"]
        for name, gradient in (("matrix", case.of_matrix), ("bias", case.of_bias)):
            expect_equal(torch.equal(seen[name], gradient), True, what=f"whether the gradient of {name} is as before")


@law("clip_grad_norm", gradients_of_one_shape)
def test_every_gradient_counts(subject, reference, case):
    """Of several parameters of one shape, all gradients count, also one that a frozen parameter holds."""

    def story(do):
        params = [do.make(parameter(torch.ones_like(gradient))) for gradient in case.gradients]
        for p, gradient, is_frozen in zip(params, case.gradients, case.frozen, strict=True):
            p.requires_grad_(not is_frozen)
            do.set(p, "grad", do.make(parameter(gradient)).data)
        norm = do.clip_grad_norm(params, case.max_norm)
        return {"norm": norm, "gradient of parameter": {str(i): p.grad for i, p in enumerate(params)}}

    norm = case.gradients.norm()
    shortened = case.gradients * min(1.0, case.max_norm / (norm.item() + 1e-6))
    expected = {"norm": norm, "gradient of parameter": {str(i): gradient for i, gradient in enumerate(shortened)}}
    expect_equal(subject.tell(story), expected, note="of all gradients in one row")


@law("clip_grad_norm", some_gradients)
def test_parameters_without_a_gradient_are_left_out(subject, reference, case):
    """What has no gradient has none afterwards, and adds nothing to the norm; without any gradient the norm is 0."""
    for missing in (("matrix",), ("bias",)):
        story = clipped(case, *missing)
        expect_equal(subject.tell(story), reference.tell(story), note=f"no gradient of {missing[0]}")

    def of_none(do):
        norm = clipped(case, "matrix", "bias")(do)["norm"]
        return norm.double()  # 0 in any float dtype

    expect_equal(subject.tell(of_none), groups.ones().mul(0), what="norm", note="no gradient of matrix and bias")


@law("clip_grad_norm", gradients_that_are_no_numbers)
def test_a_norm_that_is_no_number_is_returned(subject, reference, case):
    """A NaN in any gradient makes the norm NaN, and an infinity makes it infinite."""

    def story(do):
        norm = clipped(case)(do)["norm"]
        return {"NaN": norm.isnan(), "infinite": norm.isinf()}

    expect_equal(subject.tell(story), reference.tell(story), what="whether norm is")


@law("clip_grad_norm", no_limits)
def test_a_limit_that_is_not_above_0_is_refused(subject, reference, case):
    """A max_norm of 0, below 0 or NaN raises ValueError."""
    expect_refusal(subject, "clip_grad_norm", [groups.ones(2)], case.max_norm, what=f"max_norm is {case.max_norm}")


test_clip_grad_norm_is_from_scratch = from_scratch("optimizer", "clip_grad_norm")
