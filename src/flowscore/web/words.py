"""The words of the pages, by language: a YAML file for each, to which a project adds its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from flowscore.errors import FlowscoreError
from flowscore.mail.scope import locale_names
from flowscore.store.consents import EVERYTHING, GENERAL

BUILT_IN = Path(__file__).with_name("pages") / "words"
FOLDER = Path("templates") / "pages"
FIRST = "en"  # what no other language says is said in this one
TOPICS = "topics"


@dataclass(frozen=True)
class Words:
    """Those of one language; called with a name they give the sentence, filled in."""

    code: str
    texts: Mapping[str, str]
    topics: Mapping[str, str]

    def __call__(self, name: str, **values: str) -> str:
        """The sentence of that name."""
        return self.texts[name].format_map(values)

    def topic(self, name: str) -> str:
        """What people are told a topic is; without a word of the project its own name."""
        if name in self.topics:
            return self.topics[name]
        own = {EVERYTHING: self.texts["everything"], GENERAL: self.texts["general"]}
        return own.get(name) or name.replace("-", " ").replace("_", " ")

    def topics_of(self, names: Iterable[str]) -> str:
        """Several, as they are said: `news, offers and events`."""
        *most, last = [self.topic(name) for name in names] or [self.topic(GENERAL)]
        return f"{', '.join(most)} {self.texts['and']} {last}" if most else last


Languages = Mapping[str, Words]


def load_languages(root: Path) -> Languages:
    """The built-in languages with what the project says in `templates/pages/LANGUAGE.yaml`.

    Raises FlowscoreError that names the file and the word that is wrong.
    """
    built_in = {path.stem: _read(path) for path in sorted(BUILT_IN.glob("*.yaml"))}
    theirs = {path.stem.lower(): path for path in sorted((root / FOLDER).glob("*.yaml"))}
    own = {code: _read(path) for code, path in theirs.items()}
    for code, said in own.items():
        _refuse_unknown(theirs[code].relative_to(root), said, built_in[FIRST])
    return {
        code: _words(code, [built_in[FIRST], built_in.get(code, {}), own.get(code, {})])
        for code in built_in.keys() | own.keys()
    }


def choose(languages: Languages, locale: str | None, accepted: str | None) -> Words:
    """The contact's language, else the first that the browser accepts, else English."""
    asked = [*locale_names(locale), *(n for one in _accepted(accepted) for n in locale_names(one))]
    return languages[next((code for code in asked if code in languages), FIRST)]


def _accepted(header: str | None) -> list[str]:
    """The languages of an Accept-Language header, the most wanted first (RFC 9110, 12.5.4)."""
    wanted = []
    for part in (header or "")[:500].split(","):
        name, _, rest = part.strip().partition(";")
        quality = rest.strip().removeprefix("q=") or "1"
        try:
            wanted.append((-float(quality), name.strip()))
        except ValueError:
            continue
    return [name for weight, name in sorted(wanted, key=lambda one: one[0]) if name and weight]


def _read(path: Path) -> dict[str, Any]:
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise FlowscoreError(f"{path}: found no YAML that can be read: {why}") from error
    if not isinstance(said, dict):
        raise FlowscoreError(f"{path}: found no mapping, expected lines like `save: Save`")
    return said


def _words(code: str, layers: list[dict[str, Any]]) -> Words:
    texts: dict[str, str] = {}
    topics: dict[str, str] = {}
    for layer in layers:
        topics |= layer.get(TOPICS) or {}
        texts |= {name: text for name, text in layer.items() if name != TOPICS}
    return Words(code, texts, topics)


def _refuse_unknown(path: Path, said: dict[str, Any], known: dict[str, Any]) -> None:
    """A project's file may leave words out; it invents none, and fills in what is there."""
    for name, text in said.items():
        if name not in known:
            raise FlowscoreError(
                f"{path}: unknown word {name!r}; those that pages use stand in "
                "docs/reference/consent.md"
            )
        if name == TOPICS:
            _refuse_odd_topics(path, text)
        elif not isinstance(text, str) or not _blanks(text) <= _blanks(known[name]):
            allowed = ", ".join(f"{{{one}}}" for one in sorted(_blanks(known[name]))) or "none"
            raise FlowscoreError(f"{path}: {name}: expected a text; it may hold {allowed}")


def _refuse_odd_topics(path: Path, topics: Any) -> None:
    texts = isinstance(topics, dict) and all(isinstance(one, str) for one in topics.values())
    if topics is not None and not texts:
        raise FlowscoreError(f"{path}: topics: expected lines like `news: our monthly letter`")


def _blanks(text: str) -> set[str]:
    """The names in braces; braces that do not close are no text."""
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return {text}
