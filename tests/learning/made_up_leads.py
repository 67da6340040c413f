"""Some 9,000 made-up leads in the shape of the public X-Education file: 37 columns, one outcome.

Columns hang together (who spends time also visits pages), values are missing as 'Select' and as
nothing, texts have rare values, and some columns are known only because sales wrote them down.
"""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path

ORIGINS = (("Landing Page Submission", 0.53, -0.1), ("API", 0.39, -0.4), ("Lead Add Form", 0.075, 2.6), ("Lead Import", 0.006, -0.8))  # fmt: skip
SOURCES = (("Google", 0.31, 0.1), ("Direct Traffic", 0.28, -0.3), ("Olark Chat", 0.19, -0.5), ("Organic Search", 0.125, 0.0), ("Reference", 0.058, 2.2), ("Welingak Website", 0.015, 3.0), ("Referral Sites", 0.013, -0.6), ("google", 0.005, 0.1), ("Facebook", 0.006, -0.6), ("bing", 0.001, 0.0), ("Click2call", 0.0005, 0.0), ("Press_Release", 0.0003, 0.0), ("Live Chat", 0.0003, 0.0))  # fmt: skip
ACTIVITIES = (("Email Opened", 0.38, 0.1), ("SMS Sent", 0.30, 1.3), ("Olark Chat Conversation", 0.105, -1.8), ("Page Visited on Website", 0.07, -0.6), ("Converted to Lead", 0.046, -1.2), ("Email Bounced", 0.035, -2.0), ("Email Link Clicked", 0.03, -0.3), ("Form Submitted on Website", 0.012, -0.4), ("Unreachable", 0.01, 0.0), ("Unsubscribed", 0.007, -0.5), ("Had a Phone Conversation", 0.003, 1.2), ("Approached upfront", 0.001, 2.0))  # fmt: skip
OCCUPATIONS = (("Unemployed", 0.61, -0.2), ("", 0.29, -1.4), ("Working Professional", 0.076, 2.4), ("Student", 0.022, -0.3), ("Other", 0.002, 0.0), ("Housewife", 0.001, 1.5), ("Businessman", 0.001, 0.3))  # fmt: skip
FIELDS = ("Select", "Finance Management", "Human Resource Management", "Marketing Management", "Operations Management", "Business Administration", "IT Projects Management", "Supply Chain Management", "Banking, Investment And Insurance", "Travel and Tourism", "Media and Advertising", "International Business", "Healthcare Management", "Hospitality Management", "E-COMMERCE", "Retail Management", "Rural and Agribusiness", "E-Business", "Services Excellence")  # fmt: skip
CITIES = ("Mumbai", "Select", "Thane & Outskirts", "Other Cities", "Other Cities of Maharashtra", "Other Metro Cities", "Tier II Cities")  # fmt: skip
NEVER = ("Magazine", "Receive More Updates About Our Courses", "Update me on Supply Chain Content", "Get updates on DM Content", "I agree to pay the amount through cheque")  # fmt: skip
HARDLY = ("Do Not Call", "Search", "Newspaper Article", "X Education Forums", "Newspaper", "Digital Advertisement", "Through Recommendations")  # fmt: skip


def draw(chance: random.Random, some: tuple[tuple[str, float, float], ...]) -> tuple[str, float]:
    """A value by its share, and what it adds to the log-odds."""
    value, _, effect = chance.choices(some, [one[1] for one in some])[0]
    return value, effect


