"""Realistic mistakes of authors: each is found at its place, with words that help to mend it."""

from __future__ import annotations

import pytest

A = "scenario: a\ntrigger: manual\n"  # two lines; what follows begins in line 3
S = "score: fit\n"  # one line
R = "score: fit\nrules:\n"  # two lines
EXIT = "actions: [{exit: done}]\n"

# What is written, then for each mistake: line, column, and words of what is said.
Said = tuple[int, int, str]
MISTAKES: dict[str, tuple[str, list[Said]]] = {
    # steps and durations
    "wait-abbreviated": (A + "actions:\n  - wait: 4 hrs\n", [(4, 11, "did you mean '4 hours'?")]),
    "wait-month": (A + "actions:\n  - wait: 1 month\n", [(4, 11, "write '30 days'")]),
    "wait-bare-number": (A + "actions: [{wait: 3}]", [(3, 18, "for example '3 days'")]),
    "wait-negative": (A + "actions: [{wait: -3 days}]", [(3, 18, "no sign")]),
    "wait-zero": (A + "actions: [{wait: 0 days}]", [(3, 18, "above zero")]),
    "wait-fraction": (A + "actions: [{wait: 1.5 days}]", [(3, 18, "take a smaller unit")]),
    "wait-nothing": (A + "actions:\n  - wait:\n", [(4, 10, "found nothing, expected a duration")]),
    "wait-seconds": (A + "actions: [{wait: 30 seconds}]", [(3, 18, "shortest unit is the minute")]),
    "delay": (A + "actions:\n  - delay: 3 days\n", [(4, 5, "did you mean 'wait'?")]),
    "camel-case": (A + "actions: [{sendEmail: offer}]", [(3, 12, "did you mean 'send_email'?")]),
    "bare-step": (A + "actions:\n  - send_email\n", [(4, 5, "write `send_email: …`")]),
    "two-actions": (
        A + "actions:\n  - send_email: offer\n    wait: 3 days\n",
        [(4, 5, "found 'send_email' and 'wait', expected one action")],
    ),
    "unknown-action": (
        A + "actions: [{dance: 1}]",
        [(3, 12, "known: add_points, subtract_points")],
    ),
    "no-actions": (A + "actions: []", [(3, 10, "found an empty list, expected a list of steps")]),
    "actions-missing": ("scenario: a\ntrigger: manual\n", [(1, 1, "needs the key 'actions'")]),
    "steps-no-list": (A + "actions: {exit: x}", [(3, 10, "expected a list of steps")]),
    "if-without-then": (
        A + "actions:\n  - if: {in_list: customers}\n",
        [(4, 5, "an `if` needs `then` or `else`")],
    ),
    "then-beside-exit": (
        A + "actions:\n  - exit: x\n    then: [{exit: y}]\n",
        [(5, 5, "'then' stands beside 'exit'; it belongs to an `if`")],
    ),
    "twin-step-ids": (
        A + "actions:\n  - {exit: x, id: q}\n  - {exit: y, id: q}\n",
        [(5, 5, "two steps have the id 'q'; the first stands in line 4")],
    ),
    "bad-step-id": (A + "actions: [{exit: x, id: 3 4}]", [(3, 25, "begins with a letter")]),
    "unknown-template": (A + "actions: [{send_email: ofer}]", [(3, 24, "did you mean 'offer'?")]),
    "template-with-suffix": (
        A + "actions: [{send_email: offer.html}]",
        [(3, 24, "found 'offer.html', expected the template's name; did you mean 'offer'?")],
    ),
    "unknown-list": (A + "actions: [{add_to_list: custmers}]", [(3, 25, "mean 'customers'?")]),
    "dynamic-list": (A + "actions: [{add_to_list: hot}]", [(3, 25, "the list 'hot' is dynamic")]),
    "move-without-from": (
        A + "actions: [{move_to_list: {to: customers}}]",
        [(3, 26, "needs the key 'from'")],
    ),
    "subtract-negative": (A + "actions: [{subtract_points: -5}]", [(3, 29, "leave the sign out")]),
    "points-quoted": (A + 'actions: [{add_points: "5"}]', [(3, 24, "write it without quotes")]),
    "points-zero": (A + "actions: [{add_points: 0}]", [(3, 24, "points other than 0")]),
    "points-huge": (A + "actions: [{add_points: 10000000}]", [(3, 24, "between -1000000 and")]),
    "set-email": (A + "actions: [{set_attribute: {email: a@b.c}}]", [(3, 28, "cannot be set")]),
    "set-null": (A + "actions: [{set_attribute: {plan: }}]", [(3, 34, 'an empty text ""')]),
    "jinja-unquoted": (
        A + "actions: [{set_attribute: {plan: {{ event.plan }}}}]",
        [(3, 35, "put {{ }} into quotes")],
    ),
    "jinja-broken": (
        A + "actions: [{set_attribute: {plan: '{{ event.plan'}}]",
        [(3, 34, "which Jinja2 cannot read")],
    ),
    # scenarios
    "filters": (A + EXIT + "filters: []\n", [(4, 1, "did you mean 'conditions'?")]),
    "exit-criteria": (A + EXIT + "exit_criteria: {}\n", [(4, 1, "did you mean 'exit_when'?")]),
    "enabled-yes": (
        A + EXIT + "enabled: yes",
        [(4, 10, "found 'yes', expected true or false; did")],
    ),
    "reenroll-true": (A + EXIT + "reenroll: true", [(4, 11, "did you mean 'every_time'?")]),
    "reenroll-month": (A + EXIT + "reenroll: {after: 1 month}", [(4, 19, "no fixed length")]),
    "priority-word": (A + EXIT + "priority: high", [(4, 11, "found 'high', expected a number")]),
    "name-with-space": (
        "scenario: Win Back\ntrigger: manual\n" + EXIT,
        [(1, 11, "mean 'win-back'?")],
    ),
    "reenroll-missing": (
        "scenario: a\ntrigger: {inactive: 60 days}\n" + EXIT,
        [(2, 11, "the trigger 'inactive' comes again and again")],
    ),
    "reenroll-missing-cron": (
        "scenario: a\ntrigger: {schedule: {cron: '0 9 * * MON'}}\n" + EXIT,
        [(2, 11, "reenroll: never, when_finished, every_time")],
    ),
    "existing-without-state": (
        "scenario: a\ntrigger: {event: x}\nenroll_existing: true\n" + EXIT,
        [(3, 18, "needs a state, the trigger in line 2 is none")],
    ),
    # conditions
    "and": (A + EXIT + "conditions:\n  - and: []\n", [(5, 5, "did you mean 'all'?")]),
    "unknown-condition": (
        A + EXIT + "conditions: {xyzzy: 3}",
        [(4, 14, "known here: all, any, not, score, grade, stage, attribute, company")],
    ),
    "no-grade": (A + EXIT + "conditions: {grade: [A3]}", [(4, 21, "no grade is defined; add one")]),
    "two-in-one": (
        A + EXIT + "conditions:\n  - in_list: customers\n    inactive: 3 days\n",
        [(5, 5, "found 'in_list' and 'inactive' together")],
    ),
    "missing-colon": (
        A + EXIT + "conditions:\n  - in_list customers\n",
        [(5, 5, "write `in_list: …`")],
    ),
    "empty-any": (A + EXIT + "conditions: {any: []}", [(4, 19, "a list of conditions")]),
    "gte": (
        A + EXIT + "conditions: {attribute: {age: {gte: 18}}}",
        [(4, 32, "unknown key 'gte' in the tests of a value; did you mean 'at_least'?")],
    ),
    "eq": (A + EXIT + "conditions: {attribute: {plan: {eq: x}}}", [(4, 33, "did you mean 'is'?")]),
    "attribute-null": (
        A + EXIT + "conditions: {attribute: {plan: }}",
        [(4, 32, "for a missing value write {exists: false}")],
    ),
    "look-around": (
        A + EXIT + "conditions: {attribute: {job: {matches: '(?=x)'}}}",
        [(4, 41, "RE2 has no look-around")],
    ),
    "no-such-day": (
        A + EXIT + "conditions: {attribute: {due: {before: 2024-02-30}}}",
        [(4, 40, "a day that exists")],
    ),
    "span-for-date": (
        A + EXIT + "conditions: {attribute: {due: {after: 3 days}}}",
        [(4, 39, "for a span of time use within, older_than or ahead")],
    ),
    "unknown-band": (
        A + EXIT + "conditions: {score: {engagement: {at_least: hott}}}",
        [(4, 45, "found 'hott', expected a number or a band of 'engagement'; did you mean 'hot'?")],
    ),
    "unknown-score": (
        A + EXIT + "conditions: {score: {engagment: {at_least: 3}}}",
        [(4, 22, "there is no score 'engagment'; did you mean 'engagement'?")],
    ),
    "score-without-bound": (
        A + EXIT + "conditions: {score: {engagement: 50}}",
        [(4, 34, "write {at_least: 50}")],
    ),
    "unknown-consent": (A + EXIT + "conditions: {consent: nws}", [(4, 23, "did you mean 'news'?")]),
    "path-without-slash": (
        A + EXIT + "conditions: {page_visited: pricing}",
        [(4, 28, "did you mean '/pricing'?")],
    ),
    "within-missing": (
        A + EXIT + "conditions: {email_not_opened: offer}",
        [(4, 32, "`within` is required")],
    ),
    "times-zero": (
        A + EXIT + "conditions: {event: {name: x, times: 0}}",
        [(4, 38, "for never write {at_most: 0}")],
    ),
    # triggers
    "trigger-gte": (
        "scenario: a\ntrigger: {score: {engagement: {gte: 50}}}\n" + EXIT,
        [(2, 32, "did you mean 'reaches'?")],
    ),
    "trigger-at-most": (
        "scenario: a\ntrigger: {event: {name: x, times: {at_most: 3}}}\n" + EXIT,
        [(2, 35, "a trigger counts up")],
    ),
    "no-event-without-after": (
        "scenario: a\ntrigger: {no_event: {name: x, within: 2 hours}}\nreenroll: never\n" + EXIT,
        [(2, 21, "no_event needs the key 'after'")],
    ),
    "anchor-bare": (
        "scenario: a\nreenroll: never\n"
        "trigger: {no_event: {name: x, within: 2 hours, after: y}}\n" + EXIT,
        [(3, 55, "write {event: y}")],
    ),
    "cron-four-fields": (
        "scenario: a\nreenroll: never\ntrigger: {schedule: {cron: '0 9 * *'}}\n" + EXIT,
        [(3, 28, "five cron fields")],
    ),
    "cron-bad-minute": (
        "scenario: a\nreenroll: never\ntrigger: {schedule: {cron: '99 9 * * *'}}\n" + EXIT,
        [(3, 28, "cron cannot read: bad minute")],
    ),
    "zone-city": (
        "scenario: a\ntrigger: {schedule: {at: 2026-11-27 10:00, timezone: Madrid}}\n" + EXIT,
        [(2, 54, "did you mean 'Europe/Madrid'?")],
    ),
    "attribute-bare": (
        "scenario: a\ntrigger: {attribute: {country: ES}}\n" + EXIT,
        [(2, 32, "write {to: …}")],
    ),
    # scores
    "rule-without-on": (R + "  - {name: x, points: 5}", [(3, 5, "needs either on or when")]),
    "rule-name-missing": (R + "  - {points: 5, on: {event: x}}", [(3, 5, "needs the key 'name'")]),
    "twin-rules": (
        R + "  - {name: x, points: 5, on: {event: x}}\n  - {name: x, points: 1, on: {event: y}}",
        [(4, 5, "two rules are called 'x'; the first stands in line 3")],
    ),
    "own-score": (
        R + "  - {name: x, points: 5, when: {score: {fit: {at_least: 3}}}}",
        [(3, 41, "reads the score 'fit' that it changes")],
    ),
    "when-with-cap": (
        R + "  - {name: x, points: 5, when: {inactive: 3 days}, cap: {times: 1}}",
        [(3, 52, "a `when` rule has no cap")],
    ),
    "sensitive": (
        R + "  - name: x\n    points: 5\n    when: {attribute: {gender: f}}",
        [(5, 24, "'gender', a sensitive attribute; say beside `points`")],
    ),
    "sensitive-word-in-name": (
        R + "  - {name: x, points: 5, on: {attribute: {dateOfBirth: {}}}}",
        [(3, 31, "'dateOfBirth', a sensitive attribute")],
    ),
    "decay": (
        S + "decay: 90 days\nrules: [{name: x, points: 5, on: {event: x}}]",
        [(2, 8, "how? {half_life: 90 days}, {linear: 90 days} or {expire: 90 days}")],
    ),
    "range-upside-down": (
        S + "range: {min: 10, max: 5}\nrules: [{name: x, points: 5, on: {event: x}}]",
        [(2, 8, "found min 10 not below max 5")],
    ),
    "cap-of-both": (
        R + "  - {name: x, points: 5, on: {event: x}, cap: {times: 1, points: 3}}",
        [(3, 47, "either times or points")],
    ),
    "bands-equal": (
        S + "bands: {a: 1, b: 1}\nrules: [{name: x, points: 5, on: {event: x}}]",
        [(2, 18, "the bands 'a' and 'b' begin at the same number")],
    ),
    # kinds and files
    "segment": ("segment: a", [(1, 1, "did you mean 'list'?")]),
    "no-kind": ("foo: bar", [(1, 1, "it needs one of scenario, score, grade, lifecycle, list")]),
    "grade": (
        "grade: g",
        [(1, 1, "a grade needs the key 'engagement'"), (1, 1, "a grade needs the key 'fit'")],
    ),
    "two-kinds": ("list: a\nscenario: b", [(2, 1, "found 'list' and 'scenario' in one document")]),
    "twin-names": ("list: hot", [(1, 1, "there is a list 'hot' already")]),
    "second-policy": ("policy: p", [(1, 1, "found a second policy")]),
    "members-empty": ("list: a\nmembers:\n", [(2, 9, "found nothing, expected a condition")]),
    "duplicate-key": (
        A + EXIT + "description: one\ndescription: two\n",
        [(5, 1, "the key 'description' stands twice; it stands first in line 4")],
    ),
    "merge-key": (A + EXIT + "<<: {priority: 3}", [(4, 1, "merge keys (<<) are not read")]),
    "tab": (A + "actions:\n\t- exit: x\n", [(4, 1, "found a tab as indentation")]),
    "colon-in-text": (A + EXIT + "description: one: two", [(4, 17, "text that holds a colon")]),
    "quote-open": (A + EXIT + "description: 'one\n", [(4, 14, "close the quotes that open here")]),
    "bracket-open": (A + "actions: [{exit: x}\nenabled: true\n", [(4, 1, "it opens in line 3")]),
    "tag": (A + EXIT + "description: !env X", [(4, 14, "found the tag '!env'")]),
    "merge-conflict": (
        "<<<<<<< HEAD\nlist: a\n=======\nlist: b\n>>>>>>> other\n",
        [(1, 1, "found '<<<<<<<', what a merge left over; keep one")],
    ),
    "other-tool": (
        "scenario: a\nwhen: manual\nsteps: [{exit: a}]\n",
        [(2, 1, "did you mean 'trigger'?"), (3, 1, "did you mean 'actions'?")],
    ),
    "name-missing": ("list:\nmembers: {inactive: 1 day}", [(1, 6, "a name in small letters")]),
    "daily": (
        R + "  - {name: x, points: 5, on: {event: x}, cap: {times: 1, per: daily}}",
        [(3, 63, "did you mean '1 day'?")],
    ),
    "star": (A + EXIT + "conditions: {page_visited: */x}", [(4, 29, "begins with '*' or '&'")]),
    "backslash": (A + EXIT + 'description: "a\\|b"', [(4, 16, "use single quotes")]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_find_a_mistake_at_its_place(name, load) -> None:
    text, expected = MISTAKES[name]
    problems = [one for one in load(text)[1] if one.severity == "error"]
    assert [(p.mark.file, p.mark.line, p.mark.column) for p in problems] == [
        ("scenarios/x.yaml", line, column) for line, column, _ in expected
    ]
    for problem, (_, _, words) in zip(problems, expected, strict=True):
        assert words in f"{problem.message}; {problem.hint}"
