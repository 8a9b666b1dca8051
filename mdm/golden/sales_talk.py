"""What merchants put around a name to sell it, and a title without it. Pure.

A golden title names an article: how well one piece is kept, how soon it comes and how long it is
guaranteed are said of offers. Only what nothing else could mean goes, and never the whole title.
"""

from __future__ import annotations

import re

from mdm.normalise.text import folded
from mdm.normalise.vocabulary import SALES_WORDS


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


# English, French, German, Spanish, Italian, Dutch; folded.
_SHOUTS = SALES_WORDS | _listed(
    "destockage nouveaute nouveautes promotions remise rabais sonderangebot sonderpreis tiefpreis "
    "neuheit neuware nuevo nueva novedad oferta ofertas rebajas promocion nuovo nuova novita "
    "offerta sconto saldi nieuw aanbieding korting actie deal deals bestseller"
)
# Said of one piece and of no kind of thing; at either end of a title even without a mark.
_CONDITIONS = _listed(
    "reconditionne reconditionnee reconditionnes reconditionnees refurbished refurb renewed "
    "remanufactured generaluberholt generaluberholte generaluberholter generaluberholtes "
    "generalueberholt wiederaufbereitet reacondicionado reacondicionada seminuevo seminueva "
    "ricondizionato ricondizionata rigenerato rigenerata gereviseerd gebraucht tweedehands "
    "preowned"
)
_CONDITION_PHRASES = frozenset(
    (
        *("comme neuf", "comme neuve", "remis a neuf", "d occasion", "aus zweiter hand"),
        *("like new", "second hand", "como nuevo", "como nueva", "de segunda mano", "come nuovo"),
        *("come nuova", "di seconda mano", "zo goed als nieuw"),
    )
)
_PHRASES = _CONDITION_PHRASES | frozenset(
    (
        *("wie neu", "pre owned", "segunda mano", "seconda mano", "zweite hand", "als nieuw"),
        *("b ware", "occasion", "usado", "usato", "en stock", "in stock", "auf lager"),
        *("op voorraad", "en existencias", "disponible", "verfugbar", "available now"),
        *("vente flash", "black friday", "cyber monday", "meilleur prix", "best price"),
        *("miglior prezzo", "mejor precio"),
    )
)
# Such a word makes a piece between marks talk where the other words are numbers or among `_ALONG`.
_TALK = _CONDITIONS | _listed(
    "livraison expedition expedie envoi versand lieferung lieferbar lieferzeit versandkostenfrei "
    "versandfertig blitzversand delivery shipping dispatch envio entrega spedizione consegna "
    "levering verzending garantie garantien warranty guarantee guaranteed garantia garanzia "
    "gewahrleistung herstellergarantie"
)
# These name things where nothing stands beside them.
_TALK_IN_COMPANY = _listed("etat zustand condition conditions estado stato staat grade")
_ALONG = _listed(
    "a an ans annee annees and anni anno ano anos au auf aus b bei bon bonne buen bueno buono c "
    "compris comprise constructeur correct d day days de del dem der des di dias die du e el en "
    "era et etat excelente excellent excellente expres express fabricant fabricante fast frais "
    "free frei gar garantito gebraucht giorni good gratis gratuit gratuita gratuite gratuito gut "
    "guter h hersteller heure heures im immediate immediatement immediata in incl incluse "
    "inclusive inkl inklusive inmediata inmediato jaar jahr jahre jahren jour jours kostenfrei "
    "kostenfreier kostenlos kostenlose kostenloser la lebenslang lebenslange legal legale lifetime "
    "mes meses mesi mit mois mint monat monate monaten month months months next occasion of "
    "offert offerte on ottimo ou ouvre ouvres parfait per port produttore rapid rapida rapide "
    "rapido schnell schnelle schneller sehr si sofort sofortige stock stunden sur tag tage tagen "
    "tres und ut veloce very vie von werktage wochen year years y zu"
)
_TALKING = _TALK | _TALK_IN_COMPANY | _ALONG | _SHOUTS
# What is sold is the promise itself.
_COVERS = _listed(
    "extension prolongation verlangerung garantieverlangerung assurance versicherung insurance "
    "applecare protection estensione ampliacion anschlussgarantie"
)
# What parts talk from the name: stars, bars, exclamation marks, a dash, a colon.
_MARKS = re.compile(r"(\s*[*!|]+\s*|\s+[-–—]+\s+|\s*[-–—]+\s*$)")
_BRACKETS = (
    re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*$"),
    re.compile(r"^\s*[(\[]([^()\[\]]*)[)\]]\s*"),
)
_BEHIND_COMMA = re.compile(r"\s*[,;]\s*([^,;]+)$")
_BEFORE_COLON = re.compile(r"^([^:]+):\s+")
_LONGEST_PHRASE = 4


