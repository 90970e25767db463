"""The rules: reads them from TOML, checks them against their schema and the columns, and compiles them.

Also builds the pages of rules and reads their examples. Input: rule files. Output: `Rule` objects. Must not know
models.
"""

from tflint.catalog.rule import Example, Rule
from tflint.catalog.rule_loader import Catalog, builtin_catalog, load_catalog

__all__ = ["Catalog", "Example", "Rule", "builtin_catalog", "load_catalog"]
