"""Models of basket, delivery, confirm and order pages, in every state that they know."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files

from checkout.pages import view_models as vm
from checkout.payment_providers.port import PageForm
from kernel.offer_terms import Condition, Grade
from kernel.pictures import drawing_url
from tests.browser.sample_brands import NOW, SPEAKS, TITLES, euros


def refurbished(language: str) -> vm.Article:
    """Sold under a merchant's own title in another language."""
    names = tuple((each, TITLES[each][0]) for each in (language, "de", "fr"))
    return vm.Article(
        "Generalüberholt: Horlivane Pulse 2 Smartwatch 45 mm, Donaudampfschifffahrtsausgabe",
        "de",
        names,
        Condition.REFURBISHED,
        Grade.VERY_GOOD,
    )


def basket(language: str) -> vm.BasketPage:
    names = TITLES[language]
    line = vm.BasketLine(
        "off_1", "prd_0", refurbished(language), drawing_url(267, "blue"), 1, 9, euros(34400),
        euros(34400), change=vm.PriceChange(euros(33900), euros(34400)),
    )  # fmt: skip
    broken = tuple(
        vm.BasketLine(
            f"off_{n + 3}", "prd_3", vm.Article(names[3], language), drawing_url(None, None), 3, 3,
            None, None, problem=problem, available=2,
        )
        for n, problem in enumerate(vm.LineProblem)
    )  # fmt: skip
    first = vm.BasketSection(
        "m1", "Velbur", (line,), euros(34400), euros(500), euros(34900), 30, (euros(53990),)
    )
    second = vm.BasketSection("m2", "Maison Perrault", broken, None, None, None, 14)
    return vm.BasketPage((first, second), (euros(34900),), "FR", True, refurbished(language))


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
        "off_1", "prd_0", refurbished(language), drawing_url(267, "blue"), 1, euros(34900),
        euros(34900), vm.PriceChange(euros(34400), euros(34900)), condition_changed=True,
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
        problem=vm.LineProblem.OUT_OF_STOCK, problem_article=vm.Article(TITLES[language][3]),
    )  # fmt: skip
    return vm.ConfirmPage(
        "quo_1", "token", (first,) if possible else (first, lost), (euros(35400),), True,
        possible, NOW + timedelta(minutes=15), ("4 rue des Halles", "54000 Nancy"),
        "achats@lirelle.example", 1, "ab" * 32, "Paysim", terms_missing=possible, country="FR",
    )  # fmt: skip


def confirm_three(language: str, *, binding: tuple[str, ...] = ()) -> vm.ConfirmPage:
    """Three merchants, each with its part; `binding` of them do not cancel orders."""
    names = TITLES[language]
    sold = (
        ("Velbur", 0, 34900, 500),
        ("Maison Perrault", 1, 54900, 2990),
        ("Nordkante", 3, 7990, 0),
    )
    sections = tuple(
        vm.ConfirmSection(
            f"m{which}",
            merchant,
            (
                vm.ConfirmLine(
                    f"off_{which}", f"prd_{which}", vm.Article(names[which]),
                    drawing_url(267, "blue"), 1, euros(price), euros(price), None,
                ),
            ),
            (vm.DeliveryChoice("std", "DHL Paket", euros(delivery), True, 2, 4),),
            euros(price),
            euros(delivery),
            euros(price + delivery),
            30,
        )
        for merchant, which, price, delivery in sold
    )  # fmt: skip
    total = euros(sum(price + delivery for _, _, price, delivery in sold))
    return vm.ConfirmPage(
        "quo_1", "token", sections, (total,), False, True, NOW + timedelta(minutes=15),
        ("4 rue des Halles", "54000 Nancy"), "achats@lirelle.example", 1, "ab" * 32, "Paysim",
        policy=vm.Policy.BEST_EFFORT if binding else vm.Policy.ALL_OR_NOTHING, binding=binding,
        country="FR",
    )  # fmt: skip


def payments() -> tuple[vm.Payment, ...]:
    states = [*vm.LegState, *vm.LegState]
    return (
        vm.Payment("Velbur", euros(35400), vm.LegState.AWAITING_PAYMENT, "/pay/handoff/x/1"),
        vm.Payment(
            "Brunnen", euros(990), vm.LegState.AWAITING_PAYMENT, "/pay/handoff/x/2",
            form=PageForm("https://pay.example.org/page", (("redirectionData", "x" * 900),)),
        ),
        *(
            vm.Payment("Maison Perrault", euros(54390), state, None, reason)
            for state, reason in zip(states, vm.Reason, strict=False)
        ),
    )  # fmt: skip


def payment(_: str) -> vm.PaymentPage:
    return vm.PaymentPage("ord_7K2M9QX4", payments(), None, 2, 3, False, "Paysim")


def pending(_: str) -> vm.PendingPage:
    legs = tuple(vm.Payment("Velbur", euros(35400), state, None) for state in vm.LegState)
    return vm.PendingPage("ord_7K2M9QX4", "/order/x", 30, "/pay/return/x", legs)


def leg(
    language: str, state: vm.LegState, money: vm.MoneyState, reason: vm.Reason | None
) -> vm.OrderLeg:
    given_back = {vm.MoneyState.REFUNDING: euros(1000), vm.MoneyState.REFUNDED: euros(35400)}
    done = state is vm.LegState.COMPLETED or money in given_back
    steps = zip(vm.StepName, [*vm.StepState, vm.StepState.NOW, vm.StepState.NEXT], strict=True)
    item = vm.OrderLine(
        refurbished(language), 1, euros(34900), euros(34900), "prd_0", drawing_url(267, "blue")
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
        card_network="Mastercard" if done else None,
        cancel_path="/order/x/cancel" if state is vm.LegState.COMPLETED else None,
        continue_url="https://shop.velbur.example/continue/1"
        if reason is vm.Reason.FINISH_AT_MERCHANT
        else None,
    )


def order(*legs: vm.OrderLeg) -> vm.OrderPage:
    return vm.OrderPage(
        "ord_7K2M9QX4", NOW, legs, (euros(35400),), "achats@lirelle.example",
        ("4 rue des Halles", "54000 Nancy"), 1, "/terms?version=1", NOW, vm.Policy.ALL_OR_NOTHING,
        is_new=True, country="FR",
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


def prepared(language: str) -> vm.PreparedPage:
    url = "https://shop.velbur.example/continue/1"
    return vm.PreparedPage("Velbur", refurbished(language), "prd_0", url, is_ready=True)


def refusal(_: str) -> vm.RefusalPage:
    return vm.RefusalPage(
        "basket_full",
        "A basket holds %(most)s different offers.",
        "Remove one.",
        {"most": 40},
        money_moved=False,
        back_path="/basket",
    )
