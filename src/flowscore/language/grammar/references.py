"""Names that must exist: lists, scores, grades, stages, topics …; with the near ones named."""

from __future__ import annotations

from collections.abc import Collection

from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import MistakesError, mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import Schema, Shape, one_or_more, read_number, read_text
from flowscore.language.grammar.spelling import did_you_mean, listed

TRANSACTIONAL = "transactional"
GENERAL = "email"  # consent in general
NAME_SCHEMA: Schema = {"type": ["string", "integer"], "minLength": 1}


def read_list(node: Node, names: Names) -> str:
    """The name of a list of the project."""
    return _known(node, "list", names.lists)


def read_static_list(node: Node, names: Names) -> str:
    """The name of a list that people can be put on by hand."""
    name = read_list(node, names)
    if names.lists[name]:
        message = f"the list '{name}' is dynamic: its `members` decide who is on it"
        raise mistake(node, message, "name a static list, or change the attribute that it reads")
    return name


def read_score(node: Node, names: Names) -> str:
    """The name of a score of the project."""
    return _known(node, "score", names.scores)


def read_grade(node: Node, names: Names) -> str:
    """The name of a grade of the project."""
    return _known(node, "grade", names.grades)


def read_stage(node: Node, names: Names) -> str:
    """The name of a stage of the lifecycle."""
    name = str(node.value) if type(node.value) is int else read_text(node, names)
    if names.stages is None or name in names.stages:
        return name
    if not names.stages:
        hint = "add one: `lifecycle: NAME` with `stages`"
        raise mistake(node, f"there is no stage '{name}': no lifecycle is defined", hint)
    there = f"the stages are: {listed(names.stages)}"
    raise mistake(node, f"there is no stage '{name}'", did_you_mean(name, names.stages, there))


def read_template(node: Node, names: Names) -> str:
    """The name of a mail template."""
    name = read_text(node, names)
    if name in names.templates:
        return name
    for suffix in (".html", ".md"):
        if name.removesuffix(suffix) in names.templates:
            message = f"found '{name}', expected the template's name"
            raise mistake(node, message, f"did you mean '{name.removesuffix(suffix)}'?")
    missing = f"write templates/email/{name}.html"
    raise mistake(node, f"there is no template '{name}'", _near(name, names.templates, missing))


def read_topic(node: Node, names: Names) -> str:
    """A topic of the policy, or `transactional`."""
    name = read_text(node, names)
    if name == TRANSACTIONAL or names.topics is None or name in names.topics:
        return name
    raise unknown_topic(node, name, (*names.topics, TRANSACTIONAL))


def unknown_topic(node: Node, name: str, known: Collection[str]) -> MistakesError:
    """A topic that the policy does not name."""
    hint = _near(name, known, "add it to the policy's `topics`")
    return mistake(node, f"there is no topic '{name}' in the policy", hint)


def consent_names(*also: str) -> Shape[tuple[str, ...]]:
    """Topics of the policy, `email` for consent in general, and what else is said (ruling 81)."""

    def read(node: Node, names: Names) -> str:
        topic = read_text(node, names)
        if topic in (GENERAL, *also) or names.topics is None or topic in names.topics:
            return topic
        if topic == TRANSACTIONAL:
            raise mistake(node, "transactional mail needs no consent", "name a topic, or `email`")
        if topic == "all":
            hint = "`email` is consent in general; or name the topics"
            raise mistake(node, "'all' stands only behind `unsubscribe` and `unsubscribed`", hint)
        raise unknown_topic(node, topic, (*names.topics, GENERAL, *also))

    return one_or_more(Shape(read, {"type": "string", "minLength": 1}), "`email` or topics")


def read_scenario_name(node: Node, names: Names) -> str:
    """The name of a scenario of the project."""
    return _known(node, "scenario", names.scenarios)


def the_score(node: Node, names: Names) -> str:
    """The project's only score, for the short forms that do not name it."""
    return _only(node, "score", names.scores, "`score: NAME` with `rules`")


def the_grade(node: Node, names: Names) -> str:
    """The project's only grade, likewise."""
    return _only(node, "grade", names.grades, "`grade: NAME` with `fit` and `engagement`")


def _only(node: Node, kind: str, known: Collection[str], missing: str) -> str:
    if len(known) == 1:
        return next(iter(known))
    if not known:
        raise mistake(node, f"no {kind} is defined", f"add one: {missing}")
    message = f"which {kind}? the project has {listed(sorted(known))}"
    raise mistake(node, message, f"name it: {{{min(known)}: …}}")


def read_level(node: Node, names: Names, score: str) -> float:
    """A number of points, or the name of a band of that score."""
    bands = names.scores.get(score)
    if not isinstance(node.value, str):
        return read_number(node, names)
    if bands is None:
        return 0.0  # its file is broken, and says so
    if node.value in bands:
        return bands[node.value]
    hint = _near(node.value, bands, "give the score `bands`, or write a number")
    raise unexpected(node, f"a number or a band of '{score}'", hint)


def _known(node: Node, kind: str, known: Collection[str]) -> str:
    name = str(node.value) if type(node.value) is int else read_text(node, Names())
    if name in known:
        return name
    missing = f"add a document `{kind}: {name}`"
    raise mistake(node, f"there is no {kind} '{name}'", _near(name, known, missing))


def _near(name: str, known: Collection[str], missing: str) -> str:
    if not known:
        return missing
    return did_you_mean(name, known, f"there are: {listed(sorted(known)[:12])}; or {missing}")


LIST = Shape(read_list, NAME_SCHEMA)
LISTS = one_or_more(LIST, "names of lists")
STATIC_LISTS = one_or_more(Shape(read_static_list, NAME_SCHEMA), "names of lists")
SCORE = Shape(read_score, NAME_SCHEMA)
TEMPLATES = one_or_more(Shape(read_template, NAME_SCHEMA), "names of templates")
TOPICS = one_or_more(Shape(read_topic, NAME_SCHEMA), "topics")
SCORES = one_or_more(SCORE, "names of scores")
SCENARIOS = one_or_more(Shape(read_scenario_name, NAME_SCHEMA), "names of scenarios")
CONSENTS = consent_names()
REFUSALS = consent_names("all")
