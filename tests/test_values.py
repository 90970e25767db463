"""Test value classes: construction, comparison, repr, replacement and pickling like frozen dataclasses."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Mapping

import pytest

from tflint.values import EMPTY, FrozenError, frozen, replace


@frozen
class Point:
    """A point with a label."""

    x: float
    y: float = 0.0
    labels: Mapping[str, str] = EMPTY

    @property
    def is_origin(self) -> bool:
        return self.x == self.y == 0


@frozen
class Named:
    """Shown by its name."""

    name: str

    def __repr__(self) -> str:
        return f"<{self.name}>"


@frozen(eq=False)
class Box:
    content: list[int]


def test_fields_are_given_by_place_by_name_or_by_default():
    assert Point(1, 2, {"a": "b"}) == Point(x=1, y=2, labels={"a": "b"})
    assert Point(1) == Point(1, 0.0, {})
    assert Point(0).is_origin


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, r"Point.__init__\(\) missing 1 required positional argument: 'x'"),
        ({"x": 1, "z": 2}, r"Point.__init__\(\) got an unexpected keyword argument 'z'"),
    ],
)
def test_a_wrong_field_is_named(arguments, said):
    with pytest.raises(TypeError, match=said):
        Point(**arguments)


@frozen
class Place(Point):
    """A point with a country."""

    country: str = ""


def test_no_field_can_be_assigned_or_deleted():
    point = Point(1)
    with pytest.raises(FrozenError, match="cannot assign to 'x': Point is frozen"):
        point.x = 2
    with pytest.raises(FrozenError, match="cannot delete 'x': Point is frozen"):
        del point.x
    assert point == Point(1)


def test_there_are_no_other_attributes():
    with pytest.raises(AttributeError):
        Point(1).z = 2


def test_the_default_mapping_cannot_be_changed():
    with pytest.raises(TypeError, match="cannot be changed"):
        Point(1).labels["a"] = "b"
    with pytest.raises(TypeError, match="cannot be changed"):
        Point(1).labels.update(a="b")
    assert pickle.loads(pickle.dumps(EMPTY)) is EMPTY
    assert copy.deepcopy(EMPTY) is EMPTY


def test_a_derived_class_has_the_fields_of_its_base_first():
    place = Place(1, 2, country="NZ")
    assert (place.x, place.y, place.labels, place.country) == (1, 2, {}, "NZ")
    assert place == replace(Place(1, 2), country="NZ") != Point(1, 2)
    assert pickle.loads(pickle.dumps(place)) == place
    with pytest.raises(FrozenError):
        place.x = 3


def test_values_of_equal_fields_are_equal_and_hash_alike():
    assert Named("a") == Named("a") != Named("b")
    assert {Named("a"), Named("a")} == {Named("a")}


def test_values_of_different_classes_differ():
    assert Named("a") != Box(["a"])
    assert Named("a") != "a"


def test_without_eq_an_object_equals_only_itself():
    box = Box([1])
    assert box == box
    assert box != Box([1])
    assert len({box, Box([1])}) == 2


def test_a_value_shows_its_fields_or_itself_as_its_class_says():
    assert repr(Point(1)) == "Point(x=1, y=0.0, labels={})"
    assert repr(Named("a")) == "<a>"


def test_replacing_leaves_the_value_as_it_was():
    point = Point(1)
    assert replace(point, y=2) == Point(1, 2)
    assert point == Point(1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        replace(point, z=2)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_are_equal(copied):
    assert copied(Point(1, 2, {"a": "b"})) == Point(1, 2, {"a": "b"})


def test_the_signature_is_known_before_and_after_the_first_object():
    @frozen
    class Fresh:
        """Not made yet."""

        a: int
        b: str = "x"

    assert str(inspect.signature(Fresh)) == "(a: 'int', b: 'str' = 'x') -> None"
    Fresh(1)
    assert str(inspect.signature(Fresh)) == "(a: 'int', b: 'str' = 'x') -> None"
    assert Fresh.__doc__ == "Not made yet."
