"""Facts about the values of constants: range, zeros, saturation, special float values, equal buffers.

`readable_constants` finds the constants whose values can be read, and their channels. `weight_scan` reads the bytes of
these constants once, and `weight_columns` builds the facts from the results. This package must not judge whether a
value is good or bad.
"""
