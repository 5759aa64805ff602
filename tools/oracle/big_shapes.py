"""Judges the gradients that `npm run bigshapes` wrote: float64 on the same weights and tokens, float32's own error beside it.

Reads manifest.json and the gradients (raw f32) from the folder given as its argument, and prints one JSON object. It
does not read weights, but computes them from the rule in src/cli/big-shapes/weights.ts. Qwen2.5-0.5B takes about 8 GB
in float64.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from models import model_of

CHUNK = 1 << 22


def weights_of(shape: list, seed: int, centre: float, spread: float, dtype: torch.dtype) -> torch.Tensor:
    """Rounded to f32 first, as the engine holds them."""
    count = int(np.prod(shape))
    out = torch.empty(count, dtype=dtype)
    offset = (0x9E3779B9 * (seed + 1)) & 0xFFFFFFFF
    for start in range(0, count, CHUNK):
        end = min(count, start + CHUNK)
        x = ((np.arange(start, end, dtype=np.uint64) + offset) & 0xFFFFFFFF).astype(np.uint32)
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
        x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
        x = x ^ (x >> np.uint32(16))
        values = (centre + spread * (x.astype(np.float64) / 2**31 - 1)).astype(np.float32)
        out[start:end] = torch.from_numpy(values).to(dtype)
    return out.view(*shape)


def run(manifest: dict, dtype: torch.dtype) -> tuple[float, dict[str, torch.Tensor]]:
    model = model_of(manifest["config"])
    t = {e["name"]: weights_of(e["shape"], e["seed"], e["centre"], e["spread"], dtype) for e in manifest["tensors"]}
    names = [entry["name"] for entry in manifest["gradients"]]
    for name in names:
        t[name].requires_grad_(True)
    ids = torch.tensor(manifest["ids"])
    loss = torch.nn.functional.cross_entropy(model.logits(t, ids[:-1]), ids[1:])
    loss.backward()
    return loss.item(), {name: t[name].grad for name in names}


def error_of(got: torch.Tensor, want: torch.Tensor) -> float:
    return ((got.double() - want).norm() / want.norm()).item()


def main() -> None:
    folder, started = Path(sys.argv[1]), time.time()
    manifest = json.loads((folder / "manifest.json").read_text())
    loss, want = run(manifest, torch.float64)
    loss32, single = run(manifest, torch.float32)
    tensors = {}
    for entry in manifest["gradients"]:
        name = entry["name"]
        got = torch.from_numpy(np.fromfile(folder / entry["file"], np.float32)).view_as(want[name])
        rows = entry["rowsOfPart"] or len(got)
        parts = [error_of(got[at : at + rows], want[name][at : at + rows]) for at in range(0, len(got), rows)]
        tensors[name] = {"error": error_of(got, want[name]), "worstPart": max(parts), "float32": error_of(single[name], want[name])}
    print(json.dumps({"loss": loss, "float32Loss": abs(loss32 / loss - 1), "tensors": tensors, "seconds": time.time() - started}))


if __name__ == "__main__":
    main()
