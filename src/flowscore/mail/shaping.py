"""HTML with its CSS inlined, HTML from Markdown, plain text from HTML: once per template.

Jinja2's tags are replaced by words and comments that HTML, Markdown and CSS leave alone, and
put back afterwards. Where a tag did not come back in its place, `NotFlatError` says that this
template has to be finished mail by mail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from flowscore.mail.flatten import text_of
from flowscore.mail.macros import NotFlatError, Segment

if TYPE_CHECKING:
    from css_inline import CSSInliner
    from html2text import HTML2Text

WORD = "jinja{}token"
COMMENT = "<!--" + WORD + "-->"
TOKEN = re.compile(r"<!--jinja(\d+)token-->|jinja(\d+)token")
STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
COMMENTS = re.compile(r"<!--.*?-->", re.DOTALL)
HIDDEN = re.compile(
    r"<(\w+)\b[^>]*\bstyle=\"[^\"]*display:\s*none[^\"]*\"[^>]*>.*?</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)
RULE = re.compile(r"([^{}@;>]+(?:>[^{}@;>]+)*)\{")
SIBLINGS = re.compile(r":(?:first|last|nth|only|empty|has)\b|[+~]")
BRANCHES = ("if", "for", "elif", "else")
TAGS = re.compile(r"<(/?[a-z][\w:-]*)", re.IGNORECASE)
IMPLIED = {"html", "/html", "head", "/head", "body", "/body", "tbody", "/tbody"}
# In these the escaped HTML is part of the value: only the finished HTML shows what to read.
HTML_VALUES = frozenset(
    [
        "safe",
        "escape",
        "e",
        "forceescape",
        "tojson",
        "urlize",
        "xmlattr",
        "Markup",
        "macro",
        "call",
        "filter",
    ]
)


@lru_cache(maxsize=1)
def _inliner() -> CSSInliner:
    from css_inline import CSSInliner

    # The style tags stay: @media (narrow screens, dark mode) cannot be inlined.
    return CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def inline_css(html: str) -> str:
    """CSS as style attributes; HTML without any comes back as it is."""
    if "<style" not in html.lower():
        return html
    return str(_inliner().inline(html))


def inline_template(segments: Sequence[Segment]) -> str:
    """The template's own text with its CSS inlined, Jinja2 untouched."""
    if "<style" not in text_of(segments).lower():
        return text_of(segments)
    shielded = _shield_html(segments)
    if _counts_siblings(shielded) and any(s.verb in BRANCHES for s in segments):
        raise NotFlatError("a style that depends on which elements are there")
    inlined = inline_css(shielded)
    if "<tbody" not in shielded.lower():
        inlined = re.sub(r"</?tbody>", "", inlined)  # would stand inside of loops over rows
    if _structure(shielded) != _structure(inlined):
        raise NotFlatError("HTML that only closes with its values")
    return _put_back(inlined, segments)


def _counts_siblings(html: str) -> bool:
    """Whether a selector asks for an element's place among the others."""
    return any(
        SIBLINGS.search(rule) for style in STYLE.findall(html) for rule in RULE.findall(style)
    )


def _structure(html: str) -> tuple[list[str], list[str]]:
    """Tags and tokens in their order, but for what every HTML parser adds."""
    body = STYLE.sub("", html)
    tags = [tag.lower() for tag in TAGS.findall(COMMENTS.sub("", body))]
    return [tag for tag in tags if tag not in IMPLIED], TOKEN.findall(_without_style_values(body))


def _without_style_values(html: str) -> str:
    """Values in a style attribute may be inlined from a rule, and so stand more than once."""
    return re.sub(r"style=\"[^\"]*\"|style='[^']*'", "", html)


def _put_back(text: str, segments: Sequence[Segment]) -> str:
    return TOKEN.sub(lambda found: segments[int(found[1] or found[2])].text, text)


def _shield_html(segments: Sequence[Segment]) -> str:
    """Words where a value stands, comments where a tag stands between elements."""
    place = HtmlPlace()
    out: list[str] = []
    for number, segment in enumerate(segments):
        if segment.kind == "data":
            place.walk(segment.text)
            out.append(segment.text)
        else:
            out.append(place.token(segment).format(number))
    return "".join(out)


