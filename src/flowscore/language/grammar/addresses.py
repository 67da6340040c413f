"""E-mail addresses in definitions: of the sender, of colleagues."""

from __future__ import annotations

import re

from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import Shape, one_or_more, read_text

ADDRESS_TEXT = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
ALONE = "write the address alone, without a name"
OWNER = "owner"  # stands for the address in the contact's attribute `owner`


def read_address(node: Node, names: Names) -> str:
    """One bare e-mail address."""
    text = read_text(node, names)
    if ADDRESS_TEXT.fullmatch(text):
        return text
    hint = ALONE if "<" in text else ""
    raise unexpected(node, "an e-mail address such as hello@acme.example", hint)


def read_recipient(node: Node, names: Names) -> str:
    """An address, or `owner` for the contact's owner."""
    text = read_text(node, names)
    if text == OWNER or ADDRESS_TEXT.fullmatch(text):
        return text
    plain = text.lower().replace("_", " ")
    hint = ALONE if "<" in text else ""
    if plain in MEANT_OWNER:
        hint = "did you mean 'owner'?"
    elif "{{" in text:
        hint = "an address stands here as it is; put it into the attribute `owner` to vary it"
    raise unexpected(node, "an e-mail address, or `owner`", hint)


MEANT_OWNER = ("contact owner", "contact.owner", "the owner", "lead owner", "{{ contact.owner }}")
ADDRESS = Shape(read_address, {"type": "string", "pattern": "^[^\\s@<>]+@[^\\s@<>]+$"})
RECIPIENTS = one_or_more(
    Shape(read_recipient, {"anyOf": [{"const": OWNER}, ADDRESS.schema]}), "addresses"
)
