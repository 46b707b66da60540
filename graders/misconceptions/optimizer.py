"""Known mistakes in optimizer: each a patch on `reference/optimizer.py` that makes it."""

from graders.engine.misconception import Misconception

ARGUMENTS = "lr=1e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1"
CHECKED = "        for settings in (self.defaults, *self.param_groups):\n            check_settings(settings)\n"
CLOSURE = "loss = closure() if closure is not None else None"
GROUP = "for group in self.param_groups:"
SETTINGS = 'lr, (beta1, beta2) = group["lr"], group["betas"]'
SKIPPED = "                if parameter.grad is None:\n                    continue\n"
STATE = "gradient, state = parameter.grad, self.state[parameter]"
FRESH = "state.update(step=0, exp_avg=torch.zeros_like(parameter), exp_avg_sq=torch.zeros_like(parameter))"
COUNT = 'state["step"] += 1'
MEAN = "mean.lerp_(gradient, 1 - beta1)"
SQUARE = "mean_square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)"
CORRECTION1 = 'correction1 = 1 - beta1 ** state["step"]'
CORRECTION2 = 'correction2 = 1 - beta2 ** state["step"]'
DECAY = 'parameter.mul_(1 - lr * group["weight_decay"])'
DECAY_LINE = f"                {DECAY}\n"
DENOMINATOR = 'denominator = (mean_square / correction2).sqrt_().add_(group["eps"])'
STEP = "parameter.addcdiv_(mean, denominator, value=-lr / correction1)"

KEPT = '("betas", "eps", "weight_decay")'

MATRICES = 'matrices = {"W_Q", "W_K", "W_V", "W_O", "W_in", "W_out"}'
NO_DECAY = '{"params": [], "weight_decay": 0.0}]'
SORTED = "    for name, parameter in model.named_parameters():"
TABLES = 'tables = {p.untyped_storage().data_ptr() for name, p in named if name.split(".")[-1] == "W_E"}'
UNTIED = 'is_untied = last == "W_U" and parameter.untyped_storage().data_ptr() not in tables'
PLACED = 'groups[0 if last in matrices or is_untied else 1]["params"].append(parameter)'

POSSIBLE = "if step < 0 or not 0 <= warmup_steps <= total_steps:"
UP = "if step < warmup_steps:"
RISE = "return max_lr * (step + 1) / warmup_steps"
END = "    if step >= total_steps:\n        return min_lr\n"
PROGRESS = "progress = (step - warmup_steps) / (total_steps - warmup_steps)"
COSINE = "return min_lr + (max_lr - min_lr) * (1 + math.cos(math.pi * progress)) / 2"

LIMIT = "if not max_norm > 0:"
GRADIENTS = "gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]"
NORMS = "norms = [torch.linalg.vector_norm(gradient) for gradient in gradients]"
NORM = "norm = torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros(())"
FACTOR = "factor = (max_norm / (norm + 1e-6)).clamp(max=1)"
SHORTENED = "    for gradient in gradients:\n        gradient.mul_(factor)\n"
RETURNED = "    return norm\n"

