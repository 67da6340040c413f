"""The JSON Schema for editors: it accepts what the reader accepts, and refuses what it can see."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from flowscore.language.document import Node, read_documents
from flowscore.language.grammar.actions import ACTIONS
from flowscore.language.grammar.conditions import CONDITIONS
from flowscore.language.grammar.kinds import KINDS
from flowscore.language.grammar.triggers import TRIGGERS
from flowscore.language.schema import json_schema

EXAMPLES = """\
scenario: win-back
description: A lead that stopped opening our mail gets two chances to come back.
trigger:
  score: {engagement: {falls_to: -10}}
conditions:
  - not: {in_list: customers}
reenroll: {after: 90 days}
actions:
  - add_to_list: disinterested
  - send_email: win-back-offer
  - wait: 7 days
  - if: {email_opened: win-back-offer}
    then:
      - add_points: {score: engagement, points: 20, reason: came back}
      - remove_from_list: disinterested
    else:
      - send_email: {template: win-back-last-call, unless_late_by: 2 days}
      - set_attribute: {plan: trial, webinar_at: "{{ event.starts_at }}"}
      - move_to_list: {from: [a, b], to: c}
      - exit: gone
---
scenario: several
trigger: [manual, {page_visited: {path: "/blog/*", times: 3, within: 30 days}}, contact_created]
enroll_existing: false
reenroll: every_time
actions: [{id: first, enabled: false, subtract_points: 5}]
---
scenario: everything
trigger:
  - score: {engagement: {gains: 30, within: 2 days}}
  - score: {gains: 30, within: 2 days}
  - event: {name: a, same: [path], sum: {total: {at_least: 500}}}
  - no_event: {name: a, after: {email_replied: any}, within: 2 hours, same: [cart_id]}
  - email_not_clicked: {template: any, within: 3 days}
  - subscribed: news
  - unsubscribed: all
  - date: {attribute: renewal_on, offset: -14 days, at: 09:00, timezone: contact, every: year}
conditions:
  - company: {industry: software, employees: {at_least: 50}}
  - this_event: {rating: {at_least: 9}}
  - event: {name: a, within: 30 days, older_than: 7 days, sum: {total: {at_least: 500}}}
  - page_visited: {path: /a, since: entered, same: cart_id}
  - email_clicked: {topic: news, link: "*/pricing*"}
  - email_replied: any
  - email_bounced: {where: {type: hard}}
  - random: 10%
reenroll: when_finished
goal: {email_clicked: win-back-offer, up_to: 21 days}
exit_when: {event: {name: order_completed, since: entered}}
holdout: 10%
actions:
  - reset_score: engagement
  - subscribe: news
  - unsubscribe: all
  - notify: {to: [sales@acme.example, owner], template: hot-lead}
  - webhook: {url: "${CRM_URL}/leads", body: {email: "{{ contact.email }}"}, headers: {X-Key: a}}
  - assign_owner: {round_robin: [ana@acme.example, luis@acme.example]}
  - assign_owner: ana@acme.example
  - wait: {until: 09:00, days: [mon, tue], timezone: contact}
  - wait_for: {date: {property: starts_at, offset: -1 hour}, up_to: 30 days}
  - wait_for: {email_opened: win-back-offer, up_to: 7 days}
    then: [{exit: opened}]
    else: [{exit: silent}]
  - split: [{name: a, share: 50%, actions: [{exit: a}]}, {name: b, share: 50%, actions: []}]
  - enroll: several
---
score: engagement
objective: Who is about to buy.
range: {min: -100, max: 100}
rules:
  - {name: newsletter, points: 2, on: {event: newsletter_subscribed}, cap: {times: 1}}
  - {name: transactional-click, points: 3, on: {email_clicked: {topic: transactional}}}
  - {name: cart, points: 10, on: {event: cart_updated}, cap: {points: 30, per: 1 day}}
  - {name: unopened, points: -5, on: {email_not_opened: {within: 3 days}}}
  - {name: new-area, points: 10, on: {page_visited: "/courses/*"}, conditions: [{in_list: a}]}
  - {name: phone-known, points: 5, when: {attribute: {phone: {exists: true}}}}
