"""What is wrong in a template, found without rendering it: file, line, column, what is unknown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateSyntaxError, meta, nodes
from jinja2.nodes import Node

from flowscore.errors import Mark, Problem
from flowscore.mail.scope import (
    IN_SCOPE,
    LINK_KEYS,
    OWN_WORDS,
    SCENARIO_KEYS,
    Sandbox,
    make_sandbox,
)
from flowscore.mail.sources import Source, nearest

KNOWN = IN_SCOPE + OWN_WORDS
JINJA_OWN = ("self", "super", "caller", "loop", "varargs", "kwargs")
CLOSED = {"links": LINK_KEYS, "scenario": SCENARIO_KEYS}
RENDERED = ("subject", "preheader")
GIVES = (nodes.Name, nodes.Macro, nodes.Import, nodes.FromImport)
REFERS = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)


@dataclass(frozen=True, slots=True)
class Piece:
    """A parsed template text: a body, or a subject or preheader with the line it stands on."""

    source: Source
    text: str
    tree: nodes.Template
    within: tuple[Node, ...]
    path: str = ""

    def all(self, *kinds: type[Node]) -> Iterator[Any]:
        """Every node of these kinds, wherever it stands."""
        return (node for node in self.within if isinstance(node, kinds))

    def mark(self, line: int, word: str = "") -> Mark:
        """The place of a word on a line of this text."""
        return _place(self.source, self.path, line, _column(self.text, line, word))


def _place(source: Source, path: str, line: int, column: int) -> Mark:
    """A place in a text as a place in its file; a subject begins somewhere in the front matter."""
    if not path:
        return Mark(source.file, line, column)
    start = source.marks[path]
    return Mark(source.file, start.line + line - 1, column + (line == 1) * (start.column - 1))


def _column(text: str, line: int, word: str) -> int:
    lines = text.split("\n")
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    found = re.search(rf"\b{re.escape(word)}\b" if word else r"\{[{%#]", here)
    return found.start() + 1 if found else 1


def check_sources(sources: list[Source]) -> list[Problem]:
    """Every mistake in the folder's templates."""
    env = make_sandbox(None, autoescape=True)
    problems: list[Problem] = []
    pieces = [piece for source in sources for piece in _parse(env, source, problems)]
    folder = Folder(pieces)
    for piece in pieces:
        for check in CHECKS:
            problems.extend(check(env, piece, folder))
    return problems


class Folder:
    """What one template may know of the others."""

    def __init__(self, pieces: list[Piece]) -> None:
        self.partials = {p.source.name: p for p in pieces if p.source.partial}
        self.set_in_partials = _assigned(self.partials.values())
        self.set_anywhere = _assigned(pieces)

    def names_for(self, piece: Piece) -> set[str]:
        """Variables that another file sets: a layout's for its pages, a page's for its layout."""
        return self.set_anywhere if piece.source.partial else self.set_in_partials | _set_by(piece)

    def layouts(self, piece: Piece) -> list[Piece]:
        """The chain of files that it extends, as far as their names are written out."""
        chain: list[Piece] = []
        parent = self._parent(piece)
        while parent and parent not in chain:
            chain.append(parent)
            parent = self._parent(parent)
        return chain

    def _parent(self, piece: Piece) -> Piece | None:
        if piece.source.suffix == ".md" and not piece.path:
            return self.partials.get("_layout.html")
        for node in piece.all(nodes.Extends):
            return self.partials.get(_written(node) or "")
        return None


def _written(node: nodes.Node) -> str | None:
    """The name of the file that a tag refers to, where it stands there in so many words."""
    template = getattr(node, "template", None)
    return str(template.value) if isinstance(template, nodes.Const) else None


def _assigned(pieces: Iterable[Piece]) -> set[str]:
    """Every name that these files give, at whatever depth."""
    return {name for piece in pieces for name in _names_given(piece.all(*GIVES))}


def _names_given(found: Iterable[nodes.Node]) -> Iterator[str]:
    for node in found:
        if (isinstance(node, nodes.Name) and node.ctx in ("store", "param")) or isinstance(
            node, nodes.Macro
        ):
            yield node.name
        elif isinstance(node, nodes.Import):
            yield node.target
        elif isinstance(node, nodes.FromImport):
            yield from (name if isinstance(name, str) else name[1] for name in node.names)


