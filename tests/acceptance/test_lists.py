"""Thresholds and lists: who is in which, and what they get (ACCEPTANCE B08, C)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Project

ANA, BEN, EVA = "ana@example.com", "ben@example.com", "eva@example.com"

POINTS = """
score: engagement
rules:
  - {name: one, points: 1, on: {event: one}}
  - {name: thirty, points: 30, on: {event: thirty}}
  - {name: nineteen, points: 19, on: {event: nineteen}}
  - {name: lost, points: -10, on: {event: lost}}
"""
LADDER = (
    POINTS
    + """
---
list: new-prospects
---
list: interested-leads
---
list: qualified-prospects
---
scenario: at-20
trigger: {score: {engagement: {reaches: 20}}}
reenroll: when_finished
actions:
  - add_to_list: new-prospects
  - send_email: lessons
---
scenario: at-50
trigger: {score: {engagement: {reaches: 50}}}
reenroll: when_finished
actions:
  - move_to_list: {from: new-prospects, to: interested-leads}
  - send_email: products
---
scenario: at-80
trigger: {score: {engagement: {reaches: 80}}}
reenroll: when_finished
actions:
  - move_to_list: {from: [new-prospects, interested-leads], to: qualified-prospects}
  - send_email: promotion
"""
)
OFFERS = ("lessons", "products", "promotion")


def ladder(project: Project, *happened: str) -> Project:
    """Ana lives through these events, one a day, each looked at within the hour."""
    project.scenario(LADDER).mail(*OFFERS).apply().people(ANA)
    project.happened(
        *(project.track(ANA, name, f"{day} 10:00") for day, name in enumerate(happened, 2))
    )
    return project.tick("1", "28")


def test_b08_threshold_marks_a_lead_sales_ready(project: Project) -> None:
    project.scenario(
        POINTS
        + """
bands: {sales-ready: 49}
---
list: sales-ready
members: [{score: {engagement: {at_least: sales-ready}}}]
"""
    )
    project.apply().people(ANA, BEN)
    project.happened(
        project.track(ANA, "thirty", "2"),
        project.track(ANA, "nineteen", "3"),
        project.track(BEN, "thirty", "2"),
    )
    project.tick("1", "4")
    rows = project.ok("lists", "sales-ready", "--json").json
    assert [row["contact"] for row in rows] == [ANA]


def test_c01_dynamic_list_fills_itself_from_any_mix(project: Project) -> None:
    project.scenario(
        POINTS
        + """
---
list: by-score
members: [{score: {engagement: {at_least: 30}}}]
---
list: by-action
members: [{page_visited: /pricing}]
---
list: by-attribute
members: [{attribute: {country: ES}}]
---
list: by-all
members:
  - any: [{score: {at_least: 30}}, {page_visited: /pricing}]
  - attribute: {country: ES}
  - not: {event: order_completed}
"""
    )
    rows = (f"{ANA},2025-12-01,ES", f"{BEN},2025-12-01,FR", f"{EVA},2025-12-01,ES")
    project.apply().people(header="email,created_at,country", rows=rows)
    project.happened(
        project.track(ANA, "thirty", "2"),
        project.page(BEN, "/pricing", "2"),
        project.page(EVA, "/pricing", "3"),
        project.track(EVA, "order_completed", "5"),
    )
    project.tick("1", "4")
    assert project.lists(ANA) == ["by-attribute", "by-all", "by-score"]
    assert project.lists(BEN) == ["by-action"]
    assert set(project.lists(EVA)) == {"by-action", "by-all", "by-attribute"}
    project.tick("4", "6")
    assert set(project.lists(EVA)) == {"by-action", "by-attribute"}


def test_c02_at_20_points_new_prospect_with_lessons(project: Project) -> None:
    ladder(project, "nineteen", "one")
    assert project.lists(ANA) == ["new-prospects"]
    assert project.sent(ANA) == ["lessons"]


def test_c03_at_50_points_moves_to_interested_with_products(project: Project) -> None:
    ladder(project, "nineteen", "one", "thirty")
    assert project.lists(ANA) == ["interested-leads"]
    assert project.sent(ANA) == ["lessons", "products"]


def test_c04_at_80_points_qualified_with_the_offer(project: Project) -> None:
    ladder(project, "nineteen", "one", "thirty", "thirty")
    assert project.lists(ANA) == ["qualified-prospects"]
    assert project.sent(ANA) == ["lessons", "products", "promotion"]


def test_c05_ladder_step_by_step_each_mail_once_per_crossing(project: Project) -> None:
    steps = ("nineteen", "one", *["one"] * 10, "nineteen", "one", *["thirty"])
    project.scenario(LADDER).mail(*OFFERS).apply().people(ANA)
    project.happened(*(project.track(ANA, name, f"{day}") for day, name in enumerate(steps, 2)))
    stands = []
    for day in range(2, 2 + len(steps)):
        project.tick(f"{day}", f"{day} 12:00")
        stands.append((project.balance(ANA), project.lists(ANA)))
    assert stands[0] == (19, [])
    assert stands[1] == (20, ["new-prospects"])
    assert stands[12] == (49, ["new-prospects"])
    assert stands[13] == (50, ["interested-leads"])
    assert stands[14] == (80, ["qualified-prospects"])
    assert project.sent(ANA) == ["lessons", "products", "promotion"]


def test_c05_crossing_again_sends_again(project: Project) -> None:
    ladder(project, "nineteen", "one", "lost", "lost", "nineteen", "one")
    assert project.balance(ANA) == 20
    assert project.sent(ANA) == ["lessons", "lessons"]


def test_c05_79_points_are_not_80(project: Project) -> None:
    ladder(project, "nineteen", "thirty", "thirty")
    assert project.balance(ANA) == 79
    assert project.lists(ANA) == ["interested-leads"]


def test_c05_all_thresholds_in_one_tick_act_in_order(project: Project) -> None:
    project.scenario(LADDER).mail(*OFFERS).apply().people(ANA)
    project.happened(*(project.track(ANA, "thirty", "2 10:00") for _ in range(3)))
    project.tick("1", "4")
    assert project.lists(ANA) == ["qualified-prospects"]
    assert project.sent(ANA) == ["lessons", "products", "promotion"]


WIN_BACK = (
    POINTS
    + """
