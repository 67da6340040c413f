"""Texts that may hold Jinja2: checked when the file is read, filled in when the step is done."""

from __future__ import annotations

from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import mistake
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.values import VALUE, Operand


def read_expression(node: Node, names: Names) -> Operand:
    """A value; one with {{ }} must be Jinja2 that can be read."""
    value = VALUE.read(node, names)
    refuse_broken(node)
    return value


def refuse_broken(node: Node) -> None:
    """Refuse a text that Jinja2 cannot read."""
    if not holds_jinja(node):
        return
    from jinja2 import Environment, TemplateSyntaxError  # only where an expression is read

    try:
        Environment(autoescape=True).parse(str(node.value))
    except TemplateSyntaxError as error:
        raise mistake(node, f"found {node.shown}, which Jinja2 cannot read: {error}") from None


def holds_jinja(node: Node) -> bool:
    """Whether the value is a text with {{ }} or {% %} in it."""
    return isinstance(node.value, str) and ("{{" in node.value or "{%" in node.value)
