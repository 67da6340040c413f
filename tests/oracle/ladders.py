"""Draws what scores have beside their rules: decay, grades over two of them, the lifecycle."""

from __future__ import annotations

from .features import Document
from .phrases import Phrases

FADING: tuple[Document | str, ...] = (
    {"linear": "2 days"},
    {"half_life": "1 day"},
    {"expire": "1 day"},
    {"step": {"lose": "50%", "every": "12 hours"}},
    {"linear": "9 hours"},
    {"half_life": "7 hours"},
    {"expire": "90 minutes"},
    {"step": {"lose": "15%", "every": "1 day"}},
    {"step": {"lose": "12.5%", "every": "3 hours"}},
    "none",
)
IDLE: tuple[Document, ...] = (
    {"after": "1 day", "lose": 5, "every": "1 day"},
    {"after": "6 hours", "lose": 2.5, "every": "3 hours"},
    {"after": "2 hours", "lose": 4, "every": "90 minutes"},
    {"after": "1 day", "reset": True},
    {"after": "12 hours", "reset": True},
)
INSTANTS = ("1 hour", "6 hours", "90 minutes", "1 day")
FIT: tuple[Document, ...] = (
    {"A": 20, "B": 10, "C": 5},
    {"A": "hot", "B": "warm", "C": 2.5},
    {"ideal": 20, "good": 5, "poor": "below"},
)
ACTIVE: tuple[Document, ...] = (
    {4: 20, 3: 10, 2: 5},
    {4: 20, 3: "warm", 2: 1},
    {"axis": "descending", 4: 20, 3: 10, 2: 5},
    {"axis": "descending", 1: 20, 2: 10, 3: 5},
    {"busy": 10, "idle": "below"},
)


class Ladders(Phrases):
    """Draws how points fade, and what contacts climb with them."""

    def fading(self) -> Document | str:
        """How lines fade."""
        found: Document | str = self.pick.one(FADING)
        return found

    def decay(self, document: Document) -> None:
        """The decay of a score and of some of its rules."""
        if self.features.idle and "of" not in document and self.pick.chance(3):
            document["decay"] = {"idle": dict(self.pick.one(IDLE))}
            return
        if not self.features.decay:
            return
        if self.pick.chance():
            document["decay"] = self.fading()
        for rule in document["rules"]:
            if "on" in rule and self.pick.chance(3):
                rule["decay"] = self.fading()

    def reworked(self, document: Document) -> Document:
        """A score with another decay, or other points or caps of one rule; a grade's other lines.

        Scores with idle decay and with rules on dates stay: what their past was is open.
        """
        if "grade" in document and self.pick.chance(3):
            return document | {"fit": halved(document["fit"])}
        steady = "idle" not in document.get("decay", {}) and "'date'" not in str(document)
        if "score" not in document or not steady or self.pick.chance(3):
            return document
        if self.features.decay and self.pick.chance():
            return document | {"decay": self.fading()}
        rules = [dict(rule) for rule in document["rules"]]
        rule = self.pick.one(rules)
        if "on" not in rule or any(f"'{word}'" in str(rule["on"]) for word in ("score", "grade")):
            return document
        if self.pick.chance():
            rule["points"] = self.pick.one((7, -3, 12.5))
        else:
            rule["cap"] = self.pick.one(({"times": 2}, {"points": 12, "per": "1 day"}))
        return document | {"rules": rules}

    def ladders(self) -> list[Document]:
        """Grades, then the lifecycle, which may read them."""
        found: list[Document] = []
        if self.features.grades:
            found += [self.grade(f"grade-{i}") for i in self.pick.some(2, 1)]
        if self.features.stages:
            found.append(self.lifecycle())
        return found

    def grade(self, name: str) -> Document:
        """A grade over two scores."""
        one, other = self.pick.one((self.words.scores, self.words.scores[::-1]))
        fit = {"score": one, **self.pick.one(FIT)}
        active = {"score": other, **self.pick.one(ACTIVE)}
        document = {"grade": name, "fit": fit, "engagement": active}
        self.words.grades[name] = cells(fit, active)
        return document

    def lifecycle(self) -> Document:
        """Two to four stages; what qualifies for them is often what moves."""
        names = ["lead", *(f"stage-{i}" for i in self.pick.some(3, 1))]
        stages = ["lead", *(self.stage(name) for name in names[1:])]
        self.words.stages = names
        return {"lifecycle": "buyer", "stages": stages}

    def stage(self, name: str) -> Document | str:
        """A bare stage, or one with what qualifies for it."""
        kind = self.pick.integer(6)
        if kind == 5:
            return name
        score = self.pick.one(self.words.scores)
        bound = {"at_least": self.pick.one((10, 5, "hot", 12.5))}
        when: Document = {"score": {score: bound}}
        if kind in (2, 3) and self.words.grades:
            when = self.in_cells()
        elif kind == 4:
            when = self.condition(1)
        stage: Document = {"stage": name, "when": when}
        if self.pick.chance(3):
            stage["when"] = [when, self.condition(1)]
        return stage | ({"retreat": True} if self.pick.chance() else {})


def halved(axis: Document) -> Document:
    """The same labels from half the points on; bands stay."""
    return {
        label: line / 2 if isinstance(line, int | float) else line for label, line in axis.items()
    }


def cells(fit: Document, active: Document) -> list[str]:
    """The names of a grade's cells, best first."""
    letters = [label for label in fit if label != "score"]
    letters += ["D"] if "A" in fit else []
    digits = [label for label in active if label not in ("score", "axis")]
    if 4 in active or 1 in active:
        digits = [1, 2, 3, 4] if "axis" in active else [4, 3, 2, 1]
    pairs = [(str(letter), str(digit)) for letter in letters for digit in digits]
    return [a + b if len(a + b) == 2 else f"{a}-{b}" for a, b in pairs]
