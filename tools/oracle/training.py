"""One training run in a chosen precision: loss over micro-batches, clipping, AdamW with state per layer slot.

The rules are those that the engine promises; every number that the fixtures hold comes from here.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from models import Tensors

EDGES = ("embedding", "head", "norm")

Batch = list[dict]
"""A micro-batch: documents {"ids": [T+1], "target": [T+1]}; target[i] = 1: ids[i] is predicted, with loss."""


@dataclass
class Settings:
    steps: int
    micro: list[list[int]]
    """Batches of each optimizer step."""
    lr: float = 1e-3
    warmup: int = 2
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.1
    clip: float = 1.0
    constant: bool = False
    """No cosine after the warm-up."""


@dataclass
class Lisa:
    period: int
    draws: list[list[int]]
    ends: tuple[str, ...]
    """Those of EDGES that are trained, in every period."""


@dataclass
class Record:
    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """After the last step: updates behind m and v of each tensor that holds state."""
    updates: dict[str, np.ndarray] = field(default_factory=dict)
    """W - W0 in float64, of every tensor that was ever trained."""


def layer_of(name: str) -> int | None:
    found = re.match(r"(?:transformer\.h|model\.layers)\.(\d+)\.", name)
    return int(found[1]) if found else None


def edge_of(name: str) -> str:
    """Which of EDGES a tensor outside the layers belongs to; learned positions follow the embedding."""
    return "head" if name.startswith("lm_head") else "norm" if ".norm." in name or ".ln_f." in name else "embedding"


def targets_of(batches: list[Batch]) -> int:
    return sum(sum(document["target"]) for batch in batches for document in batch)


def loss_sum(model, t: Tensors, batch: Batch, logits_out: list | None = None):
    """Sum of the token losses; logits of the target rows, in stream order, are appended to logits_out."""
    total = 0
    for document in batch:
        ids = torch.tensor(document["ids"])
        rows = torch.tensor([i - 1 for i, target in enumerate(document["target"]) if target], dtype=torch.long)
        if len(rows) == 0:
            continue
        logits = model.logits(t, ids[:-1])[rows]
        labels = ids[1:][rows]
        total = total + (torch.logsumexp(logits, -1) - logits[torch.arange(len(rows)), labels]).sum()
        if logits_out is not None:
            logits_out.append(logits.detach())
    return total


def gradients_of(model, t: Tensors, batches: list[Batch], names: list[str]) -> tuple[float, Tensors]:
    """Mean loss over the targets of all batches, and its gradient by tensor."""
    count = targets_of(batches)
    for name, tensor in t.items():
        tensor.requires_grad_(name in names)
        tensor.grad = None
    loss = 0.0
    for batch in batches:
        part = loss_sum(model, t, batch) / count
        part.backward()
        loss += part.item()
    return loss, {name: torch.zeros_like(t[name]) if t[name].grad is None else t[name].grad for name in names}


def rate_at(s: int, settings: Settings) -> float:
    """s counts from 0. Linear warm-up, then a cosine to 0."""
    if s < settings.warmup:
        return settings.lr * (s + 1) / settings.warmup
    if settings.constant:
        return settings.lr
    progress = (s - settings.warmup) / (settings.steps - settings.warmup)
    return settings.lr * 0.5 * (1 + math.cos(math.pi * progress))


def train(model, weights: dict[str, np.ndarray], batches: list[Batch], settings: Settings, trainable: list[str],
          decayed: set[str], dtype: torch.dtype, lisa: Lisa | None = None,
          leave: Callable[[int, list[str], Tensors], None] | None = None) -> Record:
    """`leave` gets the last period of layers that leave training, and may change their weights; at the end all of them
    leave, after the updates were recorded."""
    t = {name: torch.tensor(value.astype(np.float64)).to(dtype) for name, value in weights.items()}
    record, state, touched = Record(), {}, set()
    for s in range(settings.steps):
        names = trainable
        if lisa:
            drawn = lisa.draws[s // lisa.period]
            names = [n for n in trainable if (edge_of(n) in lisa.ends if layer_of(n) is None else layer_of(n) in drawn)]
            # A layer that leaves loses m, v and its count; one that stays keeps them.
            state = {name: held for name, held in state.items() if name in names}
            if leave and s > 0 and s % lisa.period == 0:
                before = lisa.draws[s // lisa.period - 1]
                leave(s // lisa.period - 1, [n for n in trainable if layer_of(n) in before and layer_of(n) not in drawn], t)
        loss, gradients = gradients_of(model, t, [batches[i] for i in settings.micro[s]], names)
        norm = math.sqrt(sum(g.square().sum().item() for g in gradients.values()))
        scale = min(1.0, settings.clip / (norm + 1e-6))
        rate = rate_at(s, settings)
        beta1, beta2 = settings.betas
        with torch.no_grad():
            for name in names:
                m, v, count = state.get(name, (0, 0, 0))
                g = gradients[name] * scale
                m, v, count = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g, count + 1
                state[name] = (m, v, count)
                decay = settings.weight_decay if name in decayed else 0.0
                direction = (m / (1 - beta1**count)) / ((v / (1 - beta2**count)).sqrt() + settings.eps)
                t[name] -= rate * (direction + decay * t[name])
        touched.update(names)
        record.losses.append(loss)
        record.norms.append(norm)
        record.rates.append(rate)
    record.counts = {name: held[2] for name, held in sorted(state.items())}
    for name in sorted(touched):
        record.updates[name] = t[name].detach().to(torch.float64).numpy() - weights[name].astype(np.float64)
    if lisa and leave:
        leave(len(lisa.draws) - 1, [n for n in trainable if layer_of(n) in lisa.draws[-1]], t)
    return record
