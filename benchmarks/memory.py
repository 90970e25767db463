"""A process that checks one model with all rules and prints how much memory it took, from what the kernel counts.

`VmHWM` is the peak of resident pages since the process began. Files are read, never mapped, so that from the imports on
only anonymous pages are added: peak minus what was resident after the imports is what the check took.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def resident(field: str) -> int:
    """A field of the process's status, in bytes."""
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def main(model: str) -> None:
    """Check the model and print both numbers."""
    from benchmarks.rows import all_rules
    from tflint.api import check

    config = all_rules()
    after_imports = resident("VmRSS")
    check(model, config=config)
    print(json.dumps({"after_imports": after_imports, "peak": resident("VmHWM")}))


if __name__ == "__main__":
    main(sys.argv[1])
