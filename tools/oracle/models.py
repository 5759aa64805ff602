"""GPT-2, Llama and models built like Llama, written out plainly over a dict of tensors with their Hugging Face names.

Each document is run by itself, from position 0; packing several into one stream must give the same. These models share
nothing with the engine that they judge, and nothing is fused: one line, one formula.
T tokens of the document, C width, H heads, K key-value heads, D head dim, F feed-forward width.
"""

import math

import torch

Tensors = dict[str, torch.Tensor]


def attend(q, k, v, window=None, divisor=None):
    """q, k, v are [heads, T, D]; causal softmax(q·k / √divisor) v, as [T, heads · D]; the divisor is D if it is not given.

    With a window, only that many last keys count.
    """
    time = q.shape[1]
    scores = q @ k.transpose(1, 2) / math.sqrt(divisor or q.shape[2])
    pairs = torch.ones(time, time, dtype=torch.bool)
    hidden = pairs.triu(1) if window is None else pairs.triu(1) | pairs.tril(-window)
    mixed = torch.softmax(scores.masked_fill(hidden, float("-inf")), dim=-1) @ v
    return mixed.transpose(0, 1).reshape(time, -1)


def split_heads(x, heads):
    """[T, heads · D] to [heads, T, D]."""
    return x.view(x.shape[0], heads, -1).transpose(0, 1)


def low_rank(t: Tensors, path: str, x, scale: float):
    """(α/r) · x Aᵀ Bᵀ where the linear at `path` has an adapter: A is [r, in], B is [out, r]."""
    a = t.get(f"{path}.lora_A.weight")
    return 0 if a is None else scale * (x @ a.T) @ t[f"{path}.lora_B.weight"].T


class GPT2:
    """Conv1D weights are [in, out]: y = x W + b. The output head is the token embedding."""

    def __init__(self, config: dict, lora_scale: float = 0.0):
        self.config, self.lora_scale = config, lora_scale

    @staticmethod
    def projections(config: dict) -> list[str]:
        local = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
        return [f"transformer.h.{i}.{name}" for i in range(config["n_layer"]) for name in local]

    @staticmethod
    def shapes(config: dict) -> dict[str, tuple[int, ...]]:
        c, v, positions = config["n_embd"], config["vocab_size"], config["n_positions"]
        f = config["n_inner"] or 4 * c
        shapes = {"transformer.wte.weight": (v, c), "transformer.wpe.weight": (positions, c)}
        for i in range(config["n_layer"]):
            h = f"transformer.h.{i}"
            for norm in ("ln_1", "ln_2"):
                shapes |= {f"{h}.{norm}.weight": (c,), f"{h}.{norm}.bias": (c,)}
            for path, size_in, size_out in (
                ("attn.c_attn", c, 3 * c),
                ("attn.c_proj", c, c),
                ("mlp.c_fc", c, f),
                ("mlp.c_proj", f, c),
            ):
                shapes |= {f"{h}.{path}.weight": (size_in, size_out), f"{h}.{path}.bias": (size_out,)}
        return shapes | {"transformer.ln_f.weight": (c,), "transformer.ln_f.bias": (c,)}

    @staticmethod
    def fan(shape: tuple[int, ...]) -> tuple[int, int]:
        """(in, out) of a linear weight."""
        return shape[0], shape[1]

    def linear(self, t: Tensors, path: str, x):
        return x @ t[f"{path}.weight"] + t[f"{path}.bias"] + low_rank(t, path, x, self.lora_scale)

    def norm(self, t: Tensors, path: str, x):
        centred = x - x.mean(-1, keepdim=True)
        variance = centred.square().mean(-1, keepdim=True)
        return centred / torch.sqrt(variance + self.config["layer_norm_epsilon"]) * t[f"{path}.weight"] + t[f"{path}.bias"]

    def logits(self, t: Tensors, ids):
        """ids is [T]; logits are [T, V]."""
        heads = self.config["n_head"]
        x = t["transformer.wte.weight"][ids] + t["transformer.wpe.weight"][: len(ids)]
        for i in range(self.config["n_layer"]):
            h = f"transformer.h.{i}"
            qkv = self.linear(t, f"{h}.attn.c_attn", self.norm(t, f"{h}.ln_1", x))
            q, k, v = (split_heads(part, heads) for part in qkv.chunk(3, dim=-1))
            x = x + self.linear(t, f"{h}.attn.c_proj", attend(q, k, v))
            inner = self.linear(t, f"{h}.mlp.c_fc", self.norm(t, f"{h}.ln_2", x))
            inner = 0.5 * inner * (1 + torch.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3)))
            x = x + self.linear(t, f"{h}.mlp.c_proj", inner)
        return self.norm(t, "transformer.ln_f", x) @ t["transformer.wte.weight"].T


