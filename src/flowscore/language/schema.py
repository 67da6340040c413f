"""The JSON Schema of the accepted YAML, for editors: made from the tables that do the reading."""

from __future__ import annotations

from flowscore.language.grammar.actions import STEP_SCHEMA
from flowscore.language.grammar.conditions import CONDITIONS
from flowscore.language.grammar.kinds import KINDS
from flowscore.language.grammar.shapes import Schema, described
from flowscore.language.grammar.triggers import TRIGGER_SCHEMA
from flowscore.language.grammar.values import VALUE_TESTS_SCHEMA

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> Schema:
    """What one YAML document of `scenarios/` may hold (draft 2020-12).

    It knows keys, words, units and shapes. Whether a list, score or template of that name
    exists, only `flowscore validate` can say.
    """
    return {
        "$schema": DRAFT,
        "title": "flowscore",
        "description": "One definition of a flowscore project: the kind is its first key.",
        "type": "object",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in KINDS],
        "$defs": {
            **{kind: described(row.table.schema, row.says) for kind, row in KINDS.items()},
            "condition": described(CONDITIONS.one_key_schema, "Exactly one key."),
            "trigger": described(TRIGGER_SCHEMA, "Exactly one key, or a word that needs none."),
            "step": described(STEP_SCHEMA, "Exactly one action, and what stands beside it."),
            "value_tests": described(VALUE_TESTS_SCHEMA, "A value, a list of values, or tests."),
        },
    }
