"""Every word of the language is documented, and every example on the pages is right."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docs.keys import PRINTED, TABLES, pages_with_keys, renewed
from docs.pages import REFERENCE, Example, examples, keys_of, project_files, words_of
from docs.test_stories import STORIES
from flowscore.language import grammar
from flowscore.language.grammar import actions, conditions, decay, policy, scenario, scoring, waits
from flowscore.language.grammar import triggers as on
from flowscore.language.grammar.kinds import KINDS
from flowscore.language.grammar.shapes import Table
from flowscore.language.grammar.values import OPERATORS
from flowscore.language.project import load_project
from flowscore.mail.scope import IN_SCOPE, LINK_KEYS, OWN_WORDS
from flowscore.mail.sources import KEYS as FRONT_MATTER
from flowscore.views import export
from flowscore.views.export import TABLES as EXPORTED

# Which page explains which table of the grammar in its own words; the others are printed.
PAGE_OF: list[tuple[str, Table]] = [
    ("README.md", Table("a definition", dict.fromkeys(KINDS))),  # type: ignore[arg-type]
    ("scenarios.md", scenario.SCENARIO),
    ("scenarios.md", scenario.REENROLL),
    ("lists.md", scenario.LIST),
    ("scores.md", scoring.SCORE),
    ("scores.md", scoring.RULE),
    ("scores.md", scoring.CAP),
    ("scores.md", scoring.RANGE),
    ("scores.md", decay.LINE_DECAY),
    ("policy.md", policy.POLICY),
    ("policy.md", policy.SENDER),
    ("policy.md", policy.FREQUENCY_CAP),
    ("policy.md", policy.WHEN_CAPPED),
    ("policy.md", policy.SEND_WINDOW),
    ("policy.md", policy.PAUSE_WHEN),
    ("scenarios.md", Table("a goal", waits.BESIDE_TRIGGER)),
    ("conditions.md", conditions.CONDITIONS),
    ("conditions.md", OPERATORS),
    ("triggers.md", on.TRIGGERS),
    ("actions.md", actions.ACTIONS),
    ("actions.md", actions.BESIDE),
]
INDEXES = [
    ("conditions.md", conditions.CONDITIONS),
    ("triggers.md", on.TRIGGERS),
    ("actions.md", actions.ACTIONS),
]
EXAMPLES = list(examples())
ROWS = (ast.Yield, ast.Return)


def tables_of_the_grammar() -> Iterator[Table]:
    """Every reading table that stands in a module of the grammar."""
    for module in pkgutil.iter_modules(grammar.__path__):
        found = importlib.import_module(f"{grammar.__name__}.{module.name}")
        yield from (value for value in vars(found).values() if isinstance(value, Table))


@pytest.mark.parametrize(
    ("page", "table"), PAGE_OF, ids=lambda one: one if isinstance(one, str) else one.thing
)
def test_every_key_stands_in_a_table_of_its_page(page: str, table: Table) -> None:
    missing = set(table.keys) - {_bare(word) for word in keys_of(page)}
    assert not missing, f"docs/reference/{page} does not explain these of {table.thing}"


def _bare(word: str) -> str:
    """`{after: 30 days}` explains the key `after`."""
    return word.strip("{}").partition(":")[0]


def test_every_table_of_the_grammar_has_its_page() -> None:
    named = [name for page in pages_with_keys() for name in PRINTED.findall(_read(page))]
    assert set(named) == set(TABLES), "a table that no page prints, or that nobody knows"
    paged = {id(table) for _, table in PAGE_OF} | {id(table) for table in TABLES.values()}
    # These hold the keys of others, which have their places.
    paged |= {id(waits.GOAL), id(waits.WAIT_FOR), id(actions.IN_A_STEP)}
    lost = {table.thing for table in tables_of_the_grammar() if id(table) not in paged}
    assert not lost, "name their page in PAGE_OF"


def _read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", pages_with_keys(), ids=lambda page: page.stem)
def test_printed_keys_are_the_grammars(page: Path) -> None:
    assert _read(page) == renewed(_read(page)), "run `python -m docs.keys` in tests/"


@pytest.mark.parametrize(("index", "table"), INDEXES, ids=lambda one: str(one)[:10])
def test_every_word_has_a_page_with_an_example_that_is_run(index: str, table: Table) -> None:
    text = _read(REFERENCE / index)
    run = [story.values[0] for story in STORIES]
    for word in table.keys:
        link = re.search(rf"\[`{word}`\]\(([\w/]+\.md)\)", text)
        assert link, f"docs/reference/{index} does not lead to a page for `{word}`"
        told = [one.text for one in run if one.page == f"reference/{link[1]}"]
        assert any(re.search(rf"\b{word}\b", one) for one in told), f"{link[1]}: run `{word}`"


def test_front_matter_and_scope_are_documented() -> None:
    known = keys_of("templates.md")
    assert not {*FRONT_MATTER, *IN_SCOPE, *OWN_WORDS} - known
    assert not set(LINK_KEYS) - words_of("templates.md")


def test_every_exported_table_and_column_is_documented() -> None:
    lines = (REFERENCE / "commands.md").read_text(encoding="utf-8").splitlines()
    for table in EXPORTED:
        row = next((line for line in lines if line.startswith(f"| `{table}.jsonl` |")), "")
        missing = [column for column in columns_of(table) if f"`{column}`" not in row]
        assert row and not missing, f"docs/reference/commands.md: {table}.jsonl"


def columns_of(table: str) -> list[str]:
    """The keys of the rows that the export writes for a table, read from its code."""
    module = ast.parse(Path(str(export.__file__)).read_text(encoding="utf-8"))
    functions = {one.name: one for one in module.body if isinstance(one, ast.FunctionDef)}
    writers = [functions[table], *(functions["_point"], functions["_worth"]) * (table == "points")]
    rows = [one.value for node in writers for one in ast.walk(node) if isinstance(one, ROWS)]
    keys = [key for row in rows if isinstance(row, ast.Dict) for key in row.keys]
    columns = [key.value for key in keys if isinstance(key, ast.Constant)]
    assert columns, table
    return columns


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples_load(example: Example, write_project: Callable[[dict[str, str]], Path]) -> None:
    folder = write_project(project_files(example))
    _, problems = load_project(folder)
    wrong = [str(problem) for problem in problems if problem.severity == "error"]
    if example.kind == "refused":
        assert wrong, f"docs/{example} is said to be refused"
    else:
        assert not wrong, f"docs/{example}"


def test_pages_have_examples_of_every_kind() -> None:
    kinds = {example.kind for example in EXAMPLES}
    assert kinds == {"", "triggers", "conditions", "inside", "actions", "rules", "refused"}
