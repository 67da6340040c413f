"""What a verb has done, told in a few lines, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.cli.printer import complain, counted, say
from flowscore.clock import rfc3339

if TYPE_CHECKING:
    from flowscore.engine.registry import ApplyReport
    from flowscore.engine.tick import TickReport
    from flowscore.engine.work import Counts
    from flowscore.mail.delivery import DeliveryReport
    from flowscore.workspace import Workspace


def tell_ticks(report: TickReport, workspace: Workspace, delivered: bool) -> None:
    """What the ticks did, and what to do next."""
    if not report.ticks and not report.worked:
        mark = workspace.watermark()
        say(f"No tick is owed{f': the last was {rfc3339(mark)}' if mark is not None else ''}.")
        return
    counts = report.counts
    say(f"{counted(report.ticks, 'tick')}, {report.worked:,} with something to do: {_sum(counts)}.")
    for name in counts.looped:
        complain(
            f"{name} keeps firing itself and was stopped in this tick; the rest of the tick "
            f"landed. `flowscore validate` shows where it feeds itself"
        )
    if counts.queued and not delivered:
        say("Next: flowscore deliver sends what was queued.")


def _sum(counts: Counts) -> str:
    told = [
        (counts.events, "event"),
        (counts.lines, "ledger line"),
        (counts.joined, "joined list"),
        (counts.left, "left list"),
        (counts.enrolled, "enrollment"),
        (counts.refused, "refusal"),
        (counts.steps, "step"),
        (counts.queued, "queued mail"),
    ]
    return ", ".join(counted(*one) for one in told if one[0]) or "nothing changed"


def tell_delivery(report: DeliveryReport, workspace: Workspace) -> None:
    """What was sent, withheld, or has to wait."""
    told = [f"{counted(report.sent, 'mail')} sent"]
    told += [f"{count:,} withheld ({reason})" for reason, count in report.withheld.items()]
    for word in ("retried", "failed", "uncertain", "waiting"):
        count = getattr(report, word)
        told += [f"{count:,} {word}"] * bool(count)
    say(", ".join(told) + ".")
    if report.stopped:
        complain(f"stopped: {report.stopped}")
    if report.uncertain:
        say("Next: flowscore outbox --status uncertain shows what waits for your decision.")
    elif report.sent and workspace.settings.smtp_url is None:
        say(f"The mails are .eml files in {workspace.settings.outbox}; nothing left the machine.")


def tell_apply(report: ApplyReport) -> None:
    """What is new, changed, gone."""
    for word in ("added", "changed", "removed"):
        for kind, names in _by_kind(getattr(report, word)).items():
            say(f"{word} {kind}: {', '.join(names)}")
    if report.recomputed:
        say(f"recomputed silently: {', '.join(report.recomputed)}")
    if report.unchanged:
        say(f"{counted(report.unchanged, 'definition')} unchanged.")


def _by_kind(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """`(kind, name)` pairs as names by kind."""
    found: dict[str, list[str]] = {}
    for kind, name in pairs:
        found.setdefault(kind, []).append(name)
    return found