def lead(number: int, chance: random.Random) -> dict[str, object]:
    """One lead with all that is known of it, and whether it converted."""
    origin, first = draw(chance, ORIGINS)
    source, second = draw(chance, SOURCES)
    if origin == "Lead Add Form":
        source = chance.choice(("Reference", "Reference", "Reference", "Welingak Website"))
        second = 2.4
    activity, third = draw(chance, ACTIVITIES)
    job, fourth = draw(chance, OCCUPATIONS)
    interest = chance.gauss(0, 1)
    silent = origin == "Lead Add Form" or source == "Olark Chat" or chance.random() < 0.1
    visits = 0 if silent else max(1, round(math.exp(1.1 + 0.5 * interest + chance.gauss(0, 0.5))))
    time = 0 if silent else round(max(5, min(2272, math.exp(5.6 + 0.9 * interest + chance.gauss(0, 0.9)))))  # fmt: skip
    a_page = 0.0 if silent else round(max(1.0, visits / max(1, round(chance.gauss(1.4, 0.6)))), 2)
    refuses = chance.random() < 0.08
    odds = -2.1 + 0.55 * (first + second) + third + fourth + 1.35 * math.log1p(time) / 2.2 * (not silent) - 1.5 * refuses  # fmt: skip
    odds += 0.9 if silent and origin != "Lead Add Form" else 0.0
    won = chance.random() < 1 / (1 + math.exp(-(odds - 0.6)))
    field = FIELDS[0] if chance.random() < (0.2 if won else 0.45) else chance.choice(FIELDS[1:])
    city = chance.choices(CITIES, [3222, 2249, 752, 686, 457, 380, 74])[0]
    missing = chance.random() < 0.015
    return {
        "Prospect ID": f"{chance.getrandbits(64):016x}-{number}",
        "Lead Number": 579533 + number * 9 + chance.randrange(8),
        "Lead Origin": origin,
        "Lead Source": "" if missing else source,
        "Do Not Email": "Yes" if refuses else "No",
        **{name: "Yes" if chance.random() < 0.001 else "No" for name in HARDLY},
        "Converted": int(won),
        "TotalVisits": "" if missing else visits,
        "Total Time Spent on Website": time,
        "Page Views Per Visit": "" if missing else a_page,
        "Last Activity": "" if missing else activity,
        "Last Notable Activity": activity if chance.random() < 0.6 else "Modified",
        "Country": "" if silent and chance.random() < 0.8 else ("India" if chance.random() < 0.95 else chance.choice(("United States", "Qatar", "Oman", "Kuwait", "France", "Ghana"))),  # fmt: skip
        "Specialization": "" if chance.random() < 0.15 else field,
        "How did you hear about X Education": "Select" if chance.random() < 0.7 else chance.choice(("Online Search", "Word Of Mouth", "Student of SomeSchool", "Other", "Multiple Sources", "Email")),  # fmt: skip
        "What is your current occupation": job,
        "What matters most to you in choosing a course": "" if job == "" else "Better Career Prospects",  # fmt: skip
        **dict.fromkeys(NEVER, "No"),
        "Tags": tag(won, chance),
        "Lead Quality": quality(won, chance),
        "Lead Profile": "Select" if chance.random() < 0.7 else chance.choice(("Potential Lead", "Other Leads", "Student of SomeSchool", "Lateral Student")),  # fmt: skip
        "City": "" if chance.random() < 0.15 else city,
        "Asymmetrique Activity Index": "" if chance.random() < 0.46 else chance.choice(("01.High", "02.Medium", "03.Low")),  # fmt: skip
        "Asymmetrique Profile Index": "" if chance.random() < 0.46 else chance.choice(("01.High", "02.Medium", "03.Low")),  # fmt: skip
        "Asymmetrique Activity Score": "" if chance.random() < 0.46 else round(chance.gauss(14, 1.4)),  # fmt: skip
        "Asymmetrique Profile Score": "" if chance.random() < 0.46 else round(chance.gauss(16, 1.8)),  # fmt: skip
        "A free copy of Mastering The Interview": "Yes" if chance.random() < 0.31 else "No",
    }  # fmt: skip


def tag(won: bool, chance: random.Random) -> str:
    """What sales wrote down after they had called: a column that knows the outcome."""
    if chance.random() < 0.36:
        return ""
    if won:
        return chance.choice(("Will revert after reading the email", "Closed by Horizzon", "Lost to EINS")) if chance.random() < 0.94 else "Busy"  # fmt: skip
    return chance.choice(("Ringing", "Interested in other courses", "Already a student", "switched off", "Busy"))  # fmt: skip


def quality(won: bool, chance: random.Random) -> str:
    """A salesman's guess: good, and known late."""
    if chance.random() < 0.5:
        return ""
    right = chance.random() < 0.75
    good = won if right else not won
    return chance.choice(("High in Relevance", "Might be")) if good else chance.choice(("Not Sure", "Worst", "Low in Relevance"))  # fmt: skip


def write_leads(path: Path, leads: int = 9_000, seed: int = 1) -> Path:
    """The file; the same one for the same seed."""
    chance = random.Random(seed)
    rows = [lead(number, chance) for number in range(leads)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
