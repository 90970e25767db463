"""A process that looks at one model and prints how much memory it took, from what the kernel counts.

It checks the model with all rules or, told `values`, computes all statistics of the values of constants.

`VmHWM` is the peak of resident pages, here since the imports. Files are read, never mapped, so that from the imports on
only anonymous pages are added: peak minus what was resident after the imports is what the check took.
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
#: Written to `clear_refs`, this makes the kernel forget the peak so far (proc_pid_clear_refs(5)).
_FORGET_PEAK = "5"


def all_rules() -> Config:
    """A configuration that runs every rule, those too that must be named to run."""
    named = (rule.id for rule in load_catalog(()).rules if rule.status != "stable")
    return Config(select=("all", *named))


def resident(field: str) -> int:
    """A field of the process's status, in bytes."""
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def main(model: str, work: str = "check") -> None:
    """Do the work and print both numbers."""
    config = all_rules()
    with contextlib.suppress(OSError):  # where that is not allowed the peak may be that of the imports
        Path("/proc/self/clear_refs").write_text(_FORGET_PEAK, encoding="ascii")
    after_imports = resident("VmRSS")
    if work == "values":
        statistics(Path(model), SATURATION)
    else:
        check(model, config=config)
    print(json.dumps({"after_imports": after_imports, "peak": resident("VmHWM")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
