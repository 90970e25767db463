"""The tables of pairs: two versions of a model, with the parts that match, were added or were removed."""
