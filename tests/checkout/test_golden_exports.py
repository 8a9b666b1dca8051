"""Each format of an export as it was in every release before; no cell is a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from checkout.accounting.formats import NAMES, datev, fec
from checkout.accounting.formats.sheet import cell
from checkout.accounting.presentation import current_presentation
from kernel.errors import DomainError
from kernel.settings import Settings
from tests.checkout.postings import GOLDEN, entries, sheet


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        (" =1+1", "'=1+1"),
        ("\t@SUM(A1)", "'@SUM(A1)"),
        ("\r-2", "'-2"),
        ("+33 4", "'+33 4"),
        ("\uff1dA1", "'\uff1dA1"),
        ("\x00\u200b=A1", "'=A1"),
        ("two\nlines\tand more", "two lines and more"),
        ("Norden", "Norden"),
        ("", ""),
    ],
)
def test_no_cell_starts_a_formula(text: str, shown: str) -> None:
    assert cell(text) == shown


@pytest.mark.parametrize("name", NAMES)
def test_a_format_is_what_it_was(name: str) -> None:
    """Closed months come out as they did in every release before."""
    from checkout.accounting.formats import format_of

    made = b"".join(format_of(name).lines(sheet(), entries()))
    assert made == (GOLDEN / f"november.{name}").read_bytes()


def test_the_french_file_is_as_the_tax_office_wants_it() -> None:
    assert fec.file_name(sheet()) == "123456789FEC20261130.txt"
    made = b"".join(fec.lines(sheet(), entries())).decode("iso-8859-15")
    rows = [line.split("\t") for line in made.removesuffix("\r\n").split("\r\n")]
    assert rows[0] == list(fec.COLUMNS)
    assert {len(row) for row in rows} == {18}
    found = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [row["EcritureNum"] for row in found] == ["1", "1", "1", "2", "2"]
    assert found[0]["Debit"] == "120,60"
    assert found[0]["CompAuxNum"] == "norden"
    assert [row["CompteNum"] for row in found[:3]] == ["411000", "706000", "445710"]
    assert found[2]["CompteLib"] == "TVA collectée"
    assert (found[3]["EcritureDate"], found[3]["PieceDate"]) == ("20261101", "20261031")
    assert found[3]["CompAuxLib"] == "'=cmd|calc"
    with pytest.raises(DomainError, match="named after a SIREN"):
        fec.file_name(replace(sheet(), presentation=current_presentation(Settings())))


def test_the_german_file_moves_each_amount_once() -> None:
    raw = b"".join(datev.lines(sheet(), entries())).decode("cp1252")
    head, names, *rows = csv.reader(io.StringIO(raw), delimiter=";")
    assert head[:5] == ["EXTF", "700", "21", "Buchungsstapel", "13"]
    assert head[5] == "20261202080000123"
    assert len(head) == 31
    assert head[12:16] == ["20260101", "4", "20261101", "20261130"]
    assert len(names) == len(set(names)) == 125
    assert {len(row) for row in rows} == {125}
    assert [(row[0], row[6], row[7]) for row in rows] == [
        ("100,50", "1410", "8200"),
        ("20,10", "1410", "1770"),
        ("5,00", "1410", "8200"),
    ]
    assert [row[9] for row in rows] == ["0411", "0411", "0111"]
    assert {row[names.index("Festschreibung")] for row in rows} == {"1"}
