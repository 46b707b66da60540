"""Right answers to optimizer, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "as_in_the_papers",
        """
@torch.no_grad()
def step(self, closure=None):
    loss = None
    if closure is not None:
        with torch.enable_grad():
            loss = closure()
    for group in self.param_groups:
        beta1, beta2 = group["betas"]
        for p in group["params"]:
            if p.grad is not None:
                memory = self.state[p]
                t = memory["t"] = memory.get("t", 0) + 1
                m = memory["m"] = beta1 * memory.get("m", 0) + (1 - beta1) * p.grad
                v = memory["v"] = beta2 * memory.get("v", 0) + (1 - beta2) * p.grad**2
                m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
                change = m_hat / (v_hat.sqrt() + group["eps"]) + group["weight_decay"] * p
                p -= group["lr"] * change
    return loss


AdamW.step = step


def decay_groups(model, weight_decay):
    parameters = dict(model.named_parameters())
    tables = [p for name, p in model.named_parameters(remove_duplicate=False) if ("." + name).endswith(".W_E")]

    def decays(name, p):
        if name.rpartition(".")[2] == "W_U":
            return all(p.untyped_storage().data_ptr() != table.untyped_storage().data_ptr() for table in tables)
        return name.rpartition(".")[2] in ("W_Q", "W_K", "W_V", "W_O", "W_in", "W_out")

    return [
        {"params": [p for name, p in parameters.items() if decays(name, p)], "weight_decay": weight_decay},
        {"params": [p for name, p in parameters.items() if not decays(name, p)], "weight_decay": 0},
    ]


def warmup_cosine(step, warmup_steps, total_steps, max_lr, min_lr):
    if step < 0 or warmup_steps < 0 or warmup_steps > total_steps:
        raise ValueError("no such schedule")
    if step >= warmup_steps:
        left = total_steps - min(step, total_steps)
        share = left / (total_steps - warmup_steps) if left else 0.0
        return min_lr + (max_lr - min_lr) * math.sin(math.pi / 2 * share) ** 2
    return (step + 1) * (max_lr / warmup_steps)


@torch.no_grad()
def clip_grad_norm(parameters, max_norm):
    if not max_norm > 0:
        raise ValueError("max_norm must be positive")
    parameters = [p for p in parameters if p.grad is not None]
    everything = torch.cat([p.grad.reshape(-1) for p in parameters] or [torch.zeros(0)])
    norm = everything.norm()
    for p in parameters:
        p.grad[...] = p.grad * torch.clamp(max_norm / (norm + 1e-6), max=1.0)
    return norm
""",
    ),
    Variant(
        "corrections_folded_into_the_learning_rate",
        """
@torch.no_grad()
def step(self, closure=None):
    with torch.enable_grad():
        loss = closure and closure()
    for group in self.param_groups:
        lr, (b1, b2), eps, decay = (group[name] for name in ("lr", "betas", "eps", "weight_decay"))
        for p in filter(lambda p: p.grad is not None, group["params"]):
            if p not in self.state:
                self.state[p] = {"step": torch.tensor(0.0), "moments": torch.zeros(2, *p.shape, dtype=p.dtype)}
            state = self.state[p]
            state["step"] += 1
            t = state["step"].item()
            first, second = state["moments"]
            first.mul_(b1).add_(p.grad, alpha=1 - b1)
            second.mul_(b2).add_(p.grad * p.grad, alpha=1 - b2)
            root2 = math.sqrt(1 - b2**t)
            p.data *= 1 - lr * decay
            p.data -= lr * root2 / (1 - b1**t) * first / (second.sqrt() + eps * root2)
    return loss


AdamW.step = step


def decay_groups(model, weight_decay):
    rest = {id(p): p for p in model.parameters()}
    tables = [p for n, p in model.named_parameters(remove_duplicate=False) if n.split(".")[-1] == "W_E"]
    tables = {p.untyped_storage().data_ptr() for p in tables}
    decayed = []
    for module in model.modules():
        for name, p in module.named_parameters(recurse=False):
            tied = p.untyped_storage().data_ptr() in tables
            if name in "W_Q W_K W_V W_O W_in W_out".split() or (name == "W_U" and not tied):
                if rest.pop(id(p), None) is not None:
                    decayed.append(p)
    return [dict(params=list(rest.values()), weight_decay=0.0), dict(params=decayed, weight_decay=weight_decay)]


def warmup_cosine(step, warmup_steps, total_steps, max_lr, min_lr):
    if min(step, warmup_steps, total_steps - warmup_steps) < 0:
        raise ValueError("no such schedule")
    if step < warmup_steps:
        return (step + 1) / warmup_steps * max_lr
    angle = math.pi if step >= total_steps else math.pi * (step - warmup_steps) / (total_steps - warmup_steps)
    return 0.5 * (max_lr + min_lr) + 0.5 * (max_lr - min_lr) * math.cos(angle)