bands: {hot: 80, interested: 50, new: 20}
---
list: hot-leads
members:
  - score: {engagement: {at_least: hot}}
  - page_visited: {path: /pricing, within: 14 days}
  - not: {in_list: customers}
  - attribute: {country: ES, age: {at_least: 18}, job_title: {matches: 'director|head of'}}
  - event: {name: order_completed, where: {"products.sku": [a, b]}, times: {at_least: 2}}
---
score: fades
range: {min: 0, max: 100}
scale: 1-100
of: company
decay: {half_life: 30 days}
rules:
  - {name: a, points: 1, on: {event: a}, decay: {step: {lose: 15%, every: 45 days}}}
  - {name: b, points: 1, on: {grade: {enters: [A3, A4]}}, decay: {linear: 90 days}}
  - {name: c, points: 1, on: {stage: {enters: sql}}, decay: {expire: 90 days}}
  - {name: d, points: 1, on: {event: a}, decay: none}
---
score: idles
decay: {idle: {after: 30 days, lose: 10, every: 7 days}}
rules: [{name: a, points: 1, on: {event: a}}]
---
score: starts-again
decay: {idle: {after: 60 days, reset: true}}
rules: [{name: a, points: 1, when: [{grade: {priority: A4}}, {stage: {at_least: mql}}]}]
---
grade: lead-grade
description: Whom to call.
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
green: [A4, A3, B4]
---
grade: priority
fit: {score: fit, ideal: 75, good: fair, poor: below}
engagement: {score: engagement, axis: descending, 1: hot, 2: below}
green: ideal-1
---
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: {grade: [A2, A3, B3, B4]}, retreat: true}
  - {stage: sql, when: [{grade: {lead-grade: [A4, B4]}}, {consent: email}]}
  - {stage: customer, when: {event: order_completed}}
---
scenario: hand-over
trigger:
  - grade: {enters: [A3, A4]}
  - grade: {priority: {enters: A4}}
  - stage: {enters: [mql, sql]}
