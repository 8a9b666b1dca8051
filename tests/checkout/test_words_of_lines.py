"""What a line says of the goods: name, merchant's own title, condition; the same for years."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from checkout import tables as t
from checkout.article import Article
from checkout.confirm import AskAgain, confirm
from checkout.orders import find_order
from checkout.purchase.advance import advance
from checkout.quote_document import legs_from
from checkout.web.openapi import ANSWERS
from kernel.errors import NotFound
from kernel.offer_terms import Condition, Grade
from tenants.terms import Party, publish_terms
from tests.checkout.shop_visits import confirmed, purchase_body, quoted, shelve, to_confirm_page
from tests.checkout.test_order_letters import deliver
from tests.mail_server import running_mailbox
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant

NAMES = {"fr": "Montre Pulse 2", "de": "Armbanduhr Pulse 2", "en": "Pulse 2 watch"}
OWN = "Pulse 2 Smartwatch generalüberholt <neu>"
SAID = {
    "fr": ("Montre Pulse 2", "Reconditionné, très bon état", "Intitulé du marchand"),
    "de": ("Armbanduhr Pulse 2", "Generalüberholt, sehr gut", "Titel des Händlers"),
    "en": ("Pulse 2 watch", "Refurbished, very good", "Merchant’s own title"),
}


def changed(setting: Setting, offer: str, *, grade: str | None = None, **columns: Any) -> None:
    """State other facts of an offer."""
    names = ", ".join(f"{name} = :{name}" for name in columns)
    if grade is not None:
        columns["grade"] = grade
        names += ", " * bool(names) + "facts = jsonb_build_object('grade', CAST(:grade AS text))"
    with setting.database.platform() as tx:
        tx.execute(
            sa.text(f"UPDATE mdm.offer SET {names} WHERE offer_id = :id"), columns | {"id": offer}
        )


def refurbished(setting: Setting, merchant: SmallMerchant) -> str:
    """An offer of a refurbished watch, under the merchant's own German title."""
    offer = shelve(setting, merchant, 4900)
    changed(setting, offer, title=OWN, language="de", condition="refurbished", grade="very_good")
    with setting.database.platform() as tx:
        tx.execute(
            sa.text(
                "UPDATE mdm.product SET golden = jsonb_set(golden, '{titles}', :titles) "
                "WHERE product_id = (SELECT product_id FROM mdm.offer WHERE offer_id = :id)"
            ).bindparams(sa.bindparam("titles", type_=sa.dialects.postgresql.JSONB)),
            {"titles": NAMES, "id": offer},
        )
    return offer


def gone(setting: Setting, offer: str) -> None:
    """The merchant has withdrawn the offer, and the product is retired."""
    changed(setting, offer, live=False)
    with setting.database.platform() as tx:
        tx.execute(
            sa.text(
                "UPDATE mdm.product SET state = 'retired', golden = '{}' WHERE product_id = "
                "(SELECT product_id FROM mdm.offer WHERE offer_id = :id)"
            ),
            {"id": offer},
        )


def read(client: TestClient, path: str, language: str) -> str:
    """The page in a language."""
    glue = "&" if "?" in path else "?"
    answer = client.get(f"{path}{glue}lang={language}")
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def lines_of(html: str) -> list[str]:
    """The rows of goods on a page."""
    return re.findall(r'<li class="line">.*?</li>', html, re.DOTALL)


@pytest.mark.parametrize("language", SAID)
def test_pages_say_name_condition_and_the_own_title(
    setting: Setting, merchant: SmallMerchant, language: str
) -> None:
    client, offer = setting.client(), refurbished(setting, merchant)
    address = to_confirm_page(client, offer)
    basket, confirm_page = read(client, "/basket", language), read(client, address, language)
    bought = confirmed(client, address)
    order_ref = bought.headers["location"].rpartition("/")[2]
    gone(setting, offer)
    order_page = read(client, f"/order/{order_ref}", language)
    name, condition, own = SAID[language]
    for html in (basket, confirm_page, order_page):
        (line,) = lines_of(html)
        said = unescape(line)
        assert name in said
        assert condition in said
        assert own in said
        assert OWN in said
        assert "<neu>" not in line
        # A screen reader speaks German only where the page is in another language.
        assert ('lang="de"' in line) == (language != "de")


