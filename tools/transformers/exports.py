"""Opens exported folders in transformers and PEFT: every tensor must find its place, and the results must match our engine's.

cases.json is written by cases.ts: folders, ids, log-probabilities after every token and the greedy continuation.
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from compat import known, readable

LIMIT = 1e-4
"""Largest allowed difference of a log-probability. Both compute in float32, and both widen 16-bit weights exactly."""


def open_model(folder: Path) -> torch.nn.Module:
    config = json.loads((folder / "config.json").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        if readable(config) != config:  # This version expects rope's parameters in their former place.
            for file in folder.iterdir():
                if file.is_file():
                    Path(scratch, file.name).symlink_to(file.resolve())
            Path(scratch, "config.json").unlink()
            Path(scratch, "config.json").write_text(json.dumps(readable(config)))
            folder = Path(scratch)
        model, info = AutoModelForCausalLM.from_pretrained(
            folder, torch_dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
    odd = {key: names for key, names in info.items() if names}
    if odd:
        raise SystemExit(f"WRONG {folder}: {odd}")
    return model.eval()


def difference(model: torch.nn.Module, case: dict) -> tuple[float, int]:
    """Largest difference of a log-probability; greedy tokens that are the same, from the first on."""
    text = torch.tensor([case["ids"] + case["greedy"]])
    with torch.no_grad():
        logits = model(text[:, :-1]).logits[0].double()
    time = len(case["ids"])
    ours = torch.tensor(case["logProbs"], dtype=torch.float64)
    worst = (torch.log_softmax(logits[:time], -1) - ours).abs().max().item()
    same = (logits[time - 1 :].argmax(-1) == text[0, time:]).long()
    return worst, int(same.cumprod(0).sum())


def judge(case: dict, wrong: list[str]) -> bool:
    folder, more = Path(case["folder"]), len(case["greedy"])
    kind = json.loads((folder / "config.json").read_text())["model_type"]
    if not known(kind):
        print(f"--    {case['name']}: this version of transformers does not know {kind}")
        return False

    def verdict(what: str, model: torch.nn.Module) -> None:
        worst, same = difference(model, case)
        right = worst <= LIMIT and same == more
        if not right:
            wrong.append(case["name"])
        print(f"{'ok   ' if right else 'WRONG'} {case['name']}{what}: {worst:.1e} of {LIMIT:.0e} allowed; greedy text: {same} of {more} tokens the same")

    verdict("", open_model(folder))
    if case["base"] is not None:
        from peft import PeftModel

        base = open_model(Path(case["base"]))
        before, _ = difference(base, case)
        if not before > 10 * LIMIT:
            wrong.append(case["name"])
            print(f"WRONG {case['name']}: the base alone is within {before:.1e}, so nothing would be shown")
        adapted = PeftModel.from_pretrained(base, folder / "adapter")
        verdict(f", PEFT over the base (which alone is {before:.1e} away)", adapted)
        verdict(", merged by PEFT", adapted.merge_and_unload())
    return True


def main() -> None:
    torch.set_num_threads(1)
    wrong: list[str] = []
    cases = json.loads(Path(sys.argv[1]).read_text())
    judged = [judge(case, wrong) for case in cases]
    print(f"{sum(judged)} of {len(cases)} exports judged, {len(wrong)} wrong.")
    raise SystemExit(1 if wrong or not any(judged) else 0)


if __name__ == "__main__":
    main()
