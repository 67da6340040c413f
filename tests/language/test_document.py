"""YAML as a person expects it, with places; what could surprise or harm is a problem."""

from __future__ import annotations

from itertools import pairwise

import pytest

from flowscore.errors import Mark
from flowscore.language.document import Node, read_documents


def plain(node: Node):
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


def read(text: str):
    documents, problems = read_documents(text, "f.yaml")
    assert problems == []
    return [plain(document.root) for document in documents]


def said(text: str) -> list[str]:
    problems = read_documents(text, "f.yaml")[1]
    return [f"{one.mark} {one.message}; {one.hint}" for one in problems]


AS_WRITTEN = [
    "NO", "no", "yes", "on", "True", "FALSE", "09:00", "12:30:45", "08001", "2024-05-01",
    "2024-05-01T10:00:00Z", "0x1F", "0o7", "1e5", "1_000", "+34", ".inf", ".nan", "=", "1.",
    "12345678901234567890", "Null", "y", "n", "-0x1",
]  # fmt: skip


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_keep_text_as_written(text) -> None:
    assert read(f"a: {text}") == [{"a": text}]


VALUES = {"true": True, "false": False, "null": None, "~": None, "": None, "0": 0, "-3": -3,
          "25": 25, "1.50": 1.5, "-0.5": -0.5, "'1'": "1", '"true"': "true", "''": ""}  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_read_the_core_types(text) -> None:
    assert read(f"a: {text}") == [{"a": VALUES[text]}]
    assert type(read(f"a: {text}")[0]["a"]) is type(VALUES[text])


def test_read_keys_as_text() -> None:
    assert read("on: 1\ntrue: 2\n4: 3\nnull: 4") == [{"on": 1, "true": 2, "4": 3, "null": 4}]


def test_read_bom_crlf_emoji_and_several_documents() -> None:
    text = "\ufeffa: 1\r\nb: '😀 ñ'\r\n---\r\n# nothing\r\n---\r\nc:\r\n  - x\r\n"
    assert read(text) == [{"a": 1, "b": "😀 ñ"}, {"c": ["x"]}]


def test_mark_keys_and_items_by_characters() -> None:
    node = read_documents("a: '😀'\nb: [1, {c: 2}]\n", "f.yaml", 10)[0][0].root
    b = node.items["b"]
    assert (b.key_mark, b.mark) == (Mark("f.yaml", 11, 1), Mark("f.yaml", 11, 4))
    inner = b.elements[1].items["c"]
    assert (inner.path, inner.key_mark) == ("b/1/c", Mark("f.yaml", 11, 9))


def test_keep_the_text_of_each_document() -> None:
    text = "# head\na: 1\n# tail\n---\n\nb:\n  - x\n\n--- {c: 1}\n"
    documents = read_documents(text, "f.yaml")[0]
    assert [one.text for one in documents] == ["a: 1\n# tail\n", "b:\n  - x\n", "    {c: 1}\n"]
    assert [one.root.mark.line for one in documents] == [2, 6, 9]


def test_read_anchors_in_moderation() -> None:
    text = "a: &x {days: [mon, tue]}\nb: *x\n"
    assert read(text) == [{"a": {"days": ["mon", "tue"]}, "b": {"days": ["mon", "tue"]}}]
    copied = read_documents(text, "f.yaml")[0][0].root.items["b"].items["days"].elements[1]
    assert (copied.path, copied.mark.line) == ("b/days/1", 1)


REFUSED = {
    "a: 1\na: 2": "f.yaml:2:1 the key 'a' stands twice; it stands first in line 1",
    "a: !!python/object:os.system x": "f.yaml:1:4 found the tag '!!python/object:os.system'",
    "a:\n\tb: 1": "f.yaml:2:1 found a tab as indentation; indent with spaces",
    "a: " + "[" * 51 + "]" * 51: "f.yaml:1:54 nested deeper than 50 levels",
    "a: " + "[" * 300_000: "f.yaml:1:54 nested deeper than 50 levels",
    "a: *nowhere": "f.yaml:1:4 found '*nowhere', which refers to an anchor that is not there",
    "a: &a [*a]": "f.yaml:1:8 found '*a', which refers to an anchor that is not there",
    "? [a]\n: b": "f.yaml:1:3 found a list as a key, expected a name",
    "a: {{ x }}": "f.yaml:1:5 found a mapping (x) as a key, expected a name; put {{ }} into quotes",
    "a: \x07": "f.yaml:1:4 a control character (U+0007)",
    "- a\n-b": "f.yaml:2:1 found a line without its ':'",
    "a: @x": "f.yaml:1:4 found a value that begins with '@'; put the value into quotes",
    "a:\n - x\n  - y\n- z": "f.yaml:4:1 found a line that does not fit the indentation",
    "a: - b": "f.yaml:1:4 found '- ' where no list can begin",
    "a: {x: 1\nb: 2": "f.yaml:2:2 found a mapping in { } that is not closed here",
    "a: 'x": "f.yaml:1:4 found the end of the file inside quotes",
    "%FOO\n---\na: 1": "f.yaml:1:5 this is no YAML",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_refuse_what_surprises_or_harms(text) -> None:
    assert len(said(text)) == 1
    assert said(text)[0].startswith(REFUSED[text])


def test_refuse_an_alias_bomb_at_once() -> None:
    rows = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    rows += [f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]" for a, b in pairwise("abcdefghi")]
    assert said("\n".join(rows)) == [
        "f.yaml:1:8 aliases repeat more than 1000 values; write the values out"
    ]


def test_keep_the_documents_before_a_broken_one() -> None:
    documents, problems = read_documents("a: 1\n---\nb: [\n", "f.yaml")
    assert [plain(one.root) for one in documents] == [{"a": 1}]
    assert len(problems) == 1
