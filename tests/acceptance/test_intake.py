"""What comes in besides events: companies, words on consent, mail events of other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acceptance.conftest import Project

ANA, BEN = "ana@example.com", "ben@example.com"


def group(project: Project, email: str, key: str, at: str, **traits: Any) -> dict[str, Any]:
    call = project.identify(email, at, **traits)
    return {**call, "type": "group", "groupId": key}


def test_a_group_call_puts_everybody_of_the_company_on_the_list(project: Project) -> None:
    project.scenario(
        """
        list: big-software
        members:
          - company: {industry: software, employees: {at_least: 50}}
        ---
        scenario: welcome-big
        trigger: {list_joined: big-software}
        actions: [{send_email: hello}]
        """
    )
    project.mail("hello").apply().people(ANA, BEN)
    project.write(
        "templates/email/hello.html",
        "---\nsubject: For {{ company.name }}\ntopic: news\n---\n<p>{{ company.id }}</p>\n",
    )
    project.ok("apply")
    project.happened(
        group(project, ANA, "acme-7", "2 10:00", industry="Software", employees=40),
        group(project, BEN, "acme-7", "3 10:00", name="Acme"),
        group(project, BEN, "acme-7", "4 10:00", employees="60"),
    )
    project.tick("1", "4 09:00")
    assert (project.lists(ANA), project.lists(BEN)) == ([], [])
    project.tick("4 10:00", "5")
    for who in (ANA, BEN):
        assert project.lists(who) == ["big-software"]
        assert project.mails(who) == [("hello", "sent", None)]
    told = project.ok("explain", ANA, "--json").json["company"]
    assert told == {"id": "acme-7", "industry": "Software", "employees": "60", "name": "Acme"}
    assert "with the company id: acme-7" in project.ok("explain", ANA).out
    assert not [r for r in project.export()["events"] if r["name"] == "group"]


CONSENT = """
scenario: goodbye-news
trigger: {unsubscribed: news}
reenroll: every_time
actions: [{add_points: 1}]
---
scenario: goodbye-all
trigger: {unsubscribed: all}
reenroll: every_time
actions: [{add_points: 100}]
---
scenario: hello-news
trigger: {subscribed: news}
reenroll: every_time
actions: [{add_points: 10000}]
---
score: engagement
rules: [{name: none, points: 1, on: {event: never}}]
"""


def test_only_real_changes_of_consent_start_anything(project: Project) -> None:
    """Rulings 81 and 121: `all` is a refusal of each topic that was not refused before."""
    project.scenario(CONSENT).apply()
    project.happened(
        project.track(ANA, "Subscribed", "2", topic="news"),
        project.track(ANA, "Subscribed", "3", topic="News"),
        project.track(ANA, "Unsubscribed", "4", topic="all"),
        project.track(ANA, "Unsubscribed", "5", topic="all"),
        project.track(ANA, "Unsubscribed", "6", topic="news"),
        project.track(BEN, "Unsubscribed", "2", topic="news"),
        project.track(BEN, "Unsubscribed", "3", topic="all"),
    )
    project.tick("1", "7")
    assert sorted(project.points(ANA)) == [1, 100, 10000]
    assert sorted(project.points(BEN)) == [1, 100]
    names = [r["name"] for r in project.export()["events"] if r["contact"] == ANA]
    assert [name for name in names if "subscribed" in name] == ["subscribed", "unsubscribed"]
    [row] = [r for r in project.export()["contacts"] if r["email"] == ANA]
    assert row["consent"] == {"email": "refused", "news": "refused", "offers": "refused"}


def test_a_click_of_another_program_names_its_link(project: Project) -> None:
    project.scenario(
        """
        score: engagement
        rules:
          - {name: pricing, points: 5, on: {email_clicked: {link: "https://x.example/pricing*"}}}
        """
    ).apply()
    link = "https://x.example/Pricing?utm_source=mail"
    project.happened(
        project.track(ANA, "Email Link Clicked", "2", link_url=link, link_id="7"),
        project.track(ANA, "Email Link Clicked", "3", link_url=link, machine=True),
        project.track(ANA, "Email Link Clicked", "4", link_url="https://x.example/blog"),
    )
    project.tick("1", "5")
    assert project.points(ANA) == [5]
    kept = [r["properties"] for r in project.export()["events"] if r["name"] == "email_clicked"]
    assert kept[0]["link_url"] == kept[0]["link"] == link
