"""Knows what the columns of a marketer's file mean, by the names that other programs give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from flowscore.errors import FlowscoreError

# Our name, then what else it is called; compared without case, spaces, dashes and dots.
ALIKE = {
    "email": "e_mail mail email_address e_mail_address emailaddress primary_email correo "
    "correo_electrónico correo_electronico e_mail_adresse adresse_e_mail courriel",
    "user_id": "userid external_id",
    "anonymous_id": "anonymousid",
    "first_name": "firstname given_name forename nombre vorname prénom",
    "last_name": "lastname surname family_name apellido apellidos nachname",
    "phone": "phone_number telephone tel mobile mobile_phone teléfono telefono telefon",
    "country": "país pais land pays",
    "city": "ciudad stadt ville",
    "company": "company_name organization organisation empresa firma",
    "job_title": "jobtitle cargo position",
    "locale": "language lang idioma sprache",
    "timezone": "time_zone zeitzone zona_horaria",
}
CONTACT_ONLY = {
    "created_at": "created createdat create_date date_created signup_date signed_up_at "
    "sign_up_date registered_at registration_date date_added",
    "company_id": "companyid group_id groupid",
    "consent": "opt_in optin email_consent marketing_consent email_opt_in consentimiento",
    "consent_source": "optin_source opt_in_source",
    "consent_at": "consent_date consent_time optin_time opt_in_date optin_date",
}
EVENT_ONLY = {
    "event": "name event_name eventname evento ereignis",
    "timestamp": "time date datetime date_time occurred_at happened_at created_at fecha datum",
    "message_id": "messageid event_id eventid",
    "received_at": "receivedat",
    "type": "",
}
KNOWN_TO_EVENTS = ("email", "user_id", "anonymous_id")


def _synonyms(groups: Mapping[str, str]) -> dict[str, str]:
    return {word: ours for ours, words in groups.items() for word in (ours, *words.split())}


CONTACT_WORDS = _synonyms(ALIKE | CONTACT_ONLY)
EVENT_WORDS = _synonyms({ours: ALIKE[ours] for ours in KNOWN_TO_EVENTS} | EVENT_ONLY)


def contact_names(path: Path, header: list[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """What each column of a contacts file is called here."""
    names = name_columns(path, header, mapping, CONTACT_WORDS)
    if not {"email", "user_id"} & set(names.values()):
        raise _missing(path, header, "email", "whom a row is about")
    return names


def event_names(path: Path, header: list[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """What each column of an events file is called here; the others are properties."""
    names = name_columns(path, header, mapping, EVENT_WORDS)
    if not set(KNOWN_TO_EVENTS) & set(names.values()):
        raise _missing(path, header, "email", "who did it (or `user_id`, `anonymous_id`)")
    if not {"event", "type"} & set(names.values()):
        raise _missing(path, header, "event", "what was done")
    return names


def name_columns(
    path: Path, header: list[str], mapping: Mapping[str, str], synonyms: Mapping[str, str]
) -> dict[str, str]:
    """Column -> our name: as `--map` says, else our own word, else a synonym, else its slug."""
    names = {_find(path, header, theirs): ours for theirs, ours in mapping.items()}
    if header[:2] == ["line", "reason"]:  # our own rejects file, mended
        names |= {"line": "-", "reason": "-"}
    rest = [column for column in header if column not in names]
    for ours_only in (True, False):
        for column in rest:
            ours = _meaning(column, synonyms)
            wanted = ours == slugged(column) if ours_only else ours is not None
            if wanted and ours not in names.values() and column not in names:
                names[column] = str(ours)
    for column in rest:
        names.setdefault(column, named(column) or "-")
    _refuse_twins(path, header, names)
    return {column: names[column] for column in header}


def _meaning(column: str, synonyms: Mapping[str, str]) -> str | None:
    """`company.name` is what the company is called, not the contact's attribute `company`."""
    ours = synonyms.get(slugged(column))
    return None if ours == "company" and named(column) == "company.name" else ours


def _refuse_twins(path: Path, header: list[str], names: Mapping[str, str]) -> None:
    seen: set[str] = set()
    for column in header:
        ours = names[column]
        if ours in seen:
            raise FlowscoreError(
                f"{path}:1: the column {column!r} would be a second `{ours}`; "
                f"leave one out: --map '{column}=-', or name it: --map '{column}=other_name'"
            )
        seen |= {ours} - {"-"}


def named(column: str) -> str:
    """A column without a meaning of its own; `company.Industry` is of the company."""
    before, dot, after = column.partition(".")
    if dot and slugged(before) == "company" and slugged(after):
        return f"company.{slugged(after)}"
    return slugged(column)


def slugged(column: str) -> str:
    """`Job Title` as `job_title`; letters of any language stay."""
    return re.sub(r"\W+", "_", column.casefold()).strip("_")


def _find(path: Path, header: list[str], theirs: str) -> str:
    """The column that `--map` names, in whatever case."""
    for column in header:
        if column == theirs or slugged(column) == slugged(theirs):
            return column
    near = get_close_matches(theirs, header, 1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; the columns are {_listed(header)}"
    raise FlowscoreError(f"{path}:1: --map names the column {theirs!r}, which is not there{hint}")


def _missing(path: Path, header: list[str], ours: str, what: str) -> FlowscoreError:
    return FlowscoreError(
        f"{path}:1: no column says {what}; found {_listed(header)}, expected `{ours}`; "
        f"name it: --map 'THEIR COLUMN={ours}'"
    )


def _listed(header: list[str]) -> str:
    shown = ", ".join(repr(column) for column in header[:12])
    return shown + (" …" if len(header) > 12 else "")
