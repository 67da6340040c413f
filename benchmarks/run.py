"""Every figure against its limit, measured in the same run; prints a table in Markdown.

    python benchmarks/run.py [--quick] [--only PART] [--cache DIR] [--keep]

The parts are start, import, ticks, mail, sales and intake.
`--quick` takes a tenth of the sizes. The full run wants 32 GB of disk and some hours; ends
with 1 when a bar is missed. Ratios are of processor seconds, which neighbours disturb less.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from figures import Figure, table
from importing import measure_import
from intake import measure_intake
from sales import measure_sales
from start import measure_start
from ticking import measure_ticks, sizes

import mail


def measure_mail(quick: bool) -> list[Figure]:
    """See mail.py; the three take turns here too."""
    rows = mail.people(200 if quick else 2000)
    took: dict[str, list[mail.Took]] = {"ours": [], "bare": [], "raw": []}
    with mail.sink() as port:
        for _ in range(3):
            took["ours"].append(mail.ours(port, rows))
            took["bare"].append(mail.bare(port, rows, mail.with_mimetext))
            took["raw"].append(mail.bare(port, rows, mail.raw()))
    wall = {who: len(rows) / statistics.median(t.wall for t in ts) for who, ts in took.items()}
    work = {who: len(rows) / statistics.median(t.cpu for t in ts) for who, ts in took.items()}
    ratio = wall["ours"] / wall["bare"]
    return [
        Figure(
            f"render, build and hand over {len(rows):,} mails to a server on loopback",
            f"{wall['ours']:,.0f} mails/s ({work['ours']:,.0f}/s of processor)",
            f"{wall['bare']:,.0f}/s ({work['bare']:,.0f}/s): a bare loop with MIMEText "
            f"(the client alone {wall['raw']:,.0f}/s, of which {wall['ours'] / wall['raw']:.0%})",
            f"{ratio:.2f} ({work['ours'] / work['bare']:.2f} of processor)",
            f"at least {mail.BAR}",
            ratio >= mail.BAR,
        )
    ]


def main() -> None:
    """One table; each part by itself with `--only`."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--only", choices=("start", "import", "ticks", "mail", "sales", "intake"))
    options.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "flowscore")
    options.add_argument("--keep", action="store_true", help="keep the large store")
    chosen = options.parse_args()
    parts = {
        "start": lambda: measure_start(chosen.quick),
        "import": lambda: measure_import(chosen.cache, chosen.quick),
        "ticks": lambda: measure_ticks(chosen.cache, chosen.quick, chosen.keep),
        "mail": lambda: measure_mail(chosen.quick),
        "sales": lambda: measure_sales(chosen.cache, sizes(chosen.quick)[1]),
        "intake": lambda: measure_intake(chosen.quick),
    }
    figures = []
    for name, measure in parts.items():
        if chosen.only in (None, name):
            figures += measure()
    print(table(figures))
    sys.exit(not all(one.met for one in figures))


if __name__ == "__main__":
    main()
