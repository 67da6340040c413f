"""The words of the pages: every language whole, a project's own ones checked, all documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowscore.errors import FlowscoreError
from flowscore.web.words import BUILT_IN, choose, load_languages

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "consent.md"


def write(root: Path, name: str, text: str) -> None:
    folder = root / "templates" / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_every_built_in_language_says_everything_with_the_same_blanks(tmp_path: Path) -> None:
    languages = load_languages(tmp_path)
    assert set(languages) == {path.stem for path in BUILT_IN.glob("*.yaml")} >= {"en", "es"}
    english = languages["en"].texts
    for code, words in languages.items():
        own = (BUILT_IN / f"{code}.yaml").read_text(encoding="utf-8")
        assert set(re.findall(r"^(\w+):", own, re.MULTILINE)) >= set(english), code
        for name, text in words.texts.items():
            assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", english[name]))


def test_every_word_is_documented(tmp_path: Path) -> None:
    listed = PAGE.read_text(encoding="utf-8").partition("## The words")[2]
    words = set(re.findall(r"`([a-z_]+)`", listed))
    assert set(load_languages(tmp_path)["en"].texts) | {"topics"} <= words


def test_every_word_is_said_somewhere(tmp_path: Path) -> None:
    room = BUILT_IN.parents[1]
    said = "".join(path.read_text() for path in [*room.glob("*.py"), *room.glob("pages/*.html")])
    used = set(re.findall(r"""["']([a-z_]+)["']""", said))
    used |= {f"tracking_{one}" for one in ("full", "anonymous", "off")}
    assert set(load_languages(tmp_path)["en"].texts) <= used


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sav: Save", "unknown word 'sav'"),
        ("save: [1]", "save: expected a text"),
        ("save: 'Save {topic}'", "save: expected a text; it may hold none"),
        ("stop_topic: 'Stop {'", "stop_topic: expected a text; it may hold {topic}"),
        ("topics: [news]", "topics: expected lines"),
        ("- a", "found no mapping"),
        ("a: b: c", "found no YAML"),
    ],
)
def test_a_mistake_in_a_projects_words_is_named_with_its_file(
    tmp_path: Path, text: str, told: str
) -> None:
    write(tmp_path, "fr.yaml", text)
    with pytest.raises(FlowscoreError, match=r"templates/pages/fr\.yaml") as caught:
        load_languages(tmp_path)
    assert told in str(caught.value)


def test_the_reader_is_spoken_to_in_the_best_language_there_is(tmp_path: Path) -> None:
    write(tmp_path, "pt-br.yaml", "save: Salvar")
    languages = load_languages(tmp_path)

    def code(locale: str | None, accepted: str | None = None) -> str:
        return choose(languages, locale, accepted).code

    assert code("pt_BR.UTF-8") == "pt-br"
    assert code("es-MX", "en") == "es"
    assert code("fr", "de, es;q=0.5, en;q=0.1") == "es"
    assert code(None, "en;q=0.1, es;q=0.9") == "es"
    assert code(None, "es;q=0") == "en"
    assert code(None, "q;;;=,,") == "en"
    assert code(None, None) == "en"
    assert languages["pt-br"]("save") == "Salvar" and languages["pt-br"]("undo")


def test_several_topics_are_said_as_people_say_them(tmp_path: Path) -> None:
    write(tmp_path, "en.yaml", "topics: {news: our letter}")
    words = load_languages(tmp_path)["en"]
    assert words.topics_of(["news"]) == "our letter"
    assert words.topics_of(["news", "big-offers", "all"]) == "our letter, big offers and all mail"
    assert words.topics_of([]) == "mail in general"
