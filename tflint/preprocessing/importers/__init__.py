"""Importers: convert preprocessing settings of other ecosystems to contract entries, one module per ecosystem.

An importer takes a file or a known name. It returns entries for inputs and outputs, and notes about settings that a
contract cannot express. It must not import packages of its ecosystem or run code, and must set only values that the
file or the fixed behavior of the framework determines.
"""

from tflint.preprocessing.importers.ecosystems import ECOSYSTEMS, import_preprocessing
from tflint.preprocessing.importers.imported import Imported

__all__ = ["ECOSYSTEMS", "Imported", "import_preprocessing"]
