"""docs/acceptance.md says the truth: each row has its test, each test its row."""

from __future__ import annotations

from . import register

WANTED = (
    [f"A{n:02}" for n in range(1, 14)]
    + [f"C{n:02}" for n in range(1, 12)]
    + "A18 B08 D01 D02 D03 D04 D07 D09 D10 D11 D12 D13 E17 E18 F01 F04".split()
    + [f"T{n:02}" for n in range(1, 21) if n not in (2, 4, 5, 19)]
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
