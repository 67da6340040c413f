"""The forms in which values are compared (rulings 60, 61 and 125)."""

from __future__ import annotations

from typing import Any

import pytest

from flowscore.store.forms import flatten, forms_of, leaves

DAY = 86_400_000_000
NOON = 20_000 * DAY + DAY // 2  # 2024-10-04T12:00Z


@pytest.mark.parametrize(
    ("value", "forms"),
    [
        ("Straße", [["strasse"]]),
        ("İstanbul", [["i̇stanbul"]]),
        (True, [["true"]]),
        (False, [["false"]]),
        (25, [["25", 25]]),
        (25.0, [["25", 25]]),
        (25.5, [["25.5", 25.5]]),
        (-0.0, [["0", 0]]),
        (2**60, [[str(2**60), float(2**60)]]),
        ("25", [["25", 25.0]]),
        ("-3.5", [["-3.5", -3.5]]),
        ("08001", [["08001"]]),
        ("0", [["0", 0.0]]),
        ("1e5", [["1e5"]]),
        ("+3", [["+3"]]),
        (".5", [[".5"]]),
        ("1,5", [["1,5"]]),
        ("٣", [["٣"]]),
        (" 7 ", [[" 7 ", 7.0]]),
        ("2024-10-04", [["2024-10-04", None, None, 20_000 * DAY]]),
        ("2024-10-04 12:00", [["2024-10-04 12:00", None, None, NOON]]),
        ("2024-10-04T12:00:00Z", [["2024-10-04t12:00:00z", None, NOON]]),
        ("2024-10-04T14:00:00.000+02:00", [["2024-10-04t14:00:00.000+02:00", None, NOON]]),
        ("2024-10-04T12:00:00.123456Z", [["2024-10-04t12:00:00.123456z", None, NOON + 123456]]),
        ("2024-13-04", [["2024-13-04"]]),
        ("2024-02-30T10:00Z", [["2024-02-30t10:00z"]]),
        ("20241004", [["20241004", 20241004.0]]),
        ("2024-W40-5", [["2024-w40-5"]]),
        ("-", [["-"]]),
        ("", []),
        (None, []),
        ([], []),
        ({}, []),
        (["", None], []),
        (["A", 2, ["b"]], [["a"], ["2", 2], ["b"]]),
        (float("nan"), [["nan"]]),
    ],
)
def test_forms_of_value(value: Any, forms: list[Any]) -> None:
    assert forms_of(value) == forms


def test_flatten_reaches_into_objects_and_lists() -> None:
    products = [{"sku": "A1", "tags": ["x", "y"]}, {"sku": "B2"}, {"sku": None}]
    assert flatten(
        {"total": 10, "note": "", "products": products, "a": {"b": {"c": True}}, "a.d": "Z"}
    ) == {
        "total": [["10", 10]],
        "products.sku": [["a1"], ["b2"]],
        "products.tags": [["x"], ["y"]],
        "a.b.c": [["true"]],
        "a.d": [["z"]],
    }


def test_flatten_survives_a_bomb() -> None:
    deep: Any = "core"
    for _ in range(5000):
        deep = [deep]
    assert flatten({"deep": {"deep": deep}, "plain": 1}) == {"plain": [["1", 1]]}


def test_leaves_keep_the_values() -> None:
    traits = {"plan": "Pro", "tags": ["a", "b"], "address": {"city": "Madrid", "lines": [1, 2]}}
    assert leaves(traits) == {
        "plan": "Pro",
        "tags": ["a", "b"],
        "address.city": "Madrid",
        "address.lines": [1, 2],
    }
    assert leaves({"orders": [{"id": 1}, {"id": 2}]}) == {"orders.id": [1, 2]}
