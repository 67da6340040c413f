"""`${NAME}`: which are variables, and that rendering makes no new ones."""

from __future__ import annotations

import pytest

from flowscore.language.variables import fill, hide, render_around, unset, variables_in

VALUES = {"TOKEN": "tok-3n", "A": "1", "FLOWSCORE_SECRET": "s3cret"}


def test_names_are_found_each_once_and_escaped_ones_are_none():
    assert variables_in("${A} $${B} ${C}${A}", "$D ${} ${1} ${e-f} ${{ g }} ${_h}") == [
        "A",
        "C",
        "_h",
    ]


def test_what_is_unset_empty_or_our_own_has_no_value():
    assert list(unset(["TOKEN", "NONE", "EMPTY", "FLOWSCORE_SECRET"], VALUES | {"EMPTY": ""})) == [
        "NONE", "EMPTY", "FLOWSCORE_SECRET",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${TOKEN}", "tok-3n"),
        ("a${TOKEN}${A}b", "atok-3n1b"),
        ("$${TOKEN}", "${TOKEN}"),
        ("$$${TOKEN}", "$${TOKEN}"),
        ("$5 ${} ${1} $TOKEN", "$5 ${} ${1} $TOKEN"),
    ],
)
def test_fill_reads_each_name_once(text, filled):
    assert fill(text, VALUES) == filled


@pytest.mark.parametrize(
    "word", ["${TOKEN}", "$${TOKEN}", "{TOKEN}", "$", "${", "TOKEN}", "$$", "plain", "${TOKEN}${A}"]
)
@pytest.mark.parametrize(
    "text", ["{{}}", "${A}{{}}", "{{}} ${A}", "Price: ${{}}", "{{}}{{}}", "$${A} {{}}", "{{}}$"]
)
def test_what_rendering_brings_is_never_a_variable(text, word):
    """Whatever a contact is called, no secret is told that its author did not ask for there."""
    result = render_around(text, lambda marked: marked.replace("{{}}", word))
    assert set(variables_in(result)) <= set(variables_in(text))
    assert fill(result, VALUES).count("tok-3n") == 0
    if not (word.endswith("$") and text.startswith("{{}}")) or "${A}" not in text:
        plain = text.replace("$${A}", "<>").replace("${A}", "1").replace("<>", "${A}")
        assert fill(result, VALUES) == plain.replace("{{}}", word)


def test_rendered_lists_and_other_values_keep_their_kind():
    assert render_around("x", lambda _: ["${A}", 1, ["b"]]) == ["$${A}", 1, ["b"]]
    assert render_around("x", lambda _: 9.5) == 9.5


def test_hide_takes_values_out_the_longest_first():
    values = {"LONG": "tok-3n-long", "TOKEN": "tok-3n", "A": "1"}
    said = "tok-3n-long and tok-3n, 1"
    assert hide(said, ["LONG", "TOKEN", "A"], values) == "${LONG} and ${TOKEN}, 1"


def test_hide_knows_an_address_by_its_path_too():
    values = {"HOOK": "http://hooks.example/services/T0/B1/x9/"}
    for said in (
        "https://hooks.example/services/T0/B1/x9/new",
        "moved to /services/T0/B1/x9",
        "https://www.hooks.example/services/T0/B1/x9",
        '{"url": "https:\\/\\/hooks.example\\/services\\/T0\\/B1\\/x9"}',
    ):
        hidden = hide(said, ["HOOK"], values)
        assert "x9" not in hidden
        assert "${HOOK}" in hidden
    assert hide("https://hooks.example/", ["HOOK"], values) == "https://hooks.example/"
    assert hide("at /", ["ROOT"], {"ROOT": "https://a.example/"}) == "at /"
