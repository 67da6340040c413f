"""Prints what a person wants to see of the demo: whom to call, how lists grew, what was done."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, Select, func, select

from flowscore.clock import rfc3339
from flowscore.demo.company import SPAN, UNTIL
from flowscore.store.tables import contacts, events, members, messages
from flowscore.views.leads import Asked
from flowscore.views.matrix import table_of
from flowscore.views.settled import left_out_words

if TYPE_CHECKING:
    from flowscore.engine.tick import TickReport
    from flowscore.workspace import Workspace

Row = dict[str, Any]

LEADS = 3
LINES = 4
BARS = "▁▂▃▄▅▆▇█"
PLAIN_BARS = "_.-=+*%#"
STEPS = 20  # bars of a sparkline, three days each
WIDTH = 100

SHOW = ("qualified-prospects", "order-receipt", "promo-writing")
"""Which mails to open: the newest of each template."""


def make_console() -> Console:
    """As wide as the terminal; in a pipe always the same."""
    width = None if sys.stdout.isatty() else WIDTH
    return Console(width=width, highlight=False, soft_wrap=False)


def demo_report(console: Console, workspace: Workspace, folder: Path, report: TickReport) -> None:
    """The four things to look at, and what to do next."""
    with workspace.store.read() as connection:
        _tell_size(console, connection, report)
        leads = _tell_leads(console, workspace)
        _tell_lists(console, workspace, connection)
        _tell_scenarios(console, workspace, connection)
        _tell_mails(console, connection, workspace.root, folder)
    _tell_next(console, folder, leads)


def _tell_size(console: Console, connection: Connection, report: TickReport) -> None:
    people = connection.scalar(select(func.count()).where(contacts.c.email.is_not(None)))
    happened = connection.scalar(select(func.count()).select_from(events))
    first, last = rfc3339(UNTIL - SPAN)[:10], rfc3339(UNTIL)[:10]
    console.print(
        f"[bold]Almendro[/], an online academy, {first} to {last}: {people:,} people, "
        f"{happened:,} events, {report.ticks:,} hourly ticks",
        soft_wrap=True,
    )


# --- leads ------------------------------------------------------------------------------------


def _tell_leads(console: Console, workspace: Workspace) -> list[str]:
    """Whom to call first, as `flowscore leads` says it, with what made the score."""
    _head(console, "Whom to call today", "how many stand in each cell; * marks those worth a call")
    with workspace.look.leads(Asked()) as queue:
        _tell_matrix(console, queue.matrix, queue.legend)
        leads = list(queue.rows(LEADS))
        left_out = left_out_words(queue.left_out)
    for lead in leads:
        _tell_lead(console, lead, workspace.look.explain(lead["contact"]))
    console.print(f"{left_out}; flowscore leads shows the queue.")
    return [lead["contact"] for lead in leads]


def _tell_matrix(console: Console, matrix: Row | None, words: str) -> None:
    assert matrix  # the shipped project has a grade
    heads, rows = table_of(matrix)
    for label, *cells in (heads, *rows):
        console.print(Text(f"  {label or ' '}  {'  '.join(cells)}".rstrip()), soft_wrap=True)
    console.print(f"[dim]{escape(words)}[/]", soft_wrap=True)


def _tell_lead(console: Console, lead: Row, told: Row) -> None:
    traits, scores = told["attributes"], {score["score"]: score for score in told["scores"]}
    who = " ".join(str(traits.get(name, "")) for name in ("first_name", "last_name"))
    work = ", ".join(str(traits[name]) for name in ("job_title", "company") if name in traits)
    balances = ", ".join(f"{name} {score['balance']:g}" for name, score in scores.items())
    cell = f"[bold green]{lead['cell']}{'*' if lead['green'] else ''}[/]"
    where = f"stage {lead['stage']}, {balances}, {lead['won_in_7_days']:+g} in 7 days"
    console.print(f"{cell} [bold]{escape(who)}[/], {escape(work)}: {where}", soft_wrap=True)
    table = _table()
    for points, rule, times, where in _reasons(scores["engagement"]["lines"]):
        often = f"{times} times" if times > 1 else ""
        table.add_row(f"  {points:+g}", rule, often, Text(where, style="dim"))
    console.print(table)


def _reasons(lines: Sequence[Row]) -> list[tuple[float, str, int, str]]:
    """The ledger by rule, what weighs most first."""
    sums: dict[str, list[Row]] = defaultdict(list)
    for line in lines:
        sums[line["rule"]].append(line)
    grouped = [
        (sum(line["points"] for line in own), rule, len(own), str(own[0]["where"] or ""))
        for rule, own in sums.items()
    ]
    return sorted(grouped, key=lambda one: (-abs(one[0]), one[1]))[:LINES]


# --- lists ------------------------------------------------------------------------------------


def _tell_lists(console: Console, workspace: Workspace, connection: Connection) -> None:
    """How many people each list held, every third day."""
    _head(console, "How the lists grew", "a bar for every three days; at most, and today")
    bars = BARS if console.encoding.startswith("utf") else PLAIN_BARS
    stays = _stays(connection)
    with workspace.look.lists(None, None) as rows:
        for row in rows:
            sizes = _sizes(stays[row["list"]])
            counts = f"{max(sizes):>4} {sizes[-1]:>4}"
            line = f"{row['list']:<26}{sparkline(sizes, bars)} {counts}  {row['description']}"
            console.print(Text(line), no_wrap=True, overflow="ellipsis")


def _stays(connection: Connection) -> dict[str, list[tuple[int, int | None]]]:
    """For each list when known people came and went."""
    query = (
        select(members.c.list, members.c.joined_at, members.c.left_at)
        .join(contacts, contacts.c.id == members.c.contact_id)
        .where(contacts.c.email.is_not(None))
    )
    found: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for name, joined, left in connection.execute(query):
        found[name].append((joined, left))
    return found


def _sizes(stays: Iterable[tuple[int, int | None]]) -> list[int]:
    step = SPAN // STEPS
    instants = [UNTIL - SPAN + step * n for n in range(1, STEPS + 1)]
    known = list(stays)
    return [sum(joined <= at and (left is None or left > at) for joined, left in known)
            for at in instants]  # fmt: skip


def sparkline(sizes: Sequence[int], bars: str = BARS) -> str:
    """One bar for each number, the highest for the greatest; nothing for nought."""
    top = max(sizes, default=0)
    return "".join(" " if not n else bars[(len(bars) - 1) * n // top] for n in sizes)


# --- scenarios and mail -----------------------------------------------------------------------


def _tell_scenarios(console: Console, workspace: Workspace, connection: Connection) -> None:
    _head(console, "What each scenario did", "people; refused: its conditions or reenroll said no")
    sent = _mails_by_scenario(connection)
    table = _table("scenario", "entered", "inside", "finished", "exited", "refused", "mails")
    with workspace.look.scenarios(None, None) as rows:
        for row in rows:
            walks = [row[name] for name in ("inside", "finished", "exited")]
            counts = [sum(walks), *walks, row["refused"], sent[row["scenario"]]]
            table.add_row(row["scenario"], *(f"{n:,}" if n else "" for n in counts))
    console.print(table)


def _mails_by_scenario(connection: Connection) -> Counter[str]:
    query = select(messages.c.scenario, func.count()).where(messages.c.status == "sent")
    return _counted(connection, query.group_by(messages.c.scenario))


def _counted(connection: Connection, query: Select[tuple[str, int]]) -> Counter[str]:
    return Counter(dict(connection.execute(query).tuples().all()))


def _tell_mails(console: Console, connection: Connection, root: Path, folder: Path) -> None:
    """How mail was taken, and three to look at."""
    _head(console, "Mail", _mail_words(connection))
    for file, subject in _show_mails(connection, root):
        where = escape(str(folder / file))
        console.print(f"  [bold]{escape(subject)}[/]\n  [dim]{where}[/]", soft_wrap=True)


def _mail_words(connection: Connection) -> str:
    state = func.coalesce(messages.c.reason, messages.c.status)
    states = _counted(connection, select(state, func.count()).group_by(state))
    sent = states.pop("sent", 0)
    people, machines = (_opened(connection, machine=by) for by in (False, True))
    withheld = ", ".join(f"{n:,} {reason}" for reason, n in sorted(states.items()))
    return (
        f"{sent:,} sent; {people:,} opened by people, {machines:,} by machines, which do not "
        f"count; withheld: {withheld or 'none'}"
    )


def _opened(connection: Connection, *, machine: bool) -> int:
    query = select(func.count(events.c.mail_key.distinct())).where(
        events.c.name == "email_opened", events.c.machine.is_(machine)
    )
    return int(connection.scalar(query) or 0)


def _show_mails(connection: Connection, root: Path) -> list[tuple[Path, str]]:
    """The HTML of a few mails beside the outbox, since a browser opens it everywhere."""
    (root / "mails").mkdir()
    shown = []
    for template in SHOW:
        query = (
            select(messages.c.response)
            .where(messages.c.template == template, messages.c.status == "sent")
            .order_by(messages.c.sent_at.desc(), messages.c.id.desc())
        )
        response = connection.scalar(query.limit(1))
        if response is not None:
            shown.append(_write_html(root, template, root / "outbox" / Path(response).name))
    return shown


def _write_html(root: Path, template: str, eml: Path) -> tuple[Path, str]:
    mail = message_from_bytes(eml.read_bytes(), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("html",))
    assert body is not None
    file = Path("mails") / f"{template}.html"
    (root / file).write_text(body.get_content(), encoding="utf-8")
    return file, str(mail["Subject"])


def _tell_next(console: Console, folder: Path, leads: Sequence[str]) -> None:
    _head(console, "Now you", "everything stands in the folder, nothing has left it")
    who = leads[0] if leads else "EMAIL"
    for command, words in (
        (f"cd {folder}", "scenarios/ and templates/email/ are what you edit"),
        ("flowscore leads", "whom to call, why, and whose they are"),
        (f"flowscore explain {who}", "every point, stage and mail, and why not"),
        ("flowscore report", "what became of leads, scenarios and mails"),
        ("flowscore validate", "after you changed something"),
    ):
        console.print(f"  {escape(command)}  [dim]# {words}[/]", soft_wrap=True)


# --- form -------------------------------------------------------------------------------------


def _head(console: Console, title: str, words: str) -> None:
    console.print(f"\n[bold]{title}[/] [dim]({words})[/]", soft_wrap=True)


def _table(*heads: str) -> Table:
    """Columns without lines; whatever is a number stands to the right."""
    table = Table(box=None, pad_edge=False, show_header=bool(heads), header_style="dim")
    for head in heads:
        table.add_column(head, justify="left" if head == "scenario" else "right", no_wrap=True)
    return table
