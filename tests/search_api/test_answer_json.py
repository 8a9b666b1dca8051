"""JSON of answers: cards that are kept written say the same as cards written anew."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import orjson

from search_api.answer_json import as_json
from search_api.cards import product_card
from search_api.product_card import ProductCard, TextPart
from tenants.ranking.profile import RankingProfile
from tests.browser.samples_of_search import results
from tests.indexer.documents import document, offer

AWKWARD = 'lamp ","highlight":[] \\" \U0001f600'
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def shown(card: ProductCard, sponsored_by: str | None = None) -> ProductCard:
    parts = (TextPart(text="lamp", matched=True), TextPart(text=card.title[4:], matched=False))
    return card.in_answer(parts, sponsored=sponsored_by is not None, sponsored_by=sponsored_by)


def test_an_answer_with_kept_cards_is_written_whole() -> None:
    """Whatever titles say, and whoever pays; the card that is kept stays as it was."""
    row = document("prd_a", AWKWARD, offers=(offer("darti", 900, title=AWKWARD),))
    kept = product_card(row, RankingProfile(), "en", NOW)
    for cards in (
        (kept, shown(kept)),
        (shown(kept, 'Da"rti'), shown(shown(kept, "x"))),
        (shown(product_card(row, RankingProfile(), "fr", NOW)),),
        (),
    ):
        answer = results("fr", products=cards)
        assert orjson.loads(as_json(answer)) == orjson.loads(msgspec.json.encode(answer))
    assert kept.highlight == ()
    assert not kept.sponsored
    assert shown(kept).title == AWKWARD
