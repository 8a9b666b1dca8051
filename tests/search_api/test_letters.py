"""Words that cannot be near are left out by their letters, and never one that is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from search_api.understanding.letters import NO_WORDS, WordsByLetters

WORD = st.text("abcdeéßzñ", min_size=1, max_size=8)


@given(st.lists(WORD, max_size=40), WORD, st.sampled_from((1, 2)))
def test_no_word_that_is_near_is_left_out(words: list[str], typed: str, slips: int) -> None:
    kept = WordsByLetters(words).maybe_within(typed, slips)
    near = [word for word in words if OSA.distance(typed, word) <= slips]
    assert [word for word in kept if word in near] == near


def test_words_of_other_letters_are_left_out() -> None:
    words = WordsByLetters(("headphones", "telephones", "dishwasher"))
    assert words.maybe_within("hedphones", 1) == ["headphones"]
    assert NO_WORDS.maybe_within("hedphones", 2) == []
