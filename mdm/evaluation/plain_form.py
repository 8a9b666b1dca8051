"""The plain form of a matching set: offers, and the truth as pairs or as clusters, in CSV files.

`.csv` and `.csv.gz` are both read. A file that cannot be a set is refused whole, with line and why:
a figure from half a set would be worse than none. What programs write in several ways and can mean
one thing only (`True` for 1, `NaN` for nothing, names of columns in capitals) is taken.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kernel.errors import DomainError
from mdm.raw_offer import RawOffer

MAX_OFFERS = 2_000_000
MAX_PAIRS = 20_000_000
MAX_FIELD = 10_000_000
_LABELS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
_NO_COMMAS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two offers by id, and whether they are of one product."""

    left: str
    right: str
    is_match: bool


def read_offers(path: Path) -> list[RawOffer]:
    """Offers as a merchant would state them. Required: id, title. Where known: brand, gtin, mpn,
    description, price, currency, merchant, category, lang, attributes (a JSON object)."""
    offers: list[RawOffer] = []
    seen: set[str] = set()
    for line, row in _rows(path, ("id", "title"), MAX_OFFERS):
        if row["id"] in seen:
            raise _refused(path, line, f"the id {row['id'][:60]!r} is there twice")
        seen.add(row["id"])
        offers.append(_offer(path, line, row))
    return offers


def read_pairs(path: Path, known: set[str]) -> list[LabelledPair]:
    """Pairs with labels 0 and 1: left_id, right_id, label."""
    pairs = []
    for line, row in _rows(path, ("left_id", "right_id", "label"), MAX_PAIRS):
        for name in ("left_id", "right_id"):
            _check_known(path, line, name, row[name], known)
        label = _LABELS.get(row["label"].strip().lower())
        if label is None:
            raise _refused(path, line, f"label is {row['label'][:20]!r}; it must be 0 or 1")
        pairs.append(LabelledPair(row["left_id"], row["right_id"], label))
    return pairs


def read_clusters(path: Path, known: set[str]) -> dict[str, str]:
    """The true product of each offer: id, cluster."""
    clusters: dict[str, str] = {}
    for line, row in _rows(path, ("id", "cluster"), MAX_OFFERS):
        _check_known(path, line, "id", row["id"], known)
        if row["id"] in clusters:
            raise _refused(path, line, f"the id {row['id'][:60]!r} is there twice")
        clusters[row["id"]] = row["cluster"]
    return clusters


def _offer(path: Path, line: int, row: Mapping[str, str]) -> RawOffer:
    return RawOffer(
        sku=row["id"],
        title=row["title"],
        price=row.get("price") or None,
        currency=row.get("currency") or None,
        description=row.get("description") or None,
        language=row.get("lang") or None,
        gtins=(row["gtin"],) if row.get("gtin") else (),
        mpn=row.get("mpn") or None,
        manufacturer=row.get("brand") or None,
        category=row.get("category") or None,
        seller=row.get("merchant") or None,
        attributes=_attributes(path, line, row.get("attributes") or ""),
    )


def _attributes(path: Path, line: int, text: str) -> tuple[tuple[str, str], ...]:
    if not text.strip():
        return ()
    try:
        value = json.loads(text, parse_constant=lambda _: None)
        if not isinstance(value, dict):
            raise _refused(path, line, "attributes is not a JSON object")
        said = [(key, _in_words(each)) for key, each in value.items()]
    except RecursionError as error:
        raise _refused(path, line, "attributes holds JSON that is too deep") from error
    except ValueError as error:
        raise _refused(path, line, "attributes is not JSON") from error
    return tuple((key, each) for key, each in said if each)


def _in_words(value: Any) -> str:
    """A value as a merchant would write it: a list with commas, a number with its unit."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(filter(None, map(_in_words, value)))
    if isinstance(value, dict):
        return " ".join(filter(None, map(_in_words, value.values())))
    return str(value)


def _rows(
    path: Path, required: tuple[str, ...], most: int
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Rows with the line that each ends on."""
    csv.field_size_limit(MAX_FIELD)
    with _opened(path) as stream:
        reader = csv.DictReader(stream, restval="")
        try:
            reader.fieldnames = _columns(path, reader.fieldnames or (), required)
            count = 0
            for count, row in enumerate(reader, 1):
                if count > most:
                    raise _refused(path, reader.line_num, f"more than {most} rows")
                _check_row(path, reader.line_num, row, required)
                yield reader.line_num, row
        except UnicodeDecodeError as error:
            # A file is decoded ahead of its rows: the line would be a guess.
            raise _unreadable(f"{path} is not UTF-8: {error.reason}") from error
        except (csv.Error, EOFError, OSError) as error:
            raise _refused(path, reader.line_num, str(error)) from error
    if not count:
        raise _refused(path, 1, "there is no row below the names of the columns")


def _columns(path: Path, stated: Sequence[str], required: Sequence[str]) -> list[str]:
    names = [each.strip().lower() for each in stated]
    missing = [each for each in required if each not in names]
    if not missing:
        return names
    if not names:
        raise _refused(path, 1, "the file is empty")
    mark = next((each for each in _NO_COMMAS if len(names) == 1 and each in names[0]), None)
    if mark is not None:
        raise _refused(path, 1, f"fields are parted by {_NO_COMMAS[mark]}; they must be by commas")
    raise _refused(path, 1, f"the column {missing[0]} is missing")


def _check_row(path: Path, line: int, row: Mapping[str, Any], required: Sequence[str]) -> None:
    for name in required:
        if not row[name] and name != "title":
            raise _refused(path, line, f"{name} is empty")
    # A comma in a title that nobody quoted: everything behind it would stand one column off.
    if any(row.get(None, ())):  # type: ignore[call-overload]
        raise _refused(path, line, "more fields than columns; a comma has to stand in quotes")


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    try:
        with path.open("rb") as raw:
            is_packed = raw.read(2) == _GZIP
            raw.seek(0)
            plain: IO[bytes] = gzip.GzipFile(fileobj=raw) if is_packed else raw  # type: ignore[assignment]
            yield io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
    except FileNotFoundError as error:
        raise _unreadable(f"There is no file {path}") from error


def _check_known(path: Path, line: int, name: str, value: str, known: set[str]) -> None:
    if value not in known:
        raise _refused(path, line, f"{name} {value[:60]!r} is not among the offers")


def _refused(path: Path, line: int, reason: str) -> DomainError:
    return _unreadable(f"{path}, line {line}: {reason}")


def _unreadable(reason: str) -> DomainError:
    hint = "The form of a set is in docs/guides/matching.md."
    return DomainError("set_unreadable", f"{reason}.", hint=hint)