MISCONCEPTIONS = (
    # AdamW: the averages
    Misconception(
        "parameters_read_twice",
        "AdamW",
        (("        super().__init__(params, {", "        sum(1 for _ in params)\n        super().__init__(params, {"),),
        "The parameters are gone through once before they are kept: of a generator, nothing is left then.",
        "What does a second loop over model.parameters(), kept in a variable, find?",
    ),
    Misconception(
        "mean_is_a_running_sum",
        "AdamW",
        ((MEAN, "mean.mul_(beta1).add_(gradient)"),),
        "The gradient is added to the first average at full weight: what is kept is a sum, not an average.",
        "When the gradient is always 1, where should its running average end up?",
    ),
    Misconception(
        "mean_square_is_a_running_sum",
        "AdamW",
        ((SQUARE, SQUARE.replace("value=1 - beta2", "value=1")),),
        "The squared gradient is added to the second average at full weight: what is kept is a sum, not an average.",
        "When the squared gradient is always 1, where should its running average end up?",
    ),
    Misconception(
        "beta_weighs_the_new",
        "AdamW",
        ((MEAN, "mean.lerp_(gradient, beta1)"), (SQUARE, "mean_square.lerp_(gradient.square(), beta2)")),
        "The betas weigh the new gradient, not what is remembered: the averages hardly remember anything.",
        "With a beta of 0.9, how much of the old average should be left after a step?",
    ),
    Misconception(
        "betas_swapped",
        "AdamW",
        ((SETTINGS, 'lr, (beta2, beta1) = group["lr"], group["betas"]'),),
        "The two betas are swapped.",
        "Which average is beta1 for: that of the gradient, or that of its square?",
    ),
    Misconception(
        "gradient_not_squared",
        "AdamW",
        ((SQUARE, "mean_square.lerp_(gradient, 1 - beta2)"),),
        "The second average takes in the gradient as it is, not its square: its root can be that of a negative number.",
        "Should a gradient of -3 and one of 3 make the steps smaller alike?",
    ),
    Misconception(
        "absolute_value_for_square",
        "AdamW",
        ((SQUARE, "mean_square.lerp_(gradient.abs(), 1 - beta2)"),),
        "The second average takes in the size of the gradient, not its square, and the root is taken all the same.",
        "If all gradients were ten times as large, should the steps change?",
    ),
    Misconception(
        "square_of_the_average",
        "AdamW",
        ((SQUARE, "mean_square.mul_(beta2).addcmul_(mean, mean, value=1 - beta2)"),),
        "The second average takes in the square of the first average, not of the gradient.",
        "Gradients 1, -1, 1, -1: what is the average of their squares, and what is the square of their average?",
    ),
    Misconception(
        "averages_start_at_the_first_gradient",
        "AdamW",
        (
            (
                FRESH,
                "state.update(step=0, exp_avg=gradient.clone(), exp_avg_sq=gradient.square())",
            ),
        ),
        "The averages start at the first gradient, and are corrected as if they had started at zero.",
        "What is the correction by 1 - beta^t there for?",
    ),
    Misconception(
        "no_momentum",
        "AdamW",
        ((STEP, "parameter.addcdiv_(gradient, denominator, value=-lr)"),),
        "The step follows the gradient of this moment; its average is kept but not used.",
        "Which of the two goes into the numerator: the gradient, or its running average?",
    ),
    # AdamW: the correction
    Misconception(
        "no_bias_correction",
        "AdamW",
        ((CORRECTION1, "correction1 = 1"), (CORRECTION2, "correction2 = 1")),
        "The averages are not corrected for having started at zero.",
        "After one step with beta 0.95, how large a part of the squared gradient has the average taken in?",
    ),
    Misconception(
        "only_mean_corrected",
        "AdamW",
        ((CORRECTION2, "correction2 = 1"),),
        "Only the first average is corrected: the second one, too small at first, makes the first steps too long.",
        "Which averages started at zero?",
    ),
    Misconception(
        "only_mean_square_corrected",
        "AdamW",
        ((CORRECTION1, "correction1 = 1"),),
        "Only the second average is corrected: the first one, too small at first, makes the first steps too short.",
        "Which averages started at zero?",
    ),
    Misconception(
        "correction_without_power",
        "AdamW",
        ((CORRECTION1, "correction1 = 1 - beta1"), (CORRECTION2, "correction2 = 1 - beta2")),
        "The corrections are 1 - beta at every step: the power t is missing, or t never grows.",
        "What should the correction be after a thousand steps?",
    ),
    Misconception(
        "correction_with_the_other_beta",
        "AdamW",
        ((CORRECTION2, 'correction2 = 1 - beta1 ** state["step"]'),),
        "Both corrections are made from beta1.",
        "Which beta decides how fast the second average fills?",
    ),
    Misconception(
        "correction_multiplied",
        "AdamW",
        (
            (DENOMINATOR, DENOMINATOR.replace("mean_square / correction2", "mean_square * correction2")),
            (STEP, STEP.replace("-lr / correction1", "-lr * correction1")),
        ),
        "The averages are multiplied by their corrections, not divided by them.",
        "The averages are too small at first: what makes them larger, dividing by 0.1 or multiplying by it?",
    ),
    Misconception(
        "correction_outside_the_root",
        "AdamW",
        ((DENOMINATOR, 'denominator = (mean_square.sqrt() / correction2).add_(group["eps"])'),),
        "The root of the second average is divided by the correction itself, not by its root.",
        "Is the second average corrected before its root is taken, or after?",
    ),
    Misconception(
        "corrections_added_up",
        "AdamW",
        (
            (FRESH, FRESH.replace("step=0", "step=0, seen1=0.0, seen2=0.0")),
            (CORRECTION1, 'state["seen1"] = correction1 = beta1 * state["seen1"] + 1 - beta1'),
            (CORRECTION2, 'state["seen2"] = correction2 = beta2 * state["seen2"] + 1 - beta2'),
        ),
        "The corrections are added up step by step: when a beta changes they are no longer 1 - beta^t with today's.",
        "After three steps with a beta of 0.9 it becomes 0.5: what is 1 - beta^4 then, and what do you divide by?",
    ),
    Misconception(
        "beta_by_its_logarithm",
        "AdamW",
        (
            (CORRECTION1, 'correction1 = -math.expm1(state["step"] * math.log(beta1))'),
            (CORRECTION2, 'correction2 = -math.expm1(state["step"] * math.log(beta2))'),
        ),
        "The power of a beta is taken by its logarithm, which 0 does not have: a beta may be 0.",
        "What is 0**3, and what is log(0)?",
    ),
    Misconception(
        "count_starts_at_zero",
        "AdamW",
        ((f"                {COUNT}\n", ""), (STEP, f"{STEP}\n                {COUNT}")),
        "The first step is counted as t = 0, where both corrections are 0 and nothing can be divided by them.",
        "What is 1 - beta^0?",
    ),
    Misconception(
        "count_starts_at_two",
        "AdamW",
        ((FRESH, FRESH.replace("step=0", "step=1")),),
        "The steps are counted from 2: t is one too high at every step.",
        "After the first gradient, what must the first average be divided by to give that gradient back?",
    ),
    Misconception(
        "count_for_each_parameter_in_turn",
        "AdamW",
        ((COUNT, 'state["step"] = group["count"] = group.get("count", 0) + 1'),),
        "All parameters share one count, and each of them adds to it: it grows faster than the steps are taken.",
        "With ten parameters, what is t for the last one in the first step?",
    ),
    Misconception(
        "count_of_calls",
        "AdamW",
        (
            (SETTINGS, SETTINGS + '\n            group["calls"] = group.get("calls", 0) + 1'),
            (COUNT, 'state["step"] = group["calls"]'),
        ),
        "The count is that of all calls, also for a parameter that had no gradient in some of them.",
        "A parameter gets its first gradient in the tenth step: how many times has its average taken something in?",
    ),
    Misconception(
        "count_of_the_longest",
        "AdamW",
        (
            (
                CORRECTION1,
                "longest = max(self.state[p]['step'] for p in group['params'] if self.state[p])\n"
                "                correction1 = 1 - beta1**longest",
            ),
            (CORRECTION2, "correction2 = 1 - beta2**longest"),
        ),
        "A whole group is corrected by the count of the parameter that has taken most steps.",
        "Of two parameters one gets its first gradient in the tenth step: by how much is its average too small then?",
    ),
    # AdamW: the step
    Misconception(
        "up_the_gradient",
        "AdamW",
        ((STEP, STEP.replace("-lr", "lr")),),
        "The step goes up the gradient: the loss grows.",
        "Which way does the gradient point, and which way should the parameter go?",
    ),
    Misconception(
        "learning_rate_forgotten",
        "AdamW",
        ((STEP, STEP.replace("-lr", "-1")),),
        "The step is not multiplied by the learning rate.",
        "How long is Adam's step, roughly, before the learning rate comes in?",
    ),
    Misconception(
        "no_root",
        "AdamW",
        ((DENOMINATOR, DENOMINATOR.replace(".sqrt_()", "")),),
        "The root is missing: the step is divided by the mean of the squared gradient.",
        "If all gradients were ten times as large, should the steps change?",
    ),
    Misconception(
        "eps_inside_the_root",
        "AdamW",
        ((DENOMINATOR, 'denominator = (mean_square / correction2).add_(group["eps"]).sqrt_()'),),
        "eps is added inside the root, as in LayerNorm; here it is added to the root.",
        "What is the denominator where the gradient was always 0: eps, or its root?",
    ),
    Misconception(
        "eps_before_the_correction",
        "AdamW",
        ((DENOMINATOR, 'denominator = mean_square.sqrt().add_(group["eps"]).div_(correction2**0.5)'),),
        "eps is added before the correction, and so is corrected with the average.",
        "What is the denominator after one step where the gradient is 0?",
    ),
    Misconception(
        "eps_forgotten",
        "AdamW",
        ((DENOMINATOR, DENOMINATOR.replace('.add_(group["eps"])', "")),),
        "eps is left out: a parameter whose gradient is 0 becomes NaN.",
        "What is 0 / 0, and which parameters get a gradient of exactly 0?",
    ),
    Misconception(
        "eps_of_1e_8",
        "AdamW",
        ((DENOMINATOR, DENOMINATOR.replace('group["eps"]', "1e-8")),),
        "eps is 1e-8, whatever the optimizer was given.",
        "Which numbers in your step come from the settings of the group, and which did you type in?",
    ),
    # AdamW: the decay
    Misconception(
        "decay_in_the_gradient",
        "AdamW",
        (
            (STATE, 'gradient, state = parameter.grad + group["weight_decay"] * parameter, self.state[parameter]'),
            (DECAY_LINE, ""),
        ),
        "The decay is added to the gradient (Adam with L2), and so goes through both averages.",
        "What does the W in AdamW decouple from what?",
    ),
    Misconception(
        "decay_divided_by_the_root",
        "AdamW",
        (
            (DECAY_LINE, ""),
            (
                STEP,
                'parameter.addcdiv_(mean / correction1 + group["weight_decay"] * parameter, denominator, value=-lr)',
            ),
        ),
        "The decay is added to the corrected mean, and so divided by the root: parameters with large gradients hardly "
        "decay.",
        "Should the decay of a parameter depend on how large its gradients are?",
    ),
    Misconception(
        "no_decay",
        "AdamW",
        ((DECAY_LINE, ""),),
        "Nothing decays.",
        "Where is `weight_decay` used in your step?",
    ),
    Misconception(
        "decay_without_learning_rate",
        "AdamW",
        ((DECAY, 'parameter.mul_(1 - group["weight_decay"])'),),
        "The decay is not multiplied by the learning rate: at 0.1 a tenth of every matrix is gone at each step.",
        "When the learning rate is 0, should anything still move?",
    ),
    Misconception(
        "decay_away_from_zero",
        "AdamW",
        ((DECAY, 'parameter.mul_(1 + lr * group["weight_decay"])'),),
        "The decay goes the wrong way: parameters grow.",
        "With a gradient of 0, should a parameter come nearer to 0 or go away from it?",
    ),
    Misconception(
        "decay_after_the_step",
        "AdamW",
        ((DECAY_LINE, ""), (STEP, f"{STEP}\n                {DECAY}")),
        "The decay is taken of the parameter after its step, not before.",
        "Which value of the parameter stands on the right-hand side of the update?",
    ),
    # AdamW: groups, missing gradients, what is remembered
    Misconception(
        "learning_rate_of_the_arguments",
        "AdamW",
        ((SETTINGS, 'lr, (beta1, beta2) = self.defaults["lr"], group["betas"]'),),
        "The learning rate is the one given at the start, not that of the group: a schedule has no effect.",
        "Where does a schedule write the learning rate of the next step?",
    ),
    Misconception(
        "decay_of_the_arguments",
        "AdamW",
        ((DECAY, DECAY.replace("group", "self.defaults")),),
        "The decay is the one given at the start, not that of the group: what should not decay does.",
        "Which `weight_decay` holds for a parameter in a group with a decay of 0?",
    ),
    Misconception(
        "betas_of_the_arguments",
        "AdamW",
        ((SETTINGS, 'lr, (beta1, beta2) = group["lr"], self.defaults["betas"]'),),
        "The betas are those given at the start, not those of the group.",
        "Which settings may a group have of its own?",
    ),
    Misconception(
        "settings_of_the_first_step",
        "AdamW",
        (
            (FRESH, f"{FRESH}\n                    state.update({{name: group[name] for name in {KEPT}}})"),
            (COUNT, f'beta1, beta2 = state["betas"]\n                {COUNT}'),
            (DECAY, DECAY.replace("group", "state")),
            (DENOMINATOR, DENOMINATOR.replace("group", "state")),
        ),
        "Betas, eps and decay are those of the parameter's first step: what is changed in its group later has no "
        "effect.",
        "When is a setting read that somebody may change between two steps?",
    ),
    Misconception(
        "first_group_only",
        "AdamW",
        ((GROUP, "for group in self.param_groups[:1]:"),),
        "Only the first group is moved.",
        "How many groups does `decay_groups` make?",
    ),
    Misconception(
        "missing_gradient_not_expected",
        "AdamW",
        ((SKIPPED, ""),),
        "A parameter without a gradient stops the step with an error.",
        "What is `.grad` of a parameter that had no part in the loss?",
    ),
    Misconception(
        "missing_gradient_as_zeros",
        "AdamW",
        (
            (SKIPPED, ""),
            (
                STATE,
                "gradient, state = parameter.grad, self.state[parameter]\n"
                "                gradient = torch.zeros_like(parameter) if gradient is None else gradient",
            ),
        ),
        "A parameter without a gradient is treated as if it were 0: it decays, and its averages shrink.",
        "Is no gradient the same as a gradient of 0?",
    ),
    Misconception(
        "missing_gradient_decays",
        "AdamW",
        ((SKIPPED, f"                {DECAY}\n{SKIPPED}"), (f"its shape\n{DECAY_LINE}", "its shape\n")),
        "A parameter without a gradient decays all the same.",
        "Should a part of the model that is frozen shrink?",
    ),
    Misconception(
        "missing_gradient_ends_the_group",
        "AdamW",
        ((SKIPPED, SKIPPED.replace("continue", "break")),),
        "The first parameter without a gradient ends the loop: those after it are not moved.",
        "What is the difference between `continue` and `break`?",
    ),
    Misconception(
        "zero_gradient_skipped",
        "AdamW",
        ((SKIPPED, SKIPPED.replace("is None", "is None or not parameter.grad.any()")),),
        "A parameter whose gradient is 0 is skipped: it should go on by its average, and decay.",
        "Is a gradient of 0 the same as none? What does the average of the past still say?",
    ),
    Misconception(
        "memory_shared_by_the_group",
        "AdamW",
        ((STATE, 'gradient, state = parameter.grad, self.state[group["params"][0]]'),),
        "All parameters of a group share the same averages.",
        "How many averages does a model of ten parameters need?",
    ),
    Misconception(
        "memory_outside_the_state",
        "AdamW",
        (
            (
                STATE,
                'gradient, state = parameter.grad, vars(self).setdefault("memory", {}).setdefault(parameter, {})',
            ),
        ),
        "The averages are kept outside `self.state`, so that `state_dict` does not hold them: a run that is resumed "
        "starts them anew.",
        "What does `state_dict()` of your optimizer return after a few steps?",
    ),
    Misconception(
        "copy_is_moved",
        "AdamW",
        ((DECAY, 'parameter = parameter * (1 - lr * group["weight_decay"])'),),
        "A copy is moved, and the parameter stays: the name was given to a new tensor.",
        "What does `parameter = parameter * ...` do to the tensor that the model holds?",
    ),
    Misconception(
        "numbers_replaced",
        "AdamW",
        ((DECAY, 'parameter.data = parameter.data * (1 - lr * group["weight_decay"])'),),
        "The parameter is given new numbers in new memory: a W_E that shared the old with a tied W_U stays behind.",
        "Who else may look at the memory in which `parameter.data` was?",
    ),
    Misconception(
        "flattened_copy_moved",
        "AdamW",
        (
            (DENOMINATOR, "denominator = (mean_square / correction2).sqrt_().add_(group['eps']).reshape(-1)"),
            (STEP, "parameter.reshape(-1).addcdiv_(mean.reshape(-1), denominator, value=-lr / correction1)"),
        ),
        "The step is taken on a flattened parameter, which is a copy when its numbers are not stored in order.",
        "When does `reshape` return a view, and when a copy?",
    ),
    Misconception(
        "memory_made_at_the_start",
        "AdamW",
        (
            (
                CHECKED,
                CHECKED + "        for parameter in [p for group in self.param_groups for p in group['params']]:\n"
                "            self.state[parameter].update(\n"
                "                step=0, exp_avg=torch.zeros_like(parameter), exp_avg_sq=torch.zeros_like(parameter)\n"
                "            )\n",
            ),
            (f"                if not state:\n                    {FRESH}\n", ""),
        ),
        "What is remembered is made when the optimizer is, so a parameter that joins later has none.",
        "What does `add_param_group` do to an optimizer that has already taken steps?",
    ),
    Misconception(
        "step_is_part_of_the_graph",
        "AdamW",
        (("    @torch.no_grad()\n    def step(", "    def step("),),
        "The step is recorded for differentiation, which PyTorch refuses for a parameter that is changed in place.",
        "Should anyone ever differentiate through this step? What switches the recording off?",
    ),
    Misconception(
        "gradient_changed",
        "AdamW",
        ((SQUARE, "mean_square.mul_(beta2).add_(gradient.mul_(gradient), alpha=1 - beta2)"),),
        "The gradient itself is changed in place.",
        "What does a method whose name ends in an underscore do to `.grad`?",
    ),
    Misconception(
        "gradient_cleared",
        "AdamW",
        ((STEP, f"{STEP}\n                parameter.grad = None"),),
        "The step clears the gradients, which is the business of `zero_grad`.",
        "Who else may want to look at the gradients after the step?",
    ),
    Misconception(
        "closure_ignored",
        "AdamW",
        ((CLOSURE, "loss = None"),),
        "The closure is not called.",
        "When a closure is given, who computes the gradients?",
    ),
    Misconception(
        "closure_for_each_group",
        "AdamW",
        (
            (CLOSURE, "loss = None"),
            (
                SETTINGS,
                f"with torch.enable_grad():\n                {CLOSURE}\n            {SETTINGS}",
            ),
        ),
        "The closure is called anew for each group: those after the first go by gradients of a model that has moved.",
        "How often should the model be run in one step, when its parameters are in two groups?",
    ),
    Misconception(
        "closure_without_gradients",
        "AdamW",
        (("with torch.enable_grad():", "with torch.no_grad():"),),
        "The closure is called with gradients off: its `backward` fails.",
        "What does the `no_grad` around your step do to a closure that runs inside it?",
    ),
    Misconception(
        "loss_of_the_closure_lost",
        "AdamW",
        (("        return loss\n", ""),),
        "The closure's loss is not returned.",
        "What does a caller who gives a closure expect back?",
    ),
    Misconception(
        "betas_of_adam",
        "AdamW",
        ((ARGUMENTS, ARGUMENTS.replace("0.95", "0.999")),),
        "The betas are (0.9, 0.999) unless given, as in Adam's paper; here they are GPT-3's (0.9, 0.95).",
        "What does the signature in the stub say?",
    ),
    Misconception(
        "decay_of_pytorch",
        "AdamW",
        ((ARGUMENTS, ARGUMENTS.replace("weight_decay=0.1", "weight_decay=0.01")),),
        "The decay is 0.01 unless given, as in PyTorch; here it is 0.1.",
        "What does the signature in the stub say?",
    ),
    Misconception(
        "bad_settings_not_refused",
        "AdamW",
        ((CHECKED, ""),),
        "Settings that cannot work, such as a negative learning rate, are not refused.",
        "When should a run with a beta of 1 fail: when the optimizer is made, or after an hour?",
    ),
    # decay_groups
    Misconception(
        "everything_decays",
        "decay_groups",
        ((PLACED, 'groups[0]["params"].append(parameter)'),),
        "Every parameter decays, biases and norms too.",
        "What would a LayerNorm do whose scale is pulled to 0?",
    ),
    Misconception(
        "nothing_decays",
        "decay_groups",
        ((PLACED, 'groups[1]["params"].append(parameter)'),),
        "No parameter decays: none of the names was recognised.",
        "What is the whole name of a `W_Q` in a model, and what is the last part of it?",
    ),
    Misconception(
        "decay_by_number_of_axes",
        "decay_groups",
        ((PLACED, 'groups[0 if parameter.ndim >= 2 else 1]["params"].append(parameter)'),),
        "Whatever has two axes or more decays: here that takes in the tables, and biases that have an axis of heads.",
        "What is the shape of `b_Q`?",
    ),
    Misconception(
        "tables_decay",
        "decay_groups",
        ((PLACED, 'groups[0 if last.startswith("W_") else 1]["params"].append(parameter)'),),
        "Whatever is called W_ decays, the tables of tokens and positions too.",
        "A token that does not come in this batch: should its vector shrink?",
    ),
    Misconception(
        "positions_decay",
        "decay_groups",
        ((MATRICES, MATRICES.replace("}", ', "W_pos"}')),),
        "The table of positions decays.",
        "Is `W_pos` a matrix that vectors are multiplied by, or a table whose rows are looked up?",
    ),
    Misconception(
        "all_but_biases_decay",
        "decay_groups",
        ((PLACED, 'groups[1 if last.startswith("b") else 0]["params"].append(parameter)'),),
        "Everything that is not a bias decays: the scales of the norms and the tables too.",
        "Which parameters are neither matrices nor biases?",
    ),
    Misconception(
        "norm_scales_decay",
        "decay_groups",
        ((MATRICES, MATRICES.replace("}", ', "w"}')),),
        "The scales of the norms decay.",
        "Towards which number should the scale of a norm be pulled, if any?",
    ),
    Misconception(
        "mlp_does_not_decay",
        "decay_groups",
        ((MATRICES, MATRICES.replace(', "W_in", "W_out"', "")),),
        "The two matrices of the MLP do not decay.",
        "Which matrices does a block have besides those of attention?",
    ),
    Misconception(
        "attention_output_does_not_decay",
        "decay_groups",
        ((MATRICES, MATRICES.replace(', "W_O"', "")),),
        "`W_O` does not decay.",
        "How many matrices does attention have?",
    ),
    Misconception(
        "tied_when_equal",
        "decay_groups",
        (
            (
                UNTIED,
                "tables_themselves = [p for name, p in named if name.split('.')[-1] == 'W_E']\n"
                '        is_untied = last == "W_U" and not any(torch.equal(parameter, p.T) for p in tables_themselves)',
            ),
        ),
        "An unembedding counts as tied because it holds the same numbers as the table: it has memory of its own, and "
        "will differ after one step.",
        "When `W_E` changes, does `W_U` change with it? What decides that: its numbers, or where they are stored?",
    ),
    Misconception(
        "unembedding_never_decays",
        "decay_groups",
        ((UNTIED, "is_untied = False"),),
        "The unembedding does not decay, even when it is a matrix of its own.",
        "When is `W_U` a table, and when a matrix like any other?",
    ),
    Misconception(
        "unembedding_always_decays",
        "decay_groups",
        ((UNTIED, 'is_untied = last == "W_U"'),),
        "The unembedding decays even when it is tied: with it, the token table does.",
        "When `W_U` is `W_E` seen from the other side, which of the two rules holds?",
    ),
    Misconception(
        "first_table_only",
        "decay_groups",
        ((TABLES, TABLES.replace("{p.", "[p.").replace("}", "][:1]")),),
        "Only the first table that is found counts: the unembedding of a second GPT in the model decays though tied.",
        "How many parameters of a model can be called `W_E`?",
    ),
    Misconception(
        "frozen_tables_do_not_tie",
        "decay_groups",
        ((TABLES, TABLES.replace('"W_E"', '"W_E" and p.requires_grad')),),
        "A table that is frozen does not count: an unembedding that shares its memory decays, and the table with it.",
        "Does an unembedding stop sharing the memory of `W_E` when that requires no gradient?",
    ),
    Misconception(
        "tied_to_any_name",
        "decay_groups",
        ((TABLES, TABLES.replace("==", "!=").replace("W_E", "W_U")),),
        "An unembedding counts as tied whichever parameter it shares its memory with: only a `W_E` is a table.",
        "What is it about a `W_E` that it should not decay, and is that so of any other parameter?",
    ),
    Misconception(
        "end_of_a_name_is_enough",
        "decay_groups",
        ((UNTIED, UNTIED.replace('last == "W_U"', 'name.endswith("W_U")')),),
        "A name that merely ends in W_U counts as one: `old_W_U` decays.",
        "What is the last part of `head.old_W_U`, and what are its last three letters?",
    ),
    Misconception(
        "two_names_listed_twice",
        "decay_groups",
        ((SORTED, "    for name, parameter in named:"),),
        "A parameter with two names is listed twice, and would be moved twice.",
        "How often does a shared parameter occur when names are listed, and how often among the parameters?",
    ),
    Misconception(
        "frozen_left_out",
        "decay_groups",
        ((SORTED, f"{SORTED}\n        if not parameter.requires_grad:\n            continue"),),
        "A parameter that is frozen is in no group: when it is thawed later, it still does not move.",
        "Which of the two groups is a parameter in that requires no gradient just now?",
    ),
    Misconception(
        "part_of_a_name_is_enough",
        "decay_groups",
        ((PLACED, PLACED.replace("last in matrices", "any(matrix in last for matrix in matrices)")),),
        "A name that merely contains one of the matrices' names counts as one: `W_inner` decays like `W_in`.",
        "Is `W_in` in the text `W_inner`? Is it in the set of the names that decay?",
    ),
    Misconception(
        "only_the_outermost_table",
        "decay_groups",
        (('if name.split(".")[-1] == "W_E"}', 'if name in ("embed.W_E", "W_E")}'),),
        "The token table is looked for under its name in a bare GPT: inside another model a tied unembedding decays.",
        "What is the whole name of `W_E` when the GPT is a part of a larger model?",
    ),
    Misconception(
        "only_the_outermost_unembedding",
        "decay_groups",
        ((UNTIED, UNTIED.replace('last == "W_U"', 'name in ("unembed.W_U", "W_U")')),),
        "The unembedding is looked for under its name in a bare GPT: inside another model it does not decay.",
        "What is the whole name of `W_U` when the GPT is a part of a larger model?",
    ),
    Misconception(
        "tied_by_its_first_number",
        "decay_groups",
        (
            ("tables = {p.untyped_storage().data_ptr()", "tables = {p.data_ptr()"),
            (UNTIED, UNTIED.replace("untyped_storage().", "")),
        ),
        "W_U counts as tied only when it starts where W_E does: a part of W_E shares its storage as well.",
        "Does `W_E[1:]` begin at the same address as `W_E`, and is it other memory?",
    ),
    Misconception(
        "rest_left_out",
        "decay_groups",
        (("    return groups\n", "    return groups[:1]\n"),),
        "What does not decay is in no group, and so is never trained.",
        "Does a parameter that should not decay still need an optimizer?",
    ),
    Misconception(
        "second_group_without_a_decay",
        "decay_groups",
        ((NO_DECAY, '{"params": []}]'),),
        "The second group does not say `weight_decay`, so the optimizer gives it its own: 0.1 unless told otherwise.",
        "What does an optimizer do with a setting that a group does not have?",
    ),
    Misconception(
        "decay_of_one_tenth",
        "decay_groups",
        (('[], "weight_decay": weight_decay}', '[], "weight_decay": 0.1}'),),
        "The decay is 0.1, whatever was asked for.",
        "Where is the argument `weight_decay` used?",
    ),
    Misconception(
        "names_for_parameters",
        "decay_groups",
        ((PLACED, PLACED.replace("(parameter)", "(name)")),),
        "The groups hold names, not the parameters themselves.",
        "What should the optimizer change, if all it is told is a name?",
    ),
    # warmup_cosine
    Misconception(
        "first_step_at_zero",
        "warmup_cosine",
        ((RISE, "return max_lr * step / warmup_steps"),),
        "The rise starts at 0: the first step is wasted, and all others come one late.",
        "Steps are counted from 0. What is the learning rate at the first one?",
    ),
    Misconception(
        "warmup_one_longer",
        "warmup_cosine",
        ((RISE, "return max_lr * (step + 1) / (warmup_steps + 1)"),),
        "The rise is stretched over one step more: its last step does not reach max_lr.",
        "At step warmup_steps - 1, what should (step + 1) / warmup_steps be?",
    ),
    Misconception(
        "warmup_overshoots",
        "warmup_cosine",
        ((UP, "if step <= warmup_steps and warmup_steps:"),),
        "The rise goes on for one step too many, above max_lr.",
        "At step warmup_steps, is the rise still going on?",
    ),
    Misconception(
        "warmup_from_min_lr",
        "warmup_cosine",
        ((RISE, "return min_lr + (max_lr - min_lr) * (step + 1) / warmup_steps"),),
        "The rise starts from min_lr; it should start from 0.",
        "What is max_lr * (step + 1) / warmup_steps half-way up? Does min_lr come into it?",
    ),
    Misconception(
        "warmup_never_below_min_lr",
        "warmup_cosine",
        ((RISE, "return max(min_lr, max_lr * (step + 1) / warmup_steps)"),),
        "The rise is held at min_lr or above; it starts from 0, also where that is below min_lr.",
        "What is max_lr * (step + 1) / warmup_steps at step 0 of a long warm-up? Does min_lr come into it?",
    ),
    Misconception(
        "no_warmup",
        "warmup_cosine",
        ((RISE, "return max_lr"),),
        "There is no rise: the learning rate is max_lr from the start.",
        "What is the learning rate at step 0 of a warm-up of 4 steps?",
    ),
    Misconception(
        "rise_in_whole_numbers",
        "warmup_cosine",
        ((RISE, "return max_lr * ((step + 1) // warmup_steps)"),),
        "The rise is divided without remainder: it is 0 until its last step.",
        "What is 3 // 4?",
    ),
    Misconception(
        "no_warmup_steps_divided_by",
        "warmup_cosine",
        ((UP, f"{RISE.replace('return', 'rise =')}\n    {UP}"), (f"        {RISE}", "        return rise")),
        "With no warm-up steps the rise is still worked out, and divides by 0.",
        "What happens when warmup_steps is 0?",
    ),
    Misconception(
        "progress_from_the_start",
        "warmup_cosine",
        ((PROGRESS, "progress = step / total_steps"),),
        "The way down is counted from step 0, so that it starts below max_lr.",
        "At step warmup_steps, which share of the way down is done?",
    ),
    Misconception(
        "progress_over_all_steps",
        "warmup_cosine",
        ((PROGRESS, "progress = (step - warmup_steps) / total_steps"),),
        "The way down is measured by all steps, the warm-up included: min_lr is reached only by a jump at the end.",
        "How many steps does the way down have?",
    ),
    Misconception(
        "progress_one_step_ahead",
        "warmup_cosine",
        ((PROGRESS, "progress = (step - warmup_steps + 1) / (total_steps - warmup_steps)"),),
        "The way down is one step ahead: it is already below max_lr at warmup_steps.",
        "At step warmup_steps, which share of the way down is done?",
    ),
    Misconception(
        "down_one_step_early",
        "warmup_cosine",
        ((PROGRESS, "progress = (step - warmup_steps) / max(total_steps - 1 - warmup_steps, 1)"),),
        "The way down ends one step early: min_lr should be reached at total_steps, not at the step before.",
        "At step total_steps - 1, has the way down been gone completely?",
    ),
    Misconception(
        "down_to_zero",
        "warmup_cosine",
        ((COSINE, "return max_lr * (1 + math.cos(math.pi * progress)) / 2"),),
        "The way down leads to 0, below min_lr.",
        "Which two rates does the half cosine join?",
    ),
    Misconception(
        "min_lr_on_top",
        "warmup_cosine",
        ((COSINE, "return min_lr + max_lr * (1 + math.cos(math.pi * progress)) / 2"),),
        "min_lr is added on top: the way down starts above max_lr.",
        "How far is it from max_lr down to min_lr?",
    ),
    Misconception(
        "straight_down",
        "warmup_cosine",
        ((COSINE, "return min_lr + (max_lr - min_lr) * (1 - progress)"),),
        "The way down is a straight line, not half a cosine.",
        "How steep is the cosine at its start, halfway and at its end?",
    ),
    Misconception(
        "quarter_of_a_cosine",
        "warmup_cosine",
        ((COSINE, "return min_lr + (max_lr - min_lr) * math.cos(math.pi / 2 * progress)"),),
        "The way down is the first quarter of a cosine, which ends steeply; half a cosine ends flat.",
        "Halfway down, how far above min_lr should the rate be?",
    ),
    Misconception(
        "whole_cosine",
        "warmup_cosine",
        ((COSINE, COSINE.replace("math.pi * progress", "2 * math.pi * progress")),),
        "The way down is a whole cosine: it comes back up before the end.",
        "From where to where does the cosine fall, and at which angle is it lowest?",
    ),
    Misconception(
        "cosine_turned_over",
        "warmup_cosine",
        ((COSINE, COSINE.replace("1 + math.cos", "1 - math.cos")),),
        "The cosine is turned over: the rate drops to min_lr and climbs.",
        "What is cos(0)?",
    ),
    Misconception(
        "cosine_not_lifted",
        "warmup_cosine",
        ((COSINE, "return min_lr + (max_lr - min_lr) * math.cos(math.pi * progress)"),),
        "The cosine is used as it is, from 1 to -1: the second half of the rates lies below min_lr.",
        "What must be done to a number between -1 and 1 to bring it between 0 and 1?",
    ),
    Misconception(
        "cosine_not_halved",
        "warmup_cosine",
        ((COSINE, COSINE.removesuffix(" / 2")),),
        "1 + cos runs from 2 to 0 and is not halved: the way down starts above max_lr.",
        "What is 1 + cos(0)?",
    ),
    Misconception(
        "pi_forgotten",
        "warmup_cosine",
        ((COSINE, COSINE.replace("math.pi * progress", "progress")),),
        "The angle lacks pi: the rate hardly falls before it drops at the end.",
        "At which angle is the cosine lowest?",
    ),
    Misconception(
        "angle_in_degrees",
        "warmup_cosine",
        ((COSINE, COSINE.replace("math.pi", "180")),),
        "The angle is in degrees: `cos` takes radians.",
        "What is half a turn in radians?",
    ),
    Misconception(
        "up_again_after_the_end",
        "warmup_cosine",
        ((END, ""),),
        "After the end the cosine goes on, and the rate climbs again.",
        "What should the rate be at step 2 * total_steps?",
    ),
    Misconception(
        "end_divided_by_nothing",
        "warmup_cosine",
        ((END, END.replace(">=", ">")),),
        "At total_steps the way down is still worked out, and divides by 0 when there is none.",
        "With as many warm-up steps as steps, how long is the way down?",
    ),
    Misconception(
        "zero_after_the_end",
        "warmup_cosine",
        ((END, END.replace("min_lr", "0.0")),),
        "From the end on the rate is 0; it should stay at min_lr.",
        "What should a run do that is continued past total_steps?",
    ),
    Misconception(
        "impossible_steps_not_refused",
        "warmup_cosine",
        ((POSSIBLE, "if total_steps < 0:"),),
        "Steps that make no schedule, such as a warm-up longer than the run, are not refused.",
        "What can a run of 100 steps with a warm-up of 200 be but a mistake?",
    ),
    # clip_grad_norm
    Misconception(
        "clipped_one_by_one",
        "clip_grad_norm",
        (
            (
                SHORTENED,
                SHORTENED.replace("factor", "(max_norm / (torch.linalg.vector_norm(gradient) + 1e-6)).clamp(max=1)"),
            ),
        ),
        "Each gradient is shortened by its own norm, so that the direction of the whole changes.",
        "Two gradients, 3 and 4 long: when both are cut to 1, does the whole still point the same way?",
    ),
    Misconception(
        "clipped_by_value",
        "clip_grad_norm",
        ((SHORTENED, SHORTENED.replace("mul_(factor)", "clamp_(-max_norm, max_norm)")),),
        "Every single number is cut off at max_norm; the norm is that of all of them together.",
        "Is the gradient (3, 4), cut to (1, 1), still pointing the same way?",
    ),
    Misconception(
        "short_gradients_lengthened",
        "clip_grad_norm",
        ((FACTOR, FACTOR.removesuffix(".clamp(max=1)")),),
        "Short gradients are lengthened to max_norm: the factor is never held at 1.",
        "What should happen to a gradient that is already short enough?",
    ),
    Misconception(
        "long_gradients_kept",
        "clip_grad_norm",
        ((FACTOR, FACTOR.replace("max=1", "min=1")),),
        "The factor is at least 1, not at most: long gradients stay, short ones are lengthened.",
        "Should the factor ever be more than 1?",
    ),
    Misconception(
        "factor_upside_down",
        "clip_grad_norm",
        ((FACTOR, "factor = ((norm + 1e-6) / max_norm).clamp(max=1)"),),
        "The factor is upside down: short gradients are shortened, long ones stay.",
        "The norm is 10 and the limit 1: by what should the gradients be multiplied?",
    ),
    Misconception(
        "limit_ignored",
        "clip_grad_norm",
        ((FACTOR, "factor = (1 / (norm + 1e-6)).clamp(max=1)"),),
        "The gradients are cut to a norm of 1, whatever the limit.",
        "Where is `max_norm` used?",
    ),
    Misconception(
        "small_number_forgotten",
        "clip_grad_norm",
        ((FACTOR, "factor = (max_norm / norm).clamp(max=1)"),),
        "The 1e-6 beside the norm is left out.",
        "What does the specification divide max_norm by?",
    ),
    Misconception(
        "norm_held_above_the_small_number",
        "clip_grad_norm",
        ((FACTOR, "factor = (max_norm / norm.clamp(min=1e-6)).clamp(max=1)"),),
        "The norm is held at 1e-6 or more, where 1e-6 is to be added to it.",
        "What does the specification divide max_norm by, when the norm is 7?",
    ),
    Misconception(
        "frozen_gradients_left_out",
        "clip_grad_norm",
        ((GRADIENTS, GRADIENTS.replace("is not None]", "is not None and parameter.requires_grad]")),),
        "The gradient of a frozen parameter is left out: it is neither in the norm nor shortened.",
        "Which gradients make up the one long vector?",
    ),
    Misconception(
        "norms_added",
        "clip_grad_norm",
        ((NORM, "norm = torch.stack(norms).sum() if norms else torch.zeros(())"),),
        "The norms of the gradients are added up; lengths at right angles add as squares.",
        "How long is the vector made of two parts that are 3 and 4 long?",
    ),
    Misconception(
        "norms_averaged",
        "clip_grad_norm",
        ((NORM, "norm = torch.stack(norms).mean() if norms else torch.zeros(())"),),
        "The norms of the gradients are averaged.",
        "How long is the vector made of two parts that are 3 and 4 long?",
    ),
    Misconception(
        "largest_norm_counts",
        "clip_grad_norm",
        ((NORM, "norm = torch.stack(norms).max() if norms else torch.zeros(())"),),
        "The norm is that of the longest gradient alone.",
        "How long is the vector made of two parts that are 3 and 4 long?",
    ),
    Misconception(
        "last_norm_counts",
        "clip_grad_norm",
        ((NORM, "norm = norms[-1] if norms else torch.zeros(())"),),
        "The norm is that of the last gradient alone: each one replaced the one before.",
        "Which gradients make up the one long vector?",
    ),
    Misconception(
        "norm_squared",
        "clip_grad_norm",
        ((NORM, "norm = torch.stack(norms).square().sum() if norms else torch.zeros(())"),),
        "The root is missing: this is the square of the norm.",
        "How long is the vector (3, 4)?",
    ),
    Misconception(
        "sum_of_absolute_values",
        "clip_grad_norm",
        (
            (NORMS, "norms = [gradient.abs().sum() for gradient in gradients]"),
            (NORM, "norm = torch.stack(norms).sum() if norms else torch.zeros(())"),
        ),
        "The norm is the sum of the absolute values (1-norm).",
        "How long is the vector (3, 4)?",
    ),
    Misconception(
        "largest_absolute_value",
        "clip_grad_norm",
        (
            (NORMS, "norms = [gradient.abs().amax() for gradient in gradients]"),
            (NORM, "norm = torch.stack(norms).amax() if norms else torch.zeros(())"),
        ),
        "The norm is the largest absolute value of all.",
        "How long is the vector (3, 4)?",
    ),
    Misconception(
        "norm_of_the_parameters",
        "clip_grad_norm",
        (
            (GRADIENTS, f"parameters = list(parameters)\n    {GRADIENTS}"),
            (NORMS, "norms = [torch.linalg.vector_norm(p) for p in parameters if p.grad is not None]"),
        ),
        "The norm is that of the parameters, not of their gradients.",
        "Which is too long when a step is too large: the parameter or its gradient?",
    ),
    Misconception(
        "parameters_shortened",
        "clip_grad_norm",
        (
            (GRADIENTS, f"parameters = list(parameters)\n    {GRADIENTS}"),
            (SHORTENED, "    for parameter in parameters:\n        parameter.mul_(factor)\n"),
        ),
        "The parameters themselves are shortened, not their gradients.",
        "What should clipping change: where the model stands, or how far it moves next?",
    ),
    Misconception(
        "generator_used_up",
        "clip_grad_norm",
        (
            (
                SHORTENED,
                "    for parameter in parameters:\n        if parameter.grad is not None:\n"
                "            parameter.grad.mul_(factor)\n",
            ),
        ),
        "The parameters are gone through twice: of a generator, such as `model.parameters()`, nothing is left then.",
        "What does a second loop over the same generator see?",
    ),
    Misconception(
        "clipping_expects_every_gradient",
        "clip_grad_norm",
        ((GRADIENTS, "gradients = [parameter.grad for parameter in parameters]"),),
        "A parameter without a gradient stops the clipping with an error.",
        "What is `.grad` of a parameter that had no part in the loss?",
    ),
    Misconception(
        "no_gradients_at_all_not_expected",
        "clip_grad_norm",
        ((NORM, NORM.removesuffix(" if norms else torch.zeros(())")),),
        "When no parameter has a gradient there is an error, not a norm of 0.",
        "How long is a vector without entries?",
    ),
    Misconception(
        "copies_shortened",
        "clip_grad_norm",
        ((SHORTENED, SHORTENED.replace("gradient.mul_(factor)", "gradient = gradient * factor")),),
        "Copies are shortened, and the gradients stay: the name was given to a new tensor.",
        "What does `gradient = gradient * ...` do to the tensor that the parameter holds?",
    ),
    Misconception(
        "gradients_replaced",
        "clip_grad_norm",
        (
            (GRADIENTS, f"parameters = list(parameters)\n    {GRADIENTS}"),
            (
                SHORTENED,
                "    for parameter in parameters:\n        if parameter.grad is not None:\n"
                "            parameter.grad = parameter.grad * factor\n",
            ),
        ),
        "Each parameter is given a new gradient: whoever holds the old one still sees it long.",
        "Which method multiplies the numbers of a tensor where they are?",
    ),
    Misconception(
        "flattened_copies_shortened",
        "clip_grad_norm",
        ((SHORTENED, SHORTENED.replace("gradient.mul_", "gradient.reshape(-1).mul_")),),
        "Flattened gradients are shortened, which are copies where the numbers are not stored in order.",
        "When does `reshape` return a view, and when a copy?",
    ),
    Misconception(
        "gradients_expected_in_order",
        "clip_grad_norm",
        ((NORMS, NORMS.replace("vector_norm(gradient)", "vector_norm(gradient.view(-1))")),),
        "The gradients are flattened with `view`, which raises an error when the numbers are not stored in order.",
        "How are the numbers of `x.T` stored, and can `view` put them in one row?",
    ),
    Misconception(
        "norm_after_clipping",
        "clip_grad_norm",
        ((RETURNED, "    return norm * factor\n"),),
        "The norm after clipping is returned, which says nothing about how long the gradient was.",
        "Which of the two norms tells that training is about to go wrong?",
    ),
    Misconception(
        "factor_returned",
        "clip_grad_norm",
        ((RETURNED, "    return factor\n"),),
        "The factor is returned, not the norm.",
        "What should come back when nothing had to be clipped: 1, or how long the gradient was?",
    ),
    Misconception(
        "limit_not_checked",
        "clip_grad_norm",
        ((LIMIT, "if max_norm is None:"),),
        "A limit of 0 or less is not refused: it stops all training, or turns it round.",
        "What does a negative factor do to a gradient?",
    ),
)

# Mutations of the reference that nothing can tell from it, with the reason.
GROUPS = (
    "groups: list[dict[str, Any]] = [{'params': [], 'weight_decay': weight_decay}, {'params': [], 'weight_decay': 0.0}]"
)
EQUIVALENT: dict[str, str] = {
    f"decay_groups: {GROUPS}  ->  {GROUPS.replace('0.0', '-0.0')}": "-0.0 equals 0.0, and decays as little",
}
