"""Writes the float64 reference fixtures of src/testing/fixtures: weights, batches, gradients and training runs.

Beside each float64 quantity stands the error of float32 PyTorch. The same seeds give the same files; only the recorded
float32 errors depend slightly on the machine's matrix library.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models import model_of
from store import write_json, write_tensors
from stored import is_packed, rounded, train_stored
from training import EDGES, Lisa, Record, Settings, gradients_of, layer_of, loss_sum, targets_of, train

FIXTURES = Path(__file__).resolve().parents[2] / "src" / "testing" / "fixtures"
VOCAB, BATCHES, RANK, ALPHA = 301, 20, 4, 8
LONGEST = 37
"""Inputs of the longest document."""

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCAB, "hidden_size": 48,
    "intermediate_size": 100, "num_hidden_layers": 4, "num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 16,
    "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None, "hidden_act": "silu",
    "attention_bias": False, "mlp_bias": False, "attention_dropout": 0.0, "tie_word_embeddings": False,
    "bos_token_id": 0, "eos_token_id": 2, "torch_dtype": "float32",
}  # fmt: skip
# One variation each, in few numbers. Theta is small, so that within 37 tokens some pairs turn often and some hardly.
SMALL = {
    "model_type": "llama", "vocab_size": 67, "hidden_size": 20, "intermediate_size": 26, "num_hidden_layers": 2,
    "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
    "hidden_act": "silu", "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 2, "torch_dtype": "float32",
}  # fmt: skip
CONFIGS = {
    "tiny-gpt2": {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": VOCAB, "n_embd": 48, "n_head": 3,
        "n_layer": 4, "n_inner": 100, "n_positions": 64, "n_ctx": 64, "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5, "attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0,
        "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 2, "torch_dtype": "float32",
    },
    "tiny-llama": LLAMA,
    "tiny-llama-bias": LLAMA | {
        "num_hidden_layers": 2, "head_dim": 24, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True,
    },
    "tiny-llama-linear": SMALL | {
        "rope_theta": 1000.0, "rope_scaling": {"type": "linear", "factor": 2.5}, "num_key_value_heads": 2, "tie_word_embeddings": False,
    },
    "tiny-llama3": SMALL | {
        "head_dim": 12, "num_attention_heads": 4, "num_key_value_heads": 2,
        "rope_parameters": {
            "rope_theta": 500.0, "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 6.0,
            "original_max_position_embeddings": 60,
        },
    },
    "tiny-mistral": SMALL | {
        "model_type": "mistral", "hidden_size": 18, "num_attention_heads": 3, "rope_theta": 10000.0, "sliding_window": 9,
        "tie_word_embeddings": False,
    },
    "tiny-qwen2": SMALL | {
        "model_type": "qwen2", "hidden_size": 24, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "use_sliding_window": True, "sliding_window": 11, "max_window_layers": 1,
    },
    "tiny-qwen3": SMALL | {
        "model_type": "qwen3", "head_dim": 14, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-6,
        "attention_bias": False, "rope_theta": 10000.0, "use_sliding_window": False, "sliding_window": None,
    },
    # Without positions in its first layer, and yarn in the other.
    "tiny-smollm3": SMALL | {
        "model_type": "smollm3", "hidden_size": 24, "head_dim": 12, "no_rope_layers": [0, 1], "attention_bias": False, "rope_theta": 500.0,
        "rope_scaling": {
            "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 40, "beta_fast": 4.0, "beta_slow": 0.5,
        },
    },
    "tiny-granite": SMALL | {
        "model_type": "granite", "hidden_size": 18, "num_attention_heads": 3, "rope_theta": 10000.0, "embedding_multiplier": 3.0,
        "residual_multiplier": 0.7, "attention_multiplier": 0.6, "logits_scaling": 0.8, "tie_word_embeddings": False,
    },
    # A window that is shorter than the documents, in the first and the third layer; head dim, scale of scores and width have nothing to do with
    # each other; a cap that bends the logits.
    "tiny-gemma3": {name: value for name, value in SMALL.items() if name != "hidden_act"} | {
        "model_type": "gemma3_text", "hidden_size": 20, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 8, "intermediate_size": 27, "hidden_activation": "gelu_pytorch_tanh", "rope_theta": 500.0,
        "rope_local_base_freq": 20.0, "rope_scaling": {"rope_type": "linear", "factor": 2.0}, "sliding_window": 7,
        "sliding_window_pattern": 2, "query_pre_attn_scalar": 11, "final_logit_softcapping": 4.0, "attn_logit_softcapping": None,
        "attention_bias": False, "rms_norm_eps": 1e-6,
    },
}  # fmt: skip
# Models stored in 16 bits, with four layers of which one trains, so that masters pay off. Rows of 26 are not whole
# quads: their matrices stay f32.
STORED = {
    "tiny-llama-bf16": ("BF16", SMALL | {
        "num_hidden_layers": 4, "rope_theta": 10000.0, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    }),
    "tiny-gpt2-f16": ("F16", {
        "model_type": "gpt2", "vocab_size": 67, "n_embd": 20, "n_head": 2, "n_layer": 4, "n_inner": 26, "n_positions": 64,
        "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "tie_word_embeddings": True, "bos_token_id": 0,
        "eos_token_id": 2, "torch_dtype": "float16",
    }),
}  # fmt: skip
# A layer leaves and is rounded; another stays over two periods and is not rounded in between; the first comes back to
# its stored values.
STORED_DRAWS = [[2], [0], [0], [2]]
SEEDS = {
    "tiny-gpt2": 11, "tiny-llama": 22, "tiny-llama-bias": 21, "tiny-llama-linear": 31, "tiny-llama3": 42, "tiny-mistral": 33,
    "tiny-qwen2": 45, "tiny-qwen3": 57, "tiny-gemma3": 72, "tiny-smollm3": 81, "tiny-granite": 92, "tiny-llama-bf16": 61, "tiny-gpt2-f16": 71,
}  # fmt: skip
# One layer stays over two consecutive periods, and one comes back after it has left.
DRAWS = {4: [[0, 2], [1, 2], [0, 3], [1, 3]], 2: [[0], [0], [1], [0]]}
LENGTHS = [[LONGEST, 20, 12, 5, 1], [LONGEST, LONGEST], [11, 30, 2, 7, 3, 17], [1, 1, 36, 9], [29], [8, 8, 8, 8, 8, 8, 8, 8]]


def random_weights(config: dict, seed: int) -> dict[str, np.ndarray]:
    """Norms away from one, biases away from zero: so that every gradient is well above zero."""
    rng = np.random.default_rng(seed)
    weights, one = {}, 0 if config["model_type"] == "gemma3_text" else 1  # Gemma's norms add the one themselves.
    for name, shape in model_of(config).shapes(config).items():
        draw = rng.standard_normal(shape) * (0.15 if len(shape) == 2 else 0.2)
        is_gain = name.endswith("norm.weight") or ".ln_" in name and name.endswith(".weight")
        weights[name] = (draw + (one if is_gain else 0)).astype(np.float32)
    return weights


def random_batches(seed: int, vocab: int) -> list[list[dict]]:
    """Documents of 1 to 37 inputs, at most 75 in a batch; about six tokens in ten count toward the loss."""
    rng = np.random.default_rng(seed)
    batches = []
    for index in range(BATCHES):
        batch = []
        for length in LENGTHS[index % len(LENGTHS)]:
            target = rng.random(length + 1) < rng.choice([0.3, 0.6, 1.0])
            target[0] = False  # Nothing predicts the first token.
            if length == 5:  # A document with a single target, not its last token.
                target[:] = False
                target[3] = True
            batch.append({"ids": rng.integers(0, vocab, length + 1).tolist(), "target": target.astype(int).tolist()})
        batches.append(batch)
    return batches


def random_adapters(config: dict, weights: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    model, adapters = model_of(config), {}
    for path in model.projections(config):
        size_in, size_out = model.fan(weights[f"{path}.weight"].shape)
        bound = size_in**-0.5  # Kaiming-uniform with a = √5.
        adapters[f"{path}.lora_A.weight"] = rng.uniform(-bound, bound, (RANK, size_in)).astype(np.float32)
        adapters[f"{path}.lora_B.weight"] = np.zeros((size_out, RANK), np.float32)
    return adapters


def zero_ranges(config: dict) -> list[dict]:
    """Elements whose gradient is exactly zero in theory: a key bias without RoPE adds the same to every score of a query.

    With RoPE it does not: the bias is turned by the key's position.
    """
    if config["model_type"] != "gpt2":
        return []
    c = config["n_embd"]
    return [{"tensor": f"transformer.h.{i}.attn.c_attn.bias", "from": c, "to": 2 * c} for i in range(config["n_layer"])]


def relative(value, reference) -> float:
    value, reference = np.asarray(value, np.float64), np.asarray(reference, np.float64)
    return float(np.linalg.norm(value - reference) / np.linalg.norm(reference))


def compare(got: dict[str, np.ndarray], want: dict[str, np.ndarray], zeros: list[dict]) -> tuple[dict, list[dict]]:
    """L2-relative error by tensor, without the theoretical zeros; of those, the largest size in got and in want."""
    errors, absolute = {}, []
    for name in want:
        keep = np.ones(want[name].size, bool)
        for zero in zeros:
            if zero["tensor"] == name:
                part = slice(zero["from"], zero["to"])
                keep[part] = False
                largest = [float(np.abs(values[name].reshape(-1)[part]).max()) for values in (got, want)]
                absolute.append({**zero, "float32": largest[0], "float64": largest[1]})
        errors[name] = relative(got[name].reshape(-1)[keep], want[name].reshape(-1)[keep])
    return errors, absolute


def first_batch(config: dict, weights: dict[str, np.ndarray], batch: list[dict], dtype: torch.dtype):
    model, names = model_of(config), list(weights)
    t = {name: torch.tensor(value.astype(np.float64)).to(dtype) for name, value in weights.items()}
    logits: list = []
    with torch.no_grad():
        loss_sum(model, t, batch, logits)
    loss, gradients = gradients_of(model, t, [batch], names)
    return loss, torch.cat(logits).double().numpy(), {name: g.double().numpy() for name, g in gradients.items()}


def write_gradients(folder: Path, config: dict, weights: dict[str, np.ndarray], batch: list[dict]) -> None:
    loss, logits, gradients = first_batch(config, weights, batch, torch.float64)
    loss32, logits32, gradients32 = first_batch(config, weights, batch, torch.float32)
    errors, zeros = compare(gradients32, gradients, zero_ranges(config))
    write_tensors(folder / "gradients.safetensors", gradients)
    write_tensors(folder / "logits.safetensors", {"logits": logits})
    write_json(folder / "gradients.json", {
        "batch": 0,
        "loss": loss,
        "targets": targets_of([batch]),
        "zeroInTheory": zeros,
        "float32": {"loss": relative(loss32, loss), "logits": relative(logits32, logits), "gradients": errors},
    })  # fmt: skip
    smallest = min((float(np.sqrt(np.mean(g**2))), name) for name, g in gradients.items())
    print(f"  gradients: loss {loss:.6f}, float32 worst {max(errors.values()):.1e}, smallest rms {smallest[0]:.1e} ({smallest[1]})")


def runs_of(config: dict, weights: dict[str, np.ndarray], adapters: dict[str, np.ndarray]):
    """(name, settings, trained tensors, weights, LISA) of every run of a model."""
    layers = config.get("n_layer") or config["num_hidden_layers"]

    def single(steps: int) -> Settings:
        return Settings(steps, [[s % BATCHES] for s in range(steps)])

    yield "full", Settings(10, [[2 * s, 2 * s + 1] for s in range(10)]), list(weights), weights, None
    yield "lisa", single(20), list(weights), weights, Lisa(5, DRAWS[layers], ends=EDGES)
    # A clip between the run's norms: some steps are scaled and some are not.
    mixed = replace(single(20), clip=3.0 if config["vocab_size"] == VOCAB else 1.5)
    yield "lisa-layers", mixed, list(weights), weights, Lisa(5, DRAWS[layers], ends=())
    yield "lora", single(10), list(adapters), weights | adapters, None


def optimizer_json(settings: Settings) -> dict:
    return {
        "lr": settings.lr, "lrSchedule": "cosine", "warmup": settings.warmup, "beta1": settings.betas[0],
        "beta2": settings.betas[1], "eps": settings.eps, "weightDecay": settings.weight_decay, "gradClip": settings.clip,
    }  # fmt: skip


def lisa_json(lisa: Lisa) -> dict:
    return {"period": lisa.period, "draws": lisa.draws, "train": {edge: edge in lisa.ends for edge in EDGES}}


def write_run(folder: Path, config: dict, batches, name: str, settings: Settings, trainable, tensors, lisa: Lisa | None) -> None:
    lora = name == "lora"
    model = model_of(config, ALPHA / RANK if lora else 0.0)
    decayed = {tensor for tensor in trainable if tensors[tensor].ndim == 2}
    result: Record = train(model, tensors, batches, settings, trainable, decayed, torch.float64, lisa)
    single: Record = train(model, tensors, batches, settings, trainable, decayed, torch.float32, lisa)
    errors, zeros = compare(single.updates, result.updates, [] if lora else zero_ranges(config))
    pairs = zip(single.losses, result.losses), zip(single.norms, result.norms)
    write_tensors(folder / f"run-{name}.safetensors", result.updates)
    write_json(folder / f"run-{name}.json", {
        "method": "lora" if lora else "lisa" if lisa else "full",
        "steps": settings.steps,
        "microBatches": settings.micro,
        "optimizer": optimizer_json(settings),
        "lisa": lisa and lisa_json(lisa),
        "lora": {"rank": RANK, "alpha": ALPHA} if lora else None,
        "decayed": sorted(decayed & result.updates.keys()),
        "losses": result.losses,
        "gradNorms": result.norms,
        "learningRates": result.rates,
        "stateSteps": result.counts,
        "zeroInTheory": zeros,
        "float32": {
            "losses": [relative(*pair) for pair in pairs[0]],
            "gradNorms": [relative(*pair) for pair in pairs[1]],
            "updates": errors,
        },
    })  # fmt: skip
    worst = max(errors, key=errors.get)
    clipped = sum(norm > settings.clip for norm in result.norms)
    print(
        f"  {name}: loss {result.losses[0]:.4f} -> {result.losses[-1]:.4f}, norms {min(result.norms):.2f}..{max(result.norms):.2f}"
        f" ({clipped}/{settings.steps} clipped), float32 worst {errors[worst]:.1e} ({worst})"
    )


def write_stored_run(folder: Path, config: dict, dtype: str, weights: dict[str, np.ndarray], batches) -> None:
    """16 steps of LISA, embedding and head frozen in 16 bits; tensors: moved/<period>/<name>, left/<period>/<name>, norm/<name>."""
    model, lisa = model_of(config), Lisa(4, STORED_DRAWS, ends=("norm",))
    steps = lisa.period * len(lisa.draws)
    settings = Settings(steps, [[s % BATCHES] for s in range(steps)])
    decayed = {name for name, value in weights.items() if value.ndim == 2}
    result, stays = train_stored(model, weights, batches, settings, decayed, torch.float64, lisa, dtype)
    single, stays32 = train_stored(model, weights, batches, settings, decayed, torch.float32, lisa, dtype, stays.left)
    zeros = zero_ranges(config)
    by_stay = [{**zero, "tensor": key} for zero in zeros for key in stays.moved if key.partition("/")[2] == zero["tensor"]]
    errors, by_stay = compare(stays32.moved, stays.moved, by_stay)
    norms = {name: value for name, value in result.updates.items() if layer_of(name) is None}
    norm_errors, _ = compare(single.updates, norms, [])
    packed = [name for name, value in weights.items() if is_packed(name, value.shape)]
    differing = {key: int(np.sum(stays32.left[key] != value)) for key, value in stays.left.items() if key.partition("/")[2] in packed}
    write_tensors(folder / "run-stored.safetensors", {
        **{f"moved/{key}": value for key, value in stays.moved.items()},
        **{f"left/{key}": value for key, value in stays.left.items() if key.partition("/")[2] in packed},
        **{f"norm/{name}": value for name, value in norms.items()},
    })  # fmt: skip
    write_json(folder / "run-stored.json", {
        "steps": steps,
        "microBatches": settings.micro,
        "optimizer": optimizer_json(settings),
        "lisa": lisa_json(lisa),
        "dtype": dtype,
        "packed": packed,
        "losses": result.losses,
        "gradNorms": result.norms,
        "lastRounding": {"before": stays.loss_before, "after": stays.loss_after},
        "zeroInTheory": by_stay,
        "float32": {
            "losses": [relative(*pair) for pair in zip(single.losses, result.losses)],
            "gradNorms": [relative(*pair) for pair in zip(single.norms, result.norms)],
            "lastRounding": relative(stays32.loss_after - stays32.loss_before, stays.loss_after - stays.loss_before),
            "moved": errors,
            "largest": {key: float(np.abs(stays32.moved[key] - value).max()) for key, value in stays.moved.items()},
            "differing": differing,
            "norm": norm_errors,
        },
    })  # fmt: skip
    worst = max(errors, key=errors.get)
    kept = sum(int(np.sum(value != 0)) for value in stays.moved.values())
    print(
        f"  stored: loss {result.losses[0]:.4f} -> {result.losses[-1]:.4f}, the last rounding {stays.loss_before:.6f} -> {stays.loss_after:.6f},"
        f" {kept} elements moved, float32 worst {errors[worst]:.1e} ({worst}), {sum(differing.values())} of float32 rounded otherwise"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FIXTURES)
    parser.add_argument("names", nargs="*", default=[*CONFIGS, *STORED], help="fixtures to write; all of them by default")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.names:
        dtype, config = STORED[name] if name in STORED else ("F32", CONFIGS[name])
        print(name)
        folder = args.out / name
        folder.mkdir(parents=True, exist_ok=True)
        weights = random_weights(config, SEEDS[name])
        if name in STORED:
            weights = {tensor: rounded(value, dtype).astype(np.float32) for tensor, value in weights.items()}
        batches = random_batches(SEEDS[name] + 100, config["vocab_size"])
        write_json(folder / "config.json", config)
        write_tensors(folder / "model.safetensors", weights, dtype)
        write_json(folder / "batches.json", {"vocab": config["vocab_size"], "batches": batches})
        write_gradients(folder, config, weights, batches[0])
        if name in STORED:
            write_stored_run(folder, config, dtype, weights, batches)
            continue
        adapters = random_adapters(config, weights, SEEDS[name] + 200)
        write_tensors(folder / "lora-start.safetensors", adapters)
        for run in runs_of(config, weights, adapters):
            write_run(folder, config, batches, *run)


if __name__ == "__main__":
    main()
