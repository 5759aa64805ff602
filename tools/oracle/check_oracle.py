"""Checks of the oracle itself: the base model's golden values, central differences, and torch.optim.AdamW."""

import json
from pathlib import Path

import numpy as np
import torch

import make_fixtures as fixtures
from models import model_of
from store import read_tensors
from stored import rounded
from training import Settings, gradients_of, loss_sum, targets_of, train

ROOT = Path(__file__).resolve().parents[2]


def check(label: str, error: float, limit: float) -> None:
    print(f"{'ok ' if error <= limit else 'BAD'} {label}: {error:.1e} (limit {limit:.0e})")
    if not error <= limit:
        raise SystemExit(1)


def widen(weights: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value.astype(np.float64)) for name, value in weights.items()}


def golden() -> None:
    """Loss, logits and gradients of the built-in model, computed by other code, then ten steps of AdamW."""
    folder = ROOT / "public" / "models" / "wordsmith-2m"
    config = json.loads((folder / "config.json").read_text())
    want = json.loads((fixtures.FIXTURES / "wordsmith-2m.golden.json").read_text())
    weights = {name: value.astype(np.float64) for name, value in read_tensors(folder / "model.safetensors").items()}
    batch = [{"ids": row, "target": [0] + [1] * (len(row) - 1)} for row in want["input_ids"]]
    model, t = model_of(config), widen(weights)

    loss, gradients = gradients_of(model, t, [batch], list(t))
    check("golden loss", abs(loss - want["loss"]), 1e-12)
    worst = 0.0
    for row, ids in enumerate(want["input_ids"]):
        logits = model.logits(t, torch.tensor(ids)).detach()
        for at, values in zip(want["logits"]["positions"], want["logits"]["values"][row]):
            worst = max(worst, fixtures.relative(logits[at], values))
    check("golden logits", worst, 1e-12)
    norms = [abs(gradients[name].norm().item() / g["norm"] - 1) for name, g in want["gradients"].items()]
    heads = [fixtures.relative(gradients[name].flatten()[:8], g["first8"]) for name, g in want["gradients"].items()]
    check(f"golden gradients of {len(norms)} tensors, norm and first entries", max(norms + heads), 1e-9)

    adamw = want["adamw"]
    steps = len(adamw["losses"])
    settings = Settings(
        steps, [[0]] * steps, adamw["lr"], warmup=0, betas=tuple(adamw["betas"]), eps=adamw["eps"],
        weight_decay=adamw["weight_decay"], clip=float("inf"), constant=True,
    )  # fmt: skip
    decayed = {name for name, value in weights.items() if value.ndim == 2}
    record = train(model, weights, [batch], settings, list(weights), decayed, torch.float64)
    check(f"golden losses of {steps} AdamW steps", fixtures.relative(record.losses, adamw["losses"]), 1e-10)


def central_differences(name: str) -> None:
    """Three random entries of every tensor, adapters included; B is moved off zero, where A has no gradient."""
    config, seed = fixtures.CONFIGS[name], fixtures.SEEDS[name]
    weights = fixtures.random_weights(config, seed)
    weights |= fixtures.random_adapters(config, weights, seed + 200)
    rng = np.random.default_rng(0)
    t = widen(weights)
    for tensor in t:
        if tensor.endswith("lora_B.weight"):
            t[tensor] = torch.tensor(rng.standard_normal(t[tensor].shape) * 0.1)
    batch = fixtures.random_batches(seed + 100, config["vocab_size"])[0]
    model = model_of(config, fixtures.ALPHA / fixtures.RANK)
    _, gradients = gradients_of(model, t, [batch], list(t))
    count, step, worst = targets_of([batch]), 1e-5, 0.0
    with torch.no_grad():
        for tensor, values in t.items():
            scale = gradients[tensor].square().mean().sqrt().item()
            for at in rng.integers(0, values.numel(), 3).tolist():
                flat, sides = values.view(-1), []
                original = flat[at].item()
                for side in (1, -1):
                    flat[at] = original + side * step
                    sides.append(loss_sum(model, t, batch).item() / count)
                flat[at] = original
                difference = (sides[0] - sides[1]) / (2 * step)
                worst = max(worst, abs(difference - gradients[tensor].view(-1)[at].item()) / scale)
    check(f"{name}: central differences of {len(t)} tensors, against each tensor's rms", worst, 1e-6)
    for zero in fixtures.zero_ranges(config):
        part = gradients[zero["tensor"]][zero["from"] : zero["to"]]
        check(f"{name}: {zero['tensor']} [{zero['from']}, {zero['to']}) is zero", part.abs().max().item(), 1e-15)


