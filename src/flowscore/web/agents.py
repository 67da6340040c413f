"""The kept list of programs that open and click without a person, by how they name themselves.

To keep it: a row is what stands in the `User-Agent` (any case) and the name under which a hit is
told. A row that is wrong about people hides their clicks, so only names that no browser and no
mail program has belong here; what names itself as a browser is told by what it does
(`store/machines.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

HEAD = "head request"
PREFETCH = "prefetch"
AGENT = "agent"
NO_AGENT = "no agent named"

PEOPLE = (  # they load a picture for a person, at the moment in which the mail is looked at
    ("googleimageproxy", "gmail"),
    ("yahoomailproxy", "yahoo mail"),
)
MACHINES = (
    # mail gateways and security scanners
    ("proofpoint", "proofpoint"),
    ("mimecast", "mimecast"),
    ("barracuda", "barracuda"),
    ("symantec", "symantec"),
    ("messagelabs", "symantec"),
    ("trendmicro", "trend micro"),
    ("trend micro", "trend micro"),
    ("sophos", "sophos"),
    ("ironport", "cisco"),
    ("ciscosecureemail", "cisco"),
    ("fireeye", "fireeye"),
    ("forcepoint", "forcepoint"),
    ("websense", "forcepoint"),
    ("fortiguard", "fortinet"),
    ("fortimail", "fortinet"),
    ("zscaler", "zscaler"),
    ("kaspersky", "kaspersky"),
    ("bitdefender", "bitdefender"),
    ("cloudmark", "cloudmark"),
    ("vadesecure", "vade"),
    ("mailscanner", "mailscanner"),
    ("safelinks", "microsoft safe links"),
    ("microsoft office existence discovery", "microsoft office"),
    ("microsoft-webdav-miniredir", "microsoft office"),
    ("bingpreview", "bing preview"),
    ("urlscan", "urlscan"),
    ("virustotal", "virustotal"),
    ("netcraft", "netcraft"),
    ("phishtank", "phishtank"),
    ("google-safety", "google safe browsing"),
    ("google-read-aloud", "google"),
    ("chrome-lighthouse", "lighthouse"),
    # those that show a link's page in small, in chats and posts
    ("slack-imgproxy", "slack"),
    ("slackbot", "slack"),
    ("whatsapp/", "whatsapp"),
    ("facebookexternalhit", "facebook"),
    ("facebookcatalog", "facebook"),
    ("facebot", "facebook"),
    ("skypeuripreview", "microsoft teams"),
    ("snap url preview", "snapchat"),
    ("embedly", "embedly"),
    ("iframely", "iframely"),
    ("vkshare", "vk"),
    ("mattermost", "mattermost"),
    ("nextcloud", "nextcloud"),
    # libraries and tools
    ("curl/", "curl"),
    ("wget", "wget"),
    ("python-requests", "python"),
    ("python-httpx", "python"),
    ("python-urllib", "python"),
    ("aiohttp", "python"),
    ("scrapy", "python"),
    ("go-http-client", "go"),
    ("apache-httpclient", "java"),
    ("jakarta commons", "java"),
    ("java/", "java"),
    ("libwww-perl", "perl"),
    ("guzzlehttp", "php"),
    ("node-fetch", "node"),
    ("axios/", "node"),
    ("undici", "node"),
    ("lua-resty-http", "lua"),
    ("powershell", "powershell"),
    ("headlesschrome", "headless browser"),
    ("phantomjs", "headless browser"),
    ("puppeteer", "headless browser"),
    ("playwright", "headless browser"),
    ("feedfetcher", "feed reader"),
)
# Cubot makes telephones.
ROBOT = re.compile(r"(?<!cu)bot\b|\bbot|crawler|spider|\bscan(?:ner)?\b|link ?check", re.IGNORECASE)
# Nobody's browser says only this; what Apple Mail loads ahead, unread, comes under it.
BARE = re.compile(r"mozilla/5\.0\s*", re.IGNORECASE)
LONGEST = 500  # letters that are looked at


def judge_request(method: str, headers: Mapping[str, str]) -> tuple[str, str]:
    """Which kind of program asks, and why it is a machine; the latter empty for a person's."""
    agent, is_machine = agent_of(headers.get("user-agent", "")[:LONGEST])
    if method == "HEAD":
        return agent, HEAD
    if _is_prefetch(headers):
        return agent, PREFETCH
    if not agent:
        return agent, NO_AGENT
    return agent, AGENT if is_machine else ""


def _is_prefetch(headers: Mapping[str, str]) -> bool:
    """What a browser asks for before anybody clicked says so (Fetch standard, `Sec-Purpose`)."""
    said = " ".join(headers.get(name, "") for name in ("sec-purpose", "purpose", "x-moz")).lower()
    return "prefetch" in said or "prerender" in said or "preview" in said


@lru_cache(maxsize=2_000)
def agent_of(said: str) -> tuple[str, bool]:
    """The name under which a program is told, and whether it is a machine."""
    low = said.strip().lower()
    if not low:
        return "", True
    for part, name in PEOPLE:
        if part in low:
            return name, False
    for part, name in MACHINES:
        if part in low:
            return name, True
    if ROBOT.search(low):
        return "robot", True
    return ("loads ahead", True) if BARE.fullmatch(low) else ("browser or mail program", False)
