"""Importing files as marketers have them: dialects, mistakes, consent, once however often."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flowscore.errors import FlowscoreError
from flowscore.store.database import Store, open_store
from flowscore.store.imports import ImportReport, Source, import_contacts, import_events
from store.taking import at, attributes, change, look, names, send, stamp, tick, track

NOW = at(1000)
ANA = "ana@x.es"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def contacts(store: Store, path: Path, as_live: bool = False, **how: Any) -> ImportReport:
    return import_contacts(store, Source(path, **how), NOW, as_live=as_live)


def people(store: Store) -> list[tuple[Any, ...]]:
    return look(store, "SELECT email, created_at FROM contacts ORDER BY email_folded")


# --- contacts ---------------------------------------------------------------------------------

TABLE = [
    ["E-mail", "First Name", "created_at", "consent", "Notes"],
    [" Ana@X.es ", "Ana", stamp(1), "yes", 'two\nlines, "quoted"'],
    ["luis@x.es", "Luïs 🎓", "", "", ""],
]


def as_csv(separator: str = ",", newline: str = "\n") -> str:
    def cell(text: str) -> str:
        quoted = any(letter in text for letter in f'{separator}"\n')
        return '"' + text.replace('"', '""') + '"' if quoted else text

    return newline.join(separator.join(map(cell, row)) for row in TABLE) + newline


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(as_csv().encode(), id="plain"),
        pytest.param(as_csv(";", "\r\n").encode(), id="excel"),
        pytest.param(as_csv("\t").encode(), id="tabs"),
        pytest.param(as_csv().encode("utf-8-sig"), id="bom"),
        pytest.param(as_csv("\t", "\r\n").encode("utf-16"), id="utf-16"),
        pytest.param(gzip.compress(as_csv(";").encode()), id="gzip"),
        pytest.param(as_csv().rstrip("\n").encode() + b"\n\n , , , , \n", id="blank-lines"),
    ],
)
def test_import_contacts_reads_every_dialect(store: Store, tmp_path: Path, content: bytes) -> None:
    report = contacts(store, write(tmp_path, "people.csv", content))
    assert (report.read, report.taken, report.rejected) == (2, 2, 0), report
    tick(store, 1000)
    assert people(store) == [("Ana@X.es", at(1)), ("luis@x.es", NOW)]
    found = look(store, "SELECT name, text FROM attributes ORDER BY contact_id, name")
    assert sorted(found) == [
        ("first_name", "ana"),
        ("first_name", "luïs 🎓"),
        ("notes", 'two\nlines, "quoted"'),
    ]
    assert look(store, "SELECT * FROM events") == []


def test_latin_1_is_refused_with_the_way_out(store: Store, tmp_path: Path) -> None:
    content = "email,city\nana@x.es,Málaga\n".encode("latin-1")
    path = write(tmp_path, "people.csv", content)
    with pytest.raises(FlowscoreError) as refused:
        contacts(store, path)
    assert str(refused.value).startswith(f"{path}:2: found byte 0xe1 after «")
    assert "--encoding cp1252" in str(refused.value) and "iconv -f cp1252" in str(refused.value)
    assert look(store, "SELECT * FROM inbox") == []
    contacts(store, path, encoding="latin-1")
    tick(store, 1000)
    assert attributes(store) == {"city": "málaga"}


def test_latin_1_deep_in_a_long_file_is_found(store: Store, tmp_path: Path) -> None:
    lines = [f"p{n}@x.es,Vic" for n in range(5000)]
    lines[4321] = "x@x.es,M\xe1laga"
    path = write(tmp_path, "people.csv", "\n".join(["email,city", *lines]).encode("latin-1"))
    with pytest.raises(FlowscoreError, match=r"people.csv:4323: found byte 0xe1"):
        contacts(store, path)


def test_f01_consent_is_recorded_with_source_and_date(store: Store, tmp_path: Path) -> None:
    text = f"""email,created_at,consent,consent_source,consent_at
    ana@x.es,{stamp(1)},yes,fair in Vic,{stamp(2)}
    ben@x.es,{stamp(1)},news; offers,,
    cai@x.es,{stamp(1)},no,phone,
    dan@x.es,{stamp(1)},,fair,
    """.replace("    ", "")
    contacts(store, write(tmp_path, "people.csv", text))
    tick(store, 1000)
    assert look(
        store,
        "SELECT email_folded, topic, granted, at, source FROM consents JOIN contacts "
        "ON id = contact_id ORDER BY email_folded, topic",
    ) == [
        ("ana@x.es", "email", True, at(2), "fair in Vic"),
        ("ben@x.es", "news", True, at(1), "import of people.csv"),
        ("ben@x.es", "offers", True, at(1), "import of people.csv"),
        ("cai@x.es", "email", False, at(1), "phone"),
    ]


def test_import_contacts_updates_the_same_contact(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "people.csv", "email,plan,city\nana@x.es,free,Vic\nANA@x.es,pro,\n")
    assert contacts(store, path).taken == 2
    tick(store, 1000)
    assert attributes(store) == {"plan": "pro", "city": "vic"}
    write(tmp_path, "people.csv", "email,plan\nAna@X.ES,team\n")
    import_contacts(store, Source(path), at(1010))
    tick(store, 1005)
    assert attributes(store)["plan"] == "pro"  # a known contact is updated at the import
    tick(store, 1010)
    assert attributes(store) == {"plan": "team", "city": "vic"}
    assert people(store) == [("ana@x.es", NOW)]
    assert look(store, "SELECT * FROM events") == []
    assert ("attribute", "plan") in look(store, "SELECT kind, name FROM changes")


def test_imported_contacts_exist_before_the_import(store: Store, tmp_path: Path) -> None:
    """A history run on the grid: who exists when is said by `created_at`, not by the import."""
    text = f"email,created_at,plan\nana@x.es,{stamp(3)},free\nben@x.es,{stamp(9)},pro\n"
    contacts(store, write(tmp_path, "people.csv", text))
    send(store, track("a", 2, user="ben@x.es"))
    tick(store, 2)
    assert people(store) == [("ana@x.es", at(3)), ("ben@x.es", at(2))]
    assert names(store, "ben@x.es") == ["a"]  # quiet: no contact_created
    assert sorted(look(store, "SELECT text, set_at FROM attributes")) == [
        ("free", at(3)),
        ("pro", at(9)),
    ]


def test_import_contacts_as_live_makes_events(store: Store, tmp_path: Path) -> None:
    text = f"email,created_at,plan,consent\nana@x.es,{stamp(3)},free,yes\n"
    contacts(store, write(tmp_path, "a.csv", text), as_live=True)
    assert tick(store, 2) == 0
    tick(store, 3)
    assert names(store) == ["contact_created"]
    contacts(store, write(tmp_path, "b.csv", "email,plan,consent\nana@x.es,pro,no\n"), as_live=True)
    tick(store, 1000)
    assert names(store) == ["contact_created", "attribute_changed", "unsubscribed"]
    assert look(store, "SELECT own_at FROM events ORDER BY id") == [(at(3),), (NOW,), (NOW,)]


def test_columns_are_mapped(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "people.csv", "Kontakt;Land;Interne Nr\nana@x.es;ES;17\n")
    with pytest.raises(FlowscoreError, match=r"people.csv:1: no column says whom.*'Kontakt', 'L"):
        contacts(store, path)
    with pytest.raises(FlowscoreError, match="did you mean 'Kontakt'"):
        contacts(store, path, mapping={"Kontact": "email"})
    contacts(store, path, mapping={"kontakt": "email", "Interne Nr": "-"})
    tick(store, 1000)
    assert attributes(store) == {"country": "es"}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("email,Plan,plan", "the column 'plan' would be a second `plan`"),
        ("email,email", "the column 'email' would be a second `email`"),
        ("", "the file is empty, expected a line of column names"),
    ],
)
def test_headers_that_cannot_be_read(
    store: Store, tmp_path: Path, header: str, reason: str
) -> None:
    with pytest.raises(FlowscoreError, match=reason):
        contacts(store, write(tmp_path, "people.csv", header))


def test_rejects_stand_beside_the_file_and_can_be_mended(store: Store, tmp_path: Path) -> None:
    text = (
        "Name,E-Mail,created_at,consent\n"
        "Ana,ana@x.es,,\n"
        "Ben,ben@,,\n"
        "Cai,,,\n"
        'Dan,dan@x.es,"05/03/2024",\n'
        "Eva,eva@x.es,,per haps\n"
        "Fay,fay@x.es\n"
        "Guy,guy@x.es,,,,,\n"
    )
    path = write(tmp_path, "people.csv", text)
    report = contacts(store, path)
    assert (report.read, report.taken, report.rejected) == (7, 1, 6)
    rejects = tmp_path / "people.rejects.csv"
    assert report.rejects_file == rejects
    lines = rejects.read_text().splitlines()
    assert lines[0] == "line,reason,name,email,created_at,consent"
    wanted = [
        "3,email: «ben@» is no address: There must be something after the @-sign.,Ben,ben@,,",
        '4,"email: found nothing, expected an address",Cai,,,',
        '5,"created_at: found «05/03/2024», expected a time such as 2026-11-22T09:00:00Z",Dan,',
        '6,"consent: found «per haps», expected yes, no, or topics',
        '7,"found 2 cells, expected 4; a cell that holds',
        '8,"found 7 cells, expected 4; a cell that holds',
    ]
    for line, start in zip(lines[1:], wanted, strict=True):
        assert line.startswith(start), line
    assert "6 rejected, see" in str(report) and "line 3: email: «ben@»" in str(report)
    mended = lines[0] + "\n" + lines[1].replace("ben@", "ben@x.es") + "\n"
    again = contacts(store, write(tmp_path, "mended.csv", mended))
    assert (again.taken, again.rejected) == (1, 0)
    tick(store, 1000)
    found = look(store, "SELECT DISTINCT name FROM attributes")
    assert found == [("name",)]


def test_a_topic_is_a_slug(store: Store, tmp_path: Path) -> None:
    text = "email,consent\na@x.es,all\nb@x.es,news;transactional\nc@x.es,News\n"
    report = contacts(store, write(tmp_path, "people.csv", text))
    assert [reject.line for reject in report.first_rejects] == [2, 3]
    tick(store, 1000)
    assert look(store, "SELECT topic FROM consents") == [("news",)]


def test_import_contacts_from_json_lines(store: Store, tmp_path: Path) -> None:
    lines = [
        {"email": ANA, "created_at": stamp(1), "plan": "pro", "seats": 25, "tags": ["a", "b"]},
        {"E-mail": "ben@x.es", "traits": {"plan": "free"}},
        {"email": 17},
        [1],
    ]
    text = "\ufeff" + "\n".join(map(json.dumps, lines)) + '\n{"email": \n'
    report = contacts(store, write(tmp_path, "people.jsonl", text))
    assert (report.read, report.taken, report.rejected) == (5, 2, 3)
    tick(store, 1000)
    assert look(store, "SELECT number FROM attributes WHERE name = 'seats'") == [(25.0,)]
    rejects = (tmp_path / "people.rejects.jsonl").read_text().splitlines()
    assert [json.loads(line)["line"] for line in rejects] == [3, 4, 5]
    assert json.loads(rejects[2])["reason"].startswith("not JSON: ")


COMPANIES = """SELECT c.email_folded, k.key, c.company_at, a.name, a.text FROM contacts c
    JOIN companies k ON k.id = c.company_id
    LEFT JOIN company_attributes a ON a.company_id = k.id ORDER BY 1, 4"""


def test_import_contacts_names_their_company(store: Store, tmp_path: Path) -> None:
    text = f"""email,created_at,company,Company ID,company.Industry
    ana@x.es,{stamp(1)},Acme Inc,g-7,software
    ben@x.es,{stamp(2)},,g-7,
    cai@x.es,{stamp(3)},Solo,,food
    """.replace("    ", "")
    report = contacts(store, write(tmp_path, "people.csv", text))
    assert report.taken == 3
    tick(store, 1000)
    assert look(store, COMPANIES) == [
        (ANA, "g-7", at(1), "industry", "software"),
        ("ben@x.es", "g-7", at(2), "industry", "software"),
    ]
    assert look(store, "SELECT name, text FROM attributes ORDER BY contact_id, name") == [
        ("company", "acme inc"), ("company", "solo"), ("company.industry", "food"),
    ]  # fmt: skip
    lines = [{"email": ANA, "created_at": stamp(1), "company_id": 8, "company": {"size": 40}}]
    path = write(tmp_path, "people.jsonl", jsonl(*lines))
    import_contacts(store, Source(path), at(1010))
    tick(store, 1010)
    assert look(store, COMPANIES)[0] == (ANA, "8", at(1010), "size", "40")
    assert look(store, "SELECT name FROM events") == []


# --- events -----------------------------------------------------------------------------------


def events(store: Store, path: Path, now: int = NOW, **how: Any) -> ImportReport:
    flags = {key: how.pop(key) for key in ("historical", "as_live") if key in how}
    return import_events(store, Source(path, **how), now, **flags)


def jsonl(*calls: dict[str, Any]) -> str:
    return "".join(json.dumps(call) + "\r\n" for call in calls)


def test_import_events_once_however_often(store: Store, tmp_path: Path) -> None:
    path = write(
        tmp_path, "e.jsonl", jsonl(track("a", 1, user=ANA), track("b", 2, user=ANA), {"bad": 1})
    )
    report = events(store, path)
    assert (report.read, report.taken, report.duplicates, report.rejected) == (3, 2, 0, 1)
    again = events(store, path, now=at(1001))
    assert (again.taken, again.duplicates) == (0, 2)
    tick(store, 1000)
    assert look(store, "SELECT count(*) FROM inbox") == [(0,)]
    later = events(store, path, now=at(1002))
    assert (later.taken, later.duplicates) == (0, 2)
    tick(store, 1002)
    assert names(store) == ["contact_created", "a", "b"]


def test_what_is_no_event_comes_once_too(store: Store, tmp_path: Path) -> None:
    """Identify and group calls, and a word on consent that changed nothing."""
    calls = [
        {"type": "identify", "userId": ANA, "traits": {"plan": "pro"}},
        {"type": "group", "userId": ANA, "groupId": "g"},
        track("Subscribed", 1, user=ANA),
        track("Subscribed", 2, user=ANA),
    ]
    path = write(tmp_path, "e.jsonl", jsonl(*calls))
    assert events(store, path).taken == 4
    tick(store, 1000)
    path = write(tmp_path, "e.jsonl", jsonl(*calls, track("new", 3, user=ANA)))
    report = events(store, path, now=at(1001))
    assert (report.taken, report.duplicates) == (1, 4)
    assert "1 of 5 taken, 4 had come before" in str(report)
    tick(store, 1001)
    assert names(store) == ["contact_created", "attribute_changed", "subscribed", "new"]


def test_import_events_gzipped_batches_and_nuls(store: Store, tmp_path: Path) -> None:
    calls = [track("a", 1, user=ANA, properties={"x": "a\0b"}), track("b", 2, user=ANA)]
    alias = {"type": "alias", "userId": ANA, "previousId": "g"}
    text = json.dumps({"batch": calls}) + "\n\n" + json.dumps(alias)
    report = events(store, write(tmp_path, "e.jsonl.gz", gzip.compress(text.encode())))
    assert (report.read, report.taken) == (3, 3)
    tick(store, 1000)
    assert ("anonymous", "g") in look(store, "SELECT kind, value FROM identities")
    forms = look(store, "SELECT forms FROM events WHERE name = 'a'")[0][0]
    assert (json.loads(forms) if isinstance(forms, str) else forms) == {"x": [["ab"]]}


def test_import_events_from_csv(store: Store, tmp_path: Path) -> None:
    text = (
        "Event Name;E-mail;Date;total;Path;Message ID\n"
        "Order Completed;Ana@x.es;2026-01-01 02:00;11.77;;m1\n"
        "Page Viewed;Ana@x.es;2026-01-01;;/Blog/;m2\n"
        "Order Completed;;2026-01-01;5;;m3\n"
        ";ana@x.es;2026-01-01;5;;m4\n"
    )
    path = write(tmp_path, "e.csv", text)
    report = events(store, path, zone=ZoneInfo("Europe/Madrid"), as_live=True)
    assert (report.taken, report.rejected) == (2, 2)
    rejects = (tmp_path / "e.rejects.csv").read_text().splitlines()[1:]
    assert rejects[0].startswith('4,"found no userId, anonymousId or email, expected whom')
    assert rejects[0].endswith(",Order Completed,,2026-01-01,5,,m3")
    assert rejects[1].startswith('5,"event: found nothing, expected the name of what happened",,a')
    tick(store, 1)
    assert look(
        store, "SELECT name, own_at, received_at FROM events WHERE behaviour ORDER BY own_at"
    ) == [("page_viewed", at(-1), at(-1)), ("order_completed", at(1), at(1))]
    assert look(store, "SELECT message_id FROM events WHERE behaviour ORDER BY 1") == [
        ("m1",),
        ("m2",),
    ]


def test_import_groups_from_csv(store: Store, tmp_path: Path) -> None:
    text = f"type,email,groupId,industry,timestamp\ngroup,{ANA},g,food,{stamp(1)}\n"
    assert events(store, write(tmp_path, "e.csv", text)).taken == 1
    tick(store, 1000)
    assert look(store, COMPANIES) == [(ANA, "g", at(1), "industry", "food")]


def test_import_events_historical(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "e.jsonl", jsonl(track("a", 1, user=ANA)))
    events(store, path, historical=True)
    tick(store, 1000)
    assert look(store, "SELECT DISTINCT historical FROM events") == [(True,)]


@pytest.mark.parametrize("as_live", [False, True])
def test_history_is_known_to_a_grid_in_the_past(
    store: Store, tmp_path: Path, as_live: bool
) -> None:
    path = write(tmp_path, "e.jsonl", jsonl(track("a", 1, user=ANA)))
    events(store, path, historical=True, as_live=as_live)
    tick(store, 1)
    assert look(store, "SELECT DISTINCT historical FROM events") == [(True,)]


def test_a_json_list_is_told_how_to_convert(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FlowscoreError, match=r"expected one object a line; convert it: jq -c"):
        events(store, write(tmp_path, "e.json", '\n [{"type": "track"}]'))


def test_files_that_cannot_be_read(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FlowscoreError, match=r"none.jsonl: cannot be read \(No such file"):
        events(store, tmp_path / "none.jsonl")
    with pytest.raises(FlowscoreError, match=r"cannot be read \(Is a directory"):
        contacts(store, tmp_path)
    whole = gzip.compress(jsonl(*[track("a", n, user=ANA) for n in range(500)]).encode())
    with pytest.raises(FlowscoreError, match="the archive is damaged"):
        events(store, write(tmp_path, "cut.jsonl.gz", whole[: len(whole) // 2]))
    with pytest.raises(FlowscoreError, match="--encoding klingon: no such encoding"):
        contacts(store, write(tmp_path, "p.csv", "email\na@x.es\n"), encoding="klingon")


def test_an_open_quote_costs_only_its_rows(store: Store, tmp_path: Path) -> None:
    report = contacts(store, write(tmp_path, "p.csv", 'email,a\na@x.es,1\nb@x.es,"2\nc@x.es,3\n'))
    assert (report.taken, report.rejected) in ((2, 0), (1, 1))


def test_progress_is_told(store: Store, tmp_path: Path) -> None:
    told: list[int] = []
    path = write(tmp_path, "e.jsonl", jsonl(*[track("a", n, user=ANA) for n in range(2500)]))
    import_events(store, Source(path), NOW, progress=told.append)
    assert told == [1000, 1000, 500]


def test_a_full_disk_leaves_what_was_committed(tmp_path: Path) -> None:
    store = open_store(tmp_path / "flowscore.db", create=True)
    calls = [track("a", n / 1000, user=ANA, properties={"x": "y" * 500}) for n in range(12_000)]
    path = write(tmp_path, "e.jsonl", jsonl(*calls))
    with store.inbox_engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 2500")
        connection.exec_driver_sql("SELECT 1")
    with pytest.raises(FlowscoreError, match="disk is full; make room and run the same command"):
        events(store, path)
    assert look(store, "SELECT count(*) FROM inbox") == [(5000,)]
    with store.inbox_engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    report = events(store, path, now=at(1001))
    assert (report.taken, report.duplicates) == (7000, 5000)
    tick(store, 1001)
    assert look(store, "SELECT count(*) FROM events WHERE behaviour") == [(12_000,)]
    store.close()


def test_rejects_without_a_place_to_write(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "e.jsonl", "nonsense\n")
    report = events(store, path, rejects_path=tmp_path / "no" / "such" / "folder.jsonl")
    assert (report.rejected, report.rejects_file) == (1, None)
    assert "line 1: not JSON" in str(report)
    change(store, "DELETE FROM changes")
