"""Finds the operator at which default kernels (with a delegate) begin to differ from the built-in ones.

A delegate does not show the tensors inside of its part of the graph. So a copy of the model is run in which every
computed tensor is an output.
"""

from __future__ import annotations

import numpy as np

from tflint.confirm.child_process import ChildError
from tflint.confirm.model_session import Session
from tflint.errors import MissingExtraError
from tflint.writer.model_edits import edit_model

#: Difference in quantization steps that the outputs must exceed. Outputs of healthy models differ by up to 16.
MIN_OUTPUT_STEPS = 16
#: Difference in quantization steps from which a computed tensor counts as different.
MIN_STEPS = 8
#: Share of an output's range of values that the difference must exceed, too.
MIN_SHARE = 0.05
#: Maximum number of bytes of all computed tensors; a larger model is not examined.
MAX_BYTES = 256 << 20


def find_origin(session: Session, max_bytes: int, max_seconds: float) -> int | None:
    """Return the index of the first tensor that differs by more than `MIN_STEPS`, or None if there is none.

    Only quantized tensors are compared. Uses one input of noise. Replaces the model in the child.
    """
    subject = session.subject
    if not subject.tensors or subject.n_tensor_bytes > MAX_BYTES:
        return None
    try:
        content = edit_model(subject.read(), {"subgraphs.0.outputs": list(subject.tensors)})
    except (MissingExtraError, ValueError) as error:
        session.problems.append(f"the first operator that differs was not searched: {error}")
        return None
    try:
        session.child.request({"do": "model", "max_bytes": max_bytes, "max_seconds": max_seconds}, [content])
        found = [session.run_noise(kernels) for kernels in ("default", "builtin")]
    except ChildError as failure:
        if not session.child.is_alive:
            raise
        session.problems.append(f"the first operator that differs was not found: {failure.message}")
        return None
    for index, one, other in zip(subject.tensors, *found, strict=False):
        is_comparable = one.dtype.kind in "iu" and one.shape == other.shape and one.size > 0 and one.itemsize <= 2
        if is_comparable and int(np.abs(one.astype(np.int64) - other.astype(np.int64)).max()) > MIN_STEPS:
            return int(index)
    return None
