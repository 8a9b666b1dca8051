"""Models of home, results, product and ranking pages, awkward on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from kernel.categories import categories
from kernel.pictures import drawing_url
from search_api import answer, product_card
from search_api.notices import list_notice, ranking_statement
from search_api.price_facts import PriceFall, PriceHistory, PriceStep, UnitPrice
from search_api.price_verdict import PriceVerdict
from search_api.ranking_statement import RankingStatement
from search_api.worth import GradeWorth, WorthPage, worth_page
from tenants.ranking.document import ranking_document
from tenants.ranking.inheritance import Stated
from tests.browser.sample_brands import NOW, TITLES, euros, spoken


def facts(**stated: str) -> tuple[product_card.Fact, ...]:
    return tuple(product_card.Fact(key=key, value=value) for key, value in stated.items())


def offer(
    position: int,
    merchant: str,
    price: int | None,
    delivery: int | None = 0,
    *,
    availability: str = "in_stock",
    condition: str = "new",
    execution: str = "execute",
    days: tuple[int | None, int | None] = (2, 3),
    returns_days: int | None = 30,
    reasons: tuple[str, ...] = (),
) -> product_card.OfferCard:
    known = price is not None and delivery is not None
    return product_card.OfferCard(
        offer_id=f"off_{position}",
        position=position,
        merchant_id=f"merchant-{position}",
        merchant_name=merchant,
        title="Aurelio Nova 5 5G 128GB Dual-SIM (ohne Vertrag) – Artikel 4711",
        language="de",
        url="https://shop.example/4711",
        price=None if price is None else euros(price),
        delivery=None if delivery is None else euros(delivery),
        total=euros((price or 0) + (delivery or 0)) if known else None,
        days_min=days[0],
        days_max=days[1],
        condition=condition,
        availability=availability,
        quantity=3,
        execution=execution,
        returns_days=returns_days,
        updated_at=NOW.isoformat(),
        reasons=reasons,
    )


def card(
    number: int,
    language: str,
    category: int,
    drawn: str | None,
    total: int | None,
    merchants: int,
    availability: str = "in_stock",
    **stated: str,
) -> product_card.ProductCard:
    return product_card.ProductCard(
        id=f"prd_{number}",
        url=f"/product/prd_{number}",
        title=TITLES[language][number],
        manufacturer="Aurelio",
        category_id=category,
        picture=drawing_url(category, drawn),
        facts=facts(**stated),
        from_total=None if total is None else euros(total),
        best_offer=offer(1, "Velbur", total),
        offer_count=merchants,
        merchant_count=merchants,
        availability=availability,
        conditions=("new",),
        updated_at=NOW.isoformat(),
    )


def cards(language: str) -> tuple[product_card.ProductCard, ...]:
    return (
        card(0, language, 267, "blue", 34900, 14, colour="blue", capacity="128 GB", memory="8 GB"),
        card(1, language, 2549, "white", 52900, 4, colour="white", energy_class="A"),
        card(2, language, 686, None, 64999, 1, "backorder", energy_class="C"),
        card(3, language, 543626, "black", 17950, 60, "out_of_stock", colour="black"),
        card(4, language, 328, "silver", None, 1, "unknown", screen_size="14 in"),
    )


def home(language: str) -> answer.HomePage:
    departments = tuple(
        answer.Department(category_id=c.id, label=c.name(language), url="/search", count=20)
        for c in categories().values()
        if c.parent is None
    )
    return answer.HomePage(
        departments=departments,
        fallen=tuple(
            answer.Fallen(
                product=each,
                fall=PriceFall(
                    percent=percent, since="2026-11-18", now=euros(32900), before=euros(38900)
                ),
            )
            for each, percent in zip(cards(language)[:3], (31, 15, 8), strict=True)
        ),
        popular=cards(language),
        product_count=403,
        merchant_count=4,
        notice=answer.Notice(text="", merchant_count=4),
    )


def empty_home(language: str) -> answer.HomePage:
    nothing = answer.Notice(text="", merchant_count=0)
    return answer.HomePage(
        departments=(), fallen=(), popular=(), product_count=0, merchant_count=0, notice=nothing
    )


def _value(
    value: str, label: str, count: int, *, selected: bool = False, depth: int = 0
) -> answer.FacetValue:
    return answer.FacetValue(
        value=value, label=label, count=count, selected=selected, url="/search", depth=depth
    )


def _facets(language: str) -> tuple[answer.Facet, ...]:
    def names(*labels: str) -> tuple[answer.FacetValue, ...]:
        return tuple(_value(label, label, 40, selected=not n) for n, label in enumerate(labels))

    tree = ((222, 0), (267, 1), (2353, 1), (604, 0))
    return (
        answer.Facet(
            name="category",
            values=tuple(
                _value(str(id_), categories()[id_].name(language), 10, depth=depth)
                for id_, depth in tree
            ),
        ),
        answer.Facet(
            name="manufacturer",
            values=names(*(f"Aurelio {letter}" for letter in "ABCDEFGHIJKLMN")),
        ),
        answer.Facet(name="merchant", values=names("Velbur", "Maison Perrault")),
        answer.Facet(name="availability", values=names("in_stock", "out_of_stock")),
    )


def results(
    language: str,
    relaxation: answer.Relaxation | None = None,
    products: tuple[product_card.ProductCard, ...] | None = None,
) -> answer.SearchAnswer:
    shown = cards(language) if products is None else products
    counts = (3, 9, 14, 22, 31, 18, 12, 0, 1)
    bars = tuple(
        answer.PriceBar(
            low=euros(n * 10000),
            high=euros((n + 1) * 10000),
            count=count,
            selected=n > 2,
            url="/search",
        )
        for n, count in enumerate(counts)
    )
    return answer.SearchAnswer(
        query="telefon",
        language=language,
        currency="EUR",
        total=1133 if shown else 0,
        page=3,
        pages=48 if shown else 1,
        per_page=24,
        products=shown,
        facets=_facets(language),
        price=answer.PriceFacet(
            minimum=euros(499),
            maximum=euros(149900),
            selected_min=euros(20000),
            selected_max=None,
            bars=bars,
        ),
        sorts=tuple(
            answer.SortOption(value=name, selected=name == "relevance", url="/search")
            for name in ("relevance", "price_asc", "price_desc", "newest")
        ),
        chips=(
            answer.Chip(kind="q", label="telefon", url="/search"),
            answer.Chip(kind="manufacturer", label="Aurelio A", url="/search"),
            answer.Chip(kind="availability", label="in_stock", url="/search"),
            answer.Chip(kind="price", label="", url="/search", low=euros(20000)),
        ),
        page_links=(),
        relaxation=relaxation,
        notice=list_notice("results", spoken(language), language, 4),
        clear_url="/search?q=telefon",
        ignored=("page",) if relaxation else (),
        took_ms=8,
    )


def product(language: str, offers: int = 6) -> answer.ProductPage:
    stated = (
        offer(1, "Velbur", 34400, 500, reasons=("x",)),
        replace(
            offer(2, "Nordkante", 34900, execution="link"),
            sponsored=True,
            sponsored_by="Nordkante Handel",
            unit_price=UnitPrice(price=euros(17450), unit="piece"),
        ),
        offer(3, "Maison Perrault", 36500, 499, days=(None, None), returns_days=None),
        offer(4, "Elektro Brückner Fachhandelsgesellschaft", 29900, 690, condition="refurbished"),
        replace(
            offer(6, "Grenier Lavoisier", 18900, 690, condition="used"),
            grade="very_good",
            photos=(drawing_url(267, "blue"), drawing_url(267, "black")),
            piece="Une rayure au dos, batterie à 91 %.",
        ),
        offer(5, "Velbur", 33000, None, availability="out_of_stock"),
    )[:offers]
    choices = (("blue", "128 GB"), ("black", "128 GB"), ("blue", "256 GB"))
    return answer.ProductPage(
        id="prd_0",
        url="/product/prd_0",
        title=TITLES[language][0],
        title_language="en",
        description="Ein Satz.\nNoch ein Satz.",
        description_language="de",
        manufacturer="Aurelio",
        gtins=("09520000000011",),
        mpns=("AUR-N5-128B",),
        category_id=267,
        crumbs=tuple(
            answer.Crumb(category_id=id_, label=categories()[id_].name(language), url="/search")
            for id_ in (222, 267)
        ),
        picture=drawing_url(267, "blue"),
        facts=facts(colour="blue", capacity="128 GB", energy_class="B", gewicht="172 g"),
        variants=tuple(
            answer.Variant(
                id=f"prd_{n}",
                url=f"/product/prd_{n}",
                title="Nova 5",
                picture=drawing_url(267, colour),
                differs=facts(colour=colour, capacity=capacity),
                from_total=euros(34900),
                availability="in_stock",
                selected=not n,
            )
            for n, (colour, capacity) in enumerate(choices)
        ),
        offers=stated,
        offers_order=list_notice("offers", spoken(language), language, 4).text,
        notice=list_notice("offers", spoken(language), language, 4),
        from_total=euros(30590) if stated else None,
        to_total=euros(36999) if stated else None,
        merchant_count=len(stated),
        availability="in_stock",
        updated_at=NOW.isoformat(),
        price_history=history() if offers > 1 else None,
        price_verdict=verdict("low") if offers > 1 else verdict("unknown") if offers else None,
        disputed={"capacity": ("64 GB",)},
    )


def pictured(language: str) -> answer.ProductPage:
    """Seen from five sides."""
    colours = ("blue", "black", "white", "red", "gold")
    return replace(product(language), pictures=tuple(drawing_url(267, each) for each in colours))


def history() -> PriceHistory:
    """A price that fell, rose, was away for a week and came back."""
    days = ("2026-08-24", "2026-09-10", "2026-10-02", "2026-10-09", "2026-11-01", "2026-11-20")
    asked = (39900, 36900, None, 37900, 32900, 34400)
    return PriceHistory(
        days=91,
        lowest_30=euros(32900),
        lowest_30_since="2026-11-01",
        lowest=euros(32900),
        highest=euros(39900),
        until="2026-11-22",
        steps=tuple(
            PriceStep(since=day, price=euros(price) if price else None)
            for day, price in zip(days, asked, strict=True)
        ),
    )


def verdict(said: Literal["low", "usual", "high", "unknown"]) -> PriceVerdict:
    """Of the same days as the history."""
    if said == "unknown":
        return PriceVerdict(verdict=said, asked=euros(34400), days=1, prices=1)
    asked = {"low": 32900, "usual": 36900, "high": 42900}[said]
    return PriceVerdict(
        verdict=said,
        asked=euros(asked),
        days=84,
        prices=5,
        cheaper_days=84 if said == "high" else 0,
        dearer_days=65,
        usual_low=euros(34400),
        usual_high=euros(37900),
        lowest=euros(32900),
        highest=euros(39900),
    )


def dear(language: str) -> answer.ProductPage:
    """A product whose price is high beside its own."""
    return replace(product(language), price_verdict=verdict("high"))


def worth(language: str, *, known: bool = True) -> WorthPage:
    """Two grades on record and the others not; or nothing at all."""
    told = {"new": (34900, 33900, 37900, 14, 2), "good": (21500, 18000, 24000, 3, 0)}
    grades = ("new", "like_new", "very_good", "good", "acceptable", "for_parts")
    worths = []
    for grade in grades:
        value, low, high, offers, sales = told.get(grade, (0, 0, 0, 0, 0)) if known else (0,) * 5
        worths.append(
            GradeWorth(
                grade=grade,
                value=euros(value) if value else None,
                low=euros(low) if value else None,
                high=euros(high) if value else None,
                offers=offers,
                sales=sales,
            )
        )
    return worth_page(cards(language)[0], worths)


def ranking(language: str) -> RankingStatement:
    merchants = {"a": "Elektro Brückner Fachhandelsgesellschaft", "b": "Velbur"}
    return ranking_statement(spoken(language), language, merchants, NOW.isoformat())


def ranking_changed(language: str) -> RankingStatement:
    """A published version: offers by several criteria, rules, paid places."""
    one = spoken(language)
    table = {
        "offer_weights": {"order": "weighted", "delivery_days": 0.5, "merchant_quality": 0.25},
        "paid": {"allowed": True},
        "rules": [{"id": "up", "kind": "boost", "target": {"merchants": ["b"]}}],
    }
    stated = Stated("brand", None, ranking_document(table), 12, NOW)
    return ranking_statement(
        one.with_rankings([stated]), language, {"b": "Velbur"}, NOW.isoformat()
    )


def similar(language: str) -> answer.SearchAnswer:
    return results(language, answer.Relaxation(step="similar", original_query="fernsprecher"))