def sales_talk(title: str) -> int:
    """How much of a title sells rather than names: sales words, stars, words all in capitals."""
    words = title.split()
    selling = (SALES_WORDS | _CONDITIONS).intersection(re.findall(r"[^\W\d_]+", folded(title)))
    shouted = sum(len(word) > 3 and word.isalpha() and word.isupper() for word in words)
    return len(selling) + len(re.findall(r"[*!]+", title)) + min(shouted, 2)


def without_sales_talk(title: str) -> str:
    """The title without what stands before or behind it to sell: `*TOP*`, ` | Garantie 2 ans`,
    ` - Reconditionné`, `(Renewed)`, `NEU OVP`. The whole title where nothing would be left."""
    if _COVERS.intersection(_words(title)):
        return title
    name, before = title, ""
    while name != before:
        before = name
        name = _without_bare_conditions(_without_pieces(_without_brackets(name)))
    words = name.split()
    while len(words) > 2 and not title.isupper() and words[-1].isupper() and _sells(words[-1]):
        del words[-1]
    is_said_less = len(_words(name)) < len(_words(title)) or len(words) < len(name.split())
    return " ".join(words) if is_said_less and len(words) > 1 else title


def _without_brackets(title: str) -> str:
    for bracket in _BRACKETS:
        found = bracket.search(title)
        if found and all(map(_sells, filter(str.strip, _MARKS.split(found[1])[::2]))):
            title = title.replace(found[0], " ", 1).strip()
    return title


def _without_pieces(title: str) -> str:
    pieces = [piece for piece in _MARKS.split(title) if piece]
    for end in (-1, 0):
        while pieces and (_MARKS.fullmatch(pieces[end]) or _sells(pieces[end])):
            del pieces[end]
    name = "".join(pieces)
    for place in (_BEHIND_COMMA, _BEFORE_COLON):
        found = place.search(name)
        if found and _is_talk(_words(found[1])):
            name = name.replace(found[0], "", 1)
    return name


def _without_bare_conditions(title: str) -> str:
    """`... gris reconditionné`, `Refurbished ...`."""
    words = title.split()
    for size in range(_LONGEST_PHRASE, 0, -1):
        if len(words) - size < 2:
            continue
        if _is_condition(words[-size:]):
            return " ".join(words[:-size]).rstrip(" ,;-–")
        if _is_condition(words[:size]):
            return " ".join(words[size:]).lstrip(" ,;:-–")
    return title


def _is_condition(words: list[str]) -> bool:
    said = " ".join(_words(" ".join(words)))
    return said in _CONDITIONS or said in _CONDITION_PHRASES


def _sells(text: str) -> bool:
    """Whether a piece between marks is nothing but talk."""
    words = _words(text)
    return bool(words) and (all(word in _SHOUTS for word in words) or _is_talk(words))


def _is_talk(words: list[str]) -> bool:
    if " ".join(words) in _PHRASES:
        return True
    said = [word for word in words if not word[0].isdigit()]
    if not all(word in _TALKING for word in said):
        return False
    return any(word in _TALK for word in said) or (
        len(words) > 1 and any(word in _TALK_IN_COMPANY for word in said)
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", folded(text))
