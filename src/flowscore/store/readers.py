"""Reads the files marketers have: CSV in its dialects and JSON lines, plain or gzipped.

Everything is streamed. A line that cannot be read is a `Reject` with its number and goes on; a
file that cannot be read at all is a `FlowscoreError` before anything of it was taken.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import orjson

from flowscore.errors import FlowscoreError
from flowscore.store.fields import Reject

Row = dict[str, Any]
Line = tuple[int, Row | Reject]  # its number in the file, from 1

BOM = b"\xef\xbb\xbf"
WIDE_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
SEPARATORS = ",;\t|"
LONGEST_FIELD = 10_000_000
PIECE = 1 << 20


def is_json(path: Path) -> bool:
    """Whether the name says JSON lines; everything else is CSV."""
    return any(end in (".jsonl", ".ndjson", ".json") for end in path.suffixes[-2:])


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked when it is gzipped, whatever its name."""
    try:
        file = path.open("rb")
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
    except OSError as error:
        raise FlowscoreError(f"{path}: cannot be read ({error.strerror})") from error
    return gzip.open(file) if packed else file  # type: ignore[return-value]


def read_whole(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    """The file in pieces; a damaged archive is told as such."""
    try:
        while piece := file.read(PIECE):
            yield piece
    except (OSError, EOFError) as error:
        raise FlowscoreError(f"{path}: the archive is damaged ({error})") from error


# --- JSON lines -------------------------------------------------------------------------------


def read_json_lines(path: Path) -> Iterator[Line]:
    """One object a line; `{"batch": [..]}` gives each call in it."""
    with open_bytes(path) as file:
        _refuse_json_list(path, file)
        for number, line in enumerate(_lines(path, file), 1):
            if line.strip():
                yield from _read_line(number, line)


def _lines(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    try:
        yield from file
    except (OSError, EOFError) as error:
        raise FlowscoreError(f"{path}: the archive is damaged ({error})") from error


def _refuse_json_list(path: Path, file: IO[bytes]) -> None:
    """Skip the BOM; a file that is one JSON list is a different thing."""
    start = file.read(3)
    file.seek(3 if start == BOM else 0)
    if start.removeprefix(BOM).lstrip().startswith(b"["):
        raise FlowscoreError(
            f"{path}:1: found a JSON list, expected one object a line; "
            f"convert it: jq -c '.[]' {path} > {path.stem}.jsonl"
        )


def _read_line(number: int, line: bytes) -> Iterator[Line]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        yield number, Reject(f"not JSON: {error}", number, text)
        return
    if b"\\u0000" in line:
        value = without_nuls(value)
    if type(value) is dict and type(value.get("batch")) is list:
        for call in value["batch"]:
            yield number, call
    else:
        yield number, value


def without_nuls(value: Any) -> Any:
    """The same without NUL letters, which no database keeps in a text."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [without_nuls(element) for element in value]
    if isinstance(value, dict):
        return {without_nuls(key): without_nuls(inner) for key, inner in value.items()}
    return value


# --- CSV --------------------------------------------------------------------------------------


def read_csv(path: Path, names: Mapping[str, str], encoding: str = "utf-8") -> Iterator[Line]:
    """The rows below the header as `{our name: text}`, empty cells left out.

    `names` says what a column is called here (`-`: leave it out); see `columns.name_columns`.
    """
    with open_text(path, encoding) as file:
        rows = csv_rows(file, separator_of(file, path))
        _, header = next(rows)
        ours = [names[column] for column in header]
        for number, cells in rows:
            yield number, _named(number, ours, cells)


def read_header(path: Path, encoding: str = "utf-8") -> list[str]:
    """The column names of a CSV file, after a look at all of its bytes."""
    check_encoding(path, encoding)
    with open_text(path, encoding) as file:
        rows = csv_rows(file, separator_of(file, path))
        for _, header in rows:
            return header
    raise FlowscoreError(f"{path}: the file is empty, expected a line of column names")


def csv_rows(file: IO[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that holds anything, with the number of its first line."""
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(_without_nuls(file), delimiter=separator)
    number = 1
    for cells in reader:
        cells = [cell.strip() for cell in cells]
        if any(cells):
            yield number, cells
        number = reader.line_num + 1


def _without_nuls(file: IO[str]) -> Iterator[str]:
    for line in file:
        yield line.replace("\x00", "") if "\x00" in line else line


def _named(number: int, ours: list[str], cells: list[str]) -> Row | Reject:
    if len(cells) != len(ours):
        hint = "a cell that holds the separator or a line break stands in double quotes"
        return Reject(f"found {len(cells)} cells, expected {len(ours)}; {hint}", number, cells)
    return {name: cell for name, cell in zip(ours, cells, strict=True) if cell and name != "-"}


def separator_of(file: IO[str], path: Path) -> str:
    """The separator that the first line has most of, outside of quotes."""
    first = re.sub(r'"[^"]*"', "", file.readline())
    if not first:
        raise FlowscoreError(f"{path}: the file is empty, expected a line of column names")
    file.seek(0)
    count = Counter(letter for letter in first if letter in SEPARATORS)
    return count.most_common(1)[0][0] if count else ","


def open_text(path: Path, encoding: str) -> IO[str]:
    """The file as text: a BOM is skipped, and one of UTF-16 believed."""
    file = open_bytes(path)
    start = file.read(3)
    file.seek(0)
    encoding = WIDE_BOMS.get(start[:2], "utf-8-sig" if start == BOM else encoding)
    try:
        return io.TextIOWrapper(file, encoding=encoding, newline="")
    except LookupError as error:
        raise FlowscoreError(
            f"--encoding {encoding}: no such encoding; utf-8, latin-1 and cp1252 are usual"
        ) from error


def check_encoding(path: Path, encoding: str) -> None:
    """Refuse the whole file, before anything of it is taken, when its letters would be wrong."""
    with open_text(path, encoding) as file:
        number = 0
        try:
            for number, _ in enumerate(file, 1):  # noqa: B007 (the last one read is told)
                pass
        except UnicodeDecodeError as error:
            raise FlowscoreError(_wrong_letters(path, encoding, number, error)) from error
        except (OSError, EOFError) as error:
            raise FlowscoreError(f"{path}: the archive is damaged ({error})") from error


def _wrong_letters(path: Path, encoding: str, number: int, error: UnicodeDecodeError) -> str:
    """The reader decodes piece by piece, so the line is somewhere after the last one given."""
    found = f"byte 0x{error.object[error.start]:02x} after «{_before(error.object, error.start)}»"
    line = number + 1 + error.object.count(b"\n", 0, error.start)
    return (
        f"{path}:{line}: found {found}, which is not {encoding.upper()}; it is "
        f"probably Latin-1, as Excel writes it: run it again with --encoding cp1252, or convert "
        f"it: iconv -f cp1252 -t utf-8 {path} > {path.stem}.utf8.csv"
    )


def _before(line: bytes, place: int) -> str:
    return line[max(0, place - 20) : place].decode("latin-1")


def counted(lines: Iterable[Line], watch: Any, every: int = 1000) -> Iterator[Line]:
    """The same lines; whoever watches is told every so often how many more were read."""
    seen = 0
    for line in lines:
        yield line
        seen += 1
        if seen == every:
            watch(seen)
            seen = 0
    if seen:
        watch(seen)
