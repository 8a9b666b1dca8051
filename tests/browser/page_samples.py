"""One model for each state of each page, awkward on purpose: long words, no price, no picture."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files

from checkout.pages import view_models as vm
from kernel.categories import categories
from kernel.money import Money
from kernel.pictures import drawing_url
from search_api import answer
from search_api.notices import list_notice, ranking_statement
from search_api.price_facts import PriceHistory, PriceStep, UnitPrice
from search_api.ranking_statement import RankingStatement
from tenants.brand import Brand, brand_from
from tenants.ranking.document import ranking_document
from tenants.ranking.inheritance import Stated

NOW = datetime(2026, 11, 22, 9, 41, tzinfo=UTC)
SPEAKS = {"mirabelle": "fr", "taktwerk": "de"}
TITLES = {
    "fr": (
        "Smartphone Aurelio Nova 5",
        "Lave-linge hublot Hydranor WX80-T240",
        "Réfrigérateur-congélateur combiné Frostheim KG 366",
        "Casque audio sans fil à réduction de bruit Sonnblick Ruhe 2",
        "Ordinateur portable Brantholm Feder 14",
    ),
    "de": (
        "Smartphone Aurelio Nova 5",
        "Waschmaschine Frontlader Hydranor WX80-T240",
        "Kühl-Gefrierkombination Frostheim KG 366 NoFrost",
        "Geräuschunterdrückungskopfhörer Sonnblick Ruhe 2",
        "Notebook Brantholm Feder 14",
    ),
}


def euros(cents: int) -> Money:
    return Money(cents, "EUR")


def brand(name: str) -> Brand:
    text = files("tenants").joinpath("bundled", f"{name}.toml").read_text("utf-8")
    return brand_from(tomllib.loads(text))


def spoken(language: str) -> Brand:
    """The brand whose pages are shown in the language."""
    return brand(next(name for name, first in SPEAKS.items() if first == language))


def facts(**stated: str) -> tuple[answer.Fact, ...]:
    return tuple(answer.Fact(key=key, value=value) for key, value in stated.items())


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
) -> answer.OfferCard:
    known = price is not None and delivery is not None
    return answer.OfferCard(
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
) -> answer.ProductCard:
    return answer.ProductCard(
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


def cards(language: str) -> tuple[answer.ProductCard, ...]:
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
        popular=cards(language),
        product_count=403,
        merchant_count=4,
        notice=answer.Notice(text="", merchant_count=4),
    )


def empty_home(language: str) -> answer.HomePage:
    nothing = answer.Notice(text="", merchant_count=0)
    return answer.HomePage(
        departments=(), popular=(), product_count=0, merchant_count=0, notice=nothing
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
            values=names(*(f"Aurelio {letter}" for letter in "ABCDEFGHIJ")),
        ),
        answer.Facet(name="merchant", values=names("Velbur", "Maison Perrault")),
        answer.Facet(name="availability", values=names("in_stock", "out_of_stock")),
    )


def results(
    language: str,
    relaxation: answer.Relaxation | None = None,
    products: tuple[answer.ProductCard, ...] | None = None,
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
        disputed={"capacity": ("64 GB",)},
    )


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


def basket(language: str) -> vm.BasketPage:
    names = TITLES[language]
    line = vm.BasketLine(
        "off_1", "prd_0", names[0], drawing_url(267, "blue"), 1, 9, euros(34400), euros(34400),
        change=vm.PriceChange(euros(33900), euros(34400)),
    )  # fmt: skip
    broken = tuple(
        vm.BasketLine(
            f"off_{n + 3}", "prd_3", names[3], drawing_url(None, None), 3, 3, None, None,
            problem=problem, available=2,
        )
        for n, problem in enumerate(vm.LineProblem)
    )  # fmt: skip
    first = vm.BasketSection(
        "m1", "Velbur", (line,), euros(34400), euros(500), euros(34900), 30, (euros(53990),)
    )
    second = vm.BasketSection("m2", "Maison Perrault", broken, None, None, None, 14)
    return vm.BasketPage((first, second), (euros(34900),), "FR", True, names[0])


def contact(language: str, *, wrong: bool = False) -> vm.ContactPage:
    asked = ("email", "name", "phone", "line1", "line2", "postcode", "city", "country")
    errors = {
        "email": "invalid",
        "name": "missing",
        "line1": "too_long",
        "country": "not_delivered",
    }
    shown = basket(language)
    return vm.ContactPage(
        dict.fromkeys(asked, "x" if wrong else ""),
        errors if wrong else {},
        ("DE", "FR"),
        shown.sections,
        shown.totals,
    )


def confirm(language: str, *, possible: bool = True) -> vm.ConfirmPage:
    line = vm.ConfirmLine(
        "off_1", "prd_0", TITLES[language][0], drawing_url(267, "blue"), 1, euros(34900),
        euros(34900), vm.PriceChange(euros(34400), euros(34900)),
    )  # fmt: skip
    first = vm.ConfirmSection(
        "m1",
        "Velbur",
        (line,),
        (
            vm.DeliveryChoice("std", "DHL Paket", euros(500), True, 2, 3),
            vm.DeliveryChoice("exp", "DHL Express", euros(1290), False, 1, 1),
        ),
        euros(34900),
        euros(500),
        euros(35400),
        30,
        vm.PriceChange(euros(400), euros(500)),
    )
    lost = vm.ConfirmSection(
        "m3", "Nordkante", (), (), None, None, None, None,
        problem=vm.LineProblem.OUT_OF_STOCK, problem_title=TITLES[language][3],
    )  # fmt: skip
    return vm.ConfirmPage(
        "quo_1", "token", (first,) if possible else (first, lost), (euros(35400),), True,
        possible, NOW + timedelta(minutes=15), ("4 rue des Halles", "54000 Nancy"),
        "achats@lirelle.example", 1, "ab" * 32, "Paysim", terms_missing=possible,
    )  # fmt: skip


def payments() -> tuple[vm.Payment, ...]:
    states = [*vm.LegState, *vm.LegState]
    return (
        vm.Payment("Velbur", euros(35400), vm.LegState.AWAITING_PAYMENT, "/pay/handoff/x/1"),
        *(
            vm.Payment("Maison Perrault", euros(54390), state, None, reason)
            for state, reason in zip(states, vm.Reason, strict=False)
        ),
    )


def handoff(_: str) -> vm.HandoffPage:
    return vm.HandoffPage("ord_7K2M9QX4", payments(), None, 2, 3, False, "Paysim")


def pending(_: str) -> vm.PendingPage:
    legs = tuple(vm.Payment("Velbur", euros(35400), state, None) for state in vm.LegState)
    return vm.PendingPage("ord_7K2M9QX4", "/order/x", 30, "/pay/return/x", legs)


def leg(
    language: str, state: vm.LegState, money: vm.MoneyState, reason: vm.Reason | None
) -> vm.OrderLeg:
    given_back = {vm.MoneyState.REFUNDING: euros(1000), vm.MoneyState.REFUNDED: euros(35400)}
    done = state is vm.LegState.COMPLETED or money in given_back
    steps = zip(vm.StepName, [*vm.StepState, vm.StepState.NOW], strict=True)
    item = vm.OrderLine(
        TITLES[language][0], 1, euros(34900), euros(34900), "prd_0", drawing_url(267, "blue")
    )
    return vm.OrderLeg(
        "m1",
        "Velbur",
        "+49 30 23125 999",
        state,
        money,
        reason,
        tuple(vm.Step(name, vm.StepState.DONE if done else how, NOW) for name, how in steps),
        (item,),
        euros(34900),
        euros(500),
        "DHL Paket",
        euros(35400),
        euros(35400) if done else None,
        "100027" if done else None,
        change=vm.PriceChange(euros(35400), euros(36900))
        if reason is vm.Reason.PRICE_CHANGED
        else None,
        returns_days=30,
        pay_path="/pay/handoff/x/1" if state is vm.LegState.AWAITING_PAYMENT else None,
        refunded=given_back.get(money),
        order_status="in_preparation" if done else None,
        cancel_path="/order/x/cancel" if state is vm.LegState.COMPLETED else None,
    )


def order(*legs: vm.OrderLeg) -> vm.OrderPage:
    return vm.OrderPage(
        "ord_7K2M9QX4", NOW, legs, (euros(35400),), "achats@lirelle.example",
        ("4 rue des Halles", "54000 Nancy"), 1, "/terms?version=1", NOW, is_new=True,
    )  # fmt: skip


def ordered(language: str) -> vm.OrderPage:
    return order(leg(language, vm.LegState.COMPLETED, vm.MoneyState.CHARGED, None))


def every_ending(language: str) -> vm.OrderPage:
    """A leg for every reason, state and fate of the money."""
    states, fates = list(vm.LegState), list(vm.MoneyState)
    reasons = [*vm.Reason, None]
    return order(
        *(
            leg(language, states[n % len(states)], fates[n % len(fates)], reasons[n % len(reasons)])
            for n in range(max(map(len, (states, fates, reasons))))
        )
    )


def nothing_ordered(language: str) -> vm.OrderPage:
    refused = vm.Reason.PAYMENT_REFUSED
    return order(leg(language, vm.LegState.CANCELLED, vm.MoneyState.NONE, refused))


def terms(language: str) -> vm.TermsPage:
    name = next(name for name, spoken in SPEAKS.items() if spoken == language)
    body = files("tenants").joinpath("bundled", f"{name}.terms.md").read_text("utf-8")
    return vm.TermsPage(1, language, NOW, "ab" * 32, tuple(body.strip().split("\n\n")))


def refusal(_: str) -> vm.RefusalPage:
    return vm.RefusalPage("x", "This was refused.", "Try something else.", False, "/basket")


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


def _similar(language: str) -> answer.SearchAnswer:
    return results(language, answer.Relaxation(step="similar", original_query="fernsprecher"))


PAGES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "home": ("home.html", home),
    "home-empty": ("home.html", empty_home),
    "results": ("results.html", results),
    "results-similar": ("results.html", _similar),
    "results-none": ("results.html", lambda language: results(language, None, ())),
    "product": ("product.html", product),
    "product-one": ("product.html", lambda language: product(language, 1)),
    "product-none": ("product.html", lambda language: product(language, 0)),
    "not-found": ("not_found.html", lambda _: None),
    "error": ("error.html", lambda _: None),
    "basket": ("basket.html", basket),
    "basket-empty": ("basket.html", lambda _: vm.BasketPage((), (), "FR", False)),
    "contact": ("contact.html", contact),
    "contact-wrong": ("contact.html", lambda language: contact(language, wrong=True)),
    "confirm": ("confirm.html", confirm),
    "confirm-impossible": ("confirm.html", lambda language: confirm(language, possible=False)),
    "handoff": ("handoff.html", handoff),
    "pending": ("pending.html", pending),
    "order": ("order.html", ordered),
    "order-every-ending": ("order.html", every_ending),
    "order-nothing": ("order.html", nothing_ordered),
    "terms": ("terms.html", terms),
    "refusal": ("refusal.html", refusal),
    "legal-notice": ("legal_notice.html", lambda _: None),
    "legal-privacy": ("legal_privacy.html", lambda _: None),
    "legal-ranking": ("legal_ranking.html", ranking),
    "legal-ranking-changed": ("legal_ranking.html", ranking_changed),
}
