"""Measures tflint against its demands on speed and memory: `python -m benchmarks`."""
