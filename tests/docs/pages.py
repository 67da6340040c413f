"""The pages of docs/: their tables, headings and YAML examples.

A fenced block `yaml` holds whole definitions. A word behind it says what else it holds: a list
of `triggers`, `conditions`, `actions` or `rules`, conditions of people `inside` a scenario, or a
project that is `refused`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = DOCS / "reference"
FENCE = re.compile(r"^```yaml(?: (\w+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
RUN_AS_A_WHOLE = "<!-- A test runs this page. -->"
HEADING = re.compile(r"^(scenario|score|list|policy|grade|lifecycle): *([a-z0-9-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """One YAML block: the page it stands on, its line, its kind ("" for definitions)."""

    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def examples() -> Iterator[Example]:
    """Every YAML block of every page that is not run as a whole (tests/how_to)."""
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if RUN_AS_A_WHOLE in text:
            continue
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 2
            yield Example(str(path.relative_to(DOCS)), line, found[1] or "", found[2])


def keys_of(page: str) -> set[str]:
    """What a page's tables explain: every word in backticks in the first cell of a row."""
    rows = re.findall(r"^\| *(?!-)([^|]+)\|", _text(page), re.MULTILINE)
    return {word for row in rows for word in CODE.findall(row)}


def words_of(page: str) -> set[str]:
    """Every word in backticks on a page."""
    return set(CODE.findall(_text(page)))


def _text(page: str) -> str:
    return (REFERENCE / page).read_text(encoding="utf-8")


# --- a project around an example -----------------------------------------------------------------

WRAPPED = {
    "triggers": "scenario: example\nreenroll: every_time\ntrigger:\n{}actions: [exit: done]\n",
    "conditions": "list: example\nmembers:\n{}",
    "inside": "scenario: example\ntrigger: {{event: cart_updated}}\nconditions:\n{}"
    "actions: [exit: done]\n",
    "actions": "scenario: example\ntrigger: {{event: webinar_registered}}\nactions:\n{}",
    "rules": "score: example\nrules:\n{}",
}
AROUND = {
    ("policy", "default"): "sender: {name: Acme, address: hello@acme.example}\n"
    "topics: [news, offers]\n",
    ("scenario", "onboarding"): "trigger: manual\nactions: [exit: done]\n",
    ("score", "engagement"): "bands: {qualified: 80, interested: 50, new: 20}\n"
    "rules: [{name: cart, points: 10, on: {event: cart_updated}}]\n",
    ("score", "fit"): "rules: [{name: phone, points: 5, when: {attribute: {phone: x}}}]\n",
    ("grade", "lead-grade"): "fit: {score: fit, A: 75, B: 50, C: 25}\n"
    "engagement: {score: engagement, 4: 75, 3: 50, 2: 25}\n",
    ("lifecycle", "buyer"): "stages: [lead, {stage: mql, when: {inactive: 1 day}}, "
    "{stage: sql, when: {consent: email}}, customer]\n",
    **{
        ("list", name): "description: Filled by hand.\n"
        for name in (
            "customers", "disinterested", "do-not-mail", "interested-leads", "new-prospects",
            "photography-fans", "qualified-prospects",
        )
    },
}  # fmt: skip
TEMPLATES = {
    **dict.fromkeys(
        (
            "hot-lead", "receipt", "team-offer", "welcome", "welcome-choose", "welcome-story",
            "win-back", "win-back-goodbye",
        ),
        "transactional",
    ),
    "newsletter": "news",
    "offer": "offers",
}  # fmt: skip


ASKED = {  # what is there once in a project is named by what asks for it
    "grade": re.compile(r"\bgrade:|\bcell"),
    "lifecycle": re.compile(r"\b(set_)?stage:"),
}


def project_files(example: Example) -> dict[str, str]:
    """The example and what it names but does not define, as the files of a project."""
    wrapper = WRAPPED.get(example.kind, "{}")
    text = wrapper.format(example.text if wrapper == "{}" else textwrap.indent(example.text, "  "))
    defined = set(HEADING.findall(text))
    kinds = {kind for kind, _ in defined}
    around = [
        f"{kind}: {name}\n{body}"
        for (kind, name), body in AROUND.items()
        if (kind, name) not in defined and _is_needed(kind, name, kinds, text)
    ]
    mail = "---\nsubject: Hello\ntopic: {}\n---\nHello\n"
    return {
        "scenarios/example.yaml": text,
        "scenarios/around.yaml": "---\n".join(around),
        **{
            f"templates/email/{name}.html": mail.format(topic)
            for name, topic in TEMPLATES.items()
            if name in text
        },
    }


def _is_needed(kind: str, name: str, kinds: set[str], text: str) -> bool:
    """A policy always, a score unless there are some, everything else when it is named."""
    if kind in ASKED:
        return kind not in kinds and ASKED[kind].search(text) is not None
    if (kind, name) == ("score", "fit") and _is_needed("grade", "", kinds, text):
        return True
    if kind == "policy" or (kind, name) == ("score", "engagement"):
        return kind not in kinds or (kind == "score" and name in text)
    return name in text
