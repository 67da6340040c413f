"""Fragments of SQL text that the two databases spell differently.

Intake moves whole sets through a dozen named statements; as text with a comment each they read
better than as expression trees. Values are always bound, only these fragments are put in.
"""

from __future__ import annotations


class Sqlite:
    """SQLite: JSON is text, a boolean a number, the inbox an attached file."""

    inbox = "inbox_file.inbox"
    serial = "INTEGER PRIMARY KEY"
    text = "TEXT"
    json = "TEXT"
    json_list = "json_array"
    json_object = "json_object"
    json_group = "json_group_array"
    first = 0  # `item.key` of a list's first element
    last_contact = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'contacts'"
    has_temp = "SELECT 1 FROM sqlite_temp_master WHERE name = :last"
    temp = "temp."  # the schema of an index on a temporary table
    skip_to_contact = ""  # an explicit id moves SQLite's sequence by itself

    def each(self, column: str) -> str:
        """The elements of a JSON list as rows `item`, in the order of `item.key`."""
        return f"json_each({column}) AS item"

    def item_text(self, index: int) -> str:
        """An element of the list that `item` is, as text."""
        return f"json_extract(item.value, '$[{index}]')"

    def item_json(self, index: int) -> str:
        """The same as JSON."""
        return f"(item.value -> '$[{index}]')"

    def item_true(self, index: int) -> str:
        """The same as a boolean."""
        return f"json_extract(item.value, '$[{index}]')"

    def pick(self, column: str, key: str) -> str:
        """The text under a key of a JSON object."""
        return f"json_extract({column}, '$.{key}')"

    def first_text(self, forms: str, key: str) -> str:
        """The first element's text of a property, in an event's forms."""
        return f"json_extract({forms}, '$.{key}[0][0]')"

    def whole(self, forms: str) -> str:
        """One text by which values are told apart: that of the only form, else of them all."""
        return (
            f"CASE json_array_length({forms}) WHEN 0 THEN NULL"
            f" WHEN 1 THEN json_extract({forms}, '$[0][0]') ELSE {forms} END"
        )

    def nested(self, column: str) -> str:
        """JSON inside JSON that is being built."""
        return f"json({column})"

    def over(self, column: str, upper: str) -> str:
        """A JSON object with the keys of another laid over it."""
        return f"json_patch({column}, {upper})"

    def emptying(self, rows: int) -> str:
        """What empties a temporary table `{name}` of about so many rows."""
        return "DELETE FROM {name}"

    def given(self, name: str) -> str:
        """A bound JSON text."""
        return f":{name}"

    def draw(self, identity: str, which: int) -> str:
        """See `functions.draw`."""
        return f"draw({identity}, {which})"

    def salted(self, kind: str, value: str) -> str:
        """See `functions.salted`; the salt is bound."""
        return f"salted(:salt, {kind}, {value})"

    def fold(self, column: str) -> str:
        """The casefolded text."""
        return f"casefold({column})"


class Postgresql(Sqlite):
    """PostgreSQL: jsonb, booleans, text compared bytewise."""

    inbox = "inbox"
    serial = "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    text = 'TEXT COLLATE "C"'
    json = "jsonb"
    json_list = "jsonb_build_array"
    json_object = "jsonb_build_object"
    json_group = "jsonb_agg"
    first = 1
    last_contact = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM contacts_id_seq"
    has_temp = "SELECT 1 WHERE to_regclass('pg_temp.' || :last) IS NOT NULL"
    temp = ""
    skip_to_contact = "SELECT setval('contacts_id_seq', (SELECT max(id) FROM newcomers))"

    def each(self, column: str) -> str:
        return f"jsonb_array_elements({column}) WITH ORDINALITY AS item(value, key)"

    def item_text(self, index: int) -> str:
        return f"(item.value ->> {index})"

    def item_json(self, index: int) -> str:
        return f"(item.value -> {index})"

    def item_true(self, index: int) -> str:
        return f"(item.value ->> {index})::boolean"

    def pick(self, column: str, key: str) -> str:
        return f"({column} ->> '{key}')"

    def first_text(self, forms: str, key: str) -> str:
        return f"({forms} #>> '{{{key},0,0}}')"

    def whole(self, forms: str) -> str:
        return (
            f"CASE jsonb_array_length({forms}) WHEN 0 THEN NULL"
            f" WHEN 1 THEN {forms} -> 0 ->> 0 ELSE {forms}::text END"
        )

    def nested(self, column: str) -> str:
        return column

    def over(self, column: str, upper: str) -> str:
        return f"({column} || {upper})"

    def emptying(self, rows: int) -> str:
        """Nobody vacuums temporary tables: large, they would seem and be large for ever."""
        return "TRUNCATE {name}" if rows > 1000 else "DELETE FROM {name}"

    def given(self, name: str) -> str:
        return f"CAST(:{name} AS jsonb)"

    def draw(self, identity: str, which: int) -> str:
        digest = f"encode(sha256(convert_to({identity}, 'UTF8')), 'hex')"
        part = f"substr({digest}, {1 + 8 * which}, 8)"
        return f"(('x' || {part})::bit(32)::bigint & 2147483647)"

    def salted(self, kind: str, value: str) -> str:
        whole = f"CAST(:salt AS text) || ':' || {kind} || ':' || {value}"
        return f"encode(sha256(convert_to({whole}, 'UTF8')), 'hex')"

    def fold(self, column: str) -> str:
        return f"lower({column})"


SPELLINGS: dict[str, Sqlite] = {"sqlite": Sqlite(), "postgresql": Postgresql()}
