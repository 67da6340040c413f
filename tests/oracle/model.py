"""The words of a project, read from YAML text into plain values and a few small records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import yaml

from .values import Plain, as_list, duration, plain_path, slug


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


@dataclass(frozen=True)
class EventFilter:
    """Which events count: by name, properties, path, template, topic and link."""

    names: frozenset[str]
    where: Mapping[str, Plain] = field(default_factory=dict)
    paths: tuple[str, ...] | None = None
    templates: tuple[str, ...] | None = None
    topics: tuple[str, ...] | None = None
    links: tuple[str, ...] | None = None
    machine: bool = False
    times: Plain = None
    within: timedelta | None = None


@dataclass(frozen=True)
class Trigger:
    """One trigger: its kind and what that kind needs."""

    kind: str
    options: Mapping[str, Plain] = field(default_factory=dict)
    events: EventFilter | None = None
    awaited: EventFilter | None = None
    within: timedelta | None = None


@dataclass(frozen=True)
class Rule:
    """One rule of a score: points for each occurrence (`on`) or while a state holds (`when`)."""

    score: str
    name: str
    position: int
    points: Decimal
    triggers: tuple[Trigger, ...]
    when: Plain
    conditions: Plain
    cap: Mapping[str, Plain] | None


@dataclass(frozen=True)
class Score:
    """One scoring dimension."""

    name: str
    rules: tuple[Rule, ...]
    cap: Mapping[str, Plain] | None
    low: Decimal | None
    high: Decimal | None
    bands: Mapping[str, Plain]


@dataclass(frozen=True)
class Scenario:
    """Trigger, conditions, actions."""

    name: str
    enabled: bool
    triggers: tuple[Trigger, ...]
    conditions: Plain
    reenroll: str | timedelta
    enroll_existing: bool
    priority: int
    actions: tuple[Plain, ...]


@dataclass(frozen=True)
class Policy:
    """How mail may be sent."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    topics: tuple[str, ...] = ()
    consent: str = "required"


@dataclass
class Project:
    """Every definition of a folder, by kind and name."""

    scores: dict[str, Score] = field(default_factory=dict)
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    lists: dict[str, Plain] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    topics: dict[str, str] = field(default_factory=dict)

    def threshold(self, score: str, value: Plain) -> Decimal:
        """A number, or the band whose name stands for one."""
        bands = self.scores[score].bands
        return Decimal(str(bands[value] if isinstance(value, str) and value in bands else value))

    def only_score(self) -> str:
        """The score that is meant where none is named."""
        (name,) = self.scores
        return name


def read_yaml(text: str) -> list[Plain]:
    """The documents of one file."""
    return [d for d in yaml.load_all(text, Loader=PlainLoader) if d is not None]


def read_project(files: Mapping[str, str], templates: Mapping[str, str]) -> Project:
    """A project from the texts of its scenario files and templates."""
    project = Project()
    for name, text in templates.items():
        front = read_yaml(text.split("---")[1])[0]
        project.topics[name] = front["topic"]
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
            project.scenarios[document["scenario"]] = read_scenario(project, document)
        elif kind == "list":
            known(document, "list", "description", "members")
            project.lists[document["list"]] = document.get("members")
        elif kind == "policy":
            project.policy = read_policy(document)
        elif kind != "score":
            raise NotImplementedError(kind)
    return project


def known(mapping: Mapping[str, Plain], *keys: str) -> None:
    """Refuse keys that this reading does not cover, by name."""
    for key in mapping:
        if key not in keys:
            raise NotImplementedError(key)


def read_policy(document: Mapping[str, Plain]) -> Policy:
    """The policy of the project."""
    known(document, "policy", "description", "timezone", "sender", "topics", "consent")
    return Policy(
        ZoneInfo(document.get("timezone", "UTC")),
        tuple(as_list(document.get("topics"))),
        document.get("consent", "required"),
    )


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
    "scenario description enabled trigger conditions reenroll enroll_existing priority actions"
).split()


def read_scenario(project: Project, document: Mapping[str, Plain]) -> Scenario:
    """One scenario."""
    known(document, *SCENARIO_KEYS)
    reenroll = document.get("reenroll", "never")
    if isinstance(reenroll, dict):
        reenroll = duration(reenroll["after"])
    return Scenario(
        document["scenario"],
        document.get("enabled", True),
        read_triggers(document["trigger"]),
        document.get("conditions"),
        reenroll,
        document.get("enroll_existing", False),
        document.get("priority", 0),
        tuple(document.get("actions") or ()),
    )