def _set_by(piece: Piece) -> set[str]:
    """What `set`, `macro` and `import` give, in whichever branch; loops keep theirs inside."""
    targets = [found.target for found in piece.all(nodes.Assign, nodes.AssignBlock)]
    names = [name for target in targets for name in (target, *target.find_all(nodes.Name))]
    return set(_names_given([*names, *piece.all(nodes.Macro, nodes.Import, nodes.FromImport)]))


def _parse(env: Sandbox, source: Source, problems: list[Problem]) -> Iterator[Piece]:
    texts = {"": source.body}
    texts |= {key: source.front[key] for key in RENDERED if key in source.front}
    for path, text in texts.items():
        try:
            tree = env.parse(text, source.name)
            yield Piece(source, text, tree, tuple(tree.find_all(Node)), path)
        except TemplateSyntaxError as error:
            mark = _place(source, path, error.lineno, _column(text, error.lineno, ""))
            problems.append(Problem(mark, error.message or "", path, _syntax_hint(error)))


def _syntax_hint(error: TemplateSyntaxError) -> str:
    text = error.message or ""
    if "unknown tag" in text:
        return "known tags are if, for, set, block, extends, include, macro, raw"
    if "end of template" in text or "unexpected '}'" in text:
        return "close what was opened: {{ … }}, {% if … %} … {% endif %}"
    return "see the line for a missing quote, bracket or %}"


def unknown_filters(env: Sandbox, piece: Piece, folder: Folder) -> Iterator[Problem]:
    """Filters and tests that do not exist."""
    for kind, node_type, known in (
        ("filter", nodes.Filter, env.filters),
        ("test", nodes.Test, env.tests),
    ):
        for node in piece.all(node_type):
            if node.name not in known:
                hint = nearest(node.name, sorted(known))
                yield _problem(piece, node, node.name, f"unknown {kind} '{node.name}'", hint)


def unknown_names(env: Sandbox, piece: Piece, folder: Folder) -> Iterator[Problem]:
    """Names that nothing puts in scope."""
    allowed = {*KNOWN, *JINJA_OWN, *env.globals, *folder.names_for(piece)}
    used = {node.name for node in piece.all(nodes.Name) if node.ctx == "load"}
    if used <= allowed:
        return
    missing = _undeclared(env, piece.tree) - allowed
    for node in piece.all(nodes.Name):
        if node.name in missing and node.ctx == "load":
            hint = nearest(node.name, KNOWN) or _attribute_hint(node.name)
            yield _problem(piece, node, node.name, f"unknown name '{node.name}'", hint)


def _undeclared(env: Sandbox, tree: nodes.Template) -> set[str]:
    """As Jinja2 sees it; filters it does not know would stop it, and are reported elsewhere."""
    lenient = env.overlay()
    lenient.filters, lenient.tests = _Anything(env.filters), _Anything(env.tests)
    tree.environment = lenient
    return meta.find_undeclared_variables(tree)


