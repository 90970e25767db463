"""Pixel normalizations and real ranges: the known normalizations, and which of them fit a quantized input.

Input are types, scales and zero points. Must not know files, models or contracts. Does not import numpy.
"""
