"""Replay the kept inputs of fuzzing without a fuzzer, and test the mutations."""

from __future__ import annotations

import random

import pytest

from tests.fuzz import mutate, properties, seeds, targets, text_edits, texts
from tests.fuzz.edits import edited_fields
from tests.fuzz.places import places_of
from tflint.errors import Place, UserError
from tflint.model.batch_reader import open_model, read_one
from tflint.source import BytesSource

KEPT = seeds.kept()
MODELS = seeds.models()


def is_readable(content: bytes) -> bool:
    return read_one(open_model(BytesSource(content))).is_readable


def test_the_kept_corpus_is_there_and_small():
    assert 50 <= len(KEPT) <= 400
    assert sum(map(len, KEPT.values())) <= 1_200_000


@pytest.mark.parametrize(
    "target", [properties.reader, properties.checked, properties.called], ids=lambda target: target.__name__
)
@pytest.mark.parametrize("number", range(4))
def test_every_kept_input_holds_the_property(target, number, monkeypatch):
    """Fewer places per rule than in a run: three inputs have 10,000, and the fuzzer itself reports them all."""
    monkeypatch.setattr("tflint.engine.judge.MAX_PLACES", 500)
    for path, content in list(KEPT.items())[number::4]:
        try:
            target(content)
        except Exception as error:
            raise AssertionError(f"{path} breaks the property of {target.__name__}: {error}") from error


@pytest.mark.parametrize("target", ["flexbuffer", "container", "text"])
def test_mutations_of_what_is_no_model_hold_the_property(target):
    begin = targets.SEEDS[target]()
    for seed in range(80):
        generator = random.Random(seed)
        targets.TARGETS[target](targets.MUTATORS[target](generator.choice(begin), generator, begin, 4096))


@pytest.mark.parametrize("target", ["reader-batch", "check-batch"])
def test_a_batch_of_mutations_holds_the_property(target):
    assert targets.TARGETS[target](MODELS[0]) in (targets.READ_MODELS, targets.CHECK_MODELS)


def test_a_broken_property_is_noticed(monkeypatch):
    monkeypatch.setattr(properties, "MAX_SECONDS", -1.0)
    with pytest.raises(AssertionError, match="more than"):
        properties.reader(MODELS[0])
    monkeypatch.undo()
    monkeypatch.setattr("tflint.facts.quantization.quantization_scheme.model_scheme", lambda facts: 1 / 0)
    monkeypatch.setattr("tflint.facts.graph.tensor_uses.is_available", lambda facts: 1 / 0)
    with pytest.raises(AssertionError, match="could not run"):
        properties.checked(MODELS[0])


@pytest.mark.security
@pytest.mark.parametrize("number", range(len(texts.KINDS)), ids=texts.KINDS)
def test_mutations_of_each_kind_of_text_are_data_or_an_error_with_a_place(number):
    begin = [seed for seed in seeds.texts() if seed[0] == number]
    outcomes = set()
    for seed in range(400):
        generator = random.Random(seed)
        content = bytes([number]) + text_edits.mutated(generator.choice(begin), generator, seeds.texts(), 4096)[1:]
        texts.text(content)
        outcomes.add(texts.is_data(content))
    assert outcomes == {True, False}


def test_a_text_without_a_good_error_is_noticed(monkeypatch):
    def refuse(text, path):
        raise UserError("\x1b[31m is wrong", place=Place(path))

    monkeypatch.setitem(texts.READERS, "baseline", refuse)
    with pytest.raises(AssertionError, match="cannot be printed"):
        texts.text(b"\x03{}")
    monkeypatch.setitem(texts.READERS, "baseline", lambda text, path: refuse(text, ""))
    with pytest.raises(AssertionError):
        texts.text(b"\x03{}")


def test_mutations_repeat_themselves_and_differ():
    first = [mutate.mutated(MODELS[0], random.Random(seed), MODELS, 4096) for seed in range(200)]
    assert first == [mutate.mutated(MODELS[0], random.Random(seed), MODELS, 4096) for seed in range(200)]
    assert len(set(first)) > 150
    assert all(len(content) <= 4096 for content in first)


def test_mutations_of_bytes_break_models_and_leave_some_whole():
    changed = [mutate.mutated(MODELS[seed % len(MODELS)], random.Random(seed), MODELS, 4096) for seed in range(300)]
    assert 0.2 < sum(map(is_readable, changed)) / len(changed) < 0.9


def test_other_values_and_other_fields_leave_models_readable():
    for seed, content in enumerate(filter(is_readable, MODELS)):
        places = places_of(content)
        assert places is not None
        assert is_readable(mutate.with_other_values(content, places, random.Random(seed)))
        edited = edited_fields(content, random.Random(seed), MODELS)
        assert edited is not None
        assert places_of(edited) is not None


@pytest.mark.parametrize("content", [b"", b"\0" * 3, b"\x10\0\0\0TFL3", MODELS[0][:50]])
def test_bytes_that_are_no_model_are_mutated_too(content):
    changed = {mutate.mutated(content, random.Random(seed), MODELS, 4096) for seed in range(50)}
    assert len(changed) > 10
