"""Reading and writing .safetensors files and JSON, tensors sorted by name. Reads F16, F32 and F64; writes F32, F16 and BF16."""

import json
import struct
from pathlib import Path

import numpy as np

DTYPES = {"F16": np.float16, "F32": np.float32, "F64": np.float64}


def codes_of(values: np.ndarray, dtype: str) -> np.ndarray:
    """For F32, values are rounded once from whatever type they have; F16 and BF16 are for values that these types hold exactly."""
    if dtype == "F32":
        return np.ascontiguousarray(values, np.float32)
    words = np.ascontiguousarray(values, np.float32)
    codes = words.astype(np.float16) if dtype == "F16" else (words.view(np.uint32) >> 16).astype(np.uint16)
    back = codes.astype(np.float32) if dtype == "F16" else (codes.astype(np.uint32) << 16).view(np.float32)
    if not np.array_equal(back, values):
        raise ValueError(f"{dtype} does not hold all values")
    return codes


def write_tensors(file: Path, tensors: dict[str, np.ndarray], dtype: str = "F32") -> None:
    arrays = {name: codes_of(tensors[name], dtype) for name in sorted(tensors)}
    header: dict = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in arrays.values()))


def read_tensors(file: Path) -> dict[str, np.ndarray]:
    data = file.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length :]
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }


def write_json(file: Path, value) -> None:
    """One line per top-level key: small, and a changed key shows in a diff."""
    lines = [f"{json.dumps(key)}: {json.dumps(item, allow_nan=False)}" for key, item in value.items()]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n")
