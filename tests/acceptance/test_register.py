"""docs/acceptance.md says the truth: each row has its test, each test its row."""

from __future__ import annotations

from . import register

WANTED = (
    [f"A{n:02}" for n in range(1, 20)]
    + [f"B{n:02}" for n in range(1, 16)]
    + [f"C{n:02}" for n in range(1, 12)]
    + [f"D{n:02}" for n in range(1, 14)]
    + [f"E{n:02}" for n in range(1, 19)]
    + [f"F{n:02}" for n in range(1, 7)]
    + [f"T{n:02}" for n in range(1, 21)]
)


def test_every_wanted_row_stands_on_the_page_and_has_a_test() -> None:
    tests = register.tests_by_row()
    assert sorted(register.named_on_page()) == sorted(WANTED)
    assert [row for row in WANTED if not tests.get(row)] == []


def test_page_names_for_each_row_tests_that_there_are() -> None:
    tests = register.tests_by_row()
    for row, named in register.named_on_page().items():
        assert named, f"{row} names no test: run `python tests/acceptance/register.py`"
        assert set(named) <= set(tests.get(row, [])), f"{row} names a test that is gone"
