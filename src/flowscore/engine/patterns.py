"""`matches`: each text is tried once on each pattern; conditions then join the verdicts (125)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from sqlalchemy import Select, Text, exists, select, true

from flowscore.language.conditions import AttributeIs, CompanyIs, ThisEvent
from flowscore.language.triggers import AttributeChanges
from flowscore.language.words import EventQuery, ValueTests
from flowscore.rules.events import name_is
from flowscore.rules.sight import fresh
from flowscore.store.tables import (
    attributes,
    changes,
    company_attributes,
    contacts,
    events,
    verdicts,
)

if TYPE_CHECKING:
    from flowscore.engine.work import Work
    from flowscore.rules.book import Book


@dataclass(frozen=True)
class Pattern:
    """A regular expression and where its texts come from.

    That is an attribute of contacts, one of companies, or a property of events; without `names`
    of any event, since whatever enrolls somebody may be what `this_event` reads.
    """

    expression: str
    attribute: str | None = None
    of_company: str | None = None
    names: tuple[str, ...] = ()
    property: str = ""

    def is_stirred(self, names: set[str]) -> bool:
        """Whether new events of these names can bring new texts."""
        return bool(names & set(self.names) if self.names else names)


class Patterns:
    """All patterns of the applied project."""

    def __init__(self, words: Iterable[BaseModel], book: Book) -> None:
        self.all = sorted(set(_find(words)), key=repr)
        self.book = book

    def learn(self, work: Work, changed: set[str] | None = None) -> None:
        """Try the attributes' texts that are new (`changed`: only of these, of contacts)."""
        for one in self.all:
            if not one.property and (changed is None or one.attribute in changed):
                self._try(work, one, everything=False)

    def learn_events(self, work: Work) -> None:
        """Try the texts that the events in `fresh` bring."""
        for one in self.all:
            if one.property and one.is_stirred(work.names):
                self._try(work, one, everything=False)

    def learn_everything(self, work: Work) -> None:
        """Try every text of the store, after an apply."""
        for one in self.all:
            self._try(work, one, everything=True)

    def _try(self, work: Work, one: Pattern, everything: bool) -> None:
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
        if one.attribute is not None:
            return _texts_of_contacts(one.attribute, everything).subquery()
        if one.of_company is not None:
            return _texts_of_companies(one.of_company, everything).subquery()
        return self._texts_of_events(one, everything).subquery()

    def _texts_of_events(self, one: Pattern, everything: bool) -> Select[Any]:
        log = events.alias()
        rows = self.book.elements(log.c.forms, one.property)
        source = log if everything else fresh.join(log, log.c.id == fresh.c.event_id)
        texts = select(rows.form(0, Text).label("text")).select_from(source)
        texts = texts.join(rows.rows, true())
        return texts.where(name_is(log, one.names)) if one.names else texts


def _texts_of_contacts(name: str, everything: bool) -> Select[Any]:
    told = select(changes.c.contact_id).where(changes.c.kind.in_(("attribute", "contact")))
    if name == "email":
        texts, who = select(contacts.c.email_folded.label("text")), contacts.c.id
    else:
        texts = select(attributes.c.text).where(attributes.c.name == name)
        who = attributes.c.contact_id
    return texts if everything else texts.where(who.in_(told))


def _texts_of_companies(name: str, everything: bool) -> Select[Any]:
    rows = company_attributes
    texts = select(rows.c.text).where(rows.c.name == name)
    told = (
        select(contacts.c.company_id)
        .select_from(changes.join(contacts, contacts.c.id == changes.c.contact_id))
        .where(changes.c.kind.in_(("company", "contact")))
    )
    return texts if everything else texts.where(rows.c.company_id.in_(told))


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
        yield from _of_word(word)
        yield from _find(_inside(word))


def _of_word(word: BaseModel) -> Iterator[Pattern]:
    match word:
        case AttributeIs():
            yield from (Pattern(e, attribute=name) for name, e in _all(word.attributes))
        case CompanyIs():
            yield from (Pattern(e, of_company=name) for name, e in _all(word.attributes))
        case ThisEvent():
            yield from (Pattern(e, property=name) for name, e in _all(word.properties))
        case EventQuery(names=names):
            yield from (Pattern(e, names=names, property=name) for name, e in _all(word.where))
        case AttributeChanges():
            changed = ("attribute_changed",)
            for key, tests in (("to", word.to), ("from", word.origin)):
                found = _all((tests,)) if tests is not None else ()
                yield from (Pattern(e, names=changed, property=key) for _, e in found)


def _all(tests: Iterable[ValueTests]) -> Iterator[tuple[str, str]]:
    """The name and the expression of every `matches`."""
    return (
        (asked.name, str(test.operand))
        for asked in tests
        for test in asked.tests
        if test.operator == "matches"
    )


def _inside(word: BaseModel) -> Iterator[BaseModel]:
    for name in type(word).model_fields:
        value = getattr(word, name)
        values = value if isinstance(value, tuple) else (value,)
        yield from (one for one in values if isinstance(one, BaseModel))
