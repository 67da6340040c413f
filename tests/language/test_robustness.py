"""Whatever an author writes: reading never breaks, and the editor's schema agrees with it."""

from __future__ import annotations

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from flowscore.language.document import Node, read_documents
from flowscore.language.grammar.actions import ACTIONS, BESIDE
from flowscore.language.grammar.conditions import CONDITIONS
from flowscore.language.grammar.counting import IN_CONDITIONS
from flowscore.language.grammar.events import EVENT_WORDS
from flowscore.language.grammar.gathering import names_of_documents
from flowscore.language.grammar.kinds import KINDS, read_root
from flowscore.language.grammar.mistakes import MistakesError
from flowscore.language.grammar.triggers import TRIGGERS
from flowscore.language.grammar.values import OPERATORS
from flowscore.language.schema import json_schema

TABLES = [ACTIONS, BESIDE, CONDITIONS, TRIGGERS, OPERATORS, *(row.table for row in KINDS.values())]
WORDS = sorted(
    {word for table in TABLES for word in table.keys}
    | {word for row in EVENT_WORDS.values() for word in row.subject}
    | set(IN_CONDITIONS.keys)
    | {"after", "cron", "at", "from", "to", "points", "reaches", "falls_to", "gains", "x"}
    | {"up_to", "offset", "every", "attribute", "property", "timezone", "until", "days", "url"}
    | {"half_life", "linear", "expire", "step", "idle", "lose", "every", "reset", "enters", "back"}
    | {"fit", "engagement", "A", "B", "4", "3", "axis", "stages", "stage", "when", "retreat"}
    | {"body", "headers", "share", "name", "actions", "template", "emails", "per", "bounces"}
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 100),
    st.floats(-5, 5).map(lambda number: round(number, 1)),
    st.sampled_from(["x", "any", "3 days", "4 hrs", "manual", "/a/*", "*", "{{ a }}", "{{", ""]),
    st.sampled_from(["2026-01-01", "0 9 * * *", "UTC", "contact", "email", "a: b", "Ã©", "(?=a)"]),
    st.sampled_from(["10%", "50%", "09:00", "mon", "entered", "owner", "a@b.example", "drop"]),
    st.sampled_from(["none", "below", "A4", "descending", "1-10", "company", "15%"]),
    st.sampled_from(["-3 days", "2 hours", "year", "all", "https://a.example/x", "${A}/b"]),
    st.sampled_from(WORDS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=12,
)
VALIDATOR = Draft202012Validator(json_schema())


@st.composite
def definitions(draw) -> dict:
    kind = draw(st.sampled_from(sorted(KINDS)))
    keys = draw(st.sets(st.sampled_from(sorted(KINDS[kind].table.keys)), max_size=6))
    return {kind: "x", **{key: draw(VALUES) for key in sorted(keys - {kind})}}


def plain(node: Node):
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


@settings(max_examples=150, deadline=None)
@given(st.lists(definitions(), min_size=1, max_size=3))
def test_read_or_refuse_any_definition_with_a_place(written) -> None:
    text = yaml.safe_dump_all(written, allow_unicode=True, sort_keys=False)
    documents, problems = read_documents(text, "x.yaml")
    names = names_of_documents(documents, [], ["x"])
    for document in documents:
        try:
            definition = read_root(document.root, names)
            assert definition.name == "x"
            assert VALIDATOR.is_valid(plain(document.root)), "the schema refuses what can be read"
        except MistakesError as mistakes:
            problems += mistakes.problems
    lines = text.count("\n") + 1
    assert all(1 <= one.mark.line <= lines and one.mark.column >= 1 for one in problems)
    assert all(one.message for one in problems)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab:-'\"[]{}#&*!|>%@`\t\n ,?~01.\u00e9\U0001f600\ufeff\x07", max_size=60))
def test_read_or_refuse_any_text(text) -> None:
    documents, problems = read_documents(text, "x.yaml")
    assert all(document.root.mark.line >= 1 for document in documents)
    assert all(one.mark.line >= 1 for one in problems)
