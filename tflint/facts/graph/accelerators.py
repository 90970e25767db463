"""Facts about models compiled for an accelerator: which operators were compiled, and for which accelerator."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import PRESENT, Lists, Strings, state_of, texts_of
from tflint.facts.facts import Facts

#: Accelerator by custom operator. A compiler replaces the operators that it compiles by this custom operator. The names
#: are from `kCustomOp` in libedgetpu's edgetpu.h, from TFLM, which registers its Ethos-U kernel under this name, and
#: from `kLiteRtDispatchOpCustomName` in LiteRT's build_stamp.h, an operator that the delegate of an NPU runs.
COMPILED = {"edgetpu-custom-op": "edgetpu", "ethos-u": "ethos-u", "DISPATCH_OP": "npu"}


def operator_compiled_for(facts: Facts) -> Strings:
    """Return the accelerator that each operator was compiled for, absent if the operator was not compiled."""
    custom = facts.strings("operator", "custom_code")
    targets = [COMPILED.get(label) for label in custom.labels]
    labels = sorted(set(COMPILED.values()))
    numbers = np.array([labels.index(target) if target else -1 for target in targets], dtype=np.int64)
    codes = numbers[custom.codes] if len(numbers) else np.full(len(custom.codes), -1)
    absent = codes < 0 if custom.state is None else (codes < 0) | (custom.state != PRESENT)
    return Strings(np.maximum(codes, 0), labels, state_of(absent))


def model_compiled_for(facts: Facts) -> Lists:
    """Return the distinct accelerators that the operators of each model were compiled for."""
    targets = facts.strings("operator", "compiled_for")
    models = facts.table("operator").model
    rows = np.arange(len(models)) if targets.state is None else np.flatnonzero(targets.state == PRESENT)
    names_by_model: list[set[str]] = [set() for _ in range(facts.n("model"))]
    for model, code in set(zip(models[rows].tolist(), targets.codes[rows].tolist(), strict=True)):
        names_by_model[model].add(targets.labels[code])
    return texts_of([sorted(names) for names in names_by_model])