def clip_grad_norm(parameters, max_norm):
    if max_norm != max_norm or max_norm <= 0:
        raise ValueError("max_norm must be positive")
    gradients = [p.grad.detach() for p in parameters if p.grad is not None]
    norm = torch.as_tensor(sum((gradient**2).sum() for gradient in gradients)) ** 0.5
    norm = norm.to(gradients[0].dtype) if gradients else norm.to(torch.get_default_dtype())
    factor = min(1.0, max_norm / (norm.item() + 1e-6))
    for gradient in gradients:
        gradient *= factor
    return norm
""",
    ),
    Variant(
        "many_tensors_at_once",
        """
@torch.no_grad()
def step(self, closure=None):
    loss = None
    if closure is not None:
        with torch.enable_grad():
            loss = closure()
    for group in self.param_groups:
        params = [p for p in group["params"] if p.grad is not None]
        if not params:
            continue
        for p in params:
            if len(self.state[p]) == 0:
                self.state[p]["step"] = 0
                self.state[p]["m"] = torch.zeros_like(p)
                self.state[p]["v"] = torch.zeros_like(p)
            self.state[p]["step"] += 1
        (beta1, beta2), lr = group["betas"], group["lr"]
        grads, states = [p.grad for p in params], [self.state[p] for p in params]
        m, v = [s["m"] for s in states], [s["v"] for s in states]
        torch._foreach_lerp_(m, grads, 1 - beta1)
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, grads, grads, 1 - beta2)
        torch._foreach_mul_(params, 1 - lr * group["weight_decay"])
        denominators = torch._foreach_sqrt(v)
        torch._foreach_div_(denominators, [math.sqrt(1 - beta2 ** s["step"]) for s in states])
        torch._foreach_add_(denominators, group["eps"])
        steps = torch._foreach_div(m, [1 - beta1 ** s["step"] for s in states])
        torch._foreach_addcdiv_(params, steps, denominators, -lr)
    return loss


AdamW.step = step


def clip_grad_norm(parameters, max_norm):
    if not max_norm > 0:
        raise ValueError("max_norm must be positive")
    with torch.no_grad():
        grads = [p.grad for p in list(parameters) if p.grad is not None]
        if not grads:
            return torch.tensor(0.0)
        norm = torch.stack(torch._foreach_norm(grads)).square().sum().sqrt()
        torch._foreach_mul_(grads, torch.where(norm + 1e-6 > max_norm, max_norm / (norm + 1e-6), 1.0))
        return norm
""",
    ),
    Variant(
        "one_parameter_after_the_other_in_functions",
        """
def correct(average, beta, t):
    return average / -math.expm1(t * math.log(beta)) if beta > 0 else average


def move(p, grad, state, lr, betas, eps, weight_decay, **others):
    if not state:
        state["t"], state["averages"] = 0, [torch.zeros_like(p), torch.zeros_like(p)]
    state["t"] += 1
    state["averages"] = [a + (1 - b) * (g - a) for a, b, g in zip(state["averages"], betas, (grad, grad.square()))]
    m, v = (correct(a, b, state["t"]) for a, b in zip(state["averages"], betas))
    p.copy_(p - lr * weight_decay * p - lr * m / (v**0.5 + eps))


def step(self, closure=None):
    loss = None if closure is None else closure()
    with torch.no_grad():
        for group in self.param_groups:
            settings = {name: value for name, value in group.items() if name != "params"}
            for p in group["params"]:
                if p.grad is None:
                    continue
                move(p, p.grad, self.state[p], **settings)
    return loss


AdamW.step = step


def warmup_cosine(step, warmup_steps, total_steps, max_lr, min_lr):
    if warmup_steps not in range(total_steps + 1) or step < 0:
        raise ValueError("no such schedule")
    if step in range(warmup_steps):
        return max_lr * (step + 1) / warmup_steps
    if step in range(warmup_steps, total_steps):
        down = (1 - math.cos(math.pi * (step - warmup_steps) / (total_steps - warmup_steps))) / 2
        return max_lr * (1 - down) + min_lr * down
    return min_lr


def clip_grad_norm(parameters, max_norm):
    if math.isnan(max_norm) or max_norm <= 0:
        raise ValueError("max_norm must be positive")
    total = torch.zeros(())
    gradients = []
    for p in parameters:
        if p.grad is not None:
            gradients.append(p.grad)
            total = torch.hypot(total.to(p.grad.dtype), p.grad.flatten().norm(2))
    if total > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / (total + 1e-6))
    return total
""",
    ),
)
