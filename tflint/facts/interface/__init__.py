"""Facts of inputs and outputs: arithmetic behind an input, the meaning of an output, names in signatures."""
