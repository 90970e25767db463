"""The tables of pairs: two versions of a model, with their matching, added and removed parts."""
