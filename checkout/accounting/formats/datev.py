"""Export as DATEV batch of postings (EXTF 700, Buchungsstapel 13). Pure.

Windows-1252, semicolons, decimal comma. Each line moves an amount from one account to another, so
a transaction of several entries becomes several lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby

from checkout.accounting.books import Posting
from checkout.accounting.formats.sheet import Sheet, cell, decimal, described, piece

_TAX = ("EU-Land u. UStID", "EU-Steuersatz")
COLUMNS = (
    *("Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Kurs"),
    *("Basis-Umsatz", "WKZ Basis-Umsatz", "Konto", "Gegenkonto (ohne BU-Schlüssel)"),
    *("BU-Schlüssel", "Belegdatum", "Belegfeld 1", "Belegfeld 2", "Skonto", "Buchungstext"),
    *("Postensperre", "Diverse Adressnummer", "Geschäftspartnerbank", "Sachverhalt"),
    *("Zinssperre", "Beleglink"),
    *chain.from_iterable((f"Beleginfo - Art {n}", f"Beleginfo - Inhalt {n}") for n in range(1, 9)),
    *("KOST1 - Kostenstelle", "KOST2 - Kostenstelle", "Kost-Menge"),
    *(f"{name} (Bestimmung)" for name in _TAX),
    *("Abw. Versteuerungsart", "Sachverhalt L+L", "Funktionsergänzung L+L"),
    *("BU 49 Hauptfunktionstyp", "BU 49 Hauptfunktionsnummer", "BU 49 Funktionsergänzung"),
    *chain.from_iterable(
        (f"Zusatzinformation - Art {n}", f"Zusatzinformation- Inhalt {n}") for n in range(1, 21)
    ),
    *("Stück", "Gewicht", "Zahlweise", "Forderungsart", "Veranlagungsjahr"),
    *("Zugeordnete Fälligkeit", "Skontotyp", "Auftragsnummer", "Buchungstyp"),
    *("USt-Schlüssel (Anzahlungen)", "EU-Land (Anzahlungen)", "Sachverhalt L+L (Anzahlungen)"),
    *("EU-Steuersatz (Anzahlungen)", "Erlöskonto (Anzahlungen)", "Herkunft-Kz"),
    *("Buchungs GUID", "KOST-Datum", "SEPA-Mandatsreferenz", "Skontosperre"),
    *("Gesellschaftername", "Beteiligtennummer", "Identifikationsnummer", "Zeichnernummer"),
    *("Postensperre bis", "Bezeichnung SoBil-Sachverhalt", "Kennzeichen SoBil-Buchung"),
    *("Festschreibung", "Leistungsdatum", "Datum Zuord. Steuerperiode", "Fälligkeit"),
    *("Generalumkehr (GU)", "Steuersatz", "Land", "Abrechnungsreferenz", "BVV-Position"),
    *(f"{name} (Ursprung)" for name in _TAX),
    "Abw. Skontokonto",
)
_FIXED = COLUMNS.index("Festschreibung")


def file_name(sheet: Sheet) -> str:
    """`EXTF_Buchungsstapel_2026-11.csv`."""
    return f"EXTF_Buchungsstapel_{sheet.period}.csv"


def lines(sheet: Sheet, postings: Iterable[Posting]) -> Iterator[bytes]:
    """See `checkout.accounting.formats`."""
    yield _line(_head(sheet))
    yield _line(COLUMNS)
    for _, entries in groupby(postings, key=lambda each: each.transaction_id):
        for debit, credit, amount in _pairs(list(entries)):
            yield _line(_row(sheet, debit, credit, amount))


def _pairs(entries: list[Posting]) -> Iterator[tuple[Posting, Posting, int]]:
    """Debits against credits until nothing is left: a balanced transaction always comes out."""
    debits = [(each, each.debit) for each in entries if each.debit]
    credits_ = [(each, each.credit) for each in entries if each.credit]
    while debits and credits_:
        (debit, owed), (credit, given) = debits.pop(0), credits_.pop(0)
        amount = min(owed, given)
        yield debit, credit, amount
        if owed > amount:
            debits.insert(0, (debit, owed - amount))
        if given > amount:
            credits_.insert(0, (credit, given - amount))


def _head(sheet: Sheet) -> tuple[str, ...]:
    shown = sheet.presentation
    made = sheet.closed_at or sheet.made_at
    return (
        *(_text("EXTF"), "700", "21", _text("Buchungsstapel"), "13"),
        *(f"{made:%Y%m%d%H%M%S}{made.microsecond // 1000:03}", "", _text("RE"), _text("")),
        *(_text(""), f"{shown.datev_consultant}", f"{shown.datev_client}"),
        *(f"{sheet.first_day:%Y}0101", "4", f"{sheet.first_day:%Y%m%d}"),
        *(f"{sheet.last_day:%Y%m%d}", _text(f"Comptoir {sheet.period}"), _text(""), "1", "0"),
        *("1" if sheet.closed_at else "0", _text(sheet.currency or "EUR"), "", _text("")),
        *("", "", _text("03"), "", "", _text(""), _text("")),
    )


def _row(sheet: Sheet, debit: Posting, credit: Posting, amount: int) -> list[str]:
    row = [""] * len(COLUMNS)
    account, _ = sheet.presentation.account("datev", debit.role)
    against, _ = sheet.presentation.account("datev", credit.role)
    row[:3] = [decimal(amount, debit.currency, ","), _text("S"), _text(debit.currency)]
    row[6:8] = [account, against]
    row[9] = f"{sheet.day_of(debit):%d%m}"
    row[10] = _text(piece(debit))
    row[11] = _text(f"{debit.number}")
    row[13] = _text(described(debit)[:60])
    row[_FIXED] = "1" if sheet.closed_at else "0"
    return row


def _text(value: str) -> str:
    shown = cell(value).replace('"', '""')
    return f'"{shown}"'


def _line(cells: Iterable[str]) -> bytes:
    return (";".join(cells) + "\r\n").encode("cp1252", "replace")
