"""The five families of what can be known of a lead, and to which of them a name belongs."""

from __future__ import annotations

import re

DEMOGRAPHIC = "demographic"
ONLINE = "online behaviour"
COMPANY = "company"
SOCIAL = "social engagement"
MAIL = "e-mail engagement"
FAMILIES = (DEMOGRAPHIC, ONLINE, COMPANY, SOCIAL, MAIL)

SOCIAL_WORDS = frozenset(
    "social facebook instagram linkedin twitter tiktok youtube pinterest whatsapp telegram "
    "mastodon reddit follow followed follower shared share mention mentioned".split()
)
COMPANY_WORDS = frozenset(
    "company organization organisation empresa firma industry sector branch employees employee "
    "headcount revenue turnover company_size size plan seats b2b".split()
)
MAIL_WORDS = frozenset("email mail newsletter unsubscribed subscribed opened bounced".split())
ONLINE_WORDS = frozenset(
    "visit visits visited page pages website web time activity clicked click views session "
    "sessions search download downloads trial demo webinar chat form cart".split()
)
MAIL_EVENTS = frozenset(
    {"email_opened", "email_clicked", "email_replied", "subscribed", "unsubscribed"}
)


def words_in(name: str) -> set[str]:
    """Its whole words: `Job Title`, `jobTitle` and `job_title` have the same."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return set(re.split(r"[\W_]+", spaced.lower())) - {""}


def family_of_event(name: str, subject: str = "") -> str:
    """Mail, social networks, else what people do on the site."""
    words = words_in(f"{name} {subject}")
    if name in MAIL_EVENTS or ("newsletter" in words and name != "page_viewed"):
        return MAIL
    return SOCIAL if words & SOCIAL_WORDS else ONLINE


def family_of_attribute(name: str) -> str:
    """By its name: a company's size, a social network, visits to the site, else the person."""
    words = words_in(name)
    for family, known in ((SOCIAL, SOCIAL_WORDS), (COMPANY, COMPANY_WORDS)):
        if words & known:
            return family
    if words & MAIL_WORDS:
        return MAIL
    return ONLINE if words & ONLINE_WORDS else DEMOGRAPHIC
