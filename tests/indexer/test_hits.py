"""Hits as columns are the hits that they were made of."""

from __future__ import annotations

from indexer.hits import NO_HITS, Hit, Hits

ROWS = (
    Hit("prd_a", 1012.5, True, 3, 328, 0.5, 7, "brand-1", 1 << 40, 1 << 59),
    Hit("prd_b", 0.25, False, 0, None, None, 8, "brand-1", 0),
    Hit("prd_c", 0.0, True, 1, 222, -0.25, 9, "brand-1", 5, 6),
)


def test_a_place_is_the_hit_that_stood_there() -> None:
    hits = Hits.of(ROWS)
    assert tuple(hits) == ROWS
    assert hits[-1] == ROWS[-1]
    assert tuple(hits[1:]) == ROWS[1:]
    assert (len(hits), hits.seen_in) == (3, "brand-1")


def test_no_hits_have_columns_too() -> None:
    assert not NO_HITS
    assert tuple(NO_HITS) == ()
    assert not (NO_HITS.accessories & 1).any()
    assert tuple(NO_HITS[:5]) == ()
