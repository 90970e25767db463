"""Facts of models that a compiler for an accelerator has been at: which parts it made, and for what."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import PRESENT, Lists, Strings, state_of, texts_of
from tflint.facts.facts import Facts

#: Operators that compilers for accelerators leave in place of those that they compiled: kCustomOp of libedgetpu's
#: edgetpu.h, the name that TFLM's kernel for Ethos-U is registered under, and kLiteRtDispatchOpCustomName of LiteRT's
#: build_stamp.h, whose operator hands over to the delegate of an NPU.
COMPILED = {"edgetpu-custom-op": "edgetpu", "ethos-u": "ethos-u", "DISPATCH_OP": "npu"}


def operator_compiled_for(facts: Facts) -> Strings:
    """For which accelerator a compiler made each operator."""
    custom = facts.strings("operator", "custom_code")
    targets = [COMPILED.get(label) for label in custom.labels]
    labels = sorted(set(COMPILED.values()))
    numbers = np.array([labels.index(target) if target else -1 for target in targets], dtype=np.int64)
    codes = numbers[custom.codes] if len(numbers) else np.full(len(custom.codes), -1)
    absent = codes < 0 if custom.state is None else (codes < 0) | (custom.state != PRESENT)
    return Strings(np.maximum(codes, 0), labels, state_of(absent))


def model_compiled_for(facts: Facts) -> Lists:
    """The accelerators that operators of each model were compiled for, each once."""
    targets = facts.strings("operator", "compiled_for")
    models = facts.table("operator").model
    kept = np.arange(len(models)) if targets.state is None else np.flatnonzero(targets.state == PRESENT)
    found: list[set[str]] = [set() for _ in range(facts.n("model"))]
    for model, code in set(zip(models[kept].tolist(), targets.codes[kept].tolist(), strict=True)):
        found[model].add(targets.labels[code])
    return texts_of([sorted(names) for names in found])
