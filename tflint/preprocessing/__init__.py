"""Preprocessing contracts at work: recipes, generated code, imports, drafts, observations and metadata export.

Each subpackage takes contracts, models or the files of another ecosystem; none knows rules or the command line.
"""
