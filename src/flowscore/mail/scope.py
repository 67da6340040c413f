"""What a template may see and call: records of values, the sandbox, the filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import BaseLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flowscore.clock import find_zone, known_zone

TRANSACTIONAL = "transactional"  # the topic that is built in (ruling 80)
LINK_KEYS = ("unsubscribe", "preferences", "view", "confirm")
SCENARIO_KEYS = ("name", "entered_at")
IN_SCOPE = ("contact", "company", "event", "scenario", "now", "links")
# The mail's own words, so that a layout can say <title>{{ subject }}</title>.
OWN_WORDS = ("subject", "preheader", "locale")

Reader = tuple[ZoneInfo, str]
READER: ContextVar[Reader] = ContextVar("reader", default=(ZoneInfo("UTC"), "en"))


class Record(Mapping[str, Any]):
    """Named values, shown to templates as an object: `contact.items` is the attribute.

    A value that is null or empty text counts as absent (ruling 60). Attributes from inside an
    object are named `address.city`, and read as they were written: `contact.address.city`.
    """

    __slots__ = ("_label", "_values")

    def __init__(self, values: Mapping[str, Any], label: str) -> None:
        self._values = values
        self._label = label

    def __getitem__(self, name: str) -> Any:
        value = self._values.get(name)
        if value is None or value == "":
            return self._inside(name)
        return shown(value, f"{self._label}.{name}") if type(value) in (dict, list) else value

    def _inside(self, name: str) -> Record:
        start = f"{name}."
        inside = {
            key.removeprefix(start): value
            for key, value in self._values.items()
            if key.startswith(start)
        }
        if not inside:
            raise KeyError(name)
        return Record(inside, f"{self._label}.{name}")

    def __iter__(self) -> Iterator[str]:
        return (name for name, value in self._values.items() if value is not None and value != "")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        start = f"{name}."
        return self._values.get(name) not in (None, "") or any(  # type: ignore[call-overload]
            key.startswith(start) for key in self._values
        )

    def __str__(self) -> str:
        return str(dict(self))

    @property
    def label(self) -> str:
        """The way a template writes it: `event`, `event.products`."""
        return self._label


def shown(value: Any, label: str) -> Any:
    """A raw value as templates see it: mappings as records, also inside lists."""
    if isinstance(value, dict):
        return Record(value, label)
    if isinstance(value, list):
        return [shown(item, f"{label}[]") for item in value]
    return value


class Unknown(StrictUndefined):
    """A value that is not there; using it anywhere but in `default` withholds the mail."""

    @property
    def _undefined_message(self) -> str:
        obj, name = self._undefined_obj, self._undefined_name
        if isinstance(obj, Record):
            return f"{obj.label}.{name} is not known"
        return super()._undefined_message


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 without a way out, in which a record's own values come before its methods."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is Record:
            try:
                return obj[attribute]
            except KeyError:
                return self._method(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if type(obj) is Record:
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)

    def _method(self, obj: Record, name: str) -> Any:
        """`contact.score.items()` works; `contact.items` is an attribute or nothing."""
        if name in ("items", "keys", "values") and "." in obj.label:
            return getattr(obj, name)
        dashed = name.replace("_", "-")  # Jinja2 cannot write contact.score.lead-fit
        if dashed in obj:
            return obj[dashed]
        return self.undefined(obj=obj, name=name)


def make_sandbox(loader: BaseLoader | None, *, autoescape: bool) -> Sandbox:
    """The environment of mail templates; text and subjects are not escaped, HTML is."""
    made = Sandbox(
        loader=loader, autoescape=autoescape, undefined=Unknown, auto_reload=False, cache_size=-1
    )
    made.filters["date"] = print_date
    made.globals.pop("lipsum", None)
    return made


def print_date(value: Any, pattern: str | None = None) -> str:
    """`{{ value | date("%d %B %Y") }}`: in the reader's zone and language (rulings 101, 109)."""
    if isinstance(value, StrictUndefined):
        str(value)  # raises, naming what is missing
    zone, locale = READER.get()
    moment = _moment(value, zone)
    if moment is None:
        raise ValueError(f"{str(value)[:60]!r} is no date")
    return _long_date(moment, locale) if pattern is None else _strftime(moment, pattern, locale)


def _moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """An instant moves into the zone; a bare date or a time without a zone stays as written."""
    if isinstance(value, str):
        value = _parse(value.strip())
    if isinstance(value, datetime):
        return value.astimezone(zone) if value.tzinfo else value
    return datetime.combine(value, time()) if isinstance(value, date) else None


def _parse(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _strftime(moment: datetime, pattern: str, locale: str) -> str:
    for directive, name in NAMES.items():
        if directive in pattern:
            pattern = pattern.replace(directive, name(moment, locale).replace("%", "%%"))
    return moment.strftime(pattern)


def _long_date(moment: datetime, locale: str) -> str:
    from babel.dates import format_date

    return format_date(moment, format="long", locale=_known_locale(locale))


def _babel(pattern: str) -> Callable[[datetime, str], str]:
    def name(moment: datetime, locale: str) -> str:
        from babel.dates import format_datetime

        return format_datetime(moment.replace(tzinfo=UTC), pattern, locale=_known_locale(locale))

    return name


# Names of months and weekdays; every other directive is the same in all languages.
NAMES = {"%B": _babel("MMMM"), "%b": _babel("MMM"), "%A": _babel("EEEE"), "%a": _babel("EEE")}


def _known_locale(locale: str) -> str:
    """What Babel knows of `es-MX`, else of `es`, else English."""
    from babel import Locale, UnknownLocaleError

    for name in locale_names(locale):
        try:
            return str(Locale.parse(name.replace("-", "_")))
        except (ValueError, UnknownLocaleError):
            continue
    return "en"


def locale_names(locale: str | None) -> Sequence[str]:
    """`es_MX.UTF-8` as the names to look for, narrow to wide: `es-mx`, `es`."""
    plain = (locale or "").split(".")[0].replace("_", "-").strip().lower()
    parts = plain.split("-") if plain else []
    return ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]


def reader_zone(name: str | None, policy_zone: str) -> ZoneInfo:
    """The contact's zone, else the policy's; a name that no one knows counts as none."""
    return (name and find_zone(name)) or known_zone(policy_zone)


@dataclass(frozen=True, slots=True)
class MailContext:
    """Everything one mail is rendered from: whom it goes to, why, and when."""

    contact: Record
    event: Record
    scenario: Record
    now: datetime
    links: Record
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    company: Record = field(default_factory=lambda: Record({}, "company"))
    list_unsubscribe: str = ""

    def variables(self) -> dict[str, Any]:
        """The names in scope."""
        return {name: getattr(self, name) for name in IN_SCOPE}

    @property
    def locale(self) -> str | None:
        """The contact's own, as text."""
        locale = self.contact.get("locale")
        return str(locale) if locale is not None else None
