"""Facts about inputs, outputs and signatures: arithmetic on an input, meaning of an output, duplicate names."""
