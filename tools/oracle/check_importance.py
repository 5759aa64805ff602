"""Importance by the paper's rule, computed once more in float64 PyTorch from the adapters that a probe has kept.

    npm run importance -- --model <folder> --data <file> --out profile.json --adapters adapters
    python3 tools/oracle/check_importance.py profile.json adapters <folder>

Forms every product B·A in full, and compares with profile.json: ‖(α/r)BA‖, ‖A‖ and ‖B‖ by layer and step, ‖W₀‖ and ‖W₀ + (α/r)BA‖ of the
model's own file, and p_l. Prints the largest relative error of each; one above 1e-6 is a failure. Where full training was measured, its norms
are taken from the profile. For models with one matrix a projection (the Llama family).
"""

import json
import math
import re
import sys
from pathlib import Path

import torch

from store import read_tensors

LIMIT = 1e-6
FLOOR = 0.01


def norm(squares):
    return math.sqrt(sum(squares))


def squares(tensor):
    return float((tensor.double() ** 2).sum())


def worst(ours, theirs):
    return max(abs(a - b) / max(abs(b), 1e-300) for a, b in zip(ours, theirs))


def main(profile_file, adapter_folder, model_folder):
    profile = json.loads(Path(profile_file).read_text())
    norms, layers = profile["norms"], profile["model"]["layers"]
    scale = norms["settings"]["alpha"] / norms["settings"]["rank"]
    weights = {}
    for name, tensor in read_tensors(Path(model_folder) / "model.safetensors").items():
        match = re.match(r".*layers\.(\d+)\.(.+)\.weight$", name)
        if match:
            weights[int(match[1]), match[2]] = torch.from_numpy(tensor.copy()).double()

    errors = {"update": 0.0, "a": 0.0, "b": 0.0}
    means = [[] for _ in range(layers)]
    for step in norms["steps"]:
        file = Path(adapter_folder) / f"step-{step['step']}.safetensors"
        adapters = {name: torch.from_numpy(array.copy()) for name, array in read_tensors(file).items()}
        slices = sorted({re.sub(r"^layers\.\d+\.|\.lora_[AB]$", "", name) for name in adapters})
        theirs = {"update": [], "a": [], "b": []}
        merged, base = [], []
        for layer in range(layers):
            pairs = {s: tuple(adapters[f"layers.{layer}.{s}.lora_{x}"].double() for x in "AB") for s in slices}
            deltas = {s: scale * (b @ a) for s, (a, b) in pairs.items()}
            theirs["update"].append(norm(squares(d) for d in deltas.values()))
            theirs["a"].append(norm(squares(a) for a, _ in pairs.values()))
            theirs["b"].append(norm(squares(b) for _, b in pairs.values()))
            merged.append(norm(squares(weights[layer, s] + d) for s, d in deltas.items()))
            base.append(norm(squares(weights[layer, s]) for s in slices))
            means[layer].append(theirs["update"][layer])
        for key in errors:
            errors[key] = max(errors[key], worst(step[key], theirs[key]))

    errors["‖W₀‖"] = worst(norms["base"], base)
    errors["‖W₀ + BA‖, last step"] = worst(norms["merged"], merged)
    full = norms["full"]
    below = [sum(s["norms"][layer] for s in full) / len(full) for layer in range(layers)] if full else base
    ratios = torch.tensor([sum(m) / len(m) / w for m, w in zip(means, below)], dtype=torch.float64)
    p = torch.clamp(ratios / ratios.sum(), min=FLOOR / layers)
    p = (p / p.sum()).tolist()
    errors["p_l"] = worst(profile["weights"], p)

    print(f"{layers} layers, {len(norms['steps'])} steps; denominators: {'full training' if full else 'the base'}")
    print("p_l:", " ".join(f"{each:.6f}" for each in p))
    for key, error in errors.items():
        print(f"{key}: largest relative error {error:.1e}")
    if not max(errors.values()) <= LIMIT:
        sys.exit(f"an error is above {LIMIT:.0e}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
