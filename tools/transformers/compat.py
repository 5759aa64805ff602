"""Handles differences between versions of transformers. It never contacts the hub."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

transformers.utils.logging.disable_progress_bar()


def known(model_type: str) -> bool:
    return model_type in CONFIG_MAPPING


def readable(config: dict) -> dict:
    """The configuration as the installed version reads it: before 5.0 rope's parameters are in two places."""
    made = dict(config)
    rope = made.get("rope_parameters")
    if rope is not None and int(transformers.__version__.split(".")[0]) < 5:
        del made["rope_parameters"]
        made["rope_theta"] = rope["rope_theta"]
        made["rope_scaling"] = {key: value for key, value in rope.items() if key != "rope_theta"}
    return made
