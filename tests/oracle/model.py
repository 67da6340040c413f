"""The words of a project as a few small records of plain values; `reading` fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from .values import Plain


@dataclass(frozen=True)
class EventFilter:
    """Which events count, and how many: by name, properties, path, template, topic and link."""

    names: frozenset[str]
    where: Mapping[str, Plain] = field(default_factory=dict)
    paths: tuple[str, ...] | None = None
    templates: tuple[str, ...] | None = None
    topics: tuple[str, ...] | None = None
    links: tuple[str, ...] | None = None
    machine: bool = False
    times: Plain = None
    sums: Mapping[str, Plain] = field(default_factory=dict)
    within: timedelta | None = None
    older_than: timedelta | None = None
    since_entry: bool = False
    same: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trigger:
    """One trigger: its kind and what that kind needs."""

    kind: str
    options: Mapping[str, Plain] = field(default_factory=dict)
    events: EventFilter | None = None
    awaited: EventFilter | None = None
    within: timedelta | None = None
    same: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decay:
    """How a line fades: `expire`, `linear`, `half_life`, or `step` with millionths to `lose`."""

    kind: str
    span: timedelta
    lose: int = 0


@dataclass(frozen=True)
class Idle:
    """The score as a whole loses when nothing was done for so long (ruling 56)."""

    after: timedelta
    lose: Decimal | None
    every: timedelta | None
    reset: bool


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
    decay: Decay | None = None
    own_decay: bool = False  # `decay` is the rule's word, also where it says `none`


@dataclass(frozen=True)
class Score:
    """One scoring dimension."""

    name: str
    rules: tuple[Rule, ...]
    cap: Mapping[str, Plain] | None
    low: Decimal | None
    high: Decimal | None
    bands: Mapping[str, Plain]
    decay: Decay | None = None
    idle: Idle | None = None
    company: bool = False

    def fading(self, rule: str | None) -> Decay | None:
        """How lines of a rule fade, or those of scenarios; `when` never does (52 and 57)."""
        for one in self.rules:
            if one.name == rule:
                return None if not one.triggers else one.decay if one.own_decay else self.decay
        return self.decay


@dataclass(frozen=True)
class Axis:
    """One side of a grade: labels with their lines, highest first, and what is below them."""

    score: str
    lines: tuple[tuple[str, Decimal], ...]
    lowest: str

    def label(self, balance: Decimal) -> str:
        """The highest line that the balance has reached (ruling 59)."""
        return next((label for label, line in self.lines if balance >= line), self.lowest)


@dataclass(frozen=True)
class Grade:
    """A matrix over two scores."""

    name: str
    fit: Axis
    engagement: Axis


@dataclass(frozen=True)
class Stage:
    """One stage of the lifecycle; without `when` it is only reached by `set_stage`."""

    name: str
    when: Plain = None
    retreat: bool = False


@dataclass(frozen=True)
class Lifecycle:
    """The funnel, from its first stage on."""

    name: str
    stages: tuple[Stage, ...]

    def place(self, stage: str) -> int:
        """Where a stage stands."""
        return [one.name for one in self.stages].index(stage)


@dataclass(frozen=True)
class Goal:
    """What makes an enrollment a success, within `up_to` of entry; None: while inside."""

    trigger: Trigger
    up_to: timedelta | None


@dataclass(frozen=True)
class Scenario:
    """Trigger, conditions, actions; `awaited` has the trigger of each `wait_for` by its place."""

    name: str
    enabled: bool
    triggers: tuple[Trigger, ...]
    conditions: Plain
    reenroll: str | timedelta
    enroll_existing: bool
    priority: int
    goal: Goal | None
    exit_when: Plain
    holdout: int
    actions: tuple[Plain, ...]
    awaited: Mapping[str, Trigger] = field(default_factory=dict)
    version: int = 0


@dataclass(frozen=True)
class Window:
    """When marketing mail may go: `opens` to `closes`, local times of day, from these days."""

    days: tuple[str, ...]
    opens: str
    closes: str
    timezone: str | None


@dataclass(frozen=True)
class Policy:
    """How mail may be sent."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    topics: tuple[str, ...] = ()
    consent: str = "required"
    suppress: Plain = None
    caps: tuple[tuple[int, timedelta], ...] = ()
    capped_wait: timedelta | None = timedelta(days=3)
    window: Window | None = None
    pause: Mapping[str, Plain] | None = None
    decay_every: timedelta | None = None


@dataclass
class Project:
    """Every definition of a folder, by kind and name."""

    scores: dict[str, Score] = field(default_factory=dict)
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    lists: dict[str, Plain] = field(default_factory=dict)
    grades: dict[str, Grade] = field(default_factory=dict)
    lifecycle: Lifecycle | None = None
    policy: Policy = field(default_factory=Policy)
    topics: dict[str, str | None] = field(default_factory=dict)

    def threshold(self, score: str, value: Plain) -> Decimal:
        """A number, or the band whose name stands for one."""
        bands = self.scores[score].bands
        return Decimal(str(bands[value] if isinstance(value, str) and value in bands else value))

    def only_score(self) -> str:
        """The score that is meant where none is named."""
        (name,) = self.scores
        return name

    def only_grade(self) -> str:
        """The grade that is meant where none is named."""
        (name,) = self.grades
        return name


def score_and_options(project: Project, trigger: Trigger) -> tuple[str, Mapping[str, Plain]]:
    """The score of a score trigger, named or the only one, and what is asked of it."""
    options = dict(trigger.options)
    if {"reaches", "falls_to", "gains"} & set(options):
        return project.only_score(), options
    ((score, inner),) = options.items()
    return score, inner


def gains(trigger: Trigger) -> bool:
    """Whether a score trigger asks for points won in a window (ruling 23)."""
    if trigger.kind != "score":
        return False
    inner = [value for value in trigger.options.values() if isinstance(value, dict)]
    return "gains" in trigger.options or any("gains" in value for value in inner)


def crossing(project: Project, trigger: Trigger) -> tuple[str, str, Decimal]:
    """The score, direction and number of a trigger on a threshold."""
    score, options = score_and_options(project, trigger)
    ((direction, bound),) = options.items()
    if direction not in ("reaches", "falls_to"):
        raise NotImplementedError(direction)
    return score, direction, project.threshold(score, bound)
