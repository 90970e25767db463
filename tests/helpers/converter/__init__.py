"""Models that the TensorFlow Lite converter made, and what is known of them; `make.py` makes them, once, by hand."""

from pathlib import Path

FOLDER = Path(__file__).parent
