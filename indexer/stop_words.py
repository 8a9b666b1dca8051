"""Words of a question that say nothing of a thing, by language; texts of products keep them.

Everybody's `cheap` (`pas cher`) is in no title, nor is `which is the best` or `ich suche`. Nobody's
order is changed by them: the cheapest of what has the words is what comes with the thing. A word
that is also a thing or its name stays (`son`, `can`, `plus`). Words are folded. Pure.
"""

from __future__ import annotations

_STOP_WORDS = {
    language: frozenset(words.split())
    for language, words in {
        "fr": "le la les un une des de du d l et ou a au aux en pour avec sans sur par "
        "pas moins cher chere chers cheres quel quelle quels quelles meilleur meilleure meilleurs "
        "meilleures acheter cherche je nous vous il elle qui quoi dont cet cette ces mon ma mes "
        "ses notre votre est sont dans chez aussi tres tout toute tous toutes voudrais veux besoin "
        "faire trop svp bonjour",
        "de": "der die das den dem ein eine einen einer und oder fur mit ohne von vom zu zum zur "
        "gunstig gunstige gunstiger gunstiges gunstigen gunstigste gunstigster gunstigstes "
        "gunstigsten billig billige billiger billiges billigen billigste billigster billigstes "
        "billigsten preiswert preiswerte preiswerter preiswertes preiswerten welche welcher "
        "welches welchen beste bester bestes besten kaufen suche ich mir mich wir mein meine "
        "meinen meinem meiner im auf aus bei furs ins als auch sehr ist sind hat haben brauche "
        "brauchen mochte will gesucht bitte teuer nicht kein keine keinen keiner keinem",
        "en": "a an the and or of for with without to in on by what which is are cheap cheaper "
        "cheapest best buy my me your you it its that this these some something from at does has "
        "have need want looking please expensive too not",
    }.items()
}


def is_stop_word(folded: str, language: str) -> bool:
    """Whether a folded word is left out of questions that have others."""
    return folded in _STOP_WORDS.get(language, ())
