"""Test the fact about the names of language models in bundles."""

from __future__ import annotations

import pytest

from tests.helpers.facts import rows
from tests.helpers.models.plain import language_model
from tflint.facts.facts import Facts
from tflint.model.batch_reader import open_model, read_one
from tflint.source import BytesSource


@pytest.mark.parametrize(
    ("name", "is_language_model"),
    [
        ("TF_LITE_PREFILL_DECODE", True),
        ("tf_lite_prefill_decode.tflite", True),
        ("tf_lite_prefill_decode#2.tflite", True),
        ("tf_lite_embedder.tflite", False),
        ("my_tf_lite_prefill_decode.tflite", False),
        ("TF_LITE_PREFILL_DECODE.bak", False),
        ("", False),
    ],
)
def test_a_language_model_is_recognized_by_its_name(name, is_language_model):
    facts = Facts(read_one(open_model(BytesSource(language_model()), name)))
    assert rows(facts, "model", "is_language_model") == [is_language_model]
