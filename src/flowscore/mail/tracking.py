"""Makes a rendered mail tell that it was opened and clicked: a picture, links by way of us.

The plain-text part stays as it is. One pass over the finished HTML, since links are made of
values that only the finished mail has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from html import unescape
from html.entities import html5
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from flowscore.mail import layout
from flowscore.mail.tokens import PATHS, Kind, Of, OfMail, OfTemplate, digest_of, sign_hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowscore.mail.contexts import Job
    from flowscore.mail.settings import MailSettings
    from flowscore.mail.templates import Rendered

Tracking = Literal["full", "anonymous", "off"]
STRICTER: tuple[Tracking, ...] = ("full", "anonymous", "off")
ATTRIBUTE = "tracking"  # the contact's own word
MEANT: dict[str, Tracking] = {"anonymous": "anonymous", "off": "off", "no": "off", "false": "off"}

# A comment hides what is in it, but for those in which Outlook looks; a value may hold a `>`.
LINK = re.compile(
    r"""<(?:!--(?!\[if)(?s:.*?)-->|([aA](?:[rR][eE][aA])?\s(?:[^>"']++|"[^"]*+"|'[^']*+')*+>))"""
)
VALUE = r"""("[^"]*"|'[^']*'|[^\s"'>]+)"""
# The first attribute of that name, as browsers read it, and not what another's value looks like.
HREF, TRACKED = (
    re.compile(
        rf"""\w+(?:\s+(?!{name}[\s=>])[^\s"'<>/=]+(?:\s*=\s*{VALUE})?)*+\s+{name}\s*=\s*{VALUE}""",
        re.IGNORECASE,
    )
    for name in ("href", "data-track")
)
ENTITY = re.compile(r"&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*);")
WEB = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
LONGEST_TARGET = 2_000  # bytes: an index holds it; what is longer breaks on the way anyhow
PLAIN = "/:?@!$*,;~()"  # of what a query may hold these need no percent sign

PIXEL = (
    '<img src="{url}.gif" width="1" height="1" alt="" style="display:block;width:1px;height:1px;'
    'border:0">\n'
)
# For programs that follow every link: no person sees it, hears it or tabs onto it.
TRAP = '<a href="{url}" tabindex="-1" aria-hidden="true" style="display:none;mso-hide:all"></a>'


def how_tracked(policy: Tracking, own: Any) -> Tracking:
    """The stricter of the policy's word and the contact's attribute; another word says nothing."""
    said = MEANT.get(str(own).strip().casefold(), "full")
    return max(policy, said, key=STRICTER.index)


def track(rendered: Rendered, job: Job, settings: MailSettings, written: int) -> Rendered:
    """The mail with its picture and its links; without a public address it stays as it is.

    `written` is now, in microseconds: what opens the mail within moments of it is no person.
    """
    if job.tracking == "off" or not (settings.public_url and settings.secret):
        return rendered
    door = Door(settings.public_url.rstrip("/"), settings.secret)
    own = tuple(str(link) for link in job.context.links.values())
    places = list(_places(rendered.html, own))
    if job.tracking == "anonymous":
        of: Of = OfTemplate(job.template)
    else:
        links = len({target for _, _, target in places})
        of = OfMail(job.message_id, digest_of(job.key), written // 1_000_000, links)
    return replace(rendered, html=door.furnish(rendered.html, places, of))


Place = tuple[int, int, str]
"""Where an href's value begins and ends in the HTML, quotes included, and where it leads."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where hits arrive, and what signs their tokens."""

    base: str
    secret: str

    def furnish(self, html: str, places: list[Place], of: Of) -> str:
        """Links by way of us, the picture at the end; a trap where a trap tells something."""
        html = self._redirected(html, places, of)
        if places and isinstance(of, OfMail):
            trap = TRAP.format(url=self._address("trap", of))
            html = layout.after_start_of_body(html, trap)
        return layout.before_end_of_body(html, PIXEL.format(url=self._address("open", of)))

    def _redirected(self, html: str, places: list[Place], of: Of) -> str:
        by_target = {target: self._click(of, target) for _, _, target in places}
        pieces: list[str] = []
        last = 0
        for start, end, target in places:
            pieces += (html[last:start], by_target[target])
            last = end
        return "".join((*pieces, html[last:]))

    def _click(self, of: Of, target: str) -> str:
        return f'"{self._address("click", of, target)}?u={_quoted(target)}"'

    def _address(self, kind: Kind, of: Of, target: str = "") -> str:
        return f"{self.base}/{PATHS[kind]}/{sign_hit(self.secret, kind, of, target)}"


@lru_cache(maxsize=1_000)
def _quoted(target: str) -> str:
    """As the value of a query: neither HTML nor quoted-printable changes a letter of it."""
    return quote(target, safe=PLAIN)


def _places(html: str, own: tuple[str, ...]) -> Iterator[Place]:
    """The links to be tracked: to the web, not our own, not marked `data-track="off"`."""
    for found in LINK.finditer(html):
        href = HREF.match(html, found.start(1), found.end(1)) if found[1] else None
        if href is None or _is_off(found[1]):
            continue
        target = _target(href[2].strip("\"'"))
        if target and not target.startswith(own):
            yield *href.span(2), target


def _is_off(tag: str) -> bool:
    """Whether its author wants it left alone."""
    if "data-track" not in tag.lower():  # nearly always
        return False
    found = TRACKED.match(tag)
    return found is not None and found[2].strip("\"'").lower() == "off"


@lru_cache(maxsize=1_000)
def _target(written: str) -> str:
    """The address that the link leads to; empty where it is none of the web."""
    target = (ENTITY.sub(_letter, written) if "&" in written else written).strip()
    size = len(target.encode("utf-8", "replace"))
    return target if size <= LONGEST_TARGET and leads_to_the_web(target) else ""


def leads_to_the_web(target: str) -> bool:
    """What a link may be led on to: `http` and `https`, nothing that breaks out of a header."""
    return bool(WEB.match(target)) and not CONTROL.search(target)


def _letter(entity: re.Match[str]) -> str:
    """As browsers read an attribute: what is no whole entity stays (`&copy=1` of a query)."""
    name = entity[1]
    return unescape(entity[0]) if name[0] == "#" else html5.get(f"{name};", entity[0])
