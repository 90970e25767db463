"""The tables of pairs of models: what of the one is what of the other, and what there is no counterpart for."""
