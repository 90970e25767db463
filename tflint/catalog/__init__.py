"""The rules: read from TOML, checked against their schema and the columns, compiled; their pages and examples.

Takes rule files, gives `Rule`s; refuses to know models.
"""

from tflint.catalog.rule import Example, Rule
from tflint.catalog.rule_loader import Catalog, builtin_catalog, load_catalog

__all__ = ["Catalog", "Example", "Rule", "builtin_catalog", "load_catalog"]
