"""What the language needs of a mail template: its name, and the topic in its front matter."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flowscore.errors import Mark
from flowscore.language.document import read_documents
from flowscore.language.folder import TextFile

FENCED = re.compile(r"---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Front:
    """One template file. `topic` is empty where there is none, None where it is not known."""

    name: str
    locale: str
    topic: str | None
    topic_mark: Mark
    file: str


def read_front(file: TextFile) -> Front:
    """The front of a template; whatever is wrong with it is said by the mail room."""
    stem = file.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    name, _, locale = stem.partition(".")
    topic, mark = _topic(file)
    return Front(name, locale, topic if file.readable else None, mark, file.name)


def _topic(file: TextFile) -> tuple[str, Mark]:
    found = FENCED.match(file.text)
    documents = read_documents(found[1], file.name, 2)[0] if found else []
    for document in documents:
        node = document.root.items.get("topic")
        if node is not None and isinstance(node.value, str):
            return node.value.strip(), node.mark
    return "", Mark(file.name, 1, 1)
