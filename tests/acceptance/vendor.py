"""A software vendor: fit and activity, a grade over both, a lifecycle, the hand-over to sales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Project

ANA, BEN, EVA = "ana@example.com", "ben@example.com", "eva@example.com"


def explained(project: Project, email: str, score: str = "engagement") -> dict[str, Any]:
    """One score of a contact, as `explain` tells it; it has to add up, both as points and now."""
    scores = project.ok("explain", email, "--json").json["scores"]
    [told] = [one for one in scores if one["score"] == score]
    for column in ("points", "worth"):
        total = sum(line[column] or 0 for line in told["lines"])
        assert round(total, 4) == told["balance"], column
    return told


def cell(project: Project, email: str) -> str:
    """The cell of the only grade."""
    [grade] = project.ok("explain", email, "--json").json["grades"]
    return grade["cell"]


MATRIX = """
score: fit
range: {min: 0, max: 100}
rules:
  - {name: software, points: 30, when: {company: {industry: software}}}
  - {name: country, points: 20, when: {company: {country: [ES, PT]}}}
  - {name: decides, points: 30, when: {attribute: {job_title: {matches: 'head of|director'}}}}
  - {name: phone, points: 20, when: {attribute: {phone: {exists: true}}}}
---
score: engagement
range: {min: 0, max: 100}
rules:
  - {name: article, points: 10, on: {page_visited: "/blog/*"}, cap: {points: 60}}
  - {name: enquiry, points: 50, on: {event: enquiry_sent}}
---
grade: lead-grade
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
green: [A4, A3, B4]
---
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: {grade: [A2, A3, A4, B2, B3, B4]}, retreat: true}
  - {stage: sql, when: [{grade: [A4, A3, B4]}, {event: enquiry_sent}]}
  - {stage: customer, when: {event: order_completed}}
---
list: green
members: [{grade: [A4, A3, B4]}]
---
scenario: hand-over
trigger: {stage: {enters: sql}}
actions: [{assign_owner: luis@acme.example}, {notify: {to: owner, template: hot-lead}}]
---
scenario: call-now
trigger: {grade: {enters: [A4, A3, B4]}}
actions: [{set_attribute: {call: now}}]
"""
LEGEND = "A = fit from 75, B from 50, C from 25, D below"
IDEAL = {"job_title": "Director", "phone": "+34 600"}


def corner(project: Project) -> Project:
    """Ana fits and asks, Ben reads and is a student, Eva fits and does nothing."""
    project.scenario(MATRIX).mail("hot-lead", topic="transactional").apply().people(ANA, BEN, EVA)
    for who in (ANA, EVA):
        project.happened(
            project.group(who, "2", f"company-of-{who[:3]}", industry="Software", country="ES"),
            project.identify(who, "2", **IDEAL),
        )
    reads = [project.page(who, f"/blog/{n}", f"{n}") for who in (ANA, BEN) for n in range(3, 9)]
    project.happened(
        project.identify(BEN, "2", job_title="Student"),
        *reads,
        project.track(ANA, "enquiry_sent", "9"),
    )
    return project.tick("1", "10", every="6h")
