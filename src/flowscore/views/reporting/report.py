"""The whole report as one JSON document: which sections there are, and in what order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flowscore.views.columns import shown_at
from flowscore.views.people import name_known
from flowscore.views.reporting.evidence import evidence
from flowscore.views.reporting.feedback import feedback
from flowscore.views.reporting.funnel import funnel
from flowscore.views.reporting.groups import groups
from flowscore.views.reporting.inquiry import Inquiry, Wishes, inquire
from flowscore.views.reporting.model import model
from flowscore.views.reporting.qualification import qualification
from flowscore.views.reporting.scenarios import scenarios
from flowscore.views.reporting.sources import sources
from flowscore.views.reporting.templates import templates

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from flowscore.language.project import Project

Row = dict[str, Any]

SECTIONS: dict[str, Callable[[Inquiry], Row]] = {
    "funnel": funnel,
    "qualification": qualification,
    "feedback": feedback,
    "scenarios": scenarios,
    "templates": templates,
    "sources": sources,
    "groups": groups,
    "model": model,
}


def make_report(
    connection: Connection,
    project: Project,
    wishes: Wishes,
    phrase: Callable[[Any], str],
    section: str | None = None,
) -> Row:
    """Of one moment of the store; `section` for one alone. Every section has `notes`: doubts."""
    names = SECTIONS if section is None else [name_known(section, SECTIONS, "section")]
    inquiry = inquire(connection, project, wishes, phrase)
    return {
        "as_of": shown_at(inquiry.as_of),
        "since": shown_at(inquiry.period.since),
        "until": shown_at(inquiry.period.until),
        "data": evidence(inquiry),
        **{name: SECTIONS[name](inquiry) for name in names},
    }