conditions: [{grade: [A3, A4]}, {stage: mql}, {stage: [mql, sql]}]
goal: {stage: {enters: customer}, up_to: 21 days}
actions: [{set_stage: sql}, {set_stage: {stage: lead, back: true}}]
---
list: static
---
policy: default
decay_every: 1 hour
timezone: Europe/Madrid
sender: {name: Acme, address: hello@acme.example, reply_to: ana@acme.example}
topics: [news, offers]
consent: required
suppress: {in_list: do-not-mail}
frequency_cap: [{emails: 1, per: 1 day}, {emails: 3, per: 7 days}]
when_capped: {wait_up_to: 3 days}
send_window: {days: [mon, tue, wed, thu, fri], from: 09:00, to: 20:00, timezone: contact}
pause_when: {bounces: 5%, complaints: 0.1%, of_last: 1000}
"""
MISTAKES = """\
scenario: x
actions: [{exit: a}]
---
scenario: x
trigger: manual
actions: [{wait: 4 hrs}]
---
scenario: x
trigger: {evnt: a}
actions: [{exit: a}]
---
scenario: x
trigger: {event: a, manual: true}
actions: [{exit: a}]
---
scenario: x
trigger: manual
actions: [{exit: a, wait: 1 day}]
---
scenario: x
trigger: manual
actions: [{exit: a, then: [{exit: b}]}]
---
scenario: x
trigger: manual
actions: [{if: {inactive: 1 day}}]
---
scenario: x
trigger: manual
actions: []
---
scenario: x
trigger: manual
actions: [{exit: a}]
goal: {email_clicked: offer, inactive: 3 days, up_to: 1 day}
---
scenario: x
trigger: manual
actions: [{wait_for: {email_clicked: offer}}]
---
scenario: x
trigger: manual
actions: [{split: [{name: a, share: 50, actions: [{exit: x}]}, {name: b, share: 50%}]}]
---
scenario: x
trigger: {date: {attribute: a, offset: 2 months}}
actions: [{exit: a}]
---
scenario: x
trigger: manual
actions: [{wait: {until: 9am}}]
---
scenario: x
trigger: manual
holdout: 10
actions: [{exit: a}]
---
list: x
members: {random: 0.1}
---
policy: x
frequency_cap: {emails: 0, per: 1 day}
---
policy: x
send_window: {from: 09:00}
---
policy: x
when_capped: wait
---
list: x
members: {gte: 3}
---
list: x
members: {attribute: {age: {gte: 3}}}
---
list: x
members: {score: {engagement: 50}}
---
list: X Y
---
score: x
rules: [{name: a, points: "5", on: {event: a}}]
---
policy: x
timezone: Europe/Madrid
consent: explicit
---
grade: x
---
grade: x
fit: {A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
---
grade: x
fit: fit
engagement: engagement
---
grade: x
fit: {score: fit, A: [75, 100], B: 50}
engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
---
grade: x
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, axis: down, 4: 75, 3: 50, 2: 25}
---
lifecycle: x
---
lifecycle: x
stages: []
---
lifecycle: x
stages: [lead, {when: {inactive: 1 day}}]
---
lifecycle: x
stages: [lead, {stage: mql, retreat: sometimes}]
---
score: x
decay: 90 days
rules: [{name: a, points: 5, on: {event: a}}]
---
score: x
decay: {half_life: 30}
rules: [{name: a, points: 5, on: {event: a}}]
---
score: x
decay: {step: {lose: 15, every: 45 days}}
rules: [{name: a, points: 5, on: {event: a}}]
---
score: x
decay: {idle: {lose: 15, every: 45 days}}
rules: [{name: a, points: 5, on: {event: a}}]
---
score: x
rules: [{name: a, points: 5, on: {event: a}, decay: {idle: {after: 1 day, reset: true}}}]
---
score: x
scale: 1-5
rules: [{name: a, points: 5, on: {event: a}}]
---
score: x
of: account
rules: [{name: a, points: 5, on: {event: a}}]
---
policy: x
decay_every: hourly
---
list: x
members: {grade: {at_least: 3}, stage: sql}
---
list: x
members: {stage: {at_most: mql}}
---
scenario: x
trigger: {grade: A4}
actions: [{exit: a}]
---
scenario: x
trigger: {stage: sql}
actions: [{exit: a}]
---
scenario: x
trigger: manual
actions: [{set_stage: {back: true}}]
"""
VALIDATOR = Draft202012Validator(json_schema())


def plain(node: Node):
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


def documents(text: str) -> list:
    return [plain(one.root) for one in read_documents(text, "x.yaml")[0]]


def test_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("document", documents(EXAMPLES), ids=lambda one: next(iter(one.values())))
def test_accept_the_examples(document) -> None:
    assert [one.message for one in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize("number", range(len(documents(MISTAKES))))
def test_refuse_mistakes(number) -> None:
    assert not VALIDATOR.is_valid(documents(MISTAKES)[number])


def test_describe_every_key() -> None:
    """What an editor shows on hover stands at every key of every mapping."""
    bare = []

    def visit(schema: object, path: str) -> None:
        if isinstance(schema, dict):
            for key, inner in schema.get("properties", {}).items():
                if not inner.get("description", "").endswith("."):
                    bare.append(f"{path}/{key}")
            for key, inner in schema.items():
                visit(inner, f"{path}/{key}")
        elif isinstance(schema, list):
            for inner in schema:
                visit(inner, path)

    visit(json_schema(), "")
    assert bare == []


def test_know_every_word_of_the_reader() -> None:
    definitions = json_schema()["$defs"]
    assert set(definitions["condition"]["properties"]) == set(CONDITIONS.keys)
    assert set(ACTIONS.keys) < set(definitions["step"]["properties"])
    assert set(definitions["trigger"]["anyOf"][1]["properties"]) == set(TRIGGERS.keys)
    for kind, row in KINDS.items():
        assert set(definitions[kind]["properties"]) == set(row.table.keys)
