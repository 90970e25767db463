"""Facts about scales that are invalid or implausibly large, and spread over operators that do not rescale.

One such scale gives the same fault at every tensor that shares it. These facts choose one tensor to report it at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import PRESENT, Lists, Scalars, lists_by_owner, state_of
from tflint.facts.facts import Facts, first_elements
from tflint.facts.graph.operand_roles import operand_at
from tflint.facts.graph.tensor_uses import connected_components
from tflint.resources import table

Ints = NDArray[Any]


def is_scale_origin(facts: Facts) -> Scalars:
    """Return, for each tensor with such a scale, whether it is the first of the tensors that share the scale."""
    suspicious = _has_suspicious_scale(facts)
    return Scalars(_origins(facts) == np.arange(len(suspicious)), state_of(~suspicious))


def scale_followers(facts: Facts) -> Lists:
    """Return, for the first of the tensors that share such a scale, the other tensors."""
    origins = _origins(facts)
    followers = np.flatnonzero(_has_suspicious_scale(facts) & (origins != np.arange(len(origins))))
    is_origin = facts.column("tensor", "is_scale_origin")
    assert isinstance(is_origin, Scalars)
    absent = ~is_origin.values if is_origin.state is None else ~(is_origin.values & (is_origin.state == PRESENT))
    return lists_by_owner(origins[followers], followers, len(origins), state_of(absent))


def _has_suspicious_scale(facts: Facts) -> NDArray[np.bool_]:
    """Return whether each tensor has an invalid scale, or an implausibly large one."""
    scales = _first_scales(facts)
    is_large = facts.numbers("tensor", "is_quantized") & (scales > table("scale_limits")["implausible"])
    suspicious: NDArray[np.bool_] = is_large | ~facts.numbers("tensor", "has_valid_scales").astype(np.bool_)
    return suspicious


def _first_scales(facts: Facts) -> NDArray[np.float64]:
    return first_elements(facts.lists("tensor", "scale"), np.arange(facts.n("tensor")), 0.0)


def _origins(facts: Facts) -> Ints:
    """Return, for each tensor, the tensor that stands for all tensors that share its scale.

    A constant comes before other tensors, because converters choose the scale so that it can hold the constant. Of
    tensors of the same kind, the first in order of execution counts.
    """
    return facts.memoize("scale origins", lambda: _compute_origins(facts))


def _compute_origins(facts: Facts) -> Ints:
    if not _has_suspicious_scale(facts).any():
        return np.arange(facts.n("tensor"))
    leaders = connected_components(*_pairs_with_equal_scales(facts), facts.n("tensor"))
    is_constant, first_use = facts.numbers("tensor", "is_constant"), facts.numbers("tensor", "first_use")
    order = np.lexsort((first_use, ~is_constant.astype(np.bool_), leaders))
    heads, firsts = np.unique(leaders[order], return_index=True)
    origins: Ints = order[firsts][np.searchsorted(heads, leaders)]
    return origins


def _pairs_with_equal_scales(facts: Facts) -> tuple[Ints, Ints]:
    """Return pairs of tensors with the same suspicious scale that an operator requires to be equal."""
    operands = facts.lists("operator", "same_scale_operands")
    tensors, lengths = operands.flatten(slice(None))
    owners = np.repeat(np.arange(len(lengths)), lengths)
    paddings = operand_at(facts, "input", facts.by_label("operator", "opcode", {"PADV2": 2}, -1))
    padded = np.flatnonzero(paddings >= 0)
    tensors, owners = np.concatenate([tensors, paddings[padded]]), np.concatenate([owners, padded])
    kept = _has_suspicious_scale(facts)[tensors]
    tensors, owners = tensors[kept], owners[kept]
    scales = _first_scales(facts)[tensors]
    order = np.lexsort((scales, owners))
    tensors, owners, scales = tensors[order], owners[order], scales[order]
    is_equal = (scales[1:] == scales[:-1]) | np.isnan(scales[1:]) & np.isnan(scales[:-1])
    tied = np.flatnonzero((owners[1:] == owners[:-1]) & is_equal)
    return tensors[tied], tensors[tied + 1]