---
list: disinterested
---
scenario: win-back
trigger: {score: {engagement: {falls_to: -10}}}
reenroll: {after: 10 days}
actions:
  - add_to_list: disinterested
  - send_email: win-back-offer
---
scenario: came-back
trigger: {email_clicked: win-back-offer}
conditions: [{in_list: disinterested}]
reenroll: when_finished
actions:
  - add_points: {score: engagement, points: 20, reason: came back}
  - remove_from_list: disinterested
"""
)


def test_c06_negative_score_joins_no_longer_interested_and_starts_win_back(
    project: Project,
) -> None:
    project.scenario(WIN_BACK).mail("win-back-offer").apply().people(ANA)
    project.happened(project.track(ANA, "lost", "2"))
    project.tick("1", "3")
    assert project.balance(ANA) == -10
    assert project.lists(ANA) == ["disinterested"]
    assert project.sent(ANA) == ["win-back-offer"]


def test_d03_re_engagement_has_a_way_back(project: Project) -> None:
    project.scenario(WIN_BACK).mail("win-back-offer").apply().people(ANA)
    project.happened(
        project.track(ANA, "lost", "2"),
        project.track(ANA, "email_clicked", "4", template="win-back-offer"),
    )
    project.tick("1", "5")
    assert project.balance(ANA) == 10
    assert project.lists(ANA) == []


def test_c07_list_from_one_action(project: Project) -> None:
    project.scenario(
        """
        list: read-the-guide-mail
        members: [{email_opened: guide}]
        ---
        list: saw-pricing
        members: [{page_visited: /pricing}]
        """
    )
    project.mail("guide").apply().people(ANA, BEN)
    project.happened(
        project.track(ANA, "email_opened", "2", template="guide"),
        project.page(BEN, "/pricing", "2"),
    )
    project.tick("1", "3")
    assert project.lists(ANA) == ["read-the-guide-mail"]
    assert project.lists(BEN) == ["saw-pricing"]


def test_c08_article_read_several_times_brings_its_promotion(project: Project) -> None:
    project.scenario(
        """
        scenario: python-promotion
        trigger: {page_visited: {path: "/blog/python*", times: 3, within: 30 days}}
        actions: [{send_email: python-course}]
        """
    )
    project.mail("python-course", topic="offers").apply().people(ANA, BEN)
    project.happened(
        *(project.page(ANA, "/blog/python-tips", f"{day} 10:00") for day in (2, 3, 4)),
        *(
            project.page(BEN, path, f"{n + 2} 10:00")
            for n, path in enumerate(["/blog/python", "/blog/sql", "/blog/python"])
        ),
    )
    project.tick("1", "4 09:00")
    assert project.sent(ANA) == []
    project.tick("4 10:00", "6")
    assert project.sent(ANA) == ["python-course"]
    assert project.sent(BEN) == []


def test_c09_purchase_after_our_promotion_brings_more_like_it(project: Project) -> None:
    project.scenario(
        """
        list: likes-promotions
        ---
        scenario: bought-what-we-promoted
        trigger: {event: {name: order_completed, where: {product: python-course}}}
        conditions: [{email_sent: {template: python-course, within: 14 days}}]
        actions: [{add_to_list: likes-promotions}]
        ---
        scenario: more-like-it
        trigger: {list_joined: likes-promotions}
        actions:
          - wait: 1 day
          - send_email: sql-course
        ---
        scenario: promotion
        trigger: {event: promoted}
        actions: [{send_email: python-course}]
        """
    )
    project.mail("python-course", "sql-course", topic="offers").apply().people(ANA, BEN)
    project.happened(
        project.track(ANA, "promoted", "2"),
        project.track(ANA, "order_completed", "4", product="python-course"),
        project.track(BEN, "order_completed", "4", product="python-course"),
    )
    project.tick("1", "6")
    assert project.sent(ANA) == ["python-course", "sql-course"]
    assert project.sent(BEN) == []
    assert project.lists(ANA) == ["likes-promotions"]
    [refused] = [r for r in project.export()["decisions"] if r["contact"] == BEN]
    assert (refused["scenario"], refused["reason"]) == ("bought-what-we-promoted", "conditions")


def test_c11_several_lists_of_rising_interest_from_one_model(project: Project) -> None:
    project.scenario(LADDER).mail(*OFFERS).apply().people(ANA, BEN, EVA)
    project.happened(
        project.track(ANA, "nineteen", "2"),
        project.track(ANA, "one", "3"),
        *(project.track(BEN, "thirty", f"{day}") for day in (2, 3)),
        *(project.track(EVA, "thirty", f"{day}") for day in (2, 3, 4)),
    )
    project.tick("1", "6")
    sizes = {row["list"]: row["members"] for row in project.ok("lists", "--json").json}
    assert sizes == {"new-prospects": 1, "interested-leads": 1, "qualified-prospects": 1}
    assert [project.sent(who)[-1] for who in (ANA, BEN, EVA)] == list(OFFERS)
