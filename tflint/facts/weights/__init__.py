"""Facts of the values of constants: smallest, largest, zeros, saturation, oddities of floats, equal buffers.

`constants` says which tensors can be read and how their elements belong to channels, `survey` passes once over their
bytes, `columns` makes facts of what it found. Whether a value is good or bad is not known here.
"""
