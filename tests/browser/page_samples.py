"""One model for each state of each page: the template that shows it, and what makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from checkout.pages import view_models as vm
from tests.browser import samples_of_checkout as bought
from tests.browser import samples_of_search as shown
from tests.browser.samples_of_comparison import compared

PAGES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "home": ("home.html", shown.home),
    "home-empty": ("home.html", shown.empty_home),
    "results": ("results.html", shown.results),
    "results-similar": ("results.html", shown.similar),
    "results-none": ("results.html", lambda language: shown.results(language, None, ())),
    "product": ("product.html", shown.product),
    "product-dear": ("product.html", shown.dear),
    "product-pictures": ("product.html", shown.pictured),
    "product-one": ("product.html", lambda language: shown.product(language, 1)),
    "product-none": ("product.html", lambda language: shown.product(language, 0)),
    "compare": ("compare.html", lambda language: compared(language, 2)),
    "compare-three": ("compare.html", lambda language: compared(language, 3, gone=1)),
    "compare-refused": ("compare.html", lambda language: compared(language, 4, refused=1)),
    "compare-one": ("compare.html", lambda language: compared(language, 1)),
    "compare-empty": ("compare.html", lambda language: compared(language, 0)),
    "worth": ("worth.html", shown.worth),
    "worth-unknown": ("worth.html", lambda language: shown.worth(language, known=False)),
    "not-found": ("not_found.html", lambda _: None),
    "error": ("error.html", lambda _: None),
    "too-many": (
        "too_many.html",
        lambda _: {"wait": 42, "is_long": False, "again": "/search?q=lampe"},
    ),
    "basket": ("basket.html", bought.basket),
    "basket-empty": ("basket.html", lambda _: vm.BasketPage((), (), "FR", False)),
    "contact": ("contact.html", bought.contact),
    "contact-wrong": ("contact.html", lambda language: bought.contact(language, wrong=True)),
    "confirm": ("confirm.html", bought.confirm),
    "confirm-impossible": (
        "confirm.html",
        lambda language: bought.confirm(language, possible=False),
    ),
    "confirm-three": ("confirm.html", bought.confirm_three),
    "confirm-three-binding": (
        "confirm.html",
        lambda language: bought.confirm_three(language, binding=("Velbur", "Nordkante")),
    ),
    "payment": ("payment.html", bought.payment),
    "pending": ("pending.html", bought.pending),
    "order": ("order.html", bought.ordered),
    "order-every-ending": ("order.html", bought.every_ending),
    "order-nothing": ("order.html", bought.nothing_ordered),
    "terms": ("terms.html", bought.terms),
    "prepared": ("prepared.html", bought.prepared),
    "refusal": ("refusal.html", bought.refusal),
    "legal-notice": ("legal_notice.html", lambda _: None),
    "legal-privacy": ("legal_privacy.html", lambda _: None),
    "legal-ranking": ("legal_ranking.html", shown.ranking),
    "legal-ranking-changed": ("legal_ranking.html", shown.ranking_changed),
}
