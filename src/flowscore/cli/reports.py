"""What a verb has done, told in a few lines, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flowscore.cli.printer import complain, counted, say
from flowscore.clock import rfc3339

if TYPE_CHECKING:
    from flowscore.engine.registry import ApplyReport
    from flowscore.engine.tick import TickReport
    from flowscore.engine.work import Counts
    from flowscore.mail.delivery import DeliveryReport
    from flowscore.mail.webhooks.report import WebhookReport
    from flowscore.workspace import Workspace

WEBHOOKS = ("sent", "retried", "failed")


def tell_ticks(report: TickReport, workspace: Workspace) -> None:
    """What the ticks did, and what to do next."""
    if not workspace.is_as_applied():
        complain(
            "scenarios/ says something else than what is live; flowscore plan tells what, "
            "flowscore apply makes it so."
        )
    if not report.ticks and not report.worked:
        mark = workspace.watermark()
        say(f"No tick is owed{f': the last was {rfc3339(mark)}' if mark is not None else ''}.")
        return
    counts = report.counts
    ticks = counted(report.ticks, "tick")
    say(f"{ticks}, {report.worked:,} with something to do: {sum_words(counts)}.")
    for name in counts.looped:
        complain(
            f"{name} keeps firing itself and was stopped in this tick; the rest of the tick "
            f"landed. `flowscore validate` shows where it feeds itself"
        )


def sum_words(counts: Counts) -> str:
    """What the ticks did: what they wrote, else what faded and who moved by it."""
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
    return ", ".join(counted(*one) for one in told if one[0]) or _quietly(counts)


def _quietly(counts: Counts) -> str:
    """What time alone did, where there is nothing else to tell."""
    told = [
        (counts.faded, "balance", "faded"),
        (counts.celled, "contact", "changed cell"),
        (counts.staged, "contact", "changed stage"),
    ]
    said = (f"{counted(number, what)} {did}" for number, what, did in told if number)
    return ", ".join(said) or "nothing changed"


def tell_deliveries(reports: list[DeliveryReport], workspace: Workspace) -> None:
    """What was sent, withheld, or has to wait."""
    withheld: Counter[str] = Counter()
    for report in reports:
        withheld.update(report.withheld)
    sums = {name: sum(getattr(one, name) for one in reports) for name in ("sent", "retried")}
    told = [f"{counted(sums['sent'], 'mail')} sent"]
    told += [f"{count:,} withheld ({reason})" for reason, count in sorted(withheld.items())]
    told += [f"{count:,} {word}" for word, count in _left(reports, sums["retried"]) if count]
    say(", ".join(told) + ".")
    _tell_webhooks([report.webhooks for report in reports])
    _tell_what_next(reports[-1] if reports else None, sums["sent"], workspace)


def _left(reports: list[DeliveryReport], retried: int) -> Iterator[tuple[str, int]]:
    yield "retried", retried
    yield "failed", sum(one.failed for one in reports)
    yield "uncertain", sum(one.uncertain for one in reports)
    waits = reports[-1].waits if reports else {}
    yield "waiting for the send window", waits.get("window", 0)
    yield "waiting for a frequency cap", waits.get("capped", 0)
    yield "waiting", reports[-1].waiting - sum(waits.values()) if reports else 0


def _tell_webhooks(reports: list[WebhookReport]) -> None:
    """Nothing where there are none; else also why the last one that did not go did not."""
    sums = {word: sum(getattr(one, word) for one in reports) for word in WEBHOOKS}
    sums["waiting"] = reports[-1].waiting if reports else 0
    if not any(sums.values()):
        return
    told = [f"{count:,} {word}" for word, count in sums.items() if count and word != "sent"]
    say(", ".join([f"{counted(sums['sent'], 'webhook')} sent", *told]) + ".")
    if problem := next((one.problem for one in reversed(reports) if one.problem), ""):
        complain(f"{problem}; flowscore outbox shows them all")


def _tell_what_next(last: DeliveryReport | None, sent: int, workspace: Workspace) -> None:
    if last and last.stopped:
        complain(f"stopped: {last.stopped}")
    if last and last.uncertain:
        say("Next: flowscore outbox --status uncertain shows what waits for your decision.")
    elif sent and workspace.settings.smtp_url is None:
        say(f"The mails are .eml files in {workspace.settings.outbox}; nothing left the machine.")


def tell_apply(report: ApplyReport) -> None:
    """What is new, changed, gone."""
    for word in ("added", "changed", "removed"):
        for kind, names in _by_kind(getattr(report, word)).items():
            say(f"{word} {kind}: {', '.join(names)}")
    if report.recomputed:
        say(f"recomputed: {', '.join(report.recomputed)}")
    for name, people in report.taken_in.items():
        there = f"{counted(people, 'contact')} {'is' if people == 1 else 'are'} in that state now"
        say(f"{name}: {there}; the next tick enrolls whom conditions and reenroll let in")
    if report.unchanged:
        say(f"{counted(report.unchanged, 'definition')} unchanged.")


def _by_kind(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """`(kind, name)` pairs as names by kind."""
    found: dict[str, list[str]] = {}
    for kind, name in pairs:
        found.setdefault(kind, []).append(name)
    return found
