"""Pixel normalizations and real ranges: the known normalizations, and which of them fit a quantized input.

The functions take types, scales and zero points. This package must not know files, models or contracts. It does not
import numpy.
"""
