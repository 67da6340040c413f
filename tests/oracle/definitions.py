"""Reads a project's files: which definitions there are, the policy and the scenarios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from .model import Goal, Policy, Project, Scenario, Trigger, Window
from .reading import known, read_trigger, read_triggers, read_yaml
from .scoring import add_grade, add_score, read_lifecycle
from .values import Plain, as_list, duration, share

KINDS = ("scenario", "score", "grade", "lifecycle", "list", "policy")


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
        if kind_of(document) == "score":
            add_score(project, document)
    for document in documents:
        add(project, document, version)
    return project


def kind_of(document: Mapping[str, Plain]) -> str:
    """The key that says what a document defines."""
    return next((k for k in KINDS if k in document), next(iter(document)))


def add(project: Project, document: Mapping[str, Plain], version: int) -> None:
    """One definition; scores are there already."""
    kind = kind_of(document)
    if kind == "scenario":
        project.scenarios[document["scenario"]] = read_scenario(document, version)
    elif kind == "grade":
        add_grade(project, document)
    elif kind == "lifecycle":
        project.lifecycle = read_lifecycle(document)
    elif kind == "list":
        known(document, "list", "description", "members")
        project.lists[document["list"]] = document.get("members")
    elif kind == "policy":
        project.policy = read_policy(document)
    elif kind != "score":
        raise NotImplementedError(kind)


POLICY_KEYS = (
    "policy description timezone sender topics consent suppress frequency_cap when_capped "
    "send_window pause_when decay_every"
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
        duration(document["decay_every"]) if "decay_every" in document else None,
    )


def read_window(options: Mapping[str, Plain]) -> Window:
    """When marketing mail may go."""
    known(options, "days", "from", "to", "timezone")
    days = tuple(str(day).lower()[:3] for day in as_list(options.get("days")))
    return Window(days, options["from"], options["to"], options.get("timezone"))


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
