"""Score arithmetic: what points do, end to end (ACCEPTANCE A)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Project

ANA = "ana@example.com"
FIRST_MODEL = """
score: engagement
rules:
  - {name: newsletter, points: 2, on: {event: newsletter_subscribed}}
  - {name: transactional-click, points: 3, on: {email_clicked: {topic: transactional}}}
  - {name: cart, points: 10, on: {event: cart_updated}}
"""


def test_a01_newsletter_sign_up_adds_2_points(project: Project) -> None:
    project.scenario(FIRST_MODEL).apply().people(ANA)
    project.happened(project.track(ANA, "Newsletter Subscribed", "5 10:00"))
    assert project.tick("5", "6").points(ANA) == [2]


def test_a02_click_in_a_transactional_mail_adds_3_points(project: Project) -> None:
    project.scenario(
        FIRST_MODEL
        + """
---
scenario: receipt
trigger: {event: order_completed}
actions: [{send_email: receipt}]
"""
    )
    project.mail("receipt", topic="transactional").apply().people(ANA)
    project.happened(
        project.track(ANA, "Order Completed", "5 10:00"),
        project.track(ANA, "Email Link Clicked", "5 13:00", template="receipt"),
    )
    project.tick("5", "6")
    assert project.sent(ANA) == ["receipt"]
    assert project.points(ANA) == [3]


def test_a03_product_into_the_cart_adds_10_points(project: Project) -> None:
    project.scenario(FIRST_MODEL).apply().people(ANA)
    project.happened(project.track(ANA, "Cart Updated", "5 10:00", cart_id="c1"))
    assert project.tick("5", "6").points(ANA) == [10]


def three_actions(project: Project) -> Project:
    """A01, A02 and A03, once each."""
    project.scenario(FIRST_MODEL).mail("receipt", topic="transactional").apply().people(ANA)
    return project.happened(
        project.track(ANA, "newsletter_subscribed", "5 10:00"),
        project.track(ANA, "email_clicked", "6 10:00", template="receipt"),
        project.track(ANA, "cart_updated", "7 10:00"),
    ).tick("5", "8")


def test_a04_three_actions_stand_at_15_points_in_three_lines(project: Project) -> None:
    three_actions(project)
    assert project.points(ANA) == [2, 3, 10]
    assert project.balance(ANA) == 15


def test_a05_second_model_in_the_same_project_adds_up_its_own(project: Project) -> None:
    project.scenario(
        """
        score: content
        rules:
          - {name: newsletter-open, points: 1, on: {email_opened: {topic: news}}}
          - {name: web-download, points: 2, on: {event: file_downloaded}}
        """,
        name="content",
    )
    project.mail("weekly", "receipt")
    project.scenario(FIRST_MODEL).apply().people(ANA)
    project.happened(
        project.track(ANA, "email_opened", "5 10:00", template="weekly"),
        project.track(ANA, "file_downloaded", "5 11:00"),
        project.track(ANA, "cart_updated", "5 12:00"),
    )
    project.tick("5", "6")
    assert project.points(ANA, "content") == [1, 2]
    assert project.balance(ANA, "content") == 3
    assert project.balance(ANA, "engagement") == 10


def test_a06_points_are_the_users_file_and_nothing_else(project: Project) -> None:
    project.scenario(FIRST_MODEL.replace("points: 10", "points: 7.5")).apply().people(ANA)
    project.happened(
        project.track(ANA, "cart_updated", "5 10:00"),
        project.track(ANA, "order_completed", "5 11:00"),  # named by no rule
    )
    assert project.tick("5", "6").points(ANA) == [7.5]


def test_a07_points_accumulate_as_the_contact_keeps_interacting(project: Project) -> None:
    project.scenario(FIRST_MODEL).apply().people(ANA)
    project.happened(*(project.track(ANA, "cart_updated", f"{day} 10:00") for day in (5, 8, 20)))
    balances = []
    for first, last in (("5", "6"), ("7", "9"), ("10", "21")):
        balances.append(project.tick(first, last).balance(ANA))
    assert balances == [10, 20, 30]


def test_a08_what_converts_more_can_weigh_more(project: Project) -> None:
    ben = "ben@example.com"
    project.scenario(
        """
        score: engagement
        objective: Free trials, because a third of them buys.
        rules:
          - {name: trial, points: 40, on: {event: trial_started}}
          - {name: newsletter, points: 2, on: {event: newsletter_subscribed}}
        """
    )
    project.apply().people(ANA, ben)
    project.happened(
        project.track(ANA, "trial_started", "5 10:00"),
        project.track(ben, "newsletter_subscribed", "5 10:00"),
    )
    project.tick("5", "6")
    ranking = project.ok("contacts", "--score", "engagement", "--json").json
    assert [row["contact"] for row in ranking] == [ANA, ben]
    assert [row["scores"]["engagement"] for row in ranking] == [40, 2]


BEHAVIOUR = {
    "e-mail sign-up": ("{event: newsletter_subscribed}", "newsletter_subscribed", {}),
    "e-mail open": ("{email_opened: weekly}", "Email Opened", {"template": "weekly"}),
    "e-mail click": ("{email_clicked: weekly}", "Email Link Clicked", {"template": "weekly"}),
    "CTA click inside an e-mail": (
        "{event: {name: email_clicked, where: {link: {ends_with: /enroll}}}}",
        "Email Link Clicked",
        {"template": "weekly", "link": "https://a.example/enroll"},
    ),
    "transactional click": (
        "{email_clicked: {topic: transactional}}",
        "email_clicked",
        {"template": "receipt"},
    ),
    "page visit": ("{page_visited: '/blog/*'}", "page", {"path": "/blog/tips"}),
    "a specific page": ("{page_visited: /pricing}", "page", {"path": "/Pricing/?a=1"}),
    "page interaction": ("{event: video_played}", "Video Played", {}),
    "download": ("{event: file_downloaded}", "File Downloaded", {"file": "guide.pdf"}),
    "free trial": ("{event: trial_started}", "Trial Started", {}),
    "cart": ("{event: cart_updated}", "Cart Updated", {}),
    "purchase": (
        "{event: {name: order_completed, where: {total: {at_least: 100}}}}",
        "Order Completed",
        {"total": 120},
    ),
    "social interaction": ("{event: social_shared}", "Social Shared", {"network": "x"}),
    "push notification": ("{event: push_opened}", "Push Opened", {}),
    "log-in": ("{event: signed_in}", "Signed In", {}),
    "form or enquiry": ("{event: form_submitted}", "Form Submitted", {"form": "contact"}),
    "search keyword": (
        "{event: {name: products_searched, where: {query: {contains: python}}}}",
        "Products Searched",
        {"query": "learn Python fast"},
    ),
}


def test_a09_every_kind_of_behaviour_can_score(project: Project) -> None:
    rules = [
        f"  - {{name: rule-{n}, points: 1, on: {on}}}"
        for n, (on, _, _) in enumerate(BEHAVIOUR.values())
    ]
    project.scenario("score: engagement\nrules:\n" + "\n".join(rules))
    project.mail("weekly").mail("receipt", topic="transactional").apply()
    emails = [f"c{n}@example.com" for n in range(len(BEHAVIOUR))]
    project.people(*emails)
    calls = []
    for email, (_, event, properties) in zip(emails, BEHAVIOUR.values(), strict=True):
        call = project.track(email, event, "5 10:00", **properties)
        calls.append({**call, "type": "page"} if event == "page" else call)
    exported = project.happened(*calls).tick("5", "6").export()
    scored = {(row["contact"], row["rule"]) for row in exported["points"]}
    missing = [kind for n, kind in enumerate(BEHAVIOUR) if (emails[n], f"rule-{n}") not in scored]
    assert missing == []


ATTRIBUTES = {
    "country": ("ES", "{is: es}"),
    "age": (34, "{at_least: 30}"),
    "gender": ("female", "{is: female}"),
    "job_title": ("Head of Training", "{matches: 'head of|director'}"),
    "experience_years": (8, "{above: 5}"),
    "education": ("MSc", "{in: [MSc, PhD]}"),
    "company_industry": ("Software", "{contains: soft}"),
    "company_size": (120, "{at_least: 50}"),
    "company_revenue": (2_500_000, "{above: 1000000}"),
    "company_city": ("Sevilla", "{starts_with: sev}"),
    "company_need": ("onboarding", "{exists: true}"),
}
SENSITIVE = ("age", "gender")


def test_a10_attributes_of_person_and_company_can_score(project: Project) -> None:
    rules = []
    for name, (_, test) in ATTRIBUTES.items():
        because = ", because: the course is funded for this group" if name in SENSITIVE else ""
        when = f"{{attribute: {{{name}: {test}}}}}"
        rules.append(f"  - {{name: {name.replace('_', '-')}, points: 1, when: {when}{because}}}")
    project.scenario("score: engagement\nrules:\n" + "\n".join(rules))
    project.apply().people(ANA, "ben@example.com")
    traits = {name: value for name, (value, _) in ATTRIBUTES.items()}
    project.happened(project.identify(ANA, "5 10:00", **traits)).tick("5", "6")
    assert project.balance(ANA) == len(ATTRIBUTES)
    assert project.balance("ben@example.com") == 0


def test_a11_completeness_and_a_key_role_score(project: Project) -> None:
    project.scenario(
        """
        score: engagement
        rules:
          - {name: email-known, points: 5, when: {attribute: {email: {exists: true}}}}
          - {name: phone-known, points: 5, when: {attribute: {phone: {exists: true}}}}
          - {name: decides, points: 20, when: {attribute: {role: [decision maker, executive]}}}
        """
    )
    project.apply()
    header = "email,created_at,phone,role"
    project.people(
        header=header,
        rows=(
            f"{ANA},2025-12-01,+34 600 000 000,Decision Maker",
            "ben@example.com,2025-12-01,,intern",
        ),
    )
    project.tick("5", "6")
    assert sorted(project.points(ANA)) == [5, 5, 20]
    assert project.points("ben@example.com") == [5]


def test_a12_lack_of_interest_deducts_points(project: Project) -> None:
    project.scenario(
        """
        score: engagement
        rules:
          - {name: cart, points: 10, on: {event: cart_updated}}
          - {name: careers, points: -4, on: {page_visited: /careers}}
          - {name: unsubscribed, points: -8, on: {event: unsubscribed}}
        """
    )
    project.apply().people(ANA)
    project.happened(
        project.track(ANA, "cart_updated", "5 10:00"),
        project.page(ANA, "/careers", "5 11:00"),
        project.track(ANA, "Unsubscribed", "5 12:00"),
    )
    project.tick("5", "6")
    assert project.points(ANA) == [10, -4, -8]
    assert project.balance(ANA) == -2


NEWSLETTER = """
score: engagement
rules:
  - {name: unopened, points: -5, on: {email_not_opened: {within: 3 days}}}
