"""Measure tflint against its speed and memory targets: `python -m benchmarks`."""
