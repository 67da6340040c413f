"""Some 9,000 made-up leads in the shape of the public X-Education file: 37 columns, one outcome.

Columns hang together (who spends time also visits pages), values are missing as 'Select' and as
nothing, texts have rare values, and some columns are known only because sales wrote them down.
"""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path

Table = list[tuple[str, float, float]]


def table(text: str) -> Table:
    """Lines of `value | share | what it adds to the log-odds`."""
    rows = (line.split("|") for line in text.strip().splitlines())
    return [(value.strip(), float(share), float(effect)) for value, share, effect in rows]


ORIGINS = table("""
    Landing Page Submission | 0.53  | -0.1
    API                     | 0.39  | -0.4
    Lead Add Form           | 0.075 |  2.6
    Lead Import             | 0.006 | -0.8
""")
SOURCES = table("""
    Google            | 0.31   |  0.1
    Direct Traffic    | 0.28   | -0.3
    Olark Chat        | 0.19   | -0.5
    Organic Search    | 0.125  |  0.0
    Reference         | 0.058  |  2.2
    Welingak Website  | 0.015  |  3.0
    Referral Sites    | 0.013  | -0.6
    google            | 0.005  |  0.1
    Facebook          | 0.006  | -0.6
    bing              | 0.001  |  0.0
    Click2call        | 0.0005 |  0.0
    Press_Release     | 0.0003 |  0.0
""")
ACTIVITIES = table("""
    Email Opened             | 0.38  |  0.1
    SMS Sent                 | 0.30  |  1.3
    Olark Chat Conversation  | 0.105 | -1.8
    Page Visited on Website  | 0.07  | -0.6
    Converted to Lead        | 0.046 | -1.2
    Email Bounced            | 0.035 | -2.0
    Email Link Clicked       | 0.03  | -0.3
    Form Submitted on Website| 0.012 | -0.4
    Unreachable              | 0.01  |  0.0
    Unsubscribed             | 0.007 | -0.5
    Had a Phone Conversation | 0.003 |  1.2
""")
OCCUPATIONS = table("""
    Unemployed           | 0.61  | -0.2
                         | 0.29  | -1.4
    Working Professional | 0.076 |  2.4
    Student              | 0.022 | -0.3
    Other                | 0.002 |  0.0
    Housewife            | 0.001 |  1.5
    Businessman          | 0.001 |  0.3
""")
FIELDS = (
    "Finance Management;Human Resource Management;Marketing Management;Operations Management;"
    "Business Administration;IT Projects Management;Supply Chain Management;"
    "Banking, Investment And Insurance;Travel and Tourism;Media and Advertising;"
    "International Business;Healthcare Management;Hospitality Management;E-COMMERCE;"
    "Retail Management;Rural and Agribusiness;E-Business;Services Excellence"
).split(";")
CITIES = table("""
    Mumbai                      | 3222 | 0
    Select                      | 2249 | 0
    Thane & Outskirts           | 752  | 0
    Other Cities                | 686  | 0
    Other Cities of Maharashtra | 457  | 0
    Other Metro Cities          | 380  | 0
    Tier II Cities              | 74   | 0
""")
ABROAD = ["United States", "Qatar", "Oman", "Kuwait", "France", "Ghana"]
HEARD = ["Online Search", "Word Of Mouth", "Student of SomeSchool", "Other", "Email"]
PROFILES = ["Potential Lead", "Other Leads", "Student of SomeSchool", "Lateral Student"]
LEVELS = ["01.High", "02.Medium", "03.Low"]
LATE = ["Will revert after reading the email", "Closed by Horizzon", "Lost to EINS"]
LOST = ["Ringing", "Interested in other courses", "Already a student", "switched off", "Busy"]
NEVER = (
    "Magazine;Receive More Updates About Our Courses;Update me on Supply Chain Content;"
    "Get updates on DM Content;I agree to pay the amount through cheque"
).split(";")
HARDLY = (
    "Do Not Call;Search;Newspaper Article;X Education Forums;Newspaper;Digital Advertisement;"
    "Through Recommendations"
).split(";")


class Drawing(random.Random):
    """Chance, in the ways that this file needs."""

    def of(self, some: Table) -> tuple[str, float]:
        """A value by its share, and what it adds to the log-odds."""
        value, _, effect = self.choices(some, [one[1] for one in some])[0]
        return value, effect

    def maybe(self, share: float, value: object, other: object = "") -> object:
        """The value, with that chance."""
        return value if self.random() < share else other


