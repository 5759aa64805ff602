"""Weights that lie in 16 bits while their layer does not train: rounding by arithmetic, and a LISA run over them.

A layer trains on exact (f32) masters that start from its 16-bit values; when it leaves, its matrices are rounded to nearest even.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from training import Batch, Lisa, Record, Settings, loss_sum, targets_of, train

# Bits of the fraction and exponent of the smallest normal number.
TYPES = {"F16": (10, -14), "BF16": (7, -126)}


def rounded(values: np.ndarray, dtype: str) -> np.ndarray:
    """The nearest numbers of the type, ties to even; float64 in, float64 out. For numbers of the size of weights:
    overflow is not handled."""
    fraction, lowest = TYPES[dtype]
    values = np.asarray(values, np.float64)
    _, exponent = np.frexp(values)  # 2^(exponent - 1) <= |value| < 2^exponent
    unit = np.ldexp(1.0, np.maximum(exponent - 1, lowest) - fraction)
    return np.rint(values / unit) * unit


def is_packed(name: str, shape: tuple[int, ...]) -> bool:
    """Matrices, embedding and head with rows of whole quads; vectors and learned positions stay f32."""
    return len(shape) == 2 and shape[-1] % 4 == 0 and not name.endswith("wpe.weight")


@dataclass
class Stays:
    """What a layer did between joining and leaving, by "<last period>/<tensor>"."""

    moved: dict[str, np.ndarray] = field(default_factory=dict)
    """Master minus its value when the layer joined, before any rounding."""
    left: dict[str, np.ndarray] = field(default_factory=dict)
    """What is stored after the layer has left."""
    loss_before: float = 0.0
    """Mean loss of one batch after the last step; loss_after: with the last layers rounded, too."""
    loss_after: float = 0.0


def train_stored(model, weights: dict[str, np.ndarray], batches: list[Batch], settings: Settings, decayed: set[str], precision: torch.dtype,
                 lisa: Lisa, dtype: str, known: "dict[str, np.ndarray] | None" = None) -> tuple[Record, Stays]:
    """`known`: the values that another run stored for its leaving layers. In another precision a value next to a tie
    may be rounded either way, by a whole unit of 16 bits; if every stay starts from the same values, only the
    arithmetic is compared."""
    stays, start = Stays(), {name: value.astype(np.float64) for name, value in weights.items()}

    def mean_loss(t) -> float:
        with torch.no_grad():
            return loss_sum(model, t, batches[0]).item() / targets_of([batches[0]])

    def leave(period: int, names: list[str], t) -> None:
        over = period == len(lisa.draws) - 1
        if over:
            stays.loss_before = mean_loss(t)
        for name in names:
            key, value = f"{period}/{name}", t[name].detach().to(torch.float64).numpy().copy()
            stays.moved[key] = value - start[name]
            packed = is_packed(name, value.shape)
            stays.left[key] = rounded(value, dtype) if packed else value
            start[name] = known[key] if packed and known else stays.left[key]
            with torch.no_grad():
                t[name].copy_(torch.tensor(start[name]))
        if over:
            stays.loss_after = mean_loss(t)

    record = train(model, weights, batches, settings, list(weights), decayed, precision, lisa, leave)
    return record, stays
