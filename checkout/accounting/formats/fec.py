"""Export as French accounting entries file (article A47 A-1 of the book of tax procedures). Pure.

Eighteen columns, parted by tabs, days as 20261130, decimal comma, ISO 8859-15: the article allows
that, ASCII and EBCDIC. The number of an entry runs through the year without a gap. Books in France
are kept in euros: the columns of another currency stay empty.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from checkout.accounting.books import Posting
from checkout.accounting.formats.sheet import Sheet, cell, decimal, described, piece
from kernel.errors import DomainError

COLUMNS = (
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib"),
    *("CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit"),
    *("EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise"),
)
_DAY = "%Y%m%d"
_CHARACTERS = "iso-8859-15"
_APOSTROPHES = {0x2018: "'", 0x2019: "'"}
# Accounts that have one part for each merchant.
_AUXILIARY = frozenset({"commission_receivable"})


def file_name(sheet: Sheet) -> str:
    """`123456789FEC20261130.txt`. DomainError `siren_missing`."""
    siren = sheet.presentation.siren
    if not (siren.isascii() and siren.isdigit() and len(siren) == 9):
        raise DomainError(
            "siren_missing", "This file is named after a SIREN.", hint="Set ACCOUNTS_SIREN."
        )
    return f"{siren}FEC{sheet.last_day:{_DAY}}.txt"


def lines(sheet: Sheet, postings: Iterable[Posting]) -> Iterator[bytes]:
    """See `checkout.accounting.formats`."""
    yield _line(COLUMNS)
    for each in postings:
        yield _line(_row(sheet, each))


def _row(sheet: Sheet, each: Posting) -> tuple[str, ...]:
    number, name = sheet.presentation.account("fec", each.role)
    party = cell(each.party) if each.role in _AUXILIARY else ""
    return (
        "VE",
        "Ventes",
        f"{each.number}",
        f"{sheet.day_of(each):{_DAY}}",
        number,
        cell(name),
        party,
        party,
        cell(piece(each)),
        f"{each.occurred_at:{_DAY}}",
        cell(described(each)),
        decimal(each.debit, each.currency, ","),
        decimal(each.credit, each.currency, ","),
        "",
        "",
        f"{sheet.closed_at:{_DAY}}" if sheet.closed_at is not None else "",
        "",
        "",
    )


def _line(cells: Iterable[str]) -> bytes:
    return _coded("\t".join(cells) + "\r\n")


def _coded(text: str) -> bytes:
    """In the characters of the file; others lose their accents, and what is left is a `?`."""
    try:
        return text.encode(_CHARACTERS)
    except UnicodeEncodeError:
        return b"".join(map(_nearest, text.translate(_APOSTROPHES)))


def _nearest(character: str) -> bytes:
    try:
        return character.encode(_CHARACTERS)
    except UnicodeEncodeError:
        bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore")
        # Never a tab, the end of a line, or what would begin a formula.
        return bare if bare.isalnum() else b"?"
