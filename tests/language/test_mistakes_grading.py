"""Realistic mistakes about fading, grades and the lifecycle, of people who know other tools."""

from __future__ import annotations

import pytest

WORLD = """\
policy: default
sender: {name: Acme, address: hello@acme.example}
topics: [news, offers]
---
score: engagement
range: {min: 0, max: 100}
rules: [{name: cart, points: 10, on: {event: cart_updated}}]
bands: {hot: 80, interested: 50}
---
score: fit
rules: [{name: size, points: 25, on: {event: size_told}}]
bands: {ideal: 75}
---
list: customers
---
grade: lead-grade
fit: {score: fit, A: 75, B: 50, C: 25}
engagement: {score: engagement, 4: 75, 3: 50, 2: 25}
"""
FUNNEL = """\
---
lifecycle: buyer
stages:
  - lead
  - {stage: mql, when: {grade: {lead-grade: [A4, A3]}}, retreat: true}
  - {stage: sql, when: {score: {fit: {at_least: ideal}}}}
  - customer
---
scenario: orders
trigger: {event: order_completed}
actions: [{set_stage: customer}, {add_to_list: customers}, {send_email: offer}]
"""

RULES = "rules: [{name: a, points: 5, on: {event: a}}]\n"


def fading(decay: str) -> str:
    """A score that fades like this, in line 2."""
    return f"score: s\ndecay: {decay}\n{RULES}"


def rule(keys: str) -> str:
    """A score whose only rule has these keys too, in line 2."""
    return f"score: s\nrules: [{{name: a, points: 5, on: {{event: a}}, {keys}}}]\n"


def fit(labels: str) -> str:
    """A grade with that fit, in line 2."""
    return f"grade: g\nfit: {labels}\nengagement: {{score: engagement, 4: 75, 3: 50, 2: 25}}\n"


def active(labels: str) -> str:
    """A grade with that engagement, in line 2."""
    return f"grade: g\nengagement: {labels}\nfit: {{score: fit, A: 75, B: 50, C: 25}}\n"


def graded(more: str) -> str:
    """A grade with more in line 4."""
    return fit("{score: fit, A: 75, B: 50, C: 25}") + more + "\n"


def funnel(stages: str) -> str:
    """A lifecycle with these stages, in line 2."""
    return f"lifecycle: b\nstages: {stages}\n"


def among(condition: str) -> str:
    """A list with that condition, in line 2."""
    return f"list: l\nmembers: {condition}\n"


def on(trigger: str) -> str:
    """A scenario with that trigger, in line 2."""
    return f"scenario: a\ntrigger: {trigger}\nreenroll: never\nactions: [{{exit: x}}]\n"


def do(step: str) -> str:
    """A scenario with that step, in line 4."""
    return f"scenario: a\ntrigger: {{event: x}}\nactions:\n  - {step}\n"