def test_nothing_is_said_of_what_goes_without_saying(
    setting: Setting, merchant: SmallMerchant
) -> None:
    client = setting.client()
    address = to_confirm_page(client, shelve(setting, merchant))
    for html in (read(client, "/basket", "fr"), read(client, address, "fr")):
        (line,) = lines_of(html)
        assert "Neuf" not in line
        assert "Intitulé du marchand" not in line
        assert "lang=" not in line


def test_letters_say_what_was_bought(setting: Setting, merchant: SmallMerchant) -> None:
    offer = refurbished(setting, merchant)
    made = setting.confirm(setting.quote({offer: 1}))
    gone(setting, offer)
    advance(setting.deps, made.purchase_id)
    setting.pay(made.purchase_id)
    advance(setting.deps, made.purchase_id)
    with running_mailbox() as mailbox:
        deliver(setting, mailbox)
        text = mailbox.texts()[-1]
    assert "- 1 × Montre Pulse 2 (Reconditionné, très bon état): 49,00" in " ".join(text.split())
    assert f"Intitulé du marchand\xa0: {OWN}" in text


@pytest.mark.parametrize("language", SAID)
def test_the_api_says_it_in_the_reader_s_language(
    setting: Setting, merchant: SmallMerchant, language: str
) -> None:
    client, offer = setting.client(), refurbished(setting, merchant)
    client.headers["accept-language"] = language
    quote = quoted(client, offer).json()
    ordered = client.post("/v1/purchases", json=purchase_body(quote)).json()
    gone(setting, offer)
    opens = ordered["order_url"].rpartition("/")[2]
    again = client.get(f"/v1/orders/{opens}").json()
    for answer in (quote, ordered, again):
        (line,) = answer["legs"][0]["lines"]
        assert (line["name"], line["name_language"]) == (NAMES[language], language)
        assert (line["title"], line["title_language"]) == (OWN, "de")
        assert (line["condition"], line["grade"]) == ("refurbished", "very_good")
        assert line["offer_id"] == offer
    assert ANSWERS["order"]["legs"][0]["lines"][0].keys() == line.keys()


def test_another_condition_has_to_be_seen_before_it_is_bought(
    setting: Setting, merchant: SmallMerchant
) -> None:
    client, offer = setting.client(), shelve(setting, merchant)
    address = to_confirm_page(client, offer)
    assert "L’état n’est plus celui" not in client.get(address).text
    changed(setting, offer, condition="used", grade="acceptable")
    again = confirmed(client, address).headers["location"]
    assert again.startswith("/checkout/confirm?quote=")
    html = client.get(again).text
    assert "L’état n’est plus celui que vous avez vu" in html
    assert "Occasion, état correct" in unescape(html)
    assert merchant.orders == {}
    assert confirmed(client, again).headers["location"].startswith("/pay/")


def test_a_grade_alone_is_a_change(setting: Setting, merchant: SmallMerchant) -> None:
    offer = refurbished(setting, merchant)
    quote = setting.quote({offer: 1})
    changed(setting, offer, grade="good")
    asked = confirm(setting.deps, setting.brand, setting.acceptance(quote))
    assert isinstance(asked, AskAgain)
    assert asked.quote.is_changed
    # What was shown is known from then on.
    assert not setting.quote({offer: 1}).is_changed


def test_a_problem_names_the_article(setting: Setting, merchant: SmallMerchant) -> None:
    client, offer = setting.client(), refurbished(setting, merchant)
    merchant.articles[next(reversed(merchant.articles))].stock = 0
    html = client.get(to_confirm_page(client, offer)).text
    assert "Montre Pulse 2. " in html
    quote = quoted(client, offer).json()
    assert quote["legs"][0]["problem_title"] == "Montre Pulse 2"


def test_orders_of_earlier_releases_are_still_read(
    setting: Setting, merchant: SmallMerchant
) -> None:
    """Their quotes have a title and nothing else: nothing is said of a condition."""
    quote = setting.quote({shelve(setting, merchant): 1})
    with setting.database.platform() as tx:
        document = tx.execute(
            sa.select(t.quote.c.document).where(t.quote.c.quote_id == quote.quote_id)
        ).scalar_one()
    (leg,) = document["legs"]
    del leg["problem_article"]
    (row,) = leg["offers"]
    for name in ("language", "names", "condition", "grade", "condition_changed"):
        del row[name]
    (old,) = legs_from({"legs": [leg | {"problem_title": "Une lampe"}]})
    assert old.problem_article == Article("Une lampe")
    (offer,) = old.offers
    assert offer.article == Article(row["title"])
    assert offer.article.is_new
    assert not offer.is_changed


