"""templates/email as something that renders: subject, HTML, plain text (LANGUAGE 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from traceback import walk_tb
from typing import Any

from jinja2 import DictLoader, Template, TemplateError

from flowscore.errors import Mark, Problem
from flowscore.mail import layout, shaping
from flowscore.mail.checks import check_front_matter, check_names, check_sources
from flowscore.mail.flatten import flatten, text_of
from flowscore.mail.macros import NotFlatError, Segment, cut
from flowscore.mail.scope import READER, TRANSACTIONAL, MailContext, locale_names, make_sandbox
from flowscore.mail.sources import Source, nearest, read_folder

LANG = re.compile(r"<html\b[^>]*\blang=[\"']?([a-z]{2})", re.IGNORECASE)
SIGNATURE = "\n\n-- \n"


class RenderError(Exception):
    """Why this one mail cannot be written; the others can."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's words; `headers` are those that marketing mail carries."""

    subject: str
    html: str
    text: str
    preheader: str
    topic: str | None
    headers: Mapping[str, str] = field(default_factory=dict)


def load_templates(root: Path) -> tuple[Templates, list[Problem]]:
    """Read the folder; a file with a mistake is left out and every mistake is named."""
    sources, problems = read_folder(root)
    problems += check_sources(sources)
    problems += [problem for source in sources for problem in check_front_matter(source)]
    problems += check_names(sources)
    wrong = {problem.mark.file for problem in problems if problem.severity == "error"}
    return Templates([s for s in sources if s.file not in wrong]), _in_order(problems)


def _in_order(problems: list[Problem]) -> list[Problem]:
    unique = {(p.mark, p.message): p for p in problems}
    return [unique[key] for key in sorted(unique)]


class Templates:
    """The pages by name, each with its locale variants; prepared when first rendered."""

    def __init__(self, sources: list[Source]) -> None:
        shared = {s.name: s.text for s in sources if s.partial}
        kit = Kit({"_layout.html": layout.LAYOUT, **shared})
        texts = {(s.name, s.locale): s for s in sources if s.suffix == ".txt"}
        self._pages: dict[str, dict[str, Page]] = {}
        for source in (s for s in sources if s.suffix != ".txt" and not s.partial):
            page = Page(source, texts.get((source.name, source.locale)), kit)
            self._pages.setdefault(source.name, {})[source.locale] = page

    @property
    def names(self) -> list[str]:
        """Every template, in order."""
        return sorted(self._pages)

    def topic(self, name: str) -> str | None:
        """What the template is about; `transactional` and None are no marketing."""
        base = self._pages.get(name, {}).get("")
        return base.source.front.get("topic") if base else None

    def mentions(self, name: str, word: str) -> bool:
        """Whether a template or any file it may draw on names the word."""
        return any(page.mentions(word) for page in self._pages.get(name, {}).values())

    def render(
        self, name: str, locale: str | None, context: MailContext, topic: str | None = None
    ) -> Rendered:
        """The mail for one contact; raises RenderError with the reason, made for its record.

        `topic` is what the mail was queued under, where that is known; without any it is
        internal mail, which nobody unsubscribes from.
        """
        page = self.find(name, locale)
        topic = self.topic(name) if topic is None else topic
        token = READER.set((context.zone, context.locale or "en"))
        try:
            return page.render(context, topic)
        except RenderError:
            raise
        except Exception as error:
            raise RenderError(page.complaint(context, error)) from error
        finally:
            READER.reset(token)

    def find(self, name: str, locale: str | None) -> Page:
        """The page in the contact's language, else the base."""
        variants = self._pages.get(name) or built_in().get(name)
        if not variants:
            hint = nearest(name, self.names) or f"add templates/email/{name}.html"
            raise RenderError(f"there is no template '{name}'; {hint}")
        for wanted in (*locale_names(locale), ""):
            if wanted in variants:
                return variants[wanted]
        return next(iter(variants.values()))


@cache
def built_in() -> Mapping[str, Mapping[str, Page]]:
    """Mails that flowscore sends by itself, where a project has none of that name: `confirm`."""
    templates, problems = load_templates(Path(__file__).with_name("built_in"))
    assert not problems, problems
    return templates._pages  # noqa: SLF001


class Kit:
    """The two sandboxes that all pages share: HTML escapes its values, text does not."""

    def __init__(self, partials: Mapping[str, str]) -> None:
        self.partials = partials
        self.html = make_sandbox(DictLoader(partials), autoescape=True)
        self.text = make_sandbox(DictLoader(partials), autoescape=False)


