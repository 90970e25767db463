"""What the files of other ecosystems say of a model's preparation, under the keys of a contract.

Takes a file or a known name, gives entries for inputs and outputs and sentences on what a contract cannot hold. It
imports none of those frameworks, runs nothing, and refuses to fill in what neither the file nor the framework's own
fixed behaviour says.
"""

from tflint.importing.dispatch import ECOSYSTEMS, import_preparation
from tflint.importing.imported import Imported

__all__ = ["ECOSYSTEMS", "Imported", "import_preparation"]