def read_triggers(value: Plain) -> tuple[Trigger, ...]:
    """One trigger, or a list of them (any)."""
    return tuple(read_trigger(one) for one in as_list(value))


def read_trigger(value: Plain) -> Trigger:
    """One trigger by its key."""
    if isinstance(value, str):
        value = {value: None}
    ((kind, options),) = value.items()
    if kind in EVENT_KEYS:
        return Trigger("event", events=read_filter(kind, options))
    if kind == "no_event":
        return read_no_event(options)
    if kind == "email_not_opened":
        options = mail_options(options)
        known(options, "template", "topic", "within")
        sent = {key: value for key, value in options.items() if key != "within"}
        return Trigger(
            "email_not_opened",
            events=read_filter("email_sent", sent),
            within=duration(options["within"]),
        )
    if kind == "inactive":
        return Trigger("inactive", within=duration(options))
    if kind in ("list_joined", "list_left"):
        return Trigger(kind, {"lists": as_list(options)})
    if kind == "schedule":
        known(options, "cron", "at", "timezone")
        return Trigger(kind, options)
    if kind == "attribute":
        ((name, change),) = options.items()
        known(change, "from", "to")
        return Trigger(kind, {"name": name, **change})
    if kind in ("score", "contact_created", "manual"):
        return Trigger(kind, options or {})
    raise NotImplementedError(kind)


def read_no_event(options: Mapping[str, Plain]) -> Trigger:
    """`no_event` with its anchor."""
    known(options, "name", "where", "after", "within")
    if "after" not in options:
        raise NotImplementedError("no_event without after")
    ((kind, anchor),) = options["after"].items()
    awaited = {key: options[key] for key in ("name", "where") if key in options}
    return Trigger(
        "no_event",
        events=read_filter(kind, anchor),
        awaited=read_filter("event", awaited),
        within=duration(options["within"]),
    )


def crossing(project: Project, trigger: Trigger) -> tuple[str, str, Decimal]:
    """The score, direction and number of a score trigger."""
    options = dict(trigger.options)
    if not {"reaches", "falls_to"} & set(options):
        ((score, options),) = options.items()
    else:
        score = project.only_score()
    known(options, "reaches", "falls_to")
    ((direction, bound),) = options.items()
    return score, direction, project.threshold(score, bound)


OWN_EVENTS = frozenset(
    "list_joined list_left attribute_changed contact_created stage_changed".split()
)
"""Events that this reading keeps as changes and not in its log."""

EVENT_KEYS = ("event", "page_visited", "email_sent", "email_opened", "email_clicked")


def mail_options(options: Plain) -> dict[str, Plain]:
    """`email_opened: NAME` is short for `{template: NAME}`."""
    return dict(options) if isinstance(options, dict) else {"template": options}


def read_filter(kind: str, options: Plain) -> EventFilter:
    """The events that a trigger or condition counts, from any of the short forms."""
    if kind not in EVENT_KEYS:
        raise NotImplementedError(kind)
    if kind == "event":
        if not isinstance(options, dict):
            options = {"name": options}
        names = frozenset(slug(name) for name in as_list(options["name"]))
        if names & OWN_EVENTS:
            raise NotImplementedError(f"event: {min(names & OWN_EVENTS)}")
    elif kind == "page_visited":
        if not isinstance(options, dict):
            options = {"path": options}
        names = frozenset({"page_viewed"})
    else:
        options = mail_options(options)
        names = frozenset({kind})
    own = {"event": ("name",), "page_visited": ("path",)}.get(
        kind, ("template", "topic", "link", "machine")
    )
    known(options, "where", "times", "within", *own)

    def words(key: str) -> tuple[str, ...] | None:
        found = tuple(as_list(options.get(key)))
        return found if found and "any" not in found else None

    paths = words("path")
    return EventFilter(
        names,
        options.get("where") or {},
        tuple(plain_path(path) for path in paths) if paths else None,
        words("template"),
        words("topic"),
        words("link"),
        options.get("machine", False),
        options.get("times"),
        duration(options["within"]) if "within" in options else None,
    )
