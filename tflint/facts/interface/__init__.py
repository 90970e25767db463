"""Facts about inputs, outputs and signatures: arithmetic after an input, meaning of an output, duplicate names."""
