"""Right answers to training, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "slices_stacked",
        """
def get_batch(data, batch, n_ctx, generator):
    n_windows = len(data) - n_ctx
    if n_windows < 1 or batch < 1 or n_ctx < 1:
        raise ValueError(f"no batch of {batch} windows of {n_ctx} tokens and the next in a text of {len(data)}")
    starts = torch.randint(n_windows, (batch,), generator=generator).tolist()
    x = torch.stack([data[start : start + n_ctx] for start in starts])
    y = torch.stack([data[start + 1 : start + 1 + n_ctx] for start in starts])
    return x, y


def train_step(model, optimizer, x, y, max_norm):
    model.train(True)
    logits = model(x)
    loss = F.cross_entropy(logits.transpose(1, 2), y)
    for parameter in model.parameters():
        parameter.grad = None
    loss.backward()
    norm = float(clip_grad_norm(list(model.parameters()), max_norm))
    if not (math.isfinite(loss.item()) and math.isfinite(norm)):
        optimizer.zero_grad()
        raise ValueError(f"no step: loss {loss.item()}, norm {norm}")
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    return float(loss.detach())


import math
""",
    ),
    Variant(
        "windows_unfolded",
        """
def get_batch(data, batch, n_ctx, generator):
    if len(data) < n_ctx + 1 or min(batch, n_ctx) < 1:
        raise ValueError(f"{len(data)} tokens are too few for windows of {n_ctx} and the next, or {batch} is too few")
    windows = data.unfold(0, n_ctx + 1, 1)
    share = torch.rand(batch, generator=generator, dtype=torch.float64)
    drawn = windows[(share * len(windows)).long().clamp(max=len(windows) - 1)]
    return drawn[:, :-1].contiguous(), drawn[:, 1:].contiguous()


@torch.no_grad()
def mean_surprise(model, x, y):
    log_probs = model(x).log_softmax(-1)
    return -log_probs.gather(-1, y[..., None]).mean()


def evaluate(model, data, batch, n_ctx, n_batches, generator):
    if n_batches <= 0:
        raise ValueError("at least one batch is needed")
    modes = {module: module.training for module in model.modules()}
    try:
        mean = 0.0
        for number in range(1, n_batches + 1):
            batch_of_it = get_batch(data, batch, n_ctx, generator)
            model.eval()
            mean += (mean_surprise(model, *batch_of_it).item() - mean) / number
        return mean
    finally:
        for module, training in modes.items():
            module.training = training
""",
    ),
    Variant(
        "surprise_by_hand",
        """
def train_step(model, optimizer, x, y, max_norm):
    model.train()
    logits = model(x)
    surprise = logits.logsumexp(-1) - logits.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    loss = surprise.mean(dim=1).mean()
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.zero_()
    loss.backward()
    if not (loss.isfinite() & clip_grad_norm(model.parameters(), max_norm).isfinite()):
        raise ValueError("the loss or its gradient is not finite")
    optimizer.step()
    return loss.detach().item()


@torch.inference_mode()
def evaluate(model, data, batch, n_ctx, n_batches, generator):
    if n_batches < 1:
        raise ValueError(f"{n_batches} batches have no mean")
    batches = [get_batch(data, batch, n_ctx, generator) for _ in range(n_batches)]
    was_training, _ = model.training, model.eval()
    try:
        losses = torch.stack([F.cross_entropy(model(x).transpose(1, 2), y) for x, y in batches])
    finally:
        if was_training:
            model.train()
    return float(losses.mean())
""",
    ),
    Variant(
        "checkpoint_in_parts",
        """
def save_checkpoint(path, model, optimizer, step, generator):
    path = os.fspath(path)
    handle, partial = tempfile.mkstemp(dir=os.path.dirname(path) or ".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(
                [
                    [value.clone() for value in model.state_dict().values()],
                    list(model.state_dict()),
                    optimizer.state_dict(),
                    (generator.get_state(), torch.random.get_rng_state()),
                    torch.tensor(step),
                ],
                file,
            )
            file.flush()
            fsync(file)
        rename(partial, path)
    except RuntimeError as error:  # torch's own, where the disk is full
        os.unlink(partial)
        raise OSError(f"{path} cannot be written: {error}") from error
    except BaseException:
        os.unlink(partial)
        raise


def load_checkpoint(path, model, optimizer, generator):
    data = Path(path).read_bytes()
    before = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    try:
        values, names, remembered, (drawn, dropped), step = torch.load(io.BytesIO(data), weights_only=True)
        model.load_state_dict(dict(zip(names, values, strict=True)), strict=True)
        optimizer.load_state_dict(remembered)
    except Exception as error:
        model.load_state_dict(before[0])
        optimizer.load_state_dict(before[1])
        raise ValueError(f"{path}: not a checkpoint that fits ({type(error).__name__}: {error})") from None
    generator.set_state(drawn)
    torch.random.set_rng_state(dropped)
    return int(step)