def lead(number: int, chance: Drawing) -> dict[str, object]:
    """One lead with all that is known of it, and whether it converted."""
    origin, first = chance.of(ORIGINS)
    source, second = chance.of(SOURCES)
    if origin == "Lead Add Form":
        source, second = str(chance.maybe(0.75, "Reference", "Welingak Website")), 2.4
    activity, third = chance.of(ACTIVITIES)
    job, fourth = chance.of(OCCUPATIONS)
    silent = origin == "Lead Add Form" or source == "Olark Chat" or chance.random() < 0.1
    visits, time, pages = (0, 0, 0.0) if silent else behaviour(chance)
    refuses = chance.random() < 0.08
    odds = -2.7 + 0.55 * (first + second) + third + fourth - 1.5 * refuses
    odds += 0.6 * math.log1p(time) + 0.9 * (silent and origin != "Lead Add Form")
    won = chance.random() < 1 / (1 + math.exp(-odds))
    missing = chance.random() < 0.015
    return {
        "Prospect ID": f"{chance.getrandbits(64):016x}-{number}",
        "Lead Number": 579533 + number * 9 + chance.randrange(8),
        "Lead Origin": origin,
        "Lead Source": "" if missing else source,
        "Do Not Email": "Yes" if refuses else "No",
        **{name: chance.maybe(0.001, "Yes", "No") for name in HARDLY},
        "Converted": int(won),
        "TotalVisits": "" if missing else visits,
        "Total Time Spent on Website": time,
        "Page Views Per Visit": "" if missing else pages,
        "Last Activity": "" if missing else activity,
        "Last Notable Activity": chance.maybe(0.6, activity, "Modified"),
        "Country": "" if silent and chance.random() < 0.8 else country(chance),
        "Specialization": chance.maybe(0.85, field(won, chance)),
        "How did you hear about X Education": chance.maybe(0.7, "Select", chance.choice(HEARD)),
        "What is your current occupation": job,
        "What matters most to you in choosing a course": "Better Career Prospects" * bool(job),
        **dict.fromkeys(NEVER, "No"),
        "Tags": chance.maybe(0.36, "", chance.choice(LATE if won else LOST)),
        "Lead Quality": chance.maybe(0.5, "", quality(won, chance)),
        "Lead Profile": chance.maybe(0.7, "Select", chance.choice(PROFILES)),
        "City": chance.maybe(0.85, chance.of(CITIES)[0]),
        "Asymmetrique Activity Index": chance.maybe(0.54, chance.choice(LEVELS)),
        "Asymmetrique Profile Index": chance.maybe(0.54, chance.choice(LEVELS)),
        "Asymmetrique Activity Score": chance.maybe(0.54, round(chance.gauss(14, 1.4))),
        "Asymmetrique Profile Score": chance.maybe(0.54, round(chance.gauss(16, 1.8))),
        "A free copy of Mastering The Interview": chance.maybe(0.31, "Yes", "No"),
    }


def behaviour(chance: Drawing) -> tuple[int, int, float]:
    """Visits, seconds on the site, pages a visit: they hang together."""
    interest = chance.gauss(0, 1)
    visits = max(1, round(math.exp(1.1 + 0.5 * interest + chance.gauss(0, 0.5))))
    time = math.exp(5.6 + 0.9 * interest + chance.gauss(0, 0.9))
    pages = max(1.0, visits / max(1, round(chance.gauss(1.4, 0.6))))
    return visits, round(max(5, min(2272, time))), round(pages, 2)


def country(chance: Drawing) -> object:
    """Nearly always the same."""
    return chance.maybe(0.95, "India", chance.choice(ABROAD))


def field(won: bool, chance: Drawing) -> object:
    """Who means it says what they want to learn."""
    return chance.maybe(0.25 if won else 0.5, "Select", chance.choice(FIELDS))


def quality(won: bool, chance: Drawing) -> str:
    """A salesman's guess: good, and known late."""
    good = won == (chance.random() < 0.75)
    return chance.choice(["High in Relevance", "Might be"] if good else ["Not Sure", "Worst"])


def write_leads(path: Path, leads: int = 9_000, seed: int = 1) -> Path:
    """The file; the same one for the same seed."""
    chance = Drawing(seed)
    rows = [lead(number, chance) for number in range(leads)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
