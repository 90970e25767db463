"""Importers: preprocessing settings of other ecosystems as contract entries, one module per ecosystem.

Takes a file or a known name. Gives entries for inputs and outputs, and notes about settings that a contract cannot
express. No importer imports its ecosystem's packages, runs code, or fills in a value that neither the file nor the
framework's fixed behavior determines.
"""

from tflint.preprocessing.importers.ecosystems import ECOSYSTEMS, import_preprocessing
from tflint.preprocessing.importers.imported import Imported

__all__ = ["ECOSYSTEMS", "Imported", "import_preprocessing"]
