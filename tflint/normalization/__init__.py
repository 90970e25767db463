"""Pixel normalizations and real ranges: the known normalizations, and which of them fit a quantized input.

Takes dtypes, scales and zero points; must not know files, models or contracts. No numpy.
"""
