"""Importers: convert preprocessing settings of other ecosystems to contract entries, one module per ecosystem.

Takes a file or a known name. Gives entries for inputs and outputs, and notes about settings that a contract cannot
express. An importer must not import packages of its ecosystem or run code, and must not set a value that neither the
file nor the framework's fixed behavior determines.
"""

from tflint.preprocessing.importers.ecosystems import ECOSYSTEMS, import_preprocessing
from tflint.preprocessing.importers.imported import Imported

__all__ = ["ECOSYSTEMS", "Imported", "import_preprocessing"]
