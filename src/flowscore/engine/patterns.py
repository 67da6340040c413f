"""`matches`: each text is tried once on each pattern; conditions then join the verdicts (125)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from sqlalchemy import Text, exists, select, true

from flowscore.engine.work import Work, fresh
from flowscore.language.conditions import AttributeIs
from flowscore.language.triggers import AttributeChanges
from flowscore.language.words import EventQuery, ValueTests
from flowscore.rules.events import name_is
from flowscore.store.tables import attributes, changes, contacts, events, verdicts

if TYPE_CHECKING:
    from flowscore.rules.book import Book


@dataclass(frozen=True)
class Pattern:
    """A regular expression and where its texts come from: an attribute, or events' property."""

    expression: str
    attribute: str | None = None
    names: tuple[str, ...] = ()
    property: str = ""


class Patterns:
    """All patterns of the applied project."""

    def __init__(self, words: Iterable[BaseModel], book: Book) -> None:
        self.all = sorted(set(_find(words)), key=repr)
        self.book = book

    def learn(self, work: Work, changed: set[str] | None = None) -> None:
        """Try the texts that are new in this tick (`changed`: only of these attributes)."""
        for one in self.all:
            if changed is None or one.attribute in changed:
                self._try(work, one, everything=False)

    def learn_everything(self, work: Work) -> None:
        """Try every text of the store, after an apply."""
        for one in self.all:
            self._try(work, one, everything=True)

    def _try(self, work: Work, one: Pattern, everything: bool) -> None:
        if not everything and one.attribute is None and not work.names & set(one.names):
            return
        statement = self.book.build((one, everything), lambda: self._new_texts(one, everything))
        found = work.run(statement).scalars().all()
        rows = [
            {"pattern": one.expression, "text": text, "matches": _found_in(one.expression, text)}
            for text in found
        ]
        if rows:
            work.add(verdicts, rows)

    def _new_texts(self, one: Pattern, everything: bool) -> Any:
        texts = self._texts(one, everything)
        known = exists().where(
            verdicts.c.pattern == one.expression, verdicts.c.text == texts.c.text
        )
        return select(texts.c.text).where(texts.c.text.is_not(None), ~known).distinct()

    def _texts(self, one: Pattern, everything: bool) -> Any:
        told = select(changes.c.contact_id).where(changes.c.kind.in_(("attribute", "contact")))
        if one.attribute == "email":
            texts = select(contacts.c.email_folded.label("text"))
            return (texts if everything else texts.where(contacts.c.id.in_(told))).subquery()
        if one.attribute is not None:
            texts = select(attributes.c.text).where(attributes.c.name == one.attribute)
            who = attributes.c.contact_id
            return (texts if everything else texts.where(who.in_(told))).subquery()
        log = events.alias()
        rows = self.book.elements(log.c.forms, one.property)
        source = log if everything else fresh.join(log, log.c.id == fresh.c.event_id)
        return (
            select(rows.form(0, Text).label("text"))
            .select_from(source)
            .join(rows.rows, true())
            .where(name_is(log, one.names))
            .subquery()
        )


@lru_cache(maxsize=256)
def _compiled(expression: str) -> Any:
    import re2

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return re2.compile(_folded(expression), options)


def _folded(expression: str) -> str:
    """Texts are casefolded, which makes ß two letters; outside of brackets a pattern follows."""
    return re.sub(r"\[[^\]]*\]|[ßẞ]", lambda f: f[0] if f[0][0] == "[" else "ss", expression)


def _found_in(expression: str, text: str) -> bool:
    return _compiled(expression).search(text) is not None


def _find(words: Iterable[BaseModel]) -> Iterator[Pattern]:
    for word in words:
        match word:
            case AttributeIs():
                for asked in word.attributes:
                    yield from (Pattern(e, attribute=asked.name) for e in _expressions(asked))
            case AttributeChanges():
                for key, tests in (("to", word.to), ("from", word.origin)):
                    for e in _expressions(tests) if tests else ():
                        yield Pattern(e, names=("attribute_changed",), property=key)
            case EventQuery():
                for asked in word.where:
                    for e in _expressions(asked):
                        yield Pattern(e, names=word.names, property=asked.name)
        yield from _find(_inside(word))


def _expressions(asked: ValueTests) -> list[str]:
    return [str(test.operand) for test in asked.tests if test.operator == "matches"]


def _inside(word: BaseModel) -> Iterator[BaseModel]:
    for name in type(word).model_fields:
        value = getattr(word, name)
        values = value if isinstance(value, tuple) else (value,)
        yield from (one for one in values if isinstance(one, BaseModel))
