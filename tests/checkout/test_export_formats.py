"""Exports held to the published tables of their fields, whatever is booked.

FEC: article A47 A-1 of the book of tax procedures. DATEV: the format description of Buchungsstapel
13 with header 700, its expressions as published for developers. No office's own program runs here;
readers of such files that others wrote do (`fec-parser`, `mloda-community-german-ledger`).
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkout.accounting.books import Posting
from checkout.accounting.formats import datev, fec
from tests.checkout.postings import GOLDEN, posting, sheet
from tests.scratch_interpreters import interpreter_with

_DAY = r"20[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
FEC_FIELDS = {
    "JournalCode": r".+",
    "JournalLib": r".+",
    "EcritureNum": r"[1-9][0-9]*",
    "EcritureDate": _DAY,
    "CompteNum": r"[0-9]{3}[0-9A-Za-z]*",
    "CompteLib": r".+",
    "CompAuxNum": r".*",
    "CompAuxLib": r".*",
    "PieceRef": r".+",
    "PieceDate": _DAY,
    "EcritureLib": r".+",
    "Debit": r"[0-9]+,[0-9]{2}",
    "Credit": r"[0-9]+,[0-9]{2}",
    "EcritureLet": r".*",
    "DateLet": rf"({_DAY})?",
    "ValidDate": _DAY,
    "Montantdevise": r"",
    "Idevise": r"",
}
TOGETHER = (
    ("CompAuxNum", "CompAuxLib"),
    ("EcritureLet", "DateLet"),
)
# Number of the field: expression. All others of the row stay empty.
DATEV_FIELDS = {
    1: r"[0-9]{1,10},[0-9]{2}",
    2: r'"(S|H)"',
    3: r'"[A-Z]{3}"',
    7: r"[0-9]{1,9}",
    8: r"[0-9]{1,9}",
    10: r"[0-9]{4}",
    11: r'"[\w$%\-/]{0,36}"',
    12: r'"[\w$%\-/]{0,12}"',
    14: r'"(?:[^"]|""){0,60}"',
    114: r"0|1",
}
DATEV_HEADER = (
    *(r'"EXTF"', r"700", r"21", r'"Buchungsstapel"', r"13", r"20[0-9]{15}", r"", r'"[A-Z]{2}"'),
    *(r'"[^"]{0,25}"', r'"[^"]{0,25}"', r"[0-9]{4,7}", r"[1-9][0-9]{0,4}", _DAY, r"[4-8]", _DAY),
    *(_DAY, r'"[^"]{0,30}"', r'"([A-Z]{2})?"', r"[12]", r"0|30|40|50|64", r"0|1", r'"[A-Z]{3}"'),
    *(r"", r'""', r"", r"", r'"[0-9]{2,4}"', r"", r"", r'""', r'"[^"]{0,16}"'),
)
_CELL = re.compile(r'("(?:[^"]|"")*"|[^;"]*)(?:;|$)')

names = st.text(max_size=20).map(lambda text: f"m{text}") | st.sampled_from(
    ["=cmd|'/c calc'!A0", 'a";"b', "tab\there", "line\r\nbreak", "Bücher & Söhne", "名前"]
)
dealings = st.tuples(
    names, st.integers(1, 10**9), st.integers(0, 30), st.sampled_from(["commission", "refund 1"])
)


def booked(listed: list[tuple[str, int, int, str]]) -> list[Posting]:
    """Commissions and what went back of them, each with its tax, numbered as they come."""
    made = []
    for number, (merchant, gross, day, kind) in enumerate(listed, start=1):
        others = {
            "merchant_id": merchant,
            "kind": kind,
            "occurred_at": datetime(2026, 10, 25, tzinfo=UTC) + timedelta(days=day),
        }
        sign = -1 if kind.startswith("refund") else 1
        tax = gross // 6
        claim, income = "commission_receivable:x", "commission_income"
        made += [
            posting(number, claim, sign * gross, **{**others, "party": merchant}),
            posting(number, income, -sign * (gross - tax), **others),
        ]
        if tax:
            made.append(posting(number, "vat_collected:FR", -sign * tax, **others))
    return made


def fec_rows(postings: list[Posting]) -> list[dict[str, str]]:
    """The file, read by its own rules alone."""
    raw = b"".join(fec.lines(sheet(), postings)).decode("iso-8859-15")
    assert raw.endswith("\r\n")
    head, *rows = (line.split("\t") for line in raw.removesuffix("\r\n").split("\r\n"))
    assert head == list(FEC_FIELDS)
    return [dict(zip(head, row, strict=True)) for row in rows]


@given(st.lists(dealings, min_size=1, max_size=6))
def test_every_line_of_the_french_file_is_as_the_order_says(
    listed: list[tuple[str, int, int, str]],
) -> None:
    balance: dict[str, int] = defaultdict(int)
    dates: dict[str, set[str]] = defaultdict(set)
    numbers = []
    for row in fec_rows(booked(listed)):
        for name, pattern in FEC_FIELDS.items():
            assert re.fullmatch(pattern, row[name]), (name, row[name])
        for one, other in TOGETHER:
            assert bool(row[one]) == bool(row[other])
        debit, credit = (int(row[name].replace(",", "")) for name in ("Debit", "Credit"))
        assert (debit == 0) != (credit == 0)
        balance[row["EcritureNum"]] += debit - credit
        dates[row["EcritureNum"]].add(row["EcritureDate"])
        numbers.append(int(row["EcritureNum"]))
        date.fromisoformat(row["EcritureDate"])
    assert set(balance.values()) == {0}
    assert all(len(each) == 1 for each in dates.values())
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, len(listed) + 1))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Cœur d’Été à 5 €", "Cœur d'Été à 5 €"),
        ("Żółw Łódź", "Zó?w ?ódz"),
        ("名前", "??"),
        ("\u2028a\u0085b", "a b"),
    ],
)
def test_the_french_file_has_the_characters_that_the_order_allows(name: str, written: str) -> None:
    first = fec_rows(booked([(name, 1200, 1, "commission")]))[0]
    assert first["CompAuxLib"] == written


def test_the_french_file_is_named_as_the_order_says() -> None:
    assert re.fullmatch(rf"[0-9]{{9}}FEC{_DAY}\.txt", fec.file_name(sheet()))


def cells(line: str) -> list[str]:
    """The cells of a line as they are written, with their quotation marks."""
    found, at = [], 0
    while at <= len(line):
        cell = _CELL.match(line, at)
        assert cell is not None, line[at:]
        found.append(cell[1])
        if cell.end() == len(line) and not line.endswith(";"):
            return found
        at = cell.end() if cell.end() > at else at + 1
    return found


@given(st.lists(dealings, min_size=1, max_size=6))
def test_every_line_of_the_german_file_matches_its_published_expressions(
    listed: list[tuple[str, int, int, str]],
) -> None:
    postings = booked(listed)
    raw = b"".join(datev.lines(sheet(), postings)).decode("cp1252")
    head, names_, *rows = raw.removesuffix("\r\n").split("\r\n")
    assert len(cells(head)) == len(DATEV_HEADER) == 31
    for pattern, cell in zip(DATEV_HEADER, cells(head), strict=True):
        assert re.fullmatch(pattern, cell), (pattern, cell)
    assert len(cells(names_)) == 125
    moved = 0
    for row in map(cells, rows):
        assert len(row) == 125
        for number, cell in enumerate(row, start=1):
            assert re.fullmatch(DATEV_FIELDS.get(number, ""), cell), (number, cell)
        assert date(2026, int(row[9][2:]), int(row[9][:2])).month == 11
        moved += int(row[0].replace(",", ""))
    assert moved == sum(each.debit for each in postings)


def test_somebody_elses_reader_finds_the_same_in_the_french_file() -> None:
    python = interpreter_with("fec-parser", ["fec-parser==1.0.1"])
    script = (
        "import json, sys; from decimal import Decimal; from fec_parser.parser import FECParser; "
        "rows = list(FECParser.from_bytesio(open(sys.argv[1], 'rb')).get_ecritures()); "
        "print(json.dumps([len(rows), str(sum(r.debit for r in rows)), "
        "str(sum(r.credit for r in rows)), sorted({r.compte_num for r in rows})]))"
    )
    command = [str(python), "-c", script, str(GOLDEN / "november.fec")]
    done = subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=Path("/"))
    assert json.loads(done.stdout) == [5, "125.60", "125.60", ["411000", "445710", "706000"]]


def test_somebody_elses_strict_reader_takes_the_german_file(tmp_path: Path) -> None:
    python = interpreter_with(
        "datev-reader",
        ["mloda==0.17.0", "mloda-community-german-ledger==0.11.0", "pyarrow==26.0.1"],
    )
    script = (
        "import json, sys; "
        "from mloda.community.feature_groups.experimental.german_ledger.datev import read_batch; "
        "head, legs = read_batch(sys.argv[1]); "
        "print(json.dumps([head.format_version, head.skr, head.festschreibung, legs['Konto'], "
        "[str(each) for each in legs['Betrag']], [str(day) for day in legs['Buchungsdatum']]]))"
    )
    file = tmp_path / "EXTF_Buchungsstapel_2026-11.csv"
    file.write_bytes((GOLDEN / "november.datev").read_bytes())
    command = [str(python), "-c", script, str(file)]
    done = subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=Path("/"))
    version, chart, is_fixed, accounts, amounts, days = json.loads(done.stdout)
    assert (version, chart, is_fixed) == (13, "03", True)
    assert accounts == ["1410", "8200", "1410", "1770", "1410", "8200"]
    assert amounts == ["100.50", "-100.50", "20.10", "-20.10", "5.00", "-5.00"]
    assert days == ["2026-11-04"] * 4 + ["2026-11-01"] * 2
