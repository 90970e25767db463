"""Features based on contracts: recipes, generated code, imports, drafts, observed ranges and metadata export.

The subpackages take contracts, models or files of other ecosystems. They must not import rules or the command line.
"""
