"""Compares the oracle with Hugging Face transformers, in float64: the loss, the logits and every gradient of every fixture's first batch.

An architecture that the installed version does not know is left out by name; if none is left, that is an error.
"""

import json
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

from compat import known, readable

sys.path.append(str(Path(__file__).resolve().parents[1] / "oracle"))

import make_fixtures as fixtures

LIMIT = 1e-12
"""Both compute in float64, in different orders."""


def load(config: dict, weights: dict) -> torch.nn.Module:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(readable(config)))
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), attn_implementation="eager")
    model = model.double().eval()
    missing, unexpected = model.load_state_dict({n: torch.tensor(w).double() for n, w in weights.items()}, strict=False)
    tied = {"lm_head.weight"} if config["tie_word_embeddings"] else set()
    if unexpected or {n for n in missing if not n.endswith(("attn.bias", "masked_bias"))} - tied:
        raise SystemExit(f"BAD names: missing {missing}, unexpected {unexpected}")
    return model


@contextmanager
def wide():
    """transformers casts to float32 in norms, softmax and angles, whatever the model's type. In here float32 means float64."""
    kept = torch.float32, torch.float, torch.Tensor.float
    torch.float32, torch.float, torch.Tensor.float = torch.float64, torch.float64, torch.Tensor.double
    try:
        yield
    finally:
        torch.float32, torch.float, torch.Tensor.float = kept


def check(name: str) -> bool:
    config = fixtures.CONFIGS[name]
    if not known(config["model_type"]):
        print(f"--  {name}: transformers {transformers.__version__} does not know {config['model_type']}")
        return False
    weights = fixtures.random_weights(config, fixtures.SEEDS[name])
    batch = fixtures.random_batches(fixtures.SEEDS[name] + 100, config["vocab_size"])[0]
    loss, logits, gradients = fixtures.first_batch(config, weights, batch, torch.float64)

    def theirs() -> dict[str, float]:
        model = load(config, weights)
        total, count, rows = 0.0, 0, []
        for document in batch:
            ids, target = torch.tensor(document["ids"]), torch.tensor(document["target"]).bool()
            if len(ids) < 2:
                continue
            out = model(ids[None, :-1]).logits[0][target[1:]]
            rows.append(out.detach())
            total = total + torch.nn.functional.cross_entropy(out, ids[1:][target[1:]], reduction="sum")
            count += len(out)
        (total / count).backward()
        got = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        if missing := set(gradients) - set(got):
            raise SystemExit(f"BAD {name}: no gradient of {sorted(missing)}")
        named = {n: got[n].numpy() for n in gradients}
        errors, _ = fixtures.compare(named, gradients, fixtures.zero_ranges(config))
        return {
            "loss": fixtures.relative((total / count).item(), loss),
            "logits": fixtures.relative(torch.cat(rows).numpy(), logits),
            "gradients": max(errors.values()),
        }

    with wide():
        exact = theirs()
    plain = theirs()
    right = max(exact.values()) <= LIMIT
    words = ", ".join(f"{key} {value:.1e}" for key, value in exact.items())
    print(f"{'ok ' if right else 'BAD'} {name}: {words} (limit {LIMIT:.0e}); with the casts to float32 that transformers makes {max(plain.values()):.1e}")
    if not right:
        raise SystemExit(1)
    return True


def main() -> None:
    torch.set_num_threads(1)
    print(f"transformers {transformers.__version__}, PyTorch {torch.__version__}")
    if not any([check(name) for name in fixtures.CONFIGS]):
        raise SystemExit("Nothing was compared.")


if __name__ == "__main__":
    main()
