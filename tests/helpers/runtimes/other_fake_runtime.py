"""The fake runtime under a second name, for runs with two runtimes."""

from fake_runtime import Interpreter

__all__ = ["Interpreter"]