class Page:
    """One template in one language; every piece is compiled once, when first needed."""

    def __init__(self, source: Source, text: Source | None, kit: Kit) -> None:
        self.source = source
        self.text_source = text
        self.kit = kit

    @cached_property
    def language(self) -> str | None:
        """As the file's name or its <html lang> says."""
        found = LANG.search(text_of(self._flat) if self._flat else self._jinja)
        return self.source.locale or (found[1].lower() if found else None)

    def mentions(self, word: str) -> bool:
        """Whether the page or a shared file names the word."""
        own = (self.source.body, *self.source.front.values())
        return any(word in text for text in (*own, *self.kit.partials.values()))

    def render(self, context: MailContext, topic: str | None) -> Rendered:
        """Subject first: layouts may show it."""
        words = context.variables()
        words["locale"] = self.source.locale or self.language or context.locale or "en"
        words["subject"] = subject = _one_line(self._subject.render(words))
        if not subject:
            raise RenderError(f"{self.source.file}: the subject is empty for this contact")
        words["preheader"] = preheader = _one_line(self._preheader.render(words))
        html, text = self._bodies(words)
        if is_marketing(topic):
            html, text = self._with_way_out(html, text, context)
        if preheader and not self._places_preheader:
            html = layout.after_start_of_body(html, _hidden(preheader))
        return Rendered(subject, html, text, preheader, topic, _headers(topic, context))

    def _bodies(self, words: dict[str, Any]) -> tuple[str, str]:
        html = self._html.render(words).strip() + "\n"
        text = self._text.render(words) if self._text else shaping.plain_text(html)
        return (html if self._inlined else shaping.inline_css(html)), shaping.tidy_text(text)

    def _with_way_out(self, html: str, text: str, context: MailContext) -> tuple[str, str]:
        """Marketing mail without an unsubscribe link gets one (LANGUAGE 7)."""
        link = str(context.links["unsubscribe"])
        question, word = layout.footer_words((self.language, context.locale))
        if link not in html:
            footer = layout.HTML_FOOTER.format(question=question, word=word, link=link)
            html = layout.before_end_of_body(html, footer)
        if link not in text:
            text += f"{SIGNATURE}{question} {word}: {link}"
        return html, text

    def complaint(self, context: MailContext, error: Exception) -> str:
        """The reason with file and line, found by rendering the file as it was written."""
        place = self._place_of_failure(context)
        hint = ""
        if str(error).endswith("is not known"):
            hint = "; write | default('…') behind it"
        return f"{place}: {str(error) or type(error).__name__}{hint}"

    def _place_of_failure(self, context: MailContext) -> Mark:
        words = {**context.variables(), "subject": "", "preheader": "", "locale": ""}
        for name, text, first in self._written():
            try:
                code = self.kit.html.compile(text, name, name)
                Template.from_code(self.kit.html, code, dict(self.kit.html.globals)).render(words)
            except TemplateError as error:
                return Mark(name, _line_in(error, name) + first - 1, 1)
            except Exception as error:
                return Mark(name, _line_in(error, name) + first - 1, 1)
        return Mark(self.source.file)

    def _written(self) -> list[tuple[str, str, int]]:
        """File, text and first line of everything that is rendered."""
        source, marks = self.source, self.source.marks
        texts = [
            (source.file, source.front[key], marks[key].line)
            for key in ("subject", "preheader")
            if key in source.front
        ]
        texts.append((source.file, source.body, 1))
        return texts + ([(t.file, t.body, 1)] if (t := self.text_source) else [])

    @cached_property
    def _subject(self) -> Template:
        return self.kit.text.from_string(self.source.front["subject"])

    @cached_property
    def _preheader(self) -> Template:
        return self.kit.text.from_string(self.source.front.get("preheader", ""))

    @cached_property
    def _places_preheader(self) -> bool:
        """Whether the page or its layout shows the preheader by itself."""
        return bool(re.search(r"\{[{%][^}]*\bpreheader\b", text_of(self._flat or [])))

    @cached_property
    def _jinja(self) -> str:
        """The page as Jinja2 HTML; Markdown stands in the layout's block `content`."""
        if self.source.suffix != ".md":
            return self.source.text
        body = shaping.markdown_to_html(cut(self.kit.html, self.source.text))
        return '{% extends "_layout.html" %}{% block content %}' + body + "{% endblock %}"

    @cached_property
    def _flat(self) -> list[Segment] | None:
        try:
            return flatten(self.kit.html, self._jinja, self.kit.partials)
        except NotFlatError:
            return None

    @cached_property
    def _inlined(self) -> str | None:
        """The whole text with its CSS inlined; None where only a finished mail can be."""
        try:
            return shaping.inline_template(self._flat) if self._flat else None
        except NotFlatError:
            return None

    @cached_property
    def _html(self) -> Template:
        return self.kit.html.from_string(self.html_source)

    @property
    def html_source(self) -> str:
        """What is compiled for HTML."""
        return self._inlined or self._jinja

    @cached_property
    def _text(self) -> Template | None:
        source = self.text_template
        return None if source is None else self.kit.text.from_string(source)

    @cached_property
    def text_template(self) -> str | None:
        """What is compiled for the plain part; None where it is made from each finished mail."""
        if self.text_source:
            return self.text_source.text
        try:
            return shaping.text_template(self._flat) if self._flat else None
        except NotFlatError:
            return None


def is_marketing(topic: str | None) -> bool:
    """Every mail with a topic but the transactional; none at all is internal mail."""
    return topic is not None and topic != TRANSACTIONAL


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _hidden(preheader: str) -> str:
    from markupsafe import escape

    return layout.PREHEADER.format(text=escape(preheader))


def _headers(topic: str | None, context: MailContext) -> dict[str, str]:
    """One-click unsubscription (RFC 8058) on all marketing mail."""
    if not is_marketing(topic) or not context.list_unsubscribe:
        return {}
    return {
        "List-Unsubscribe": context.list_unsubscribe,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _line_in(error: BaseException, file: str) -> int:
    """The line of the template on which an error arose."""
    lines = [line for frame, line in walk_tb(error.__traceback__) if _file(frame) == file]
    return lines[-1] if lines else 0


def _file(frame: Any) -> str:
    return str(frame.f_code.co_filename)
