"""Runs rules over tables: which rules, for which targets, what they found and what they could not decide.

Takes rules, tables and targets, gives findings; refuses to know formats of output.
"""
