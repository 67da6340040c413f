"""Reads a project's YAML text into the records of `model`, refusing what this reading lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import yaml

from .model import EventFilter, Goal, Policy, Project, Rule, Scenario, Score, Trigger, Window
from .values import Plain, as_list, duration, plain_path, share, slug


class PlainLoader(yaml.SafeLoader):
    """YAML 1.2 core as a person expects it: dates, `on`, `NO`, 09:00 and 007 stay text."""


PlainLoader.yaml_implicit_resolvers = {}
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf")
)
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(null|~|)$"), ["n", "~", ""]
)
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^-?(0|[1-9][0-9]*)$"), list("-0123456789")
)
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^-?(0|[1-9][0-9]*)\.[0-9]+$"),
    list("-0123456789"),
)


def read_yaml(text: str) -> list[Plain]:
    """The documents of one file."""
    return [d for d in yaml.load_all(text, Loader=PlainLoader) if d is not None]


def known(mapping: Mapping[str, Plain], *keys: str) -> None:
    """Refuse keys that this reading does not cover, by name."""
    for key in mapping:
        if key not in keys:
            raise NotImplementedError(key)


# Definitions


def read_project(
    files: Mapping[str, str], templates: Mapping[str, str], version: int = 0
) -> Project:
    """A project from the texts of its scenario files and templates."""
    project = Project()
    for name, text in templates.items():
        front = read_yaml(text.split("---")[1])[0]
        project.topics[name] = front.get("topic")
    documents = [document for text in files.values() for document in read_yaml(text)]
    for document in documents:
        if "score" in document:
            add_score(project, document)
    for document in documents:
        kind = next(
            (k for k in ("scenario", "score", "list", "policy") if k in document),
            next(iter(document)),
        )
        if kind == "scenario":
            project.scenarios[document["scenario"]] = read_scenario(document, version)
        elif kind == "list":
            known(document, "list", "description", "members")
            project.lists[document["list"]] = document.get("members")
        elif kind == "policy":
            project.policy = read_policy(document)
        elif kind != "score":
            raise NotImplementedError(kind)
    return project


POLICY_KEYS = (
    "policy description timezone sender topics consent suppress frequency_cap when_capped "
    "send_window pause_when"
).split()


def read_policy(document: Mapping[str, Plain]) -> Policy:
    """The policy of the project."""
    known(document, *POLICY_KEYS)
    capped = document.get("when_capped", {"wait_up_to": "3 days"})
    window = document.get("send_window")
    return Policy(
        ZoneInfo(document.get("timezone", "UTC")),
        tuple(as_list(document.get("topics"))),
        document.get("consent", "required"),
        document.get("suppress"),
        tuple((c["emails"], duration(c["per"])) for c in as_list(document.get("frequency_cap"))),
        None if capped == "drop" else duration(capped["wait_up_to"]),
        read_window(window) if window else None,
        document.get("pause_when"),
    )


def read_window(options: Mapping[str, Plain]) -> Window:
    """When marketing mail may go."""
    known(options, "days", "from", "to", "timezone")
    days = tuple(str(day).lower()[:3] for day in as_list(options.get("days")))
    return Window(days, options["from"], options["to"], options.get("timezone"))


def add_score(project: Project, document: Mapping[str, Plain]) -> None:
    """A score; its rules may name bands of scores read before it."""
    known(document, "score", "description", "objective", "range", "rules", "bands", "cap")
    name = document["score"]
    limits = document.get("range") or {}
    low, high = limits.get("min"), limits.get("max")
    project.scores[name] = Score(
        name,
        tuple(read_rule(name, i, rule) for i, rule in enumerate(document.get("rules") or [])),
        document.get("cap"),
        None if low is None else Decimal(str(low)),
        None if high is None else Decimal(str(high)),
        document.get("bands") or {},
    )


def read_rule(score: str, position: int, rule: Mapping[str, Plain]) -> Rule:
    """One rule of a score."""
    known(rule, "name", "description", "points", "on", "when", "conditions", "cap", "because")
    return Rule(
        score,
        rule["name"],
        position,
        Decimal(str(rule["points"])),
        read_triggers(rule["on"]) if "on" in rule else (),
        rule.get("when"),
        rule.get("conditions"),
        rule.get("cap"),
    )


SCENARIO_KEYS = (
    "scenario description enabled trigger conditions reenroll enroll_existing priority goal "
    "exit_when holdout actions"
).split()


def read_scenario(document: Mapping[str, Plain], version: int = 0) -> Scenario:
    """One scenario."""
    known(document, *SCENARIO_KEYS)
    reenroll = document.get("reenroll", "never")
    if isinstance(reenroll, dict):
        reenroll = duration(reenroll["after"])
    actions = tuple(document.get("actions") or ())
    return Scenario(
        document["scenario"],
        document.get("enabled", True),
        read_triggers(document["trigger"]),
        document.get("conditions"),
        reenroll,
        document.get("enroll_existing", False),
        document.get("priority", 0),
        read_goal(document["goal"]) if "goal" in document else None,
        document.get("exit_when"),
        share(document["holdout"]) if "holdout" in document else 0,
        actions,
        dict(awaited_in(actions, "actions")),
        version,
    )


def read_goal(value: Mapping[str, Plain]) -> Goal:
    """A trigger, with `up_to` beside it."""
    trigger, up_to = beside_up_to(value)
    return Goal(read_trigger(trigger), up_to)


def beside_up_to(value: Plain) -> tuple[Plain, Plain]:
    """What stands in a goal or a `wait_for` apart from `up_to`, and that span."""
    if not isinstance(value, dict):
        return value, None
    rest = {key: inner for key, inner in value.items() if key != "up_to"}
    return rest, duration(value["up_to"]) if "up_to" in value else None


def awaited_in(steps: Plain, path: str) -> Iterator[tuple[str, Trigger]]:
    """Every `wait_for` below, by its place in the document."""
    for number, step in enumerate(steps or ()):
        here = f"{path}/{number}"
        if "wait_for" in step:
            yield here, read_trigger(beside_up_to(step["wait_for"])[0])
        for branch in ("then", "else"):
            yield from awaited_in(step.get(branch), f"{here}/{branch}")
        for place, portion in enumerate(step.get("split") or ()):
            yield from awaited_in(portion.get("actions"), f"{here}/split/{place}/actions")


# Triggers


def read_triggers(value: Plain) -> tuple[Trigger, ...]:
    """One trigger, or a list of them (any)."""
    return tuple(read_trigger(one) for one in as_list(value))


PLAIN_KINDS = ("score", "contact_created", "manual")
NAMED = {
    "list_joined": "lists",
    "list_left": "lists",
    "subscribed": "topics",
    "unsubscribed": "topics",
}
CLOCKS = {
    "schedule": ("cron", "at", "timezone"),
    "date": ("attribute", "property", "offset", "at", "timezone", "every"),
}
SENT_KINDS = ("email_not_opened", "email_not_clicked")


def read_trigger(value: Plain) -> Trigger:
    """One trigger by its key."""
    if isinstance(value, str):
        value = {value: None}
    ((kind, options),) = value.items()
    if kind in EVENT_KEYS:
        return Trigger("event", events=read_filter(kind, options))
    if kind == "no_event":
        return read_no_event(options)
    if kind in SENT_KINDS:
        options = mail_options(options)
        known(options, "template", "topic", "within")
        sent = {key: inner for key, inner in options.items() if key != "within"}
        filtered = read_filter("email_sent", sent)
        return Trigger(kind, events=filtered, within=duration(options["within"]))
    if kind == "inactive":
        return Trigger("inactive", within=duration(options))
    if kind in NAMED:
        return Trigger(kind, {NAMED[kind]: as_list(options)})
    if kind in CLOCKS:
        known(options, *CLOCKS[kind])
        return Trigger(kind, options)
    if kind == "attribute":
        ((name, change),) = options.items()
        known(change, "from", "to")
        return Trigger(kind, {"name": name, **change})
    if kind in PLAIN_KINDS:
        return Trigger(kind, options or {})
    raise NotImplementedError(kind)


def read_no_event(options: Mapping[str, Plain]) -> Trigger:
    """`no_event` with its anchor."""
    known(options, "name", "where", "after", "within", "same")
    if "after" not in options:
        raise NotImplementedError("no_event without after")
    ((kind, anchor),) = options["after"].items()
    awaited = {key: options[key] for key in ("name", "where") if key in options}
    return Trigger(
        "no_event",
        events=read_filter(kind, anchor),
        awaited=read_filter("event", awaited),
        within=duration(options["within"]),
        same=tuple(as_list(options.get("same"))),
    )


# Events

OWN_EVENTS = frozenset(
    "list_joined list_left attribute_changed contact_created stage_changed".split()
)
"""Events that this reading keeps as changes and not in its log."""

MAIL_KEYS = "email_sent email_opened email_clicked email_replied email_bounced".split()
EVENT_KEYS = ("event", "page_visited", *MAIL_KEYS)
COUNTED = "where times within older_than since sum same machine".split()


def mail_options(options: Plain) -> dict[str, Plain]:
    """`email_opened: NAME` is short for `{template: NAME}`."""
    return dict(options) if isinstance(options, dict) else {"template": options}


def read_filter(kind: str, options: Plain) -> EventFilter:
    """The events that a trigger or condition counts, from any of the short forms (ruling 87)."""
    own: tuple[str, ...] = ("template", "topic", "link")
    if kind == "event":
        options = options if isinstance(options, dict) else {"name": options}
        names, own = frozenset(slug(name) for name in as_list(options["name"])), ("name",)
        if names & OWN_EVENTS:
            raise NotImplementedError(f"event: {min(names & OWN_EVENTS)}")
    elif kind == "page_visited":
        options = options if isinstance(options, dict) else {"path": options}
        names, own = frozenset({"page_viewed"}), ("path",)
    elif kind in MAIL_KEYS:
        options, names = mail_options(options), frozenset({kind})
    else:
        raise NotImplementedError(kind)
    known(options, *COUNTED, *own)
    found = counting(options, names)
    paths = words(options, "path")
    return replace(
        found,
        paths=tuple(plain_path(path) for path in paths) if paths else None,
        templates=words(options, "template"),
        topics=words(options, "topic"),
        links=words(options, "link"),
    )


def counting(options: Mapping[str, Plain], names: frozenset[str]) -> EventFilter:
    """What every counted event may ask: properties, how many, when, agreeing on what."""
    since = options.get("since")
    if since not in (None, "entered"):
        raise NotImplementedError(f"since: {since}")
    return EventFilter(
        names,
        options.get("where") or {},
        machine=options.get("machine", False),
        times=options.get("times"),
        sums=options.get("sum") or {},
        within=duration(options["within"]) if "within" in options else None,
        older_than=duration(options["older_than"]) if "older_than" in options else None,
        since_entry=since == "entered",
        same=tuple(as_list(options.get("same"))),
    )


def words(options: Mapping[str, Plain], key: str) -> tuple[str, ...] | None:
    """The names of which any may stand; None where any at all may."""
    found = tuple(as_list(options.get(key)))
    return found if found and "any" not in found else None