---
scenario: weekly-news
trigger: {event: article_published}
reenroll: every_time
actions: [{send_email: weekly}]
"""


def test_a13_each_unopened_mail_costs_points(project: Project) -> None:
    project.scenario(NEWSLETTER).mail("weekly").apply().people(ANA)
    project.happened(
        *(project.track(ANA, "article_published", f"{day} 10:00") for day in (2, 6, 10, 14)),
        project.track(ANA, "email_opened", "8 09:00", template="weekly"),
    )
    project.tick("1", "25")
    assert project.sent(ANA) == ["weekly"] * 4
    assert project.points(ANA) == [-5, -5, -5]  # the second was opened in time
    assert project.balance(ANA) == -15


@pytest.mark.parametrize("kind", ["event", "attribute"])
def test_a18_nobody_counts_by_hand(project: Project, kind: str) -> None:
    project.scenario(
        FIRST_MODEL + "  - {name: phone, points: 5, when: {attribute: {phone: {exists: true}}}}"
    )
    project.apply().people(ANA)
    call = {
        "event": project.track(ANA, "cart_updated", "5 10:00"),
        "attribute": project.identify(ANA, "5 10:00", phone="+34 600"),
    }[kind]
    project.happened(call)
    assert project.tick("5", "5 09:00").balance(ANA) == 0
    assert project.tick("5 10:00", "5 10:00").balance(ANA) == {"event": 10, "attribute": 5}[kind]