class HtmlPlace:
    """Where in the HTML one stands: text, a tag, an attribute's value, a comment, a style."""

    def __init__(self) -> None:
        self.state = "text"
        self.tag = ""
        self.attribute = ""
        self.last = ""

    def walk(self, data: str) -> None:
        """Step over plain text."""
        at = 0
        while at < len(data):
            at = getattr(self, f"_{self.state}")(data, at)
        self.last = data[-1:]

    def token(self, segment: Segment) -> str:
        """What may stand for a segment here."""
        if self.state == "text":
            return COMMENT if segment.kind == "tag" else WORD
        if self.state == "value" and self.attribute in ("class", "id"):
            raise NotFlatError("a class that depends on the mail")
        if self.state == "tag" and (segment.kind == "tag" or self.last != "="):
            raise NotFlatError("an attribute that depends on the mail")
        if self.state == "raw" and self.tag == "style" and segment.kind == "tag":
            raise NotFlatError("a style that depends on the mail")
        return WORD

    def _text(self, data: str, at: int) -> int:
        found = re.compile(r"<(!--|/?[A-Za-z][\w:-]*)").search(data, at)
        if not found:
            return len(data)
        self.tag = found[1].lower()
        self.state = "comment" if self.tag == "!--" else "tag"
        return found.end()

    def _tag(self, data: str, at: int) -> int:
        found = re.compile(r"([\w:-]*)\s*=\s*([\"'])|>").search(data, at)
        if not found:
            return len(data)
        if found[2]:
            self.attribute, self.state = found[1].lower(), "value"
            self.quote = found[2]
        else:
            self.state = "raw" if self.tag in ("style", "script", "title") else "text"
        return found.end()

    def _value(self, data: str, at: int) -> int:
        return self._until(self.quote, "tag", data, at)

    def _comment(self, data: str, at: int) -> int:
        return self._until("-->", "text", data, at)

    def _raw(self, data: str, at: int) -> int:
        end = data.lower().find(f"</{self.tag}", at)
        if end < 0:
            return len(data)
        self.state = "text"
        return end

    def _until(self, end: str, then: str, data: str, at: int) -> int:
        found = data.find(end, at)
        if found < 0:
            return len(data)
        self.state = then
        return found + len(end)


def markdown_to_html(segments: Sequence[Segment]) -> str:
    """Markdown as HTML, Jinja2 untouched; a tag on a line of its own stands between blocks."""
    from markdown_it import MarkdownIt

    shielded = _shield(segments, lambda s: COMMENT if s.kind == "tag" else WORD)
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return _put_back(reader.render(shielded), segments)


def _shield(segments: Sequence[Segment], token: Callable[[Segment], str]) -> str:
    return "".join(
        s.text if s.kind == "data" else token(s).format(number) for number, s in enumerate(segments)
    )


def text_template(segments: Sequence[Segment]) -> str:
    """The plain part as a Jinja2 text made from the HTML's; links are kept."""
    if any(_holds_html(segment) for segment in segments):
        raise NotFlatError("values that are HTML")
    plain = plain_text(_shield(segments, lambda _: WORD))
    tags = [str(n) for n, s in enumerate(segments) if s.kind == "tag"]
    if [n for _, n in TOKEN.findall(plain) if segments[int(n)].kind == "tag"] != tags:
        raise NotFlatError("a tag inside of an attribute")
    alone = re.compile(r"^[ \t]*jinja(\d+)token[ \t]*\n+", re.MULTILINE)
    return _put_back(alone.sub(lambda found: _line(found, segments), plain + "\n"), segments)


def _line(found: re.Match[str], segments: Sequence[Segment]) -> str:
    """A tag that has a line to itself leaves no empty one."""
    word = WORD.format(found[1])
    return word if segments[int(found[1])].kind == "tag" else found[0]


def _holds_html(segment: Segment) -> bool:
    if segment.verb == "set" and "=" not in segment.words:
        return True
    return segment.kind != "data" and not HTML_VALUES.isdisjoint(segment.words)


def plain_text(html: str) -> str:
    """HTML as a person reads it without pictures: `text <link>`, lists with stars."""
    seen = HIDDEN.sub("", COMMENTS.sub("", html))
    cells_apart = re.sub(r"(</t[dh]\s*>)", r" \1", seen, flags=re.IGNORECASE)
    return tidy_text(_links(_reader().handle(cells_apart)))


def _reader() -> HTML2Text:
    from html2text import HTML2Text

    reader = HTML2Text(bodywidth=0)
    reader.ignore_tables = True
    reader.ignore_images = True
    reader.ignore_emphasis = True
    reader.unicode_snob = True
    reader.inline_links = True
    return reader


def _links(text: str) -> str:
    """Markdown's `[text](link)` as `text <link>`, headings and escapes as plain words."""
    text = re.sub(r"\[([^\]\n]+)\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", r"\1 <\2>", text)
    text = re.sub(r"^#+ +", "", text, flags=re.MULTILINE)
    return re.sub(r"\\([-+.#*_>()\[\]])", r"\1", text)


def tidy_text(text: str) -> str:
    """No blanks at the ends of lines, no lonely one before them, one empty line at most."""
    text = re.sub(r"[ \t\xa0]+$|^ (?=\S)", "", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
