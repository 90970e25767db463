"""Compares a model with its reference, such as a quantized model with its float original.

`comparison.compare_models` pairs operators and tensors, measures the error of constants, runs both models on the same
samples, and returns where errors are born and why. It runs models only in child processes.
"""
