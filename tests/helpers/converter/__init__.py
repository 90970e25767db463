"""Models written by the TensorFlow Lite converter (`make.py`, run by hand), with their expected properties."""

from pathlib import Path

FOLDER = Path(__file__).parent
