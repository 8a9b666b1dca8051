"""Hostile files against every format: refused with a reason, in little memory and time.

The corpus parametrises itself over the formats that are there: a new one is attacked by being new.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.crawlers.hostile_files import ATTACKS, files_of

PEAK_MIB = 256
SECONDS = 30.0
ROOT = Path(__file__).resolve().parents[2]


Made = dict[str, dict[str, Any]]
"""Format -> what it made of one file."""
Attacked = Callable[[str], tuple[int, dict[str, Made]]]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    """Runs an attack, once: (peak memory in MiB, file name -> what each format made of it)."""

    @cache
    def run(name: str) -> tuple[int, dict[str, Made]]:
        folder = tmp_path_factory.mktemp(name)
        ATTACKS[name](folder)
        done = subprocess.run(
            [sys.executable, "-m", "tests.crawlers.hostile_reader", *map(str, files_of(folder))],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr[-3_000:]
        told = json.loads(done.stdout)
        shutil.rmtree(folder)
        return told["peak_mib"], {Path(path).name: made for path, made in told["files"].items()}

    return run


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_in_bounded_memory_and_time(name: str, attacked: Attacked) -> None:
    peak_mib, files = attacked(name)
    assert peak_mib < PEAK_MIB
    for file, made in files.items():
        for reader, outcome in made.items():
            assert outcome["seconds"] < SECONDS, (file, reader)
            # Whatever was read or not, a file without one good record never ends in silence.
            assert outcome["offers"] or outcome["codes"], (file, reader)
            assert "TOP-SECRET-CANARY" not in json.dumps(outcome["first"])


@pytest.mark.parametrize(
    ("attack", "file", "reader", "code"),
    [
        ("entity_bomb", "google.xml", "google", "feed_entities"),
        ("entity_bomb", "heureka.xml", "heureka", "feed_entities"),
        ("entity_bomb", "bmecat.xml", "bmecat", "feed_entities"),
        ("entity_bomb_in_attributes", "google.xml", "google", "feed_entities"),
        ("external_entity", "google_entity.xml", "google", "feed_entities"),
        ("gzip_of_zeros", "zeros.gz", "google_table", "feed_inflation_ratio"),
        ("gzip_of_zeros", "feed.xml.gz", "google", "feed_inflation_ratio"),
        ("zip_tricks", "zeros.zip", "google", "feed_inflation_ratio"),
        ("zip_tricks", "two.zip", "google", "feed_archive_members"),
        ("zip_tricks", "none.zip", "google", "feed_archive_members"),
        ("zip_tricks", "many.zip", "google", "feed_archive_members"),
        ("zip_tricks", "cut.zip", "google", "feed_archive_members"),
        ("zip_tricks", "lzma.zip", "google", "feed_archive_damaged"),
        ("deep", "google.xml", "google", "feed_record_too_large"),
        ("deep", "arrays.json", "acp", "feed_too_deep"),
        ("deep", "maps.json", "acp", "feed_too_deep"),
        ("huge_fields", "google.xml", "google", "feed_record_too_large"),
        ("huge_fields", "value.json", "acp", "feed_record_too_large"),
        ("huge_fields", "value.jsonl", "acp", "feed_record_too_large"),
        ("huge_fields", "header.csv", "csv_mapping", "feed_header_too_long"),
        ("wide", "columns.csv", "google_table", "feed_header_too_long"),
        ("wide", "many_columns.csv", "google_table", "feed_too_many_columns"),
        ("wide", "heureka.xml", "heureka", "feed_record_too_large"),
        ("wide", "outside.xml", "google", "feed_record_too_large"),
        ("wide", "values.json", "acp", "feed_record_too_large"),
        ("stray_quotes", "every.csv", "google_table", "stray_quote"),
        ("rubbish", "empty", "google_table", "feed_empty"),
        ("rubbish", "numbers.json", "acp", "feed_malformed"),
        ("rubbish", "types.jsonl", "offer_lines", "record_shape"),
    ],
)
def test_what_an_attack_is_refused_for(
    attack: str, file: str, reader: str, code: str, attacked: Attacked
) -> None:
    _, files = attacked(attack)
    assert code in files[file][reader]["codes"]


def test_what_was_complete_before_the_damage_is_kept(attacked: Attacked) -> None:
    outcome = attacked("gzip_damaged")[1]["cut.gz"]["heureka"]
    assert 500 < outcome["offers"] < 2_000
    assert "feed_truncated" in outcome["codes"]


@pytest.mark.parametrize("file", ["one_line.csv", "quoted.csv"])
@pytest.mark.parametrize("reader", ["google_table", "csv_mapping"])
def test_the_rows_after_a_hostile_one_are_kept(file: str, reader: str, attacked: Attacked) -> None:
    outcome = attacked("huge_fields")[1][file][reader]
    assert outcome["offers"] == 1
    assert outcome["first"][0] == "2"
    assert "line_too_long" in outcome["codes"]
