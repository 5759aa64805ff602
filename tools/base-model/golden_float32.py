"""The error of float32 PyTorch against golden.json: the error to expect of an engine that computes in float32.

Errors are relative: of logits (L2 over all of them) and gradient norms to their float64 values, of the first values of
each gradient to its norm, of losses to themselves.
"""

import argparse
import json
from pathlib import Path

import torch

from load import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    args = parser.parse_args()

    golden = json.loads((args.model / "golden.json").read_text())
    model = load_model(args.model, torch.float32)
    ids = torch.tensor(golden["input_ids"])
    parameters = dict(model.named_parameters())

    def loss_of():
        logits = model(ids)
        loss = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))
        return logits, loss

    logits, loss = loss_of()
    loss.backward()
    want = torch.tensor(golden["logits"]["values"], dtype=torch.float64)
    got = logits[:, golden["logits"]["positions"]].double()
    print("logits", ((got - want).norm() / want.norm()).item())
    norms, firsts = [], []
    for name, gradient in golden["gradients"].items():
        grad = parameters[name].grad.double()
        norms.append(abs(grad.norm().item() / gradient["norm"] - 1))
        firsts.append((grad.flatten()[:8] - torch.tensor(gradient["first8"], dtype=torch.float64)).norm().item() / gradient["norm"])
    print(f"{len(norms)} gradient norms, worst", max(norms), "their first values, worst", max(firsts))

    adamw = golden["adamw"]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters.values() if p.dim() == 2], "weight_decay": adamw["weight_decay"]},
            {"params": [p for p in parameters.values() if p.dim() != 2], "weight_decay": 0.0},
        ],
        lr=adamw["lr"],
        betas=tuple(adamw["betas"]),
        eps=adamw["eps"],
    )
    worst = 0.0
    for expected in adamw["losses"]:
        optimizer.zero_grad()
        _, loss = loss_of()
        worst = max(worst, abs(loss.item() / expected - 1))
        loss.backward()
        optimizer.step()
    print(f"{len(adamw['losses'])} losses, worst", worst)


if __name__ == "__main__":
    main()
