"""Times of day, weekdays, zones and schedules: what the calendar and the clock on the wall say."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from flowscore import clock
from flowscore.language.document import Node
from flowscore.language.grammar.mistakes import mistake, unexpected
from flowscore.language.grammar.names import Names
from flowscore.language.grammar.shapes import (
    TEXT,
    Key,
    Shape,
    Table,
    one_or_more,
    read_keys,
    read_text,
)
from flowscore.language.grammar.spelling import did_you_mean, listed
from flowscore.language.triggers import Schedule

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MANY_DAYS = {"weekdays": "[mon, tue, wed, thu, fri]", "weekend": "[sat, sun]"}
TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
LOOSE_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?::00)?\s*(am|pm)?")
MACHINE_ZONES = ("localtime", "posixrules", "Factory")  # they differ from machine to machine


def read_time_of_day(node: Node, names: Names) -> int:
    """`09:00`, in microseconds after midnight."""
    found = TIME_OF_DAY.fullmatch(node.value) if isinstance(node.value, str) else None
    if found is None:
        expected = "a time of day: HH:MM, 24 hours, two digits, such as 09:00"
        raise unexpected(node, expected, _time_hint(str(node.value).strip().lower()))
    return int(found[1]) * clock.HOUR + int(found[2]) * clock.MINUTE


def _time_hint(text: str) -> str:
    found = LOOSE_TIME.fullmatch(text)
    if found is None:
        return ""
    hour = int(found[1]) % 12 + 12 * (found[3] == "pm") if found[3] else int(found[1]) % 24
    meant = f"{hour:02d}:{found[2] or '00'}"
    return f"did you mean '{meant}'?" if TIME_OF_DAY.fullmatch(meant) else ""


def read_weekday(node: Node, names: Names) -> int:
    """`mon` to `sun`, as 0 to 6."""
    if node.value in WEEKDAYS:
        return WEEKDAYS.index(str(node.value))
    text = str(node.value).lower()
    meant = MANY_DAYS.get(text.rstrip("s"), MANY_DAYS.get(text, ""))
    hint = f"write {meant}" if meant else did_you_mean(text[:3], WEEKDAYS)
    raise unexpected(node, f"a weekday: {listed(WEEKDAYS)}", hint)


def read_weekdays(node: Node, names: Names) -> tuple[int, ...]:
    """One weekday or several, in the order of the week."""
    return tuple(sorted(set(SOME_WEEKDAYS.read(node, names))))


def read_zone(node: Node, names: Names) -> str:
    """An IANA zone."""
    name = read_text(node, names)
    if name not in MACHINE_ZONES and clock.find_zone(name) is not None:
        return name
    raise unexpected(node, "a zone of the IANA list, such as Europe/Madrid", _zone_hint(name))


def _zone_hint(name: str) -> str:
    from zoneinfo import available_timezones  # reads a folder: only for a mistake

    zones = sorted(zone for zone in available_timezones() if "/" in zone)
    tail = name.replace(" ", "_").lower()
    for zone in zones:
        if zone.lower() == tail or zone.lower().endswith("/" + tail):
            return f"did you mean '{zone}'?"
    return did_you_mean(name, zones)


def read_any_zone(node: Node, names: Names) -> str:
    """A zone, or `contact`: the same local time for each contact (ruling 100)."""
    return "contact" if node.value == "contact" else read_zone(node, names)


def read_schedule(node: Node, names: Names) -> Schedule:
    """`cron` or `at`, with its zone."""
    if isinstance(node.value, str):
        raise unexpected(node, "a mapping with cron or at", f'write {{cron: "{node.value}"}}')
    found = read_keys(node, names, SCHEDULE)
    if ("cron" in found) == ("at" in found):
        raise mistake(node, "a schedule needs either cron or at", "write one of the two")
    return Schedule(mark=node.place, **found)


def read_cron(node: Node, names: Names) -> str:
    """Five fields, as cron reads them."""
    text = read_text(node, names)
    from cronsim import CronSim, CronSimError  # only where a cron is read

    if len(text.split()) != 5:
        raise unexpected(node, "five cron fields: minute hour day month weekday", "'0 9 * * MON'")
    try:
        next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        reason = str(error).lower()
        raise mistake(node, f"found the cron '{text}', which cron cannot read: {reason}") from None
    except StopIteration:
        raise mistake(node, f"the cron '{text}' never comes") from None
    return " ".join(text.split())


def read_moment(node: Node, names: Names) -> str:
    """A day and a local time, `2026-11-27 10:00`."""
    text = node.value if isinstance(node.value, str) else ""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}", text):
        try:
            return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M")
        except ValueError:
            raise unexpected(node, "a day and a time that exist") from None
    raise unexpected(node, "a day and a time: YYYY-MM-DD HH:MM")


CLOCK_TIME = Shape(read_time_of_day, {"type": "string", "pattern": f"^{TIME_OF_DAY.pattern}$"})
SOME_WEEKDAYS = one_or_more(Shape(read_weekday, {"enum": list(WEEKDAYS)}), "weekdays")
DAYS = Shape(read_weekdays, SOME_WEEKDAYS.schema)
ZONE = Shape(read_zone, {"type": "string", "pattern": "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"})
ANY_ZONE = Shape(read_any_zone, ZONE.schema)
ZONE_KEY = Key(ANY_ZONE, "The zone, or `contact` for each contact's own; else the policy's.")
SCHEDULE = Table(
    "a schedule",
    {
        "cron": Key(
            Shape(read_cron, TEXT.schema), "Minute, hour, day, month, weekday: '0 9 * * MON'."
        ),
        "at": Key(
            Shape(
                read_moment,
                {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}$"},
            ),
            "Once, at this local time: 2026-11-27 10:00.",
        ),
        "timezone": ZONE_KEY,
    },
)
