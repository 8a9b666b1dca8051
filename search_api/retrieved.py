"""What retrieval answers: one page of ids in order, and what was done to find them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from indexer.engine import Expansion, SearchResult
from indexer.hits import Hit
from search_api.answer import Relaxation
from search_api.understanding.recognition import Piece
from tenants.ranking.profile import LadderStep, Placement
from tenants.ranking.rules import Placed


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Ids of one page in their order, with the counts of the whole list.

    `words` is the text that found them. `understood` narrowed the list; `taken_back` would have
    left nothing. `did_you_mean` is offered, never applied. `placed` says what put each product
    of the page there, where the brand's own order was asked for.
    """

    product_ids: tuple[str, ...]
    result: SearchResult
    relaxation: Relaxation | None = None
    words: str = ""
    readings: Mapping[int, tuple[Expansion, ...]] = field(default_factory=dict)
    understood: tuple[Piece, ...] = ()
    taken_back: tuple[Piece, ...] = ()
    did_you_mean: str | None = None
    redirect: str | None = None
    placed: tuple[Placed, ...] = ()

    @property
    def has_all_words(self) -> bool:
        """Whether the first products have every word of the question, as typed or as corrected."""
        told = self.relaxation
        return told is None or told.matched_all > 0 or told.step == "corrected"

    def has_step(self, step: LadderStep) -> bool:
        """Whether the ladder ended there."""
        return self.relaxation is not None and self.relaxation.step == step

    @property
    def sponsored(self) -> Mapping[str, Placement]:
        """Paid places by product."""
        return {row.product_id: row.sponsored for row in self.placed if row.sponsored is not None}

    @property
    def page(self) -> tuple[str | Hit, ...]:
        """The products of the page, as hits where they were hit: an engine remembers those."""
        hits = self.result.hits
        places = {name: place for place, name in enumerate(hits.product_ids)}
        return tuple(hits[places[name]] if name in places else name for name in self.product_ids)


def said(
    found: Retrieved,
    step: LadderStep,
    original: str,
    *,
    corrected_query: str | None = None,
    matched_all: int = 0,
    category_id: int | None = None,
    dropped: tuple[str, ...] = (),
) -> Retrieved:
    """The step named in the answer; a step further down keeps its name and learns the spelling."""
    if found.relaxation is not None:
        further = replace(
            found.relaxation, original_query=original, corrected_query=corrected_query
        )
        return replace(found, relaxation=further)
    relaxation = Relaxation(
        step=step,
        original_query=original,
        matched_all=matched_all,
        category_id=category_id,
        corrected_query=corrected_query,
        dropped=dropped,
    )
    return replace(found, relaxation=relaxation)
