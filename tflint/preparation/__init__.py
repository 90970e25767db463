"""What callers do to their data before a model, as numbers: the known normalisations, and the ranges they lead to.

It takes numbers and gives numbers; knows no file, no model and no contract. No numpy.
"""