# What is written, then for each mistake: line, column, and words of what is said.
MISTAKES: dict[str, tuple[str, list[tuple[int, int, str]]]] = {
    # how points fade
    "decay-duration": (
        fading("90 days"),
        [(2, 8, "how? {half_life: 90 days}, {linear: 90 days} or {expire: 90")],
    ),
    "decay-percent": (fading("15%"), [(2, 8, "write {step: {lose: 15%, every: 30 days}}")]),
    "decay-true": (
        fading("true"),
        [(2, 8, "how? {half_life: 30 days}, {linear: 90 days}, {expire: 90")],
    ),
    "decay-false": (fading("false"), [(2, 8, "write `decay: none`, or leave it out")]),
    "decay-empty": (fading(""), [(2, 7, "write `decay: none`, or leave it out")]),
    "decay-word": (
        fading("linear"),
        [(2, 8, "how? {half_life: 30 days}, {linear: 90 days}, {expire: 90")],
    ),
    "decay-list": (
        fading("[linear]"),
        [(2, 8, "how? {half_life: 30 days}, {linear: 90 days}, {expire: 90")],
    ),
    "decay-nothing": (
        fading("{}"),
        [(2, 8, "how? {half_life: 30 days}, {linear: 90 days}, {expire: 90")],
    ),
    "decay-two": (
        fading("{linear: 90 days, expire: 120 days}"),
        [(2, 8, "points fade in one way: keep one of them")],
    ),
    "decay-expire-after": (fading("{expire_after: 30 days}"), [(2, 9, "did you mean 'expire'?")]),
    "decay-exponential": (fading("{exponential: 30 days}"), [(2, 9, "did you mean 'half_life'?")]),
    "decay-halflife": (fading("{halflife: 30 days}"), [(2, 9, "did you mean 'half_life'?")]),
    "decay-ttl": (fading("{ttl: 30 days}"), [(2, 9, "did you mean 'expire'?")]),
    "decay-no-unit": (fading("{half_life: 30}"), [(2, 20, "which unit? for example '30 days'")]),
    "decay-month": (
        fading("{half_life: 1 month}"),
        [(2, 20, "a month has no fixed length: write '30 days'")],
    ),
    "decay-quarterly": (
        fading("{linear: quarterly}"),
        [(2, 17, "a quarter has no fixed length: write '91 days'")],
    ),
    "decay-zero": (
        fading("{linear: 0 days}"),
        [(2, 17, "found '0 days', expected a duration above zero")],
    ),
    "decay-negative": (fading("{expire: -3 days}"), [(2, 17, "a duration has no sign here")]),
    "decay-in-numbers": (
        fading("{expire: 1.5 days}"),
        [(2, 17, "only whole numbers: take a smaller unit")],
    ),
    "decay-unwrapped": (
        fading("{lose: 15%, every: 45 days}"),
        [(2, 8, "write {step: {lose: 15%, every: 45 days}}")],
    ),
    "decay-rate": ("score: s\ndecay_rate: 15%\n" + RULES, [(2, 1, "did you mean 'decay'?")]),
    "score-degrades": (
        "score: s\ndegrade: {half_life: 30 days}\n" + RULES,
        [(2, 1, "did you mean 'decay'?")],
    ),
    "score-expires": ("score: s\nexpiration: 90 days\n" + RULES, [(2, 1, "did you mean 'decay'?")]),
    "step-number": (fading("{step: {lose: 15, every: 45 days}}"), [(2, 22, "did you mean '15%'?")]),
    "step-fraction": (
        fading("{step: {lose: 0.15, every: 45 days}}"),
        [(2, 22, "did you mean '15%'?")],
    ),
    "step-all-and-more": (
        fading("{step: {lose: 150%, every: 45 days}}"),
        [(2, 22, "found '150%', expected a share of at most 100%")],
    ),
    "step-nothing": (
        fading("{step: {lose: 0%, every: 45 days}}"),
        [(2, 22, "for points that stay write `decay: none`")],
    ),
    "step-other-words": (
        fading("{step: {percent: 15%, interval: 45 days}}"),
        [(2, 16, "did you mean 'lose'?"), (2, 30, "did you mean 'every'?")],
    ),
    "step-bare": (fading("{step: 15%}"), [(2, 15, "{lose: 15%, every: 45 days}")]),
    "step-once": (
        fading("{step: {lose: 15%}}"),
        [(2, 15, "add `every: …`, each time so long has passed")],
    ),
    "step-monthly": (
        fading("{step: {lose: 15%, every: monthly}}"),
        [(2, 34, "a month has no fixed length: write '30 days'")],
    ),
    "idle-duration": (
        fading("{idle: 60 days}"),
        [(2, 15, "{after: 60 days, reset: true}, or {after: 30 days, lose: 10,")],
    ),
    "idle-and-then": (
        fading("{idle: {after: 60 days}}"),
        [(2, 15, "{after: 30 days, lose: 10, every: 7 days}, or {after: 60")],
    ),
    "idle-once": (
        fading("{idle: {after: 60 days, lose: 10}}"),
        [(2, 15, "{after: 30 days, lose: 10, every: 7 days}, or {after: 60")],
    ),
    "idle-share": (
        fading("{idle: {after: 60 days, lose: 10%, every: 7 days}}"),
        [(2, 38, "a share is lost by a step: {step: {lose: 15%, every: 45 days}}")],
    ),
    "idle-negative": (
        fading("{idle: {after: 60 days, lose: -10, every: 7 days}}"),
        [(2, 38, "leave the sign out: `lose` says it")],
    ),
    "idle-nothing": (
        fading("{idle: {after: 60 days, lose: 0, every: 7 days}}"),
        [(2, 38, "found 0, expected points other than 0")],
    ),
    "idle-both": (
        fading("{idle: {after: 60 days, reset: true, lose: 10}}"),
        [(2, 45, "keep one of the two")],
    ),
    "idle-no-after": (
        fading("{idle: {lose: 10, every: 7 days}}"),
        [(2, 15, "add `after: …`, so long without behaviour")],
    ),
    "idle-inactivity": (
        fading("{inactivity: {after: 60 days, reset: true}}"),
        [(2, 9, "did you mean 'idle'?")],
    ),
    "idle-reset-yes": (
        fading("{idle: {after: 60 days, reset: yes}}"),
        [(2, 39, "did you mean 'true'?")],
    ),
    "idle-no-reset": (
        fading("{idle: {after: 60 days, reset: false}}"),
        [(2, 15, "{after: 30 days, lose: 10, every: 7 days}, or {after: 60")],
    ),
    "idle-to-zero": (
        fading("{idle: {after: 60 days, reset_to_zero: true}}"),
        [(2, 32, "did you mean 'reset'?")],
    ),
    "rule-idle": (
        rule("decay: {idle: {after: 3 days, reset: true}}"),
        [(2, 54, "the score as a whole is idle: put it under the score's own")],
    ),
    "rule-duration": (
        rule("decay: 90 days"),
        [(2, 53, "how? {half_life: 90 days}, {linear: 90 days} or {expire: 90")],
    ),
    "rule-expires": (rule("expire_after: 90 days"), [(2, 46, "did you mean 'decay'?")]),
    "rule-beside-idle": (
        fading("{idle: {after: 3 days, reset: true}}").replace(
            "a}}", "a}, decay: {linear: 9 days}}"
        ),
        [(3, 54, "keep one of the two")],
    ),
    "rule-none-beside-idle": (
        fading("{idle: {after: 3 days, reset: true}}").replace("a}}", "a}, decay: none}"),
        [(3, 46, "keep one of the two")],
    ),
    "when-fades": (
        "score: s\nrules: [{name: a, points: 5, when: {inactive: 1 day}, decay: {linear: 9 days}}]",
        [(2, 55, "take the decay out")],
    ),
    "when-stays": (
        "score: s\nrules: [{name: a, points: 5, when: {in_list: customers}, decay: none}]\n",
        [(2, 58, "take the decay out")],
    ),
    "decay-forgotten": (
        "score: s\nhalf_life: 30 days\n" + RULES,
        [(2, 1, "write `decay: {half_life: 30 days}`")],
    ),
    "decay-forgotten-in-rule": (
        rule("step: {lose: 15%, every: 1 day}"),
        [(2, 46, "write `decay: {step: {lose: 15%, every: 45 days}}`")],
    ),
    "decay-every-in-score": (
        "score: s\ndecay_every: 1 hour\n" + RULES,
        [(2, 1, "it stands in the policy")],
    ),
    "decay-in-policy": (
        "policy: p\ndecay: {half_life: 3 days}\n",
        [
            (1, 1, "found a second policy"),
            (2, 1, "each score says how its points fade; here stands how often"),
        ],
    ),
    # scale, of
    "scale-without-range": (
        "score: s\nscale: 1-10\n" + RULES,
        [(2, 1, "add `range: {min: 0, max: 100}`, so that both ends are known")],
    ),
    "scale-half-a-range": (
        "score: s\nscale: 1-10\nrange: {max: 100}\n" + RULES,
        [(2, 1, "add `range: {min: 0, max: 100}`, so that both ends are known")],
    ),
    "scale-from-0": (
        "score: s\nscale: 0-100\nrange: {min: 0, max: 9}\n" + RULES,
        [(2, 8, "did you mean '1-100'?")],
    ),
    "scale-number": (
        "score: s\nscale: 10\nrange: {min: 0, max: 9}\n" + RULES,
        [(2, 8, "did you mean '1-10'?")],
    ),
    "scale-list": (
        "score: s\nscale: [1, 10]\nrange: {min: 0, max: 9}\n" + RULES,
        [(2, 8, "did you mean '1-10'?")],
    ),
    "scale-stars": (
        "score: s\nscale: 1-5\nrange: {min: 0, max: 9}\n" + RULES,
        [(2, 8, "found '1-5', expected 1-10, 1-100")],
    ),
    "scale-normalize": (
        "score: s\nnormalize: 1-10\nrange: {min: 0, max: 9}\n" + RULES,
        [(2, 1, "did you mean 'scale'?")],
    ),
    "of-account": ("score: s\nof: account\n" + RULES, [(2, 5, "did you mean 'company'?")]),
    "of-lead": (
        "score: s\nof: deal\n" + RULES,
        [(2, 5, "found 'deal', expected contact, company")],
    ),
    "of-level": ("score: s\nlevel: company\n" + RULES, [(2, 1, "did you mean 'of'?")]),
    "of-company-when": (
        "score: s\nof: company\nrules: [{name: a, points: 5, when: {in_list: customers}}]\n",
        [(3, 37, "a company's score counts what its people do: use `on`")],
    ),
    "of-company-idle": (
        "score: s\nof: company\ndecay: {idle: {after: 3 days, reset: true}}\n" + RULES,
        [(3, 9, "take half_life, linear, expire or step")],
    ),
    # grades
    "grade-text": (
        fit("fit"),
        [(2, 6, "found 'fit', expected a score and labels with points, such as")],
    ),
    "grade-no-such-score": (
        fit("{score: fitt, A: 75, B: 50, C: 25}"),
        [(2, 14, "did you mean 'fit'?")],
    ),
    "grade-no-score": (
        fit("{A: 75, B: 50, C: 25}"),
        [(2, 6, "add `score: …`, the score; its labels stand beside it")],
    ),
    "grade-no-labels": (fit("{score: fit}"), [(2, 6, "add them: A: 75, B: 50, C: 25")]),
    "grade-upside-down": (
        fit("{score: fit, A: 25, B: 50, C: 75}"),
        [(2, 6, "the earlier the letter, the higher its number: A > B > C")],
    ),
    "grade-two-letters": (
        fit("{score: fit, A: 75, B: 50}"),
        [(2, 6, "write `B: below`, or add a label with `below`")],
    ),
    "grade-d-at-zero": (
        fit("{score: fit, A: 75, B: 50, C: 25, D: 0}"),
        [(2, 6, "write `D: below`, or add a label with `below`")],
    ),
    "grade-twin-numbers": (
        fit("{score: fit, A: 75, B: 75, C: 25}"),
        [(2, 29, "each needs a number of its own")],
    ),
    "grade-plus": (
        fit("{score: fit, A: 75+, B: 50, C: 25}"),
        [(2, 22, "there are: ideal; or give the score `bands`, or write a number")],
    ),
    "grade-interval": (
        fit("{score: fit, A: [75, 100], B: 50, C: 25}"),
        [(2, 22, "found a list, expected a number of points, a band, or below")],
    ),
    "grade-bounds": (
        fit("{score: fit, A: {at_least: 75}, B: 50, C: 25}"),
        [(2, 22, "found a mapping (at_least), expected a number of points, a")],
    ),
    "grade-others-band": (
        fit("{score: fit, A: hot, B: 50, C: 25}"),
        [(2, 22, "there are: ideal; or give the score `bands`, or write a number")],
    ),
    "grade-band-misspelt": (
        fit("{score: fit, A: idel, B: 50, C: 25}"),
        [(2, 22, "did you mean 'ideal'?")],
    ),
    "grade-key-misspelt": (
        fit("{score: fit, scroe: x, A: 75, B: 50, C: 25}"),
        [(2, 19, "did you mean 'score'?")],
    ),
    "grade-two-below": (
        fit("{score: fit, ideal: below, good: below}"),
        [(2, 39, "give one of them a number")],
    ),
    "grade-one-label": (fit("{score: fit, good: below}"), [(2, 6, "good: 50, poor: below")]),
    "grade-spaced-label": (
        fit("{score: fit, very good: 50, bad: below}"),
        [(2, 19, "it becomes part of the cell's name")],
    ),
    "grade-axis-on-fit": (
        fit("{score: fit, axis: descending, A: 75, B: 50, C: 25}"),
        [(2, 19, "it stands inside `engagement`; letters keep their order")],
    ),
    "grade-letter-below": (
        fit("{score: fit, A: below, B: 50, C: 25}"),
        [(2, 6, "the earlier the letter, the higher its number: A > B > C")],
    ),
    "grade-same-score": (
        fit("{score: engagement, A: 75, B: 50, C: 25}"),
        [(3, 14, "a grade sets one score against another; for one score alone")],
    ),
    "grade-all-of-a-side": (
        fit("{score: fitness, A: 25, B: 50, C: 75}"),
        [
            (2, 6, "the earlier the letter, the higher its number"),
            (2, 14, "there is no score 'fitness'"),
        ],
    ),
    "grade-1-is-best": (
        active("{score: engagement, 1: 75, 2: 50, 3: 25}"),
        [(2, 13, "for 1 as the most active add `axis: descending`")],
    ),
    "grade-shuffled": (
        active("{score: engagement, 4: 75, 3: 25, 2: 50}"),
        [(2, 13, "the higher the label, the higher its number")],
    ),
    "grade-words-turned": (
        active("{score: engagement, axis: descending, hot: 75, cold: below}"),
        [(2, 33, "take it out: words stand by their points")],
    ),
    "grade-desc": (
        active("{score: engagement, axis: desc, 4: 75, 3: 50, 2: 25}"),
        [(2, 39, "did you mean 'descending'?")],
    ),
    "grade-direction": (
        active("{score: engagement, direction: descending, 4: 75, 3: 50, 2: 25}"),
        [(2, 33, "did you mean 'axis'?")],
    ),
    "grade-turned-shuffled": (
        active("{score: engagement, axis: descending, 1: 75, 2: 25, 3: 50}"),
        [(2, 13, "write 1: 75, 2: 50, 3: 25")],
    ),
    "grade-own-words-open": (
        active("{score: engagement, hot: 75, warm: 25}"),
        [(2, 13, "write `warm: below`, or add a label with `below`")],
    ),
    "grade-green-unknown": (
        graded("green: [A4, A5]"),
        [(4, 13, "there are: A4, A3, A2, A1, B4, B3, B2, B1, C4, C3, C2, C1,")],
    ),
    "grade-green-turned": (
        graded("green: [4A]"),
        [(4, 9, "the fit stands first: did you mean 'A4'?")],
    ),
    "grade-green-row": (
        graded("green: A"),
        [(4, 8, "a cell names fit and engagement: write [A4, A3, A2, A1]")],
    ),
    "grade-axis-outside": (
        graded("axis: descending"),
        [(4, 1, "it belongs inside: engagement: {…, axis: …}")],
    ),
    "grade-highlight": (graded("highlight: [A4]"), [(4, 1, "did you mean 'green'?")]),
    "grade-other-sides": (
        "grade: g\nprofile: {score: fit, A: 75, B: 50, C: 25}\nactivity: {score: engagement}\n",
        [(2, 1, "did you mean 'fit'?"), (3, 1, "did you mean 'engagement'?")],
    ),
    "grade-matrix": ("matrix: g\n", [(1, 1, "did you mean 'grade'?")]),
    # cells in conditions and triggers
    "cell-unknown": (
        among("{grade: A5}"),
        [(2, 18, "there are: A4, A3, A2, A1, B4, B3, B2, B1, C4, C3, C2, C1,")],
    ),
    "cell-column": (
        among("{grade: 4}"),
        [(2, 18, "a cell names fit and engagement: write [A4, B4, C4, D4]")],
    ),
    "cell-row": (
        among("{grade: [A, B4]}"),
        [(2, 19, "a cell names fit and engagement: write [A4, A3, A2, A1]")],
    ),
    "cell-small": (among("{grade: a4}"), [(2, 18, "did you mean 'A4'?")]),
    "cell-true": (
        among("{grade: [A4, true]}"),
        [(2, 23, "found true, expected the name of a cell, such as A4")],
    ),
    "cell-nothing": (
        among("{grade: }"),
        [(2, 18, "found nothing, expected a cell or a list of cells, such as")],
    ),
    "grade-at-least": (
        among("{grade: {at_least: A3}}"),
        [(2, 19, "name the cells: `grade: [A4, A3]`; what must not hold goes")],
    ),
    "grade-is": (
        among("{grade: {is: A4}}"),
        [(2, 19, "name the cells: `grade: [A4, A3]`; what must not hold goes")],
    ),
    "grade-unknown": (among("{grade: {lead-grad: [A4]}}"), [(2, 19, "did you mean 'lead-grade'?")]),
    "grade-asked-enters": (
        among("{grade: {enters: A4}}"),
        [(2, 19, "ask where the contact stands: `grade: [A4, A3]`")],
    ),
    "grade-named-enters": (
        among("{grade: {lead-grade: {enters: A4}}}"),
        [(2, 31, "ask where the contact stands: `grade: [A4, A3]`")],
    ),
    "grade-rating": (among("{rating: A4}"), [(2, 11, "did you mean 'grade'?")]),
    "enters-bare": (on("{grade: A4}"), [(2, 18, "write {enters: A4}")]),
    "enters-list": (on("{grade: [A4]}"), [(2, 18, "write the cells behind `enters`")]),
    "enters-unknown": (
        on("{grade: {enters: A9}}"),
        [(2, 27, "there are: A4, A3, A2, A1, B4, B3, B2, B1, C4, C3, C2, C1,")],
    ),
    "enters-leaves": (
        on("{grade: {leaves: A4}}"),
        [(2, 19, "name the cells that are entered instead: `enters`")],
    ),
    "enters-reaches": (on("{grade: {reaches: A4}}"), [(2, 19, "did you mean 'enters'?")]),
    "enters-at-least": (
        on("{grade: {at_least: A4}}"),
        [(2, 19, "a trigger is a moment: write `enters` with the cells")],
    ),
    "enters-named-bare": (on("{grade: {lead-grade: A4}}"), [(2, 31, "write {enters: A4}")]),
    "enters-two": (
        on("{grade: {lead-grade: {enters: A4}, x: {enters: A1}}}"),
        [(2, 18, "write a list of triggers")],
    ),
    "enters-empty": (
        on("{grade: {lead-grade: {}}}"),
        [(2, 31, "add `enters: …`, when the contact comes into one of these")],
    ),
    # stages in conditions, triggers, actions
    "stage-big": (among("{stage: MQL}"), [(2, 18, "did you mean 'mql'?")]),
    "stage-unknown": (
        among("{stage: [sql, lost]}"),
        [(2, 24, "the stages are: lead, mql, sql, customer")],
    ),
    "stage-misspelt": (among("{stage: custommer}"), [(2, 18, "did you mean 'customer'?")]),
    "stage-at-most": (
        among("{stage: {at_most: mql}}"),
        [(2, 19, "write the stages: [a, b], or turn it round: `not: {stage:")],
    ),
    "stage-is": (among("{stage: {is: mql}}"), [(2, 19, "write the stages alone: `stage: [a, b]`")]),
    "stage-is-not": (among("{stage: {is_not: mql}}"), [(2, 19, "write `not: {stage: NAME}`")]),
    "stage-gte": (among("{stage: {gte: mql}}"), [(2, 19, "did you mean 'at_least'?")]),
    "stage-at-least-list": (
        among("{stage: {at_least: [mql, sql]}}"),
        [(2, 29, "found a list, expected a text")],
    ),
    "stage-asked-enters": (
        among("{stage: {enters: sql}}"),
        [(2, 19, "a moment is for a trigger: ask where the contact stands,")],
    ),
    "stage-nothing": (
        among("{stage: {}}"),
        [(2, 18, "found an empty {}, expected a stage, a list of stages, or")],
    ),
    "stage-lifecycle": (among("{lifecycle_stage: sql}"), [(2, 11, "did you mean 'stage'?")]),
    "stage-lead-status": (among("{lead_status: sql}"), [(2, 11, "did you mean 'stage'?")]),
    "stage-trigger-bare": (on("{stage: sql}"), [(2, 18, "write {enters: sql}")]),
    "stage-trigger-unknown": (
        on("{stage: {enters: won}}"),
        [(2, 27, "the stages are: lead, mql, sql, customer")],
    ),
    "stage-trigger-to": (on("{stage: {to: sql}}"), [(2, 19, "did you mean 'enters'?")]),
    "stage-trigger-from": (
        on("{stage: {from: mql, enters: sql}}"),
        [(2, 19, "name the stage entered, `enters`; the one before:")],
    ),
    "stage-trigger-at-least": (
        on("{stage: {at_least: sql}}"),
        [(2, 19, "a trigger is a moment: write `enters` with the stages")],
    ),
    "stage-trigger-changed": (on("{stage_changed: {to: sql}}"), [(2, 11, "did you mean 'stage'?")]),
    "stage-trigger-leaves": (
        on("{stage: {leaves: lead}}"),
        [(2, 19, "name the stages that are entered instead: `enters`")],
    ),
    "stage-at-top": (
        "scenario: a\nstage: sql\nactions: [{exit: x}]\n",
        [(2, 1, "put it under `trigger` or `conditions`")],
    ),
    "set-unknown": (do("set_stage: won"), [(4, 16, "the stages are: lead, mql, sql, customer")]),
    "set-several": (
        do("set_stage: [mql, sql]"),
        [(4, 16, "a contact is in one stage: name that one")],
    ),
    "set-to": (do("set_stage: {to: sql}"), [(4, 17, "did you mean 'stage'?")]),
    "set-force": (do("set_stage: {stage: lead, force: true}"), [(4, 30, "did you mean 'back'?")]),
    "set-back-yes": (do("set_stage: {stage: lead, back: yes}"), [(4, 36, "did you mean 'true'?")]),
    "set-nothing": (do("set_stage: "), [(4, 15, "found nothing, expected a text")]),
    "set-back-alone": (do("set_stage: {back: true}"), [(4, 16, "add `stage: …`, the stage")]),
    "set-forgotten": (do("stage: sql"), [(4, 5, "did you mean 'set_stage'?")]),
    "set-status": (do("set_status: sql"), [(4, 5, "did you mean 'set_stage'?")]),
    "set-promote": (do("promote: sql"), [(4, 5, "did you mean 'set_stage'?")]),
    "set-lifecycle-stage": (do("set_lifecycle_stage: sql"), [(4, 5, "did you mean 'set_stage'?")]),
    "this-event-of-a-grade": (
        on("{grade: {enters: A4}}").replace(
            "exit: x", "if: {this_event: {from: lead}}, then: [{exit: x}]"
        ),
        [(4, 17, "event, page_visited, email_… and changes have one; score,")],
    ),
    "existing-stage-and-event": (
        on("[{stage: {enters: sql}}, {event: a}]") + "enroll_existing: true\n",
        [(5, 18, "states: score with reaches or falls_to, grade, stage,")],
    ),
    "second-lifecycle": (
        "lifecycle: other\nstages: [a]\n",
        [(1, 1, "a project has one; the first stands at")],
    ),
    "no-lifecycle-asked": (
        among("{stage: sql}"),
        [(2, 18, "add one: `lifecycle: NAME` with `stages`")],
    ),
    "no-lifecycle-set": (
        do("set_stage: sql"),
        [(4, 16, "add one: `lifecycle: NAME` with `stages`")],
    ),
    # the lifecycle
    "funnel-twins": (
        funnel("[lead, {stage: mql, when: {in_list: customers}}, mql]"),
        [(2, 58, "the first stands in line 2")],
    ),
    "funnel-first-when": (
        funnel("[{stage: lead, when: {in_list: customers}}, mql]"),
        [(2, 24, "write its name alone; what qualifies belongs to the next stage")],
    ),
    "funnel-first-retreat": (
        funnel("[{stage: lead, retreat: true}, mql]"),
        [(2, 24, "write its name alone; what qualifies belongs to the next stage")],
    ),
    "funnel-bare-retreat": (
        funnel("[lead, {stage: mql, retreat: true}]"),
        [(2, 29, "add `when: …`, or take `retreat` out; steps take a contact")],
    ),
    "funnel-reads-stage": (
        funnel("[lead, {stage: mql, when: {stage: lead}}]"),
        [(2, 36, "a contact moves forward by itself: name only what qualifies")],
    ),
    "funnel-reads-stage-deep": (
        funnel(
            "[lead, {stage: mql, when: [{any: [{stage: {at_least: lead}}, {in_list: customers}]}]}]"
        ),
        [(2, 44, "a contact moves forward by itself: name only what qualifies")],
    ),
    "funnel-name-as-key": (
        funnel("[lead, {mql: {when: {in_list: customers}}}]"),
        [(2, 16, "write {stage: mql, when: …}")],
    ),
    "funnel-big": (
        funnel("[lead, {stage: MQL, when: {in_list: customers}}]"),
        [(2, 24, "did you mean 'mql'?")],
    ),
    "funnel-mapping": (
        funnel("{lead: , mql: {in_list: customers}}"),
        [(2, 9, "write each on a line, behind '- '")],
    ),
    "funnel-text": (funnel("lead, mql, sql"), [(2, 9, "write each on a line, behind '- '")]),
    "funnel-empty": (funnel("[]"), [(2, 9, "write each on a line, behind '- '")]),
    "funnel-criteria": (
        funnel("[lead, {name: mql, criteria: {in_list: customers}}]"),
        [(2, 17, "did you mean 'stage'?"), (2, 28, "did you mean 'when'?")],
    ),
    "funnel-demote": (
        funnel("[lead, {stage: mql, conditions: {in_list: customers}, demote: true}]"),
        [(2, 29, "did you mean 'when'?"), (2, 63, "did you mean 'retreat'?")],
    ),
    "funnel-wrong-inside": (
        funnel("[lead, {stage: mql, when: {grade: A9}, retreat: sometimes}]"),
        [
            (2, 43, "there are: A4, A3, A2, A1, B4, B3, B2, B1, C4, C3, C2, C1,"),
            (2, 57, "found 'sometimes', expected true or false"),
        ],
    ),
    "funnel-all-at-once": (
        funnel("[lead, {stage: sql, when: {stage: lead}}, {stage: mql, retreat: true}, lead]"),
        [
            (2, 36, "a stage's `when` cannot read the stage"),
            (2, 64, "add `when: …`, or take `retreat` out"),
            (2, 80, "two stages are called 'lead'"),
        ],
    ),
    "funnel-this-event": (
        funnel("[lead, {stage: mql, when: {this_event: {a: 1}}}]"),
        [(2, 36, "use `event` with `where`")],
    ),
    "funnel-since": (
        funnel("[lead, {stage: mql, when: {event: {name: x, since: entered}}}]"),
        [(2, 53, "write `within: 30 days`")],
    ),
    "funnel-phases": ("lifecycle: b\nphases: [lead]\n", [(2, 1, "did you mean 'stages'?")]),
    "funnel-pipeline": (
        "pipeline: b\nstages: [lead, mql]\n",
        [(1, 1, "did you mean 'lifecycle'?")],
    ),
}


def without_a_lifecycle(name: str) -> bool:
    """Whether the mistake is made where no lifecycle is there yet."""
    return name.startswith(("funnel-", "no-lifecycle-"))


@pytest.mark.parametrize("name", MISTAKES)
def test_find_a_mistake_at_its_place(name, load) -> None:
    text, expected = MISTAKES[name]
    base = WORLD if without_a_lifecycle(name) else WORLD + FUNNEL
    problems = [p for p in load(text, {"scenarios/base.yaml": base})[1] if p.severity == "error"]
    assert [(p.mark.file, p.mark.line, p.mark.column) for p in problems] == [
        ("scenarios/x.yaml", line, column) for line, column, _ in expected
    ]
    for problem, (_, _, words) in zip(problems, expected, strict=True):
        assert words in f"{problem.message}; {problem.hint}"


def test_the_world_of_the_mistakes_is_clean(load) -> None:
    text = "list: x\nmembers: [{stage: lead}, {not: {in_list: customers}}]\n"
    assert load(text, {"scenarios/base.yaml": WORLD + FUNNEL})[1] == []