def test_people_name_an_order_by_a_short_number(setting: Setting, merchant: SmallMerchant) -> None:
    """The buyer reads it out from any of the pages, and people of the shop find the order by it."""
    client = setting.client()
    handoff = confirmed(client, to_confirm_page(client, shelve(setting, merchant)))
    shown = client.get(handoff.headers["location"]).text
    (number,) = re.findall(r"Commande ([A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4})<", shown)
    with setting.database.platform() as tx:
        order = find_order(tx, number)
        for typed in (number.lower(), number.replace("-", " "), order.order_ref):
            assert find_order(tx, typed).order_ref == order.order_ref
        with pytest.raises(NotFound):
            find_order(tx, number[:-5])
    assert order.number == number
    page = client.get(handoff.headers["location"].replace("/pay/handoff/", "/order/")).text
    visible = re.sub(r"<[^>]*>", "", page)
    assert number in visible
    assert order.order_ref not in visible


def test_a_name_is_found_in_any_language() -> None:
    article = Article(
        "Uhr  PULSE 2", "de", (("fr", "Montre"), ("de", "uhr pulse 2")), Condition.USED, Grade.GOOD
    )
    assert article.named("en").name == "Montre"
    assert article.named("en").language == "fr"
    assert article.named("en").own_title == "Uhr  PULSE 2"
    assert article.named("de").own_title is None
    assert Article("Uhr", "de").named("fr").language == "de"
    assert Article.from_document(article.as_document()) == article


def test_merchants_terms_are_accepted_only_where_there_are_any(
    setting: Setting, merchant: SmallMerchant
) -> None:
    client = setting.client()
    html = unescape(client.get(to_confirm_page(client, shelve(setting, merchant))).text)
    assert "J’accepte les conditions de Mirabelle." in html
    assert "et des marchands" not in html
    with setting.database.platform() as tx:
        publish_terms(tx, "norden", "fr", "Conditions de Norden.", party=Party.MERCHANT)
    html = unescape(client.get(to_confirm_page(client, shelve(setting, merchant))).text)
    assert "J’accepte les conditions de Mirabelle et des marchands." in html


@pytest.mark.parametrize(
    ("language", "country"), [("fr", "Allemagne"), ("de", "Deutschland"), ("en", "Germany")]
)
def test_the_country_of_delivery_is_said(
    setting: Setting, merchant: SmallMerchant, language: str, country: str
) -> None:
    client = setting.client()
    to_confirm_page(client, shelve(setting, merchant))
    abroad = {"email": "a@example.org", "name": "A B", "line1": "Weg 1", "postcode": "69117"}
    given = client.post("/checkout", data=abroad | {"city": "Heidelberg", "country": "DE"})
    address = given.headers["location"]
    delivered = re.search(r'id="goes-to".*?</section>', read(client, address, language), re.DOTALL)
    assert delivered is not None
    assert f"69117 Heidelberg<br>{country}<br>" in delivered[0]
    bought = confirmed(client, address).headers["location"]
    order = read(client, f"/order/{bought.rpartition('/')[2]}", language)
    assert f"69117 Heidelberg<br>{country}<br>" in order


def test_an_order_is_carried_out_though_the_article_changes_after_the_click(
    setting: Setting, merchant: SmallMerchant
) -> None:
    """What was agreed stands: the merchant was asked for the price, and the words are frozen."""
    offer = refurbished(setting, merchant)
    made = setting.confirm(setting.quote({offer: 1}))
    changed(setting, offer, condition="used", title="Another")
    advance(setting.deps, made.purchase_id)
    setting.pay(made.purchase_id)
    advance(setting.deps, made.purchase_id)
    record = setting.leg(made.purchase_id)
    (bought,) = record.quoted.offers
    assert (bought.article.condition, bought.article.title) == (Condition.REFURBISHED, OWN)
    assert len(merchant.orders) == 1
