"""Lines and what they add up to, for a contact and for a company (LANGUAGE 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from .fading import last_instant, worth
from .model import Project
from .records import Contact, Line
from .values import rounded

NOTHING = Decimal(0)


@dataclass
class Ledger:
    """Everybody's lines; `frozen` has the companies' sums while steps walk (ruling 130)."""

    project: Project
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    contacts: list[Contact] = field(default_factory=list)
    serial: int = 0
    round: int = 0
    frozen: dict[tuple[str, str], Decimal] | None = None

    def write(
        self,
        contact: Contact,
        score: str,
        at: datetime,
        points: Decimal,
        kind: str,
        rule: str | None,
        key: str = "",
    ) -> None:
        """Add a line to the contact's ledger."""
        self.serial += 1
        written = (self.now, self.round)
        contact.lines.append(Line(score, at, points, kind, rule, self.serial, written, key))

    def void(self, contact: Contact, line: Line) -> bool:
        """Whether a reset made the line worth nothing: dated before it, or written (54)."""
        return line.kind == "reset" or any(
            other.kind == "reset"
            and other.score == line.score
            and (other.at, other.serial) > (line.at, line.serial)
            for other in contact.lines
        )

    def worth(self, line: Line, instant: datetime | None) -> Decimal:
        """What a line that no reset made void is worth at a decay instant (rulings 50 to 57)."""
        decay = self.project.scores[line.score].fading(line.rule)
        if decay is None or line.kind == "decay":
            return line.points
        instant = instant or last_instant(self.project.policy, self.now)
        return worth(line.points, decay, max(instant - line.at, instant - instant))

    def raw_balance(self, contact: Contact, score: str, instant: datetime | None = None) -> Decimal:
        """The contact's own part: what the lines are worth that no reset made worthless."""
        lines = [line for line in contact.lines if line.score == score]
        if any(line.kind == "reset" for line in lines):
            lines = [line for line in lines if not self.void(contact, line)]
        return sum((self.worth(line, instant) for line in lines), NOTHING)

    def balance(self, contact: Contact, score: str) -> Decimal:
        """What is read of a contact: its own sum, or its company's (rulings 51, 53 and 96)."""
        if not self.project.scores[score].company:
            return self.cut(score, self.raw_balance(contact, score))
        if contact.company is None:
            return NOTHING
        return self.cut(score, self.company_sum(contact.company, score))

    def cut(self, score: str, value: Decimal) -> Decimal:
        """A sum within the range of its score, to 4 decimals."""
        definition = self.project.scores[score]
        if definition.high is not None:
            value = min(value, definition.high)
        if definition.low is not None:
            value = max(value, definition.low)
        return rounded(value)

    # Companies

    def company_sum(self, company: str, score: str) -> Decimal:
        """The sum over the present members; in phase 4 that of phase 2 (rulings 96 and 130)."""
        if self.frozen is not None:
            return self.frozen.get((company, score), NOTHING)
        parts = (self.raw_balance(one, score) for one in self.members(company))
        return sum(parts, NOTHING)

    def members(self, company: str) -> list[Contact]:
        """Who belongs to the company now."""
        return [one for one in self.contacts if one.company == company]

    def colleagues(self, contact: Contact, score: str) -> list[Contact]:
        """Whose lines count beside the contact's in caps and `gains`: the contact's too (96)."""
        if self.project.scores[score].company and contact.company is not None:
            return self.members(contact.company)
        return [contact]

    def freeze(self) -> None:
        """Keep what companies stand at, for the steps of this round."""
        shared = [name for name, score in self.project.scores.items() if score.company]
        companies = sorted({one.company for one in self.contacts if one.company})
        self.frozen = None
        self.frozen = {(c, s): self.company_sum(c, s) for c in companies for s in shared}