import copy
import tempfile
from os import fsync, rename
""",
    ),
    Variant(
        "checkpoint_tried_on_copies",
        """
def train_step(model, optimizer, x, y, max_norm):
    model.train()
    model.zero_grad(set_to_none=False)
    loss = F.cross_entropy(model(x).transpose(1, 2), y)
    loss.backward()
    if not torch.isfinite(clip_grad_norm(model.parameters(), max_norm) + loss):
        raise ValueError("no step on a loss or a gradient that is not finite")
    optimizer.step()
    return loss.item()


def save_checkpoint(path, model, optimizer, step, generator):
    state = (step, torch.get_rng_state(), generator.get_state(), model.state_dict(), optimizer.state_dict())
    partial = Path(f"{path}.new")
    try:
        torch.save(state, partial)
        with open(partial, "rb+") as file:
            os.fsync(file)
        os.replace(partial, path)
    except Exception as error:
        partial.unlink(missing_ok=True)
        raise OSError(f"{path} was not written") from error


def load_checkpoint(path, model, optimizer, generator):
    if not os.path.exists(path):
        raise FileNotFoundError(path)
    try:
        step, dropped, drawn, parameters, remembered = torch.load(path, weights_only=True)
        trial_model, trial_optimizer = copy.deepcopy((model, optimizer))
        trial_model.load_state_dict(parameters)
        trial_optimizer.load_state_dict(remembered)
    except Exception as error:
        raise ValueError(f"{path} does not fit or is damaged") from error
    model.load_state_dict(parameters)
    optimizer.load_state_dict(remembered)
    torch.set_rng_state(dropped)
    generator.set_state(drawn)
    return step


import copy
""",
    ),
    Variant(
        "handler_of_its_own",
        """
def train(
    model, data, steps, batch, n_ctx, max_lr, min_lr, warmup_steps, weight_decay, max_norm, seed,
    checkpoint=None, progress=True,
):
    generator = torch.Generator()
    generator.manual_seed(seed)
    optimizer = AdamW(decay_groups(model, weight_decay))
    step, history, interrupted = 0, [], []
    if checkpoint and os.path.exists(checkpoint):
        step = load_checkpoint(checkpoint, model, optimizer, generator)
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.append(True))
    try:
        while step < steps and not interrupted:
            rate = warmup_cosine(step, warmup_steps, steps, max_lr, min_lr)
            for group in optimizer.param_groups:
                group.update(lr=rate)
            batch_of_step = get_batch(data, batch, n_ctx, generator)
            try:
                history.append((step, train_step(model, optimizer, *batch_of_step, max_norm)))
            except ValueError as error:
                raise ValueError(f"step {step} cannot be taken: {error}") from error
            step += 1
            if checkpoint and (interrupted or step in (steps, *range(0, steps, steps // 20 or 1))):
                save_checkpoint(checkpoint, model, optimizer, step, generator)
    finally:
        signal.signal(signal.SIGINT, before)
    if checkpoint and interrupted and step < steps:
        print(f"stopped before step {step}; to go on, call train with checkpoint={checkpoint} again", file=sys.stderr)
    elif progress and history:
        print(f"{step} steps are done, the last with a loss of {history[-1][1]:.3f}", file=sys.stderr)
    return history
""",
    ),
    Variant(
        "the_rate_in_a_helper",
        """
def rated(optimizer, rate):
    for group in optimizer.param_groups:
        group["lr"] = rate
    return optimizer


def train(
    model, data, steps, batch, n_ctx, max_lr, min_lr, warmup_steps, weight_decay, max_norm, seed,
    checkpoint=None, progress=True,
):
    optimizer, generator = AdamW(decay_groups(model, weight_decay), max_lr), torch.Generator().manual_seed(seed)
    path = None if checkpoint is None else Path(checkpoint)
    first = load_checkpoint(path, model, optimizer, generator) if path and path.is_file() else 0
    pause = max(1, steps // 20)
    losses = {}
    with deferred_ctrl_c() as came, Progress(first, steps, batch * n_ctx, progress) as line:
        for step in range(first, steps):
            rate = warmup_cosine(step, warmup_steps, steps, max_lr, min_lr)
            x, y = get_batch(data, batch, n_ctx, generator)
            try:
                losses[step] = train_step(model, rated(optimizer, rate), x, y, max_norm)
            except ValueError as error:
                error.args = (f"at step {step}: {error}",)
                raise
            line.update(step + 1, losses[step])
            last = step == steps - 1 or came()
            if path and (last or not (step + 1) % pause):
                save_checkpoint(path, model, optimizer, step + 1, generator)
            if last and step < steps - 1:
                print(f"Ctrl-C: {step + 1} steps are in {path}, call train again for the rest", file=sys.stderr)
            if last:
                break
    return list(losses.items())
""",
    ),
)