def windows() -> None:
    """A window hides what lies before it, and hides nothing if everything fits into it."""
    config = fixtures.CONFIGS["tiny-mistral"]
    t = widen(fixtures.random_weights(config, 1))
    ids = torch.tensor(fixtures.random_batches(1, config["vocab_size"])[0][0]["ids"][:-1])

    def logits(window) -> torch.Tensor:
        return model_of(config | {"sliding_window": window}).logits(t, ids)

    check("a window of the document's length changes nothing", (logits(len(ids)) - logits(None)).abs().max().item(), 0)
    short = (logits(len(ids) - 1) - logits(None)).abs().amax(1)
    check("one token less changes only the last token", short[:-1].max().item(), 0)
    check("and that by more than rounding", 1e-9 / short[-1].item(), 1e-3)


def sixteen_bits() -> None:
    """Rounding by arithmetic against the conversions of NumPy (from float64) and PyTorch (from float32), ties and subnormals included."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal(200_000) * 10.0 ** rng.uniform(-9, 3, 200_000)
    steps = np.arange(0, 0x7BFF, dtype=np.uint16).view(np.float16).astype(np.float64)
    middles = (steps[1:] + steps[:-1]) / 2
    for x in (values, middles, -middles):
        check("F16 as NumPy rounds", np.abs(rounded(x, "F16") - x.astype(np.float16)).max(), 0)
        single = torch.tensor(x.astype(np.float32))
        check("BF16 as PyTorch rounds", np.abs(rounded(single.numpy(), "BF16") - single.bfloat16().double().numpy()).max(), 0)


def torch_adamw() -> None:
    """Ten clipped, scheduled steps of full training against PyTorch's optimizer, clipping and gradients."""
    name = "tiny-llama-bias"
    config, seed = fixtures.CONFIGS[name], fixtures.SEEDS[name]
    weights, batches = fixtures.random_weights(config, seed), fixtures.random_batches(seed + 100, config["vocab_size"])
    _, settings, trainable, _, _ = next(fixtures.runs_of(config, weights, {}))
    decayed = {tensor for tensor in trainable if weights[tensor].ndim == 2}
    model = model_of(config)
    record = train(model, weights, batches, settings, trainable, decayed, torch.float64)

    t = {tensor: value.requires_grad_() for tensor, value in widen(weights).items()}
    groups = [
        {"params": [t[n] for n in trainable if n in decayed], "weight_decay": settings.weight_decay},
        {"params": [t[n] for n in trainable if n not in decayed], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings.lr, betas=settings.betas, eps=settings.eps)
    for s, micro in enumerate(settings.micro):
        optimizer.zero_grad()
        parts = [batches[i] for i in micro]
        (sum(loss_sum(model, t, batch) for batch in parts) / targets_of(parts)).backward()
        torch.nn.utils.clip_grad_norm_(list(t.values()), settings.clip)
        for group in optimizer.param_groups:
            group["lr"] = record.rates[s]
        optimizer.step()
    errors = [
        fixtures.relative(t[n].detach().numpy() - weights[n].astype(np.float64), record.updates[n]) for n in trainable
    ]
    check(f"{name}: {settings.steps} steps of torch.optim.AdamW", max(errors), 1e-9)


def main() -> None:
    torch.set_num_threads(1)
    golden()
    for name in fixtures.CONFIGS:
        central_differences(name)
    windows()
    sixteen_bits()
    torch_adamw()


if __name__ == "__main__":
    main()
