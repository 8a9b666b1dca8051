"""Facts of products have names in the reader's language; so have all of the demonstration."""

from __future__ import annotations

import re
from pathlib import Path

from comptoir.demo_market.sheets import wording

FACTS = Path(__file__).parents[2] / "search_api" / "pages" / "templates" / "facts.html"
# Read from titles and merchants' columns alike, and shown as `capacity` and `memory`.
NORMALISED = {"storage_gb", "ram_gb"}


def test_every_fact_of_the_demonstration_has_a_name() -> None:
    template = FACTS.read_text("utf-8")
    # A merchant's own `capacity_kg` is no storage: it has a name among the merchants' own.
    own, _, ours = template.partition("macro fact_name")
    named = set(re.findall(r'"([a-z_ ]+)": _\("', own))
    ours_named = set(re.findall(r'"([a-z_ ]+)": _\("', ours))
    (units,) = re.findall(r"set units = \((.*?)\)", template)
    parts = {key: key.split("_") for key in wording()["facts"]}
    shown = {
        " ".join(words[:-1] if len(words) > 1 and f'"{words[-1]}"' in units else words)
        for key, words in parts.items()
        if key not in ours_named | NORMALISED
    }
    assert len(shown) > 20
    assert shown - named == set()
