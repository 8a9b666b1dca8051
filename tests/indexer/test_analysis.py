"""Terms of texts and words of queries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis import (
    LANGUAGES,
    MAX_WORDS,
    OTHER,
    code_prefixes,
    code_term,
    index_terms,
    query_words,
)
from indexer.compounds import split
from indexer.folding import fold, key
from indexer.stemming import stem


@pytest.mark.parametrize(
    ("text", "language", "folded"),
    [
        ("ÉCRAN", "fr", "ecran"),
        ("Œuvre", "fr", "oeuvre"),
        ("Straße", "de", "strasse"),
        ("Kühlschrank", "de", "kuhlschrank"),
        ("Kuehlschrank", "de", "kuhlschrank"),
        ("Quelle", "de", "quelle"),
        ("neue", "de", "neue"),
        ("Łódź", "pl", "lodz"),
    ],
)
def test_fold(text: str, language: str, folded: str) -> None:
    """Accents go; German spells umlauts in two ways and we read both."""
    assert fold(text, language) == folded


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("De'Longhi", "delonghi"),
        ("DELONGHI", "delonghi"),
        ("Black+Decker", "black-decker"),
        ("!", ""),
    ],
)
def test_keys_of_names(name: str, value: str) -> None:
    """Spellings of one maker have one key."""
    assert key(name) == value


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("case", "cases")),
        ("en", ("watch", "watches")),
        ("en", ("battery", "batteries")),
        ("en", ("glass", "glasses")),
        ("fr", ("ecran", "ecrans")),
        ("fr", ("noir", "noire", "noires")),
        ("fr", ("cheval", "chevaux")),
        ("fr", ("bureau", "bureaux")),
        ("de", ("maschine", "maschinen")),
        ("de", ("monitor", "monitore")),
        ("de", ("handy", "handys")),
        ("de", ("hulle", "hullen")),
        ("xx", ("tegel", "tegels")),
    ],
)
def test_forms_of_a_word_meet(language: str, words: tuple[str, ...]) -> None:
    """Singular and plural have one stem."""
    assert len({stem(word, language) for word in words}) == 1


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [("fr", "imprimante", "imprimeur"), ("en", "printer", "print"), ("de", "lampe", "lamm")],
)
def test_other_words_stay_apart(language: str, one: str, other: str) -> None:
    """Stemming is light."""
    assert stem(one, language) != stem(other, language)


def test_compounds_split_where_all_parts_are_known() -> None:
    """The longest tail wins; foreign words stay whole."""
    assert split("kaffeemaschinen") == ("kaffe", "maschin")
    assert split("staubsaugerbeutel") == ("staubsaug", "beutel")
    assert split("arbeitstisch") == ("arbeit", "tisch")
    assert split("nordlys") == ()
    assert split("maschine") == ()
    assert split("x" * 5_000) == ()


@pytest.mark.parametrize(
    ("text", "language", "term"),
    [
        ("500 Go", "fr", "500gb"),
        ("500GB", "en", "500gb"),
        ("1,5 Litre", "fr", "1.5l"),
        ("1.50 l", "de", "1.5l"),
        ('27"', "en", "27inch"),
        ("27 Zoll", "de", "27inch"),
        ("27-inch", "en", "27inch"),
        ("15,6 pouces", "fr", "15.6inch"),
        ("8 kg", "de", "8kg"),
        ("250Ltr.", "de", "250l"),
        ("64 giga", "fr", "64gb"),
        ("5 kilos", "fr", "5kg"),
    ],
)
def test_measures_have_one_spelling(text: str, language: str, term: str) -> None:
    """The measure, and the bare number beside it."""
    assert term in index_terms(text, language)


def test_a_number_is_no_measure_of_the_next_word() -> None:
    """English `2 to 4` is not two terabytes."""
    assert index_terms("2 to 4 players", "en") == ["2", "to", "4", "player"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("8-kg-Waschmaschine", ["8kg", "waschmaschine"]),
        ("2-Personen-Zelt", ["2", "personen", "zelt"]),
        ("1,5-l-Flasche 2-Liter-Topf", ["1.5l", "flasche", "2l", "topf"]),
        # Numbers of articles and two words alone stay in one.
        ("12-AB-CDEF", ["12-ab-cdef"]), ("WX-80-Kanne", ["wx-80-kanne"]),
        ("7-kg", ["7kg"]), ("12-personen-34", ["12-personen-34"]),
    ],
)  # fmt: skip
def test_what_is_counted_stands_apart_from_the_thing(text: str, words: list[str]) -> None:
    assert [word.text for word in query_words(text, "de")] == words
    terms = set(index_terms(text, "de"))
    for word in query_words(text, "de"):
        assert word.alternatives["de"][0].terms[0] in terms


def test_stop_words_are_left_out_unless_there_is_nothing_else() -> None:
    """`coque pour le téléphone` asks for two words; `the` alone asks for itself."""
    assert [word.text for word in query_words("coque pour le téléphone", "fr")] == [
        "coque",
        "telephone",
    ]
    assert [word.text for word in query_words("The", "en")] == ["the"]


def test_codes() -> None:
    """Article numbers are letters and digits; their beginnings help to find them."""
    assert code_term(" LX-4420/B ") == "lx4420b"
    assert code_prefixes("LX-4420/B") == ["lx44", "lx442", "lx4420"]
    assert code_prefixes("no digits") == []
    (word,) = query_words("4006381333931", "de")
    assert "04006381333931" in word.codes


@given(st.text(max_size=300), st.sampled_from([*LANGUAGES, OTHER]))
def test_every_text_has_terms_without_blanks(text: str, language: str) -> None:
    """Engines split stored terms at blanks, so no term may hold or be one."""
    for term in index_terms(text, language):
        assert term
        assert not any(char.isspace() for char in term)


@given(st.text(min_size=1, max_size=60), st.sampled_from(LANGUAGES))
def test_a_text_is_found_by_itself(text: str, language: str) -> None:
    """What a query asks for first is among the terms of the same text."""
    terms = set(index_terms(text, language))
    for word in query_words(text, language):
        wanted = {term for row in word.alternatives[language] for term in row.terms}
        assert wanted & terms


def test_long_queries_are_bounded() -> None:
    """A flood of words costs no more than a long question."""
    assert len(query_words("lamp " * 5_000, "en")) == MAX_WORDS


def test_a_name_of_three_characters_is_not_taken_apart() -> None:
    """`ps5` is neither a cable of 5 m for PS/2 nor a printer 5 that speaks PS."""
    short, long = query_words("ps5", "en")[0], query_words("gtx1080", "en")[0]
    assert [each.terms for each in short.alternatives["en"]] == [("ps5",)]
    assert ("gtx", "1080") in [each.terms for each in long.alternatives["en"]]


def test_what_everybody_wants_says_nothing_of_a_thing() -> None:
    """But a question of nothing else is asked as it stands."""
    asked = {"fr": "lave-linge pas cher", "de": "günstige Waschmaschine", "en": "cheap tablet"}
    for language, text in asked.items():
        assert len(query_words(text, language)) == 1
    assert [word.text for word in query_words("cher", "fr")] == ["cher"]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("casque sans fil noir", "fr", ["casqu", "san", "-fil", "noir"]),
        ("Kopfhörer ohne ein Kabel", "de", ["kopfhor", "ohne", "ein", "-kabel"]),
        ("without 2 cables", "en", ["without", "2", "cabl"]),
        # In another language it is a word like others.
        ("sans fil", "de", ["sans", "fil"]),
        # A text that says `not` speaks of anything.
        ("brûle pas le café", "fr", ["brul", "pas", "le", "caf"]),
        ("not black", "en", ["not", "black"]),
    ],
)
def test_what_is_denied_is_a_term_of_its_own(text: str, language: str, expected: list[str]) -> None:
    assert index_terms(text, language) == expected


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("casque sans fil", "fr", [("casque", ""), ("sans fil", "fil")]),
        ("sans sucre ni sel", "fr", [("sans sucre", "sucre"), ("sans sel", "sel")]),
        ("without a cable or bag", "en", [("without cable", "cable"), ("without bag", "bag")]),
        ("sans sans fil", "fr", [("sans fil", "fil")]),
        ("Kopfhörer ohne", "de", [("kopfhorer", "")]),
        ("sans", "fr", [("sans", "")]),
        ("without 4k", "en", [("4k", "")]),
        ("kabellose Maus", "de", [("kabellose", ""), ("maus", "")]),
        # In a question, who says `not` denies a thing; prices and degrees are none.
        ("coque pas noire", "fr", [("coque", ""), ("pas noire", "noire")]),
        ("Tablet nicht schwarz", "de", [("tablet", ""), ("nicht schwarz", "schwarz")]),
        ("Kopfhörer kein Bluetooth", "de", [("kopfhorer", ""), ("kein bluetooth", "bluetooth")]),
        ("headphones not bluetooth", "en", [("headphones", ""), ("not bluetooth", "bluetooth")]),
        ("vélo pas trop cher", "fr", [("velo", "")]),
        ("kettle not expensive", "en", [("kettle", "")]),
        ("compteur de pas étanche", "fr", [("compteur", ""), ("etanche", "")]),
    ],
)
def test_a_denial_and_what_it_denies_are_one_word_of_a_question(
    text: str, language: str, words: list[tuple[str, str]]
) -> None:
    assert [(word.text, word.denied) for word in query_words(text, language)] == words


def test_a_name_of_a_letter_and_a_figure_is_one_however_it_is_typed() -> None:
    """Two letters are none: `c d` is in no name that has `cd`."""
    codes = [word.codes for word in query_words("hülle q 9 rosa", "de")]
    assert "q9" in codes[1]
    assert "q9" in codes[2]
    assert "cd" not in query_words("c d", "de")[0].codes