class _Anything(dict[str, Any]):
    """Filters of which none is missing."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, str)


def _attribute_hint(name: str) -> str:
    return f"in scope are {', '.join(IN_SCOPE)}; a contact's attribute is contact.{name}"


def unknown_keys(env: Sandbox, piece: Piece, folder: Folder) -> Iterator[Problem]:
    """`links` and `scenario` have few keys, and all of them are known."""
    for node, name, key in _looked_up(piece):
        if name in CLOSED and key not in CLOSED[name]:
            known = CLOSED[name]
            hint = nearest(key, known) or f"known are {', '.join(known)}"
            yield _problem(piece, node, key, f"unknown key '{name}.{key}'", hint)


def forbidden_names(env: Sandbox, piece: Piece, folder: Folder) -> Iterator[Problem]:
    """What the sandbox would refuse at sending is refused here."""
    for node in piece.all(nodes.Getattr):
        if node.attr.startswith("_"):
            hint = "names that begin with _ are closed to templates"
            yield _problem(piece, node, node.attr, f"'{node.attr}' is not allowed", hint)


def _looked_up(piece: Piece) -> Iterator[tuple[nodes.Node, str, str]]:
    """Every `name.key` and `name["key"]`."""
    for node in piece.all(nodes.Getattr):
        if isinstance(node.node, nodes.Name):
            yield node, node.node.name, node.attr
    for item in piece.all(nodes.Getitem):
        if isinstance(item.node, nodes.Name) and isinstance(item.arg, nodes.Const):
            yield item, item.node.name, str(item.arg.value)


def missing_files(env: Sandbox, piece: Piece, folder: Folder) -> Iterator[Problem]:
    """Files that `extends`, `include` and `import` name and that are not there."""
    for node in piece.all(*REFERS):
        name = _written(node)
        if name is None or getattr(node, "ignore_missing", False):
            continue
        if name not in folder.partials:
            hint = nearest(name, sorted(folder.partials)) or "only _*.html beside it can be named"
            yield _problem(piece, node, name, f"no template '{name}'", hint)


def lost_blocks(env: Sandbox, piece: Piece, folder: Folder) -> Iterator[Problem]:
    """A block that its layout does not have would never be seen."""
    layouts = folder.layouts(piece)
    if not layouts:
        return
    known = {b.name for layout in layouts for b in layout.all(nodes.Block)}
    if piece.source.suffix == ".md" and "content" not in known:
        hint = "write {% block content %}{% endblock %} where the text belongs"
        yield Problem(Mark(layouts[0].source.file), "the layout has no block 'content'", hint=hint)
        return
    for node in piece.tree.body:
        if isinstance(node, nodes.Block) and node.name not in known:
            hint = nearest(node.name, sorted(known)) or f"it has {', '.join(sorted(known))}"
            message = f"block '{node.name}' is not in the layout"
            yield _problem(piece, node, node.name, message, hint)


def lost_text(env: Sandbox, piece: Piece, folder: Folder) -> Iterator[Problem]:
    """Beside `extends`, text outside of blocks is dropped."""
    if not any(isinstance(node, nodes.Extends) for node in piece.tree.body):
        return
    for node in piece.tree.body:
        if isinstance(node, nodes.Output) and (text := _plain(node)):
            line = node.lineno + _blank_lines(node)
            hint = "put it into a {% block … %} of the layout"
            message = f"'{text[:40]}' stands outside of every block and is never shown"
            yield Problem(piece.mark(line, text.split()[0]), message, piece.path, hint)


def _plain(node: nodes.Output) -> str:
    first = node.nodes[0]
    return first.data.strip() if isinstance(first, nodes.TemplateData) else "{{ … }}"


def _blank_lines(node: nodes.Output) -> int:
    first = node.nodes[0]
    if not isinstance(first, nodes.TemplateData):
        return 0
    return first.data[: len(first.data) - len(first.data.lstrip())].count("\n")


def _problem(piece: Piece, node: nodes.Node, word: str, message: str, hint: str) -> Problem:
    return Problem(piece.mark(node.lineno, word), message, piece.path, hint)


Check = Callable[[Sandbox, Piece, Folder], Iterator[Problem]]
CHECKS: tuple[Check, ...] = (
    unknown_filters,
    unknown_names,
    unknown_keys,
    forbidden_names,
    missing_files,
    lost_blocks,
    lost_text,
)


def check_front_matter(source: Source) -> Iterator[Problem]:
    """Every page has a subject; a locale variant takes its topic from the base."""
    if source.partial or source.suffix == ".txt":
        return
    if not nearest("subject", list(source.marks)):  # a misspelt one is named already
        hint = "begin the file with ---, a line subject: …, and ---"
        yield Problem(Mark(source.file, 1, 1), "no subject in the front matter", hint=hint)
    elif not source.front.get("subject", "…").strip():
        yield Problem(source.marks["subject"], "the subject is empty", "subject")
    if source.locale and "topic" in source.front:
        hint = f"remove the line; the topic stands in {source.name}{source.suffix}"
        message = "a locale variant takes the topic of its base"
        yield Problem(source.marks["topic"], message, "topic", hint)


def check_names(sources: list[Source]) -> Iterator[Problem]:
    """Variants and plain parts have a page beside them, and a page is written once."""
    pages = [s for s in sources if s.suffix != ".txt" and not s.partial]
    bases = {s.name for s in pages if not s.locale}
    seen: dict[tuple[str, str], Source] = {}
    for page in pages:
        twin = seen.setdefault((page.name, page.locale), page)
        if twin is not page:
            hint = "keep one of the two"
            yield Problem(Mark(page.file), f"the same template as {twin.file}", hint=hint)
        if page.locale and page.name not in bases:
            message = f"a variant of '{page.name}', but there is no {page.name}.html"
            hint = nearest(page.name, sorted(bases)) or f"add {page.name}.html for everybody else"
            yield Problem(Mark(page.file), message, hint=hint)
    for text in (s for s in sources if s.suffix == ".txt" and not s.partial):
        if (text.name, text.locale) not in seen:
            stem = ".".join(filter(None, (text.name, text.locale)))
            hint = nearest(text.name, sorted(bases))
            message = f"a plain part, but there is no {stem}.html or {stem}.md"
            yield Problem(Mark(text.file), message, hint=hint)
