"""Models that the TensorFlow Lite converter made, and what is known of them; `make.py` makes them, once, by hand."""
