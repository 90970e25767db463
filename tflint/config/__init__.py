"""Reads and validates the configuration: `tflint.toml`, or `[tool.tflint]` in `pyproject.toml`."""

from tflint.config.config import Config, TargetOptions
from tflint.config.config_loader import find_config, load_config
from tflint.config.configurations import Configurations

__all__ = ["Config", "Configurations", "TargetOptions", "find_config", "load_config"]
