"""Check one model in this process and print the memory that it took, as counted by the kernel (Linux).

Checks the model with all rules or, with `values`, computes all statistics of constant values.

`VmHWM` is the peak of resident pages. It is reset after the imports. tflint reads files and does not map them, so only
anonymous pages are added after the imports. The check took the peak minus the memory that was resident before it.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

from benchmarks.values import SATURATION, statistics
from tflint.api import check
from tflint.catalog import load_catalog
from tflint.config import Config

STATUS = Path("/proc/self/status")
#: Writing this to `clear_refs` resets the peak (proc_pid_clear_refs(5)).
_RESET_PEAK = "5"


def all_rules() -> Config:
    """Return a configuration that runs every rule, even those that `all` does not select."""
    named = (rule.id for rule in load_catalog(()).rules if rule.status != "stable")
    return Config(select=("all", *named))


def resident(field: str) -> int:
    """Return a field of `/proc/self/status`, in bytes."""
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def main(model: str, work: str = "check") -> None:
    """Check the model, or scan its constants if `work` is `values`; print memory after the imports and at the peak."""
    config = all_rules()
    with contextlib.suppress(OSError):  # without permission, the peak may be from the time of the imports
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    after_imports = resident("VmRSS")
    if work == "values":
        statistics(Path(model), SATURATION)
    else:
        check(model, config=config)
    print(json.dumps({"after_imports": after_imports, "peak": resident("VmHWM")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
