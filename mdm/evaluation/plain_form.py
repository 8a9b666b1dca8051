"""The plain form of a matching set: offers, and the truth as pairs or as clusters, in CSV files.

`.csv` and `.csv.gz` are both read. A file that cannot be a set is refused whole, with line and why:
a figure from half a set would be worse than none.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import orjson

from kernel.errors import DomainError
from mdm.raw_offer import RawOffer

MAX_OFFERS = 2_000_000
MAX_PAIRS = 20_000_000
MAX_FIELD = 200_000
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
        if row["label"] not in ("0", "1"):
            raise _refused(path, line, f"label is {row['label'][:20]!r}; it must be 0 or 1")
        pairs.append(LabelledPair(row["left_id"], row["right_id"], row["label"] == "1"))
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
    if not text:
        return ()
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _refused(path, line, "attributes is not JSON") from error
    if not isinstance(value, dict):
        raise _refused(path, line, "attributes is not a JSON object")
    return tuple((str(key), str(each)) for key, each in value.items() if each is not None)


def _rows(
    path: Path, required: tuple[str, ...], most: int
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Rows with the line that each ends on."""
    csv.field_size_limit(MAX_FIELD)
    with _opened(path) as stream:
        reader = csv.DictReader(stream, restval="")
        try:
            missing = [name for name in required if name not in (reader.fieldnames or ())]
            if missing:
                raise _refused(path, 1, f"the column {missing[0]} is missing")
            for count, row in enumerate(reader, 1):
                if count > most:
                    raise _refused(path, reader.line_num, f"more than {most} rows")
                for name in required:
                    if not row[name] and name != "title":
                        raise _refused(path, reader.line_num, f"{name} is empty")
                yield reader.line_num, row
        except (csv.Error, UnicodeDecodeError, EOFError, OSError) as error:
            raise _refused(path, reader.line_num, str(error)) from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    try:
        with path.open("rb") as raw:
            is_packed = raw.read(2) == _GZIP
            raw.seek(0)
            plain: IO[bytes] = gzip.GzipFile(fileobj=raw) if is_packed else raw  # type: ignore[assignment]
            yield io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
    except FileNotFoundError as error:
        raise DomainError(
            "set_unreadable", f"There is no file {path}.", hint="Check the path."
        ) from error


def _check_known(path: Path, line: int, name: str, value: str, known: set[str]) -> None:
    if value not in known:
        raise _refused(path, line, f"{name} {value[:60]!r} is not among the offers")


def _refused(path: Path, line: int, reason: str) -> DomainError:
    return DomainError(
        "set_unreadable",
        f"{path}, line {line}: {reason}.",
        hint="The form of a set is in docs/guides/matching.md.",
    )
