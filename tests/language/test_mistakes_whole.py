"""Realistic mistakes about goals, waits, splits, webhooks, dates, shares and the whole policy."""

from __future__ import annotations

import pytest

from language.conftest import BASE

A = "scenario: a\ntrigger: manual\n"  # two lines; what follows begins in line 3
E = "scenario: a\ntrigger: {event: cart_updated}\n"  # likewise
EXIT = "actions: [{exit: done}]\n"
P = "policy: p\n"  # in place of the base project's
SENDER = "sender: {name: Acme, address: hello@acme.example}\ntopics: [news, offers]\n"


def on(trigger: str) -> str:
    """A scenario with that trigger, in line 2."""
    return f"scenario: a\ntrigger: {trigger}\nreenroll: never\n{EXIT}"


def if_(condition: str) -> str:
    """A scenario with that condition, in line 4."""
    return f"{A}{EXIT}conditions: {condition}\n"


def among(condition: str) -> str:
    """A list with that condition, in line 2."""
    return f"list: a\nmembers: {condition}\n"


def do(step: str) -> str:
    """A scenario with that step, in line 4."""
    return f"{A}actions:\n  - {step}\n"


# What is written, then for each mistake: line, column, and words of what is said.
MISTAKES: dict[str, tuple[str, list[tuple[int, int, str]]]] = {
    # other tools' words: scenario keys
    "hubspot-goal": (
        E + EXIT + "conversion_goal: {event: x, up_to: 3 days}",
        [(4, 1, "did you mean 'goal'?")],
    ),
    "customerio-exit": (
        E + EXIT + "exit_criteria: {in_list: hot}",
        [(4, 1, "did you mean 'exit_when'?")],
    ),
    "control-group": (E + EXIT + "control_group: 10%", [(4, 1, "did you mean 'holdout'?")]),
    "exit-rules": (E + EXIT + "exit_rules: []", [(4, 1, "did you mean 'exit_when'?")]),
    "allow-reentry": (E + EXIT + "allow_reentry: true", [(4, 1, "did you mean 'reenroll'?")]),
    "segment-as-entry": (
        E + EXIT + "segment: hot",
        [(4, 1, "write `conditions: {in_list: NAME}`")],
    ),
    "quiet-hours-in-scenario": (
        E + EXIT + "quiet_hours: {from: 22:00, to: 08:00}",
        [(4, 1, "it stands in the policy, as `send_window`")],
    ),
    "cap-in-scenario": (
        E + EXIT + "frequency_cap: {emails: 1, per: 1 day}",
        [(4, 1, "it stands in the policy")],
    ),
    "trigger-at-top": (
        "scenario: a\nevent: cart_updated\n" + EXIT,
        [(2, 1, "put it under `trigger`")],
    ),
    "step-at-top": (
        A + "send_email: offer\n" + EXIT,
        [(3, 1, "make it a step: a line with '- ' under `actions`")],
    ),
    "condition-at-top": (A + EXIT + "in_list: hot\n", [(4, 1, "put it under `conditions`")]),
    "up-to-beside-goal": (
        E + EXIT + "goal: {event: x}\nup_to: 3 days\n",
        [(5, 1, "it belongs inside: goal: {…, up_to: …}")],
    ),
    # goal
    "goal-list": (
        E + EXIT + "goal: [{event: x}, {event: y}]",
        [(4, 7, "keep the one that counts; several events by name: {event: [a, b]}")],
    ),
    "goal-two": (
        E + EXIT + "goal: {event: x, list_joined: hot, up_to: 3 days}",
        [(4, 7, "keep the one that counts; several events by name: {event: [a, b]}")],
    ),
    "goal-within": (
        E + EXIT + "goal: {event: x, within: 3 days}",
        [(4, 18, "did you mean 'up_to'?")],
    ),
    "goal-condition": (
        E + EXIT + "goal: {in_list: hot, up_to: 3 days}",
        [(4, 8, "a trigger is a moment: write `list_joined`, or ask it under")],
    ),
    "goal-text": (
        E + EXIT + "goal: order_completed",
        [(4, 7, "write {event: order_completed, up_to: 7 days}")],
    ),
    "goal-up-to-number": (
        E + EXIT + "goal: {event: x, up_to: 14}",
        [(4, 25, "which unit? for example '14 days'")],
    ),
    "goal-empty": (
        E + EXIT + "goal: {up_to: 3 days}",
        [(4, 7, "found a mapping (up_to), expected a goal: one trigger with up_to,")],
    ),
    "goal-several-wrong": (
        E + EXIT + "goal: {email_clicked: ofer, up_to: 3 wks}",
        [(4, 23, "did you mean 'offer'?"), (4, 36, "did you mean '3 weeks'?")],
    ),
    # holdout, shares
    "holdout-number": (E + EXIT + "holdout: 10", [(4, 10, "did you mean '10%'?")]),
    "holdout-fraction": (E + EXIT + "holdout: 0.1", [(4, 10, "did you mean '10%'?")]),
    "holdout-blank": (E + EXIT + "holdout: 10 %", [(4, 10, "did you mean '10%'?")]),
    "holdout-percent": (
        E + EXIT + "holdout: ten percent",
        [(4, 10, "found 'ten percent', expected a share with its sign, such as 10%")],
    ),
    "holdout-over": (
        E + EXIT + "holdout: 120%",
        [(4, 10, "found '120%', expected a share of at most 100%")],
    ),
    "random-number": (among("{random: 10}"), [(2, 19, "did you mean '10%'?")]),
    "random-word": (among("{percentage: 10%}"), [(2, 11, "did you mean 'random'?")]),
    # split
    "ab-test": (
        do("ab_test: [{name: a, share: 50%}, {name: b, share: 50%}]"),
        [(4, 5, "did you mean 'split'?")],
    ),
    "split-mapping": (
        do("split: {a: 50%, b: 50%}"),
        [(4, 12, "found a mapping (a, b), expected a list of branches: [{name: a,")],
    ),
    "split-half": (
        do("split: [{name: a, share: 50%, actions: [{exit: x}]}]"),
        [(4, 12, "the shares add up to 50%, expected 100%; 50% missing")],
    ),
    "split-thirds": (
        do("split: [{name: a, share: 33.3%}, {name: b, share: 33.3%}, {name: c, share: 33.3%}]"),
        [(4, 12, "0.1% missing; the nearest whole split is 34%, 33%, 33%")],
    ),
    "split-missing": (
        do("split: [{name: a, share: 50%}, {name: b, share: 40%}]"),
        [(4, 12, "10% missing")],
    ),
    "split-too-much": (
        do("split: [{name: a, share: 60%}, {name: b, share: 60%}]"),
        [(4, 12, "20% too much")],
    ),
    "split-twins": (
        do("split: [{name: a, share: 50%}, {name: a, share: 50%}]"),
        [(4, 36, "the first stands in line 4")],
    ),
    "split-steps": (
        do("split: [{name: a, share: 50%, steps: [{exit: x}]}, {name: b, share: 50%}]"),
        [(4, 35, "did you mean 'actions'?")],
    ),
    "split-share": (
        do("split: [{name: a, share: 50}, {name: b, weight: 50%}]"),
        [(4, 30, "did you mean '50%'?"), (4, 45, "did you mean 'share'?")],
    ),
    # wait, wait_for
    "wait-for-without-time": (
        do("wait_for: {email_opened: offer}"),
        [(4, 15, "add `up_to: 7 days` beside the trigger: who does not do it goes")],
    ),
    "wait-for-timeout": (
        do("wait_for: {email_opened: offer, timeout: 3 days}"),
        [(4, 37, "did you mean 'up_to'?")],
    ),
    "wait-for-duration": (
        do("wait_for: 3 days"),
        [(4, 15, "for a span of time write `wait: 3 days`")],
    ),
    "wait-for-condition": (
        do("wait_for: {in_list: hot, up_to: 3 days}"),
        [(4, 16, "a trigger is a moment: write `list_joined`, or ask it under")],
    ),
    "wait-for-then-inside": (
        do("wait_for: {email_opened: offer, up_to: 3 days, then: [{exit: x}]}"),
        [(4, 52, "it stands beside `wait_for`: indent it like that")],
    ),
    "wait-for-up-to-beside": (
        A + "actions:\n  - wait_for: {email_opened: offer}\n    up_to: 3 days\n",
        [(5, 5, "it belongs inside `wait_for`: {email_opened: NAME, up_to: 7 days}")],
    ),
    "wait-for-list": (
        do("wait_for: [{event: x}, {event: y}]"),
        [(4, 15, "keep the one that counts; several events by name: {event: [a, b]}")],
    ),
    "wait-till-hour": (do("wait: {until: 9:00}"), [(4, 19, "did you mean '09:00'?")]),
    "wait-until-am": (do("wait: {until: 9am}"), [(4, 19, "did you mean '09:00'?")]),
    "wait-until-24": (do("wait: {until: '24:00'}"), [(4, 19, "did you mean '00:00'?")]),
    "wait-time-bare": (do("wait: 09:00"), [(4, 11, "write {until: 09:00}")]),
    "wait-monday": (do("wait: monday"), [(4, 11, "write {days: [mon]}")]),
    "wait-weekdays": (do("wait: {days: weekdays}"), [(4, 18, "write [mon, tue, wed, thu, fri]")]),
    "wait-full-day": (
        do("wait: {until: 09:00, days: [Monday, tue]}"),
        [(4, 33, "did you mean 'mon'?")],
    ),
    "wait-zone": (
        do("wait: {until: 09:00, timezone: CET+1}"),
        [(4, 36, "found 'CET+1', expected a zone of the IANA list, such as")],
    ),
    "wait-nothing-known": (do("wait: {timezone: contact}"), [(4, 11, "write {until: 09:00}")]),
    "wait-mapping": (do("wait: {hours: 3}"), [(4, 12, "write `wait: 3 hours`")]),
    "wait-at": (do("wait: {time: 09:00}"), [(4, 12, "did you mean 'until'?")]),
    "wait-list": (
        do("wait: [1 day]"),
        [(4, 11, "found a list, expected a duration: a whole number of minutes,")],
    ),
    # notify, webhook, owner
    "notify-text": (do("notify: sales@acme.example"), [(4, 13, "{to: owner, template: NAME}")]),
    "notify-name": (
        do("notify: {to: Sales <sales@acme.example>, template: offer}"),
        [(4, 18, "write the address alone, without a name")],
    ),
    "notify-contact-owner": (
        do("notify: {to: contact_owner, template: offer}"),
        [(4, 18, "did you mean 'owner'?")],
    ),
    "notify-recipient": (
        do("notify: {recipients: a@b.example, message: offer}"),
        [(4, 14, "did you mean 'to'?"), (4, 39, "did you mean 'template'?")],
    ),
    "webhook-text": (
        do("webhook: https://crm.example/x"),
        [(4, 14, 'write {url: "https://crm.example/x"}')],
    ),
    "webhook-no-scheme": (
        do("webhook: {url: crm.example/x}"),
        [(4, 20, "did you mean 'https://crm.example/x'?")],
    ),
    "webhook-jinja-url": (
        do("webhook: {url: 'https://crm.example/{{ contact.email }}'}"),
        [(4, 20, "the receiver is the same for all; put what differs into `body`")],
    ),
    "webhook-dollar": (do("webhook: {url: $CRM_URL/x}"), [(4, 20, "write ${CRM_URL}")]),
    "webhook-dashed": (
        do("webhook: {url: 'https://crm.example/${crm-key}'}"),
        [(4, 20, "write ${CRM_KEY}")],
    ),
    "webhook-password": (
        do("webhook: {url: 'https://me:secret@crm.example/x'}"),
        [(4, 20, 'put it into the environment: headers: {Authorization: "Bearer')],
    ),
    "webhook-method": (
        do("webhook: {url: 'https://crm.example', method: PUT}"),
        [(4, 43, "it is always a POST: take it out")],
    ),
    "webhook-payload": (
        do("webhook: {url: 'https://crm.example', payload: {a: 1}}"),
        [(4, 43, "did you mean 'body'?")],
    ),
    "webhook-body-jinja": (
        do("webhook: {url: 'https://crm.example', body: {a: ['{{ contact.x']}}"),
        [(4, 54, "found '{{ contact.x', which Jinja2 cannot read: unexpected end of")],
    ),
    "webhook-own-header": (
        do("webhook: {url: 'https://crm.example', headers: {Webhook-Id: x}}"),
        [(4, 53, "take it out")],
    ),
    "webhook-header-name": (
        do("webhook: {url: 'https://crm.example', headers: {'X Y': x}}"),
        [(4, 53, "letters, digits and -")],
    ),
    "owner-list": (
        do("assign_owner: [a@b.example, c@d.example]"),
        [(4, 19, "write {round_robin: [..]}: each in turn")],
    ),
    "owner-name": (
        do("assign_owner: Ana"),
        [(4, 19, "found 'Ana', expected an e-mail address such as hello@acme.example")],
    ),
    "owner-rotate": (do("rotate_record: [a@b.example]"), [(4, 5, "did you mean 'assign_owner'?")]),
    "owner-users": (
        do("assign_owner: {users: [a@b.example]}"),
        [(4, 20, "did you mean 'round_robin'?")],
    ),
    # enroll, subscribe, scores
    "enroll-unknown": (do("enroll: bas"), [(4, 13, "did you mean 'base'?")]),
    "start-automation": (do("start_automation: base"), [(4, 5, "did you mean 'enroll'?")]),
    "subscribe-unknown": (do("subscribe: newz"), [(4, 16, "did you mean 'news'?")]),
    "subscribe-all": (
        do("subscribe: all"),
        [(4, 16, "`email` is consent in general; or name the topics")],
    ),
    "subscribe-transactional": (
        do("subscribe: transactional"),
        [(4, 16, "name a topic, or `email`")],
    ),
    "opt-out": (do("opt_out: news"), [(4, 5, "did you mean 'unsubscribe'?")]),
    "reset-unknown": (do("reset_score: engagment"), [(4, 18, "did you mean 'engagement'?")]),
    "goto": (
        do("goto: actions/0"),
        [(4, 5, "a walk only goes forward: write the steps under `then` and")],
    ),
    "slack": (
        do("slack: '#sales'"),
        [(4, 5, "flowscore itself sends mail; reach other systems with `webhook`")],
    ),
    "once-per-beside": (
        A + "actions:\n  - send_email: offer\n    once_per: 30 days\n",
        [(5, 5, "it belongs inside: send_email: {…, once_per: …}")],
    ),
    "then-in-if": (
        do("if: {in_list: hot, then: [{exit: x}]}"),
        [(4, 24, "it stands beside `if`: indent it like the `if`")],
    ),
    # event keys
    "sum-number": (
        among("{event: {name: a, sum: {total: 500}}}"),
        [(2, 41, "write {at_least: 500}")],
    ),
    "sum-total": (
        among("{event: {name: a, total: {at_least: 500}}}"),
        [(2, 28, "did you mean 'sum'?")],
    ),
    "sum-name": (
        among("{event: {name: a, sum: total}}"),
        [(2, 33, "found 'total', expected a mapping such as {total: {at_least: 500}}")],
    ),
    "sum-trigger": (
        on("{event: {name: a, sum: {total: {below: 9}}}}"),
        [(2, 41, "put an upper bound under `conditions`")],
    ),
    "since-date": (
        E + EXIT + "exit_when: {event: {name: a, since: 2026-01-01}}",
        [(4, 37, "for a span of time write `within: 30 days`")],
    ),
    "since-span": (
        E + EXIT + "exit_when: {event: {name: a, since: 3 days}}",
        [(4, 37, "for a span of time write `within: 3 days`")],
    ),
    "since-in-list": (
        among("{event: {name: a, since: entered}}"),
        [(2, 28, "write `within: 30 days`")],
    ),
    "since-and-within": (
        E + EXIT + "exit_when: {event: {name: a, since: entered, within: 3 days}}",
        [(4, 30, "keep one of the two")],
    ),
    "since-in-trigger": (
        on("{event: {name: a, since: entered}}"),
        [(2, 28, "a trigger looks at what comes: take it out, or ask it under")],
    ),
    "older-in-trigger": (
        on("{event: {name: a, older_than: 3 days}}"),
        [(2, 28, "a trigger looks at what comes: take it out, or ask it under")],
    ),
    "same-in-list": (
        among("{event: {name: a, same: cart_id}}"),
        [(2, 28, "compare with a value under `where`")],
    ),
    "same-without-event": (
        A + EXIT + "exit_when: {event: {name: a, since: entered, same: cart_id}}",
        [(4, 20, "event, page_visited, email_… and changes have one; score, date, …")],
    ),
    "this-event-in-list": (among("{this_event: {a: 1}}"), [(2, 11, "use `event` with `where`")]),
    "this-event-in-rule": (
        (
            "score: fit\nrules:\n"
            "  - {name: x, points: 5, on: {event: a}, conditions: {this_event: {a: 1}}}"
        ),
        [(3, 55, "use `event` with `where`")],
    ),
    "this-event-without": (
        on("{schedule: {at: 2030-01-01 10:00}}") + "conditions: {this_event: {a: 1}}",
        [(5, 14, "event, page_visited, email_… and changes have one; score, date, …")],
    ),
    "times-beside-event": (
        if_("[{event: a, times: 3}]"),
        [(4, 25, "it belongs inside: event: {…, times: …}")],
    ),
    "link-path": (
        among("{email_clicked: {link: /pricing}}"),
        [(2, 33, "did you mean '*/pricing'?")],
    ),
    "link-host": (
        among("{email_clicked: {link: acme.example/offer}}"),
        [(2, 33, "did you mean '*acme.example/offer*'?")],
    ),
    "link-on-ignored": (
        among("{email_not_clicked: {link: '*/x', within: 1 day}}"),
        [(2, 31, "it counts a click on any link; for one link write `not:")],
    ),
    "link-on-page": (among("{page_visited: {link: /x}}"), [(2, 26, "did you mean 'path'?")]),
    "spam": (among("{email_complained: any}"), [(2, 11, "write `event: email_complained`")]),
    "replied": (among("{replied: any}"), [(2, 11, "did you mean 'email_replied'?")]),
    "company-account": (among("{account: {industry: x}}"), [(2, 11, "did you mean 'company'?")]),
    "company-empty": (
        among("{company: {}}"),
        [(2, 20, "found an empty {}, expected a mapping such as {country: ES, age:")],
    ),
    # triggers
    "gains-without-within": (
        on("{score: {engagement: {gains: 30}}}"),
        [(2, 31, "{gains: 30, within: 2 days}")],
    ),
    "reaches-within": (
        on("{score: {engagement: {reaches: 30, within: 2 days}}}"),
        [(2, 45, "take it out, or write {gains: 30, within: 2 days}")],
    ),
    "gains-negative": (
        on("{score: {engagement: {gains: -3, within: 2 days}}}"),
        [(2, 39, "for a balance that falls use `falls_to`")],
    ),
    "gains-and-reaches": (
        on("{score: {engagement: {gains: 3, reaches: 5, within: 2 days}}}"),
        [(2, 31, "for several write a list of triggers")],
    ),
    "increases-by": (
        on("{score: {engagement: {increases_by: 30, within: 2 days}}}"),
        [(2, 32, "did you mean 'gains'?")],
    ),
    "date-text": (on("{date: birthday}"), [(2, 17, "write {attribute: birthday}")]),
    "date-none": (
        on("{date: {at: 09:00}}"),
        [(2, 17, "`attribute` for a date of the contact's, `property` for one of")],
    ),
    "date-both": (
        on("{date: {attribute: a, property: b}}"),
        [(2, 17, "`attribute` for a date of the contact's, `property` for one of")],
    ),
    "date-property": (on("{date: {property: starts_at}}"), [(2, 11, "name an `attribute`")]),
    "date-before-words": (
        on("{date: {attribute: a, offset: 14 days before}}"),
        [(2, 40, "did you mean '-14 days'?")],
    ),
    "date-plus": (
        on("{date: {attribute: a, offset: +3 days}}"),
        [(2, 40, "did you mean '3 days'?")],
    ),
    "date-month": (
        on("{date: {attribute: a, offset: -1 month}}"),
        [(2, 40, "a month has no fixed length: write '-30 days'")],
    ),
    "date-hours-at": (
        on("{date: {attribute: a, offset: -2 hours, at: 09:00}}"),
        [(2, 50, "leave `at` out, or give the offset in days")],
    ),
    "date-every-month": (
        on("{date: {attribute: a, every: month}}"),
        [(2, 39, "for other rhythms use `schedule: {cron: …}`")],
    ),
    "date-yearly": (on("{date: {attribute: a, every: yearly}}"), [(2, 39, "did you mean 'year'?")]),
    "date-yearly-key": (
        on("{date: {attribute: a, yearly: true}}"),
        [(2, 32, "did you mean 'every'?")],
    ),
    "date-reenroll": (
        "scenario: a\ntrigger: {date: {attribute: a, every: year}}\n" + EXIT,
        [(2, 11, "say what is meant: reenroll: never, when_finished, every_time or")],
    ),
    "clicked-reenroll": (
        "scenario: a\ntrigger: {email_not_clicked: {within: 1 day}}\n" + EXIT,
        [(2, 11, "say what is meant: reenroll: never, when_finished, every_time or")],
    ),
    "birthday": (on("{birthday: {attribute: a}}"), [(2, 11, "did you mean 'date'?")]),
    "subscribed-any": (
        on("{subscribed: any}"),
        [(2, 23, "there are: email, news, offers; or add it to the policy's `topics`")],
    ),
    "subscribed-all": (
        on("{subscribed: all}"),
        [(2, 23, "`email` is consent in general; or name the topics")],
    ),
    "in-list-trigger": (
        on("{in_list: hot}"),
        [(2, 11, "a trigger is a moment: write `list_joined`, or ask it under")],
    ),
    "enters-segment": (on("{enters_segment: hot}"), [(2, 11, "did you mean 'list_joined'?")]),
    "abandoned": (on("{abandoned: {event: cart_updated}}"), [(2, 11, "did you mean 'no_event'?")]),
    "no-event-times": (
        on("{no_event: {name: a, after: {event: b}, within: 1 day, times: 2}}"),
        [(2, 65, "one awaited event is enough; count the anchor: after: {event:")],
    ),
    "any-trigger": (
        on("{any: [{event: a}]}"),
        [(2, 11, "write the triggers as a list: any of them")],
    ),
    "existing-gains": (
        "scenario: a\ntrigger: {score: {gains: 3, within: 1 day}}\nenroll_existing: true\n" + EXIT,
        [(3, 18, "states: score with reaches or falls_to, grade, stage, list_joined,")],
    ),
    # policy
    "cap-zero": (
        P + "frequency_cap: {emails: 0, per: 1 day}",
        [(2, 25, "found 0, expected 1 or more")],
    ),
    "cap-words": (P + "frequency_cap: 3 per week", [(2, 16, "{emails: 3, per: 7 days}")]),
    "cap-limit": (
        P + "frequency_cap: {limit: 3, every: 1 week}",
        [(2, 17, "did you mean 'emails'?"), (2, 27, "did you mean 'per'?")],
    ),
    "capped-bare": (P + "when_capped: 3 days", [(2, 14, "write {wait_up_to: 3 days}")]),
    "capped-wait": (P + "when_capped: {wait: 3 days}", [(2, 15, "did you mean 'wait_up_to'?")]),
    "window-start": (
        P + "send_window: {start: 09:00, end: 20:00}",
        [(2, 15, "did you mean 'from'?"), (2, 29, "did you mean 'to'?")],
    ),
    "window-equal": (
        P + "send_window: {from: 09:00, to: 09:00}",
        [(2, 14, "for whole days leave send_window out; to midnight is `to: 00:00`")],
    ),
    "window-24": (
        P + "send_window: {from: 08:00, to: '24:00'}",
        [(2, 32, "did you mean '00:00'?")],
    ),
    "window-days": (
        P + "send_window: {days: [mon, funday], from: 09:00, to: 20:00}",
        [(2, 27, "found 'funday', expected a weekday: mon, tue, wed, thu, fri, sat,")],
    ),
    "pause-number": (
        P + "pause_when: {bounces: 5, of_last: 1000}",
        [(2, 23, "did you mean '5%'?")],
    ),
    "pause-nothing": (P + "pause_when: {of_last: 1000}", [(2, 13, "bounces: 5%")]),
    "pause-without-number": (
        P + "pause_when: {bounces: 5%}",
        [(2, 13, "add `of_last: …`, over so many of the last mails sent")],
    ),
    "pause-zero": (
        P + "pause_when: {bounces: 0%, of_last: 100}",
        [(2, 23, "0% would stop all sending at once")],
    ),
    "suppress-this": (P + "suppress: {this_event: {a: 1}}", [(2, 12, "use `event` with `where`")]),
    "suppression-list": (P + "suppression_list: hot", [(2, 1, "did you mean 'suppress'?")]),
    "smart-sending": (P + "smart_sending: true", [(2, 1, "did you mean 'frequency_cap'?")]),
    # one thing where another is meant
    "trigger-text": (
        on("order_completed"),
        [(2, 10, "did you mean {event: order_completed}? known here: score, grade,")],
    ),
    "cond-text": (
        if_("hot"),
        [(4, 13, "did you mean {in_list: hot}? known here: all, any, not, score,")],
    ),
    "exit-text": (
        E + EXIT + "exit_when: order_completed",
        [(4, 12, "did you mean {event: order_completed}? known here: all, any, not,")],
    ),
    "times-text": (
        among("{event: {name: a, times: twice}}"),
        [(2, 35, "found 'twice', expected a number, or {at_least: 3}")],
    ),
    "reenroll-5": (E + EXIT + "reenroll: 30 days", [(4, 11, "write {after: 30 days}")]),
    "reenroll-x": (E + EXIT + "reenroll: {x: 1}", [(4, 12, "unknown key 'x' in reenroll")]),
    "event-5": (
        among("{event: 5}"),
        [(2, 18, "found 5, expected NAME, or a mapping with name, where, within,")],
    ),
    "opened-null": (
        among("{email_opened: }"),
        [(2, 25, "found nothing, expected TEMPLATE, or a mapping with template,")],
    ),
    "in-list-map": (among("{in_list: {name: hot}}"), [(2, 20, "write 'hot' alone")]),
    "unsub-map": (do("unsubscribe: {topic: news}"), [(4, 18, "write 'news' alone")]),
    "points-text": (
        do("add_points: ten"),
        [(4, 17, "found 'ten', expected a number, or {score: NAME, points: 5}")],
    ),
    "inactive-map": (among("{inactive: {days: 60}}"), [(2, 21, "did you mean '60 days'?")]),
    "random-map": (among("{random: {share: 10%}}"), [(2, 19, "write '10%' alone")]),
    "gains-text": (
        on("{score: {engagement: {gains: 30 points, within: 2 days}}}"),
        [(2, 39, "write 30")],
    ),
    "kind-segment": ("segments:\n  - name: x\n", [(1, 1, "did you mean 'list'?")]),
    "where-list": (
        among("{event: {name: a, where: [x]}}"),
        [(2, 35, "found a list, expected a mapping such as {country: ES, age:")],
    ),
    "split-items": (
        do("split: [a, b]"),
        [
            (4, 13, "found 'a', expected a branch of a split: a mapping with name,"),
            (4, 16, "found 'b', expected a branch of a split: a mapping with name,"),
        ],
    ),
    "window-text": (
        P + "send_window: 09:00-20:00",
        [(2, 14, "found '09:00-20:00', expected the send window: a mapping with")],
    ),
    "capped-null": (
        P + "when_capped: ",
        [(2, 13, "found nothing, expected drop, or {wait_up_to: 3 days}")],
    ),
    "score-null": (
        among("{score: }"),
        [(2, 18, "found nothing, expected {SCORE: {at_least: NUMBER}}")],
    ),
    "body-null": (
        do("webhook: {url: 'https://a.example', body: }"),
        [(4, 47, "leave `body` out to send an empty {}")],
    ),
    "sum-gte": (
        among("{event: {name: a, sum: {total: {gte: 5}}}}"),
        [(2, 42, "did you mean 'at_least'?")],
    ),
    "sub-and-exit": (do("subscribe: [news, ofers]"), [(4, 23, "did you mean 'offers'?")]),
    "step-null": (
        A + "actions:\n  - \n",
        [(4, 4, "found nothing, expected an action: a mapping with one key, such")],
    ),
    "wait-date": (
        do("wait: {until: 2026-11-27 10:00}"),
        [(4, 19, "found '2026-11-27 10:00', expected a time of day: HH:MM, 24")],
    ),
    "date-at-num": (on("{date: {attribute: a, at: 9}}"), [(2, 36, "did you mean '09:00'?")]),
    "trigger-two": (
        on("{event: a, list_joined: hot}"),
        [(2, 10, "make each an item of its own: a line with '- '")],
    ),
    # several at once
    "several": (
        E
        + "goal: {email_clicked: ofer, up_to: 3 days}\nholdout: 5\n"
        + "exit_when: {event: {name: a, since: entry}}\nactions:\n"
        + "  - wait: {until: 9}\n  - webhook: {url: ftp://x.example}\n",
        [
            (3, 23, "did you mean 'offer'?"),
            (4, 10, "did you mean '5%'?"),
            (5, 37, "did you mean 'entered'?"),
            (7, 19, "did you mean '09:00'?"),
            (8, 20, "found 'ftp://x.example', expected an address that begins with"),
        ],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_find_a_mistake_at_its_place(name, load) -> None:
    text, expected = MISTAKES[name]
    files = {}
    if text.startswith(P):
        text += f"\n{SENDER}"
        files = {"scenarios/base.yaml": BASE.partition("---\n")[2]}
    problems = [one for one in load(text, files)[1] if one.severity == "error"]
    assert [(p.mark.file, p.mark.line, p.mark.column) for p in problems] == [
        ("scenarios/x.yaml", line, column) for line, column, _ in expected
    ]
    for problem, (_, _, words) in zip(problems, expected, strict=True):
        assert words in f"{problem.message}; {problem.hint}"


def test_there_are_enough_of_them() -> None:
    assert len(MISTAKES) >= 80