class Llama:
    """Linear weights are [out, in]: y = x Wᵀ (+ b). Half-rotation RoPE, grouped-query attention, SwiGLU."""

    def __init__(self, config: dict, lora_scale: float = 0.0):
        self.config, self.lora_scale = config, lora_scale

    def window(self, layer: int) -> "int | None":
        """How many last tokens a token of this layer sees, itself included."""
        config = self.config
        return config["sliding_window"] if config.get("use_sliding_window") and layer >= config["max_window_layers"] else None

    def has_positions(self, layer: int) -> bool:
        return True

    @staticmethod
    def has_bias(config: dict, path: str) -> bool:
        return config.get("attention_bias" if ".self_attn." in path else "mlp_bias", False)

    @staticmethod
    def head_size(config: dict) -> int:
        return config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]

    @staticmethod
    def projections(config: dict) -> list[str]:
        local = [f"self_attn.{x}_proj" for x in "qkvo"] + [f"mlp.{x}_proj" for x in ("gate", "up", "down")]
        return [f"model.layers.{i}.{name}" for i in range(config["num_hidden_layers"]) for name in local]

    @classmethod
    def shapes(cls, config: dict) -> dict[str, tuple[int, ...]]:
        c, f, v = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
        q = config["num_attention_heads"] * cls.head_size(config)
        kv = config["num_key_value_heads"] * cls.head_size(config)
        sizes = {"q_proj": (q, c), "k_proj": (kv, c), "v_proj": (kv, c), "o_proj": (c, q)}
        sizes |= {"gate_proj": (f, c), "up_proj": (f, c), "down_proj": (c, f)}
        shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (v, c)}
        for path in cls.projections(config):
            kind = path.split(".")[-1]
            shapes[f"{path}.weight"] = sizes[kind]
            if cls.has_bias(config, path):
                shapes[f"{path}.bias"] = sizes[kind][:1]
        for i in range(config["num_hidden_layers"]):
            shapes[f"model.layers.{i}.input_layernorm.weight"] = (c,)
            shapes[f"model.layers.{i}.post_attention_layernorm.weight"] = (c,)
        shapes["model.norm.weight"] = (c,)
        return shapes if config["tie_word_embeddings"] else shapes | {"lm_head.weight": (v, c)}

    @staticmethod
    def fan(shape: tuple[int, ...]) -> tuple[int, int]:
        """(in, out) of a linear weight."""
        return shape[1], shape[0]

    def linear(self, t: Tensors, path: str, x):
        y = x @ t[f"{path}.weight"].T + low_rank(t, path, x, self.lora_scale)
        bias = t.get(f"{path}.bias")
        return y if bias is None else y + bias

    def norm(self, t: Tensors, path: str, x):
        mean_square = x.square().mean(-1, keepdim=True)
        return x / torch.sqrt(mean_square + self.config["rms_norm_eps"]) * t[f"{path}.weight"]

    def frequencies(self, size: int):
        """Radians a position of each pair of a head, in float64; scaled as rope_scaling or rope_parameters say."""
        config = self.config
        rope = {"rope_theta": config.get("rope_theta")} | (config.get("rope_scaling") or config.get("rope_parameters") or {})
        frequency = rope["rope_theta"] ** -(torch.arange(0, size, 2, dtype=torch.float64) / size)
        kind = rope.get("rope_type", rope.get("type", "default"))
        if kind == "default":
            return frequency
        factor = rope["factor"]
        if kind == "linear":
            return frequency / factor
        if kind == "yarn":
            return frequency * self.yarn(rope, size)
        assert kind == "llama3", kind
        low, high, original = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
        wavelength = 2 * math.pi / frequency
        smooth = (original / wavelength - low) / (high - low)
        between = (1 - smooth) * frequency / factor + smooth * frequency
        scaled = torch.where(wavelength > original / low, frequency / factor, between)
        return torch.where(wavelength < original / high, frequency, scaled)

    @staticmethod
    def yarn(rope: dict, size: int):
        """What each pair's frequency is multiplied by: one for pairs that turn often, 1 / factor for those that hardly turn."""
        original, base = rope["original_max_position_embeddings"], rope["rope_theta"]
        # Pair i turns original · base^(-2i / size) / 2π times; solved for i.
        often, hardly = (
            size / 2 * math.log(original / (2 * math.pi * turns)) / math.log(base)
            for turns in (rope.get("beta_fast", 32), rope.get("beta_slow", 1))
        )
        low, high = max(math.floor(often), 0), min(math.ceil(hardly), size - 1)
        ramp = ((torch.arange(size // 2, dtype=torch.float64) - low) / (high - low)).clamp(0, 1)
        return ramp / rope["factor"] + 1 - ramp

    def length(self) -> float:
        """By what yarn makes rotated vectors longer."""
        rope = self.config.get("rope_scaling") or self.config.get("rope_parameters") or {}
        if rope.get("rope_type", rope.get("type")) != "yarn":
            return 1.0
        return rope.get("attention_factor") or 0.1 * math.log(rope["factor"]) + 1

    def rotate(self, x):
        """x is [heads, T, D]. The angles are computed in float64 whatever x is."""
        angle = torch.outer(torch.arange(x.shape[1], dtype=torch.float64), self.frequencies(x.shape[2]))
        cos, sin = (self.length() * part.to(x.dtype) for part in (angle.cos(), angle.sin()))
        first, second = x.chunk(2, dim=-1)
        return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)

    def heads(self, t: Tensors, path: str, x, count: int):
        """A projection by heads: [count, T, D]."""
        return split_heads(self.linear(t, path, x), count)

    def logits(self, t: Tensors, ids):
        """ids is [T]; logits are [T, V]."""
        heads, kv_heads = self.config["num_attention_heads"], self.config["num_key_value_heads"]
        factor = {name: self.config.get(name, 1) for name in ("embedding_multiplier", "residual_multiplier", "logits_scaling")}
        share = factor["residual_multiplier"]
        divisor = self.config["attention_multiplier"] ** -2 if "attention_multiplier" in self.config else None
        x = t["model.embed_tokens.weight"][ids] * factor["embedding_multiplier"]
        for i in range(self.config["num_hidden_layers"]):
            h = f"model.layers.{i}"
            y = self.norm(t, f"{h}.input_layernorm", x)
            q = self.heads(t, f"{h}.self_attn.q_proj", y, heads)
            k = self.heads(t, f"{h}.self_attn.k_proj", y, kv_heads)
            if self.has_positions(i):
                q, k = self.rotate(q), self.rotate(k)
            v = self.heads(t, f"{h}.self_attn.v_proj", y, kv_heads)
            # Query head j reads key-value head j // (H / K).
            k, v = (part.repeat_interleave(heads // kv_heads, dim=0) for part in (k, v))
            x = x + share * self.linear(t, f"{h}.self_attn.o_proj", attend(q, k, v, self.window(i), divisor))
            y = self.norm(t, f"{h}.post_attention_layernorm", x)
            gate = self.linear(t, f"{h}.mlp.gate_proj", y)
            inner = gate * torch.sigmoid(gate) * self.linear(t, f"{h}.mlp.up_proj", y)
            x = x + share * self.linear(t, f"{h}.mlp.down_proj", inner)
        head = t["model.embed_tokens.weight" if self.config["tie_word_embeddings"] else "lm_head.weight"]
        return self.norm(t, "model.norm", x) @ head.T / factor["logits_scaling"]


class Mistral(Llama):
    """No biases; a token sees the last sliding_window tokens, itself included."""

    def window(self, layer: int) -> "int | None":
        return self.config["sliding_window"]

    @staticmethod
    def has_bias(config: dict, path: str) -> bool:
        return False


class Qwen2(Llama):
    """Biases of q, k and v, no others."""

    @staticmethod
    def has_bias(config: dict, path: str) -> bool:
        return path.split(".")[-1] in ("q_proj", "k_proj", "v_proj")


class Qwen3(Llama):
    """Each q head and each k head is normed by itself before RoPE; one weight for all q heads, one for all k heads."""

    NORMS = {"q_proj": "q_norm", "k_proj": "k_norm"}

    @classmethod
    def shapes(cls, config: dict) -> dict[str, tuple[int, ...]]:
        shapes = super().shapes(config)
        for i in range(config["num_hidden_layers"]):
            for norm in cls.NORMS.values():
                shapes[f"model.layers.{i}.self_attn.{norm}.weight"] = (cls.head_size(config),)
        return shapes

    def heads(self, t: Tensors, path: str, x, count: int):
        block, _, projection = path.rpartition(".")
        y = super().heads(t, path, x, count)
        return self.norm(t, f"{block}.{self.NORMS[projection]}", y) if projection in self.NORMS else y


class SmolLM3(Llama):
    """Layers that no_rope_layers gives a zero have no positions."""

    def has_positions(self, layer: int) -> bool:
        return self.config["no_rope_layers"][layer] == 1


class Granite(Llama):
    """Embeddings, branches, scores and logits have factors of the configuration."""


class Gemma3(Qwen3):
    """Norms of weight 1 + w, also after attention and feed-forward; GELU gates; local layers with a window and a RoPE base of their own."""

    def norm(self, t: Tensors, path: str, x):
        return x / torch.sqrt(x.square().mean(-1, keepdim=True) + self.config["rms_norm_eps"]) * (1 + t[f"{path}.weight"])

    @classmethod
    def shapes(cls, config: dict) -> dict[str, tuple[int, ...]]:
        shapes = super().shapes(config)
        for i in range(config["num_hidden_layers"]):
            for norm in ("pre_feedforward_layernorm", "post_feedforward_layernorm"):
                shapes[f"model.layers.{i}.{norm}.weight"] = (config["hidden_size"],)
        return shapes

    def window(self, layer: int) -> "int | None":
        return self.config["sliding_window"] if (layer + 1) % self.config["sliding_window_pattern"] != 0 else None

    def rotate_by(self, x, local: bool):
        if not local:
            return self.rotate(x)
        config = self.config
        other = Gemma3({"rope_theta": config["rope_local_base_freq"]})
        return other.rotate(x)

    def logits(self, t: Tensors, ids):
        """ids is [T]; logits are [T, V]. The root of the width has the type that the configuration declares for the weights."""
        config = self.config
        heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
        root = torch.tensor(config["hidden_size"] ** 0.5).to(getattr(torch, config.get("torch_dtype", "float32")))
        x = t["model.embed_tokens.weight"][ids] * root.to(t["model.embed_tokens.weight"].dtype)
        for i in range(config["num_hidden_layers"]):
            h, window = f"model.layers.{i}", self.window(i)
            y = self.norm(t, f"{h}.input_layernorm", x)
            q = self.rotate_by(self.heads(t, f"{h}.self_attn.q_proj", y, heads), window is not None)
            k = self.rotate_by(self.heads(t, f"{h}.self_attn.k_proj", y, kv_heads), window is not None)
            v = self.heads(t, f"{h}.self_attn.v_proj", y, kv_heads)
            k, v = (part.repeat_interleave(heads // kv_heads, dim=0) for part in (k, v))
            mixed = attend(q, k, v, window, config["query_pre_attn_scalar"])
            y = self.linear(t, f"{h}.self_attn.o_proj", mixed)
            x = x + self.norm(t, f"{h}.post_attention_layernorm", y)
            y = self.norm(t, f"{h}.pre_feedforward_layernorm", x)
            gate = self.linear(t, f"{h}.mlp.gate_proj", y)
            gate = 0.5 * gate * (1 + torch.tanh(math.sqrt(2 / math.pi) * (gate + 0.044715 * gate**3)))
            y = self.linear(t, f"{h}.mlp.down_proj", gate * self.linear(t, f"{h}.mlp.up_proj", y))
            x = x + self.norm(t, f"{h}.post_feedforward_layernorm", y)
        logits = self.norm(t, "model.norm", x) @ t["model.embed_tokens.weight"].T
        cap = config.get("final_logit_softcapping")
        return logits if cap is None else cap * torch.tanh(logits / cap)


MODELS = {"gpt2": GPT2, "llama": Llama, "mistral": Mistral, "qwen2": Qwen2, "qwen3": Qwen3, "gemma3_text": Gemma3, "smollm3": SmolLM3, "granite": Granite}


def model_of(config: dict, lora_scale: float = 0.0) -> "GPT2 | Llama":
    return MODELS[config["model_type"]](config, lora_scale)
