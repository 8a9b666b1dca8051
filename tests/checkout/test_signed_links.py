"""The signed link of an order opens it, and nothing else does: no part of it, no other order's."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from checkout import tables as t
from checkout.purchase.advance import advance
from checkout.signed_links import OrderLinks, without_signatures
from comptoir.commands.order import command
from kernel.errors import NotFound
from tests.checkout.shop_visits import shelve
from tests.purchase_setting import CONTACT, LINKS, SITE, Setting, bundled_brand, hidden_fields
from tests.small_merchant import SmallMerchant

ORDER, OTHER = "ord_" + "a" * 26, "ord_" + "b" * 26
PURCHASE = "pur_" + "a" * 26
SAYS = {
    "fr": "ouvre aucune commande",
    "de": "öffnet keine Bestellung",
    "en": "opens no order",
}


def test_a_link_names_its_order_at_its_brand_for_its_purpose() -> None:
    signed = LINKS.order("mirabelle", ORDER)
    assert signed.startswith(f"{ORDER}.")
    assert LINKS.order_ref("mirabelle", signed) == ORDER
    assert LINKS.purchase_id("mirabelle", LINKS.payment("mirabelle", PURCHASE)) == PURCHASE
    signature = signed.rpartition(".")[2]
    for brand, wrong in (
        ("taktwerk", signed),
        ("mirabelle", ORDER),
        ("mirabelle", f"{ORDER}."),
        ("mirabelle", f"{OTHER}.{signature}"),
        ("mirabelle", signed[:-1]),
        ("mirabelle", signed.upper()),
        ("mirabelle", LINKS.payment("mirabelle", ORDER)),
        ("mirabelle", OrderLinks(b"another secret").order("mirabelle", ORDER)),
        ("mirabelle", "é.ü"),
        ("mirabelle", ""),
    ):
        with pytest.raises(NotFound):
            LINKS.order_ref(brand, wrong)
    with pytest.raises(NotFound):
        LINKS.purchase_id("mirabelle", signed)


@given(st.integers(31, 62), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_every_character_of_the_signature_counts(at: int, other: str) -> None:
    signed = LINKS.order("mirabelle", ORDER)
    changed = f"{signed[:at]}{other}{signed[at + 1 :]}"
    if changed == signed:
        return
    with pytest.raises(NotFound):
        LINKS.order_ref("mirabelle", changed)


def test_logs_name_an_order_and_do_not_open_it() -> None:
    signed, back = LINKS.order("b", ORDER), LINKS.payment("b", PURCHASE)
    text = f"failure at /order/{signed}/cancel, /pay/return/{back}?attempt=2, /basket.html"
    said = without_signatures(text)
    assert (
        said == f"failure at /order/{ORDER}/cancel, /pay/return/{PURCHASE}?attempt=2, /basket.html"
    )


def ordered(setting: Setting, merchant: SmallMerchant) -> tuple[str, str]:
    """An order under way; answers its reference and its purchase."""
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    return bought.order_ref, bought.purchase_id


def pages_of(opens: str, returns: str) -> list[tuple[str, str]]:
    """Every address of an order, with its method."""
    return [
        ("GET", f"/order/{opens}"),
        ("POST", f"/order/{opens}/cancel"),
        ("GET", f"/pay/handoff/{opens}"),
        ("GET", f"/pay/handoff/{opens}?again=1"),
        ("GET", f"/pay/handoff/{opens}/1"),
        ("GET", f"/pay/return/{returns}"),
        ("GET", f"/v1/orders/{opens}"),
        ("POST", f"/v1/orders/{opens}/cancellations"),
    ]


def asked(client: TestClient, method: str, path: str) -> tuple[int, str]:
    """Status and body, without what the path itself puts into it."""
    if method == "GET":
        answer = client.get(path)
    elif path.startswith("/v1"):
        answer = client.post(path, json={"merchant_id": "norden"})
    else:
        answer = client.post(path, data={"merchant": "norden"})
    return answer.status_code, answer.text.replace(path.partition("?")[0], "HERE")


def test_nothing_but_the_whole_link_opens_any_page(
    setting: Setting, merchant: SmallMerchant
) -> None:
    client = setting.client()
    order_ref, purchase_id = ordered(setting, merchant)
    other_ref, other_purchase = ordered(setting, merchant)
    opens, returns = setting.opens(order_ref), LINKS.payment(setting.brand.id, purchase_id)
    others = LINKS.payment(setting.brand.id, other_purchase).rpartition(".")[2]
    wrong = [
        (order_ref, purchase_id),
        (f"{opens[:-1]}{'a' if opens[-1] != 'a' else 'b'}", f"{returns[:-2]}77"),
        (f"{order_ref}.{setting.opens(other_ref).rpartition('.')[2]}", f"{purchase_id}.{others}"),
        (LINKS.order("taktwerk", order_ref), LINKS.payment("taktwerk", purchase_id)),
        (LINKS.payment(setting.brand.id, order_ref), LINKS.order(setting.brand.id, purchase_id)),
    ]
    # The same is said of an order that there never was: nobody can ask for references.
    never = [asked(client, *each) for each in pages_of(f"{ORDER}.{'a' * 32}", f"{PURCHASE}.aa")]
    assert {status for status, _ in never} == {404}
    for bad_opens, bad_returns in wrong:
        assert [asked(client, *each) for each in pages_of(bad_opens, bad_returns)] == never
    assert merchant.calls.count("cancel") == 0
    assert setting.order(purchase_id).legs[0].is_payable
    assert {404, 500}.isdisjoint(asked(client, *each)[0] for each in pages_of(opens, returns))


@pytest.mark.parametrize("language", SAYS)
def test_the_refusal_says_what_to_do(
    setting: Setting, merchant: SmallMerchant, language: str
) -> None:
    order_ref, _ = ordered(setting, merchant)
    answer = setting.client().get(f"/order/{order_ref}?lang={language}")
    assert answer.status_code == 404
    assert SAYS[language] in answer.text
    said = setting.client().get(f"/v1/orders/{order_ref}").json()
    assert said["code"] == "order_link_unknown"


def test_a_link_of_one_brand_opens_nothing_at_another(
    setting: Setting, merchant: SmallMerchant
) -> None:
    order_ref, _ = ordered(setting, merchant)
    elsewhere = replace(setting, brand=bundled_brand(setting.database, "taktwerk"))
    for brand in (setting.brand.id, "taktwerk"):
        link = f"/order/{LINKS.order(brand, order_ref)}"
        assert elsewhere.client().get(link).status_code == 404
    assert setting.client().get(f"/order/{setting.opens(order_ref)}").status_code == 200


def test_the_browser_is_led_by_signed_links_and_told_of_them_by_no_header(
    setting: Setting, merchant: SmallMerchant
) -> None:
    client = setting.client()
    client.post("/basket/lines", data={"offer_id": shelve(setting, merchant)})
    address = client.post("/checkout", data=CONTACT.as_json()).headers["location"]
    fields = hidden_fields(client.get(address).text) | {"terms": "accepted"}
    handoff = client.post("/checkout/confirm", data=fields).headers["location"]
    opens = handoff.removeprefix("/pay/handoff/")
    order_ref = LINKS.order_ref(setting.brand.id, opens)
    shown = client.get(f"/order/{opens}")
    assert shown.status_code == 200
    assert f'href="/pay/handoff/{opens}/1"' in shown.text
    assert shown.headers["referrer-policy"] == "same-origin"
    assert shown.headers["cache-control"] == "no-store"
    order = client.get(f"/v1/orders/{opens}").json()
    assert f"{order['order_number']}<" in shown.text  # the number to say on the telephone
    assert (order["order_ref"], order["signed_ref"]) == (order_ref, opens)
    assert order["order_url"].endswith(f"/order/{opens}")


def test_a_basket_under_way_leads_to_its_order(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    client.post("/basket/lines", data={"offer_id": shelve(setting, merchant)})
    address = client.post("/checkout", data=CONTACT.as_json()).headers["location"]
    before = hidden_fields(client.get(address).text) | {"terms": "accepted"}
    handoff = client.post("/checkout/confirm", data=before).headers["location"]
    order_ref = LINKS.order_ref(setting.brand.id, handoff.removeprefix("/pay/handoff/"))
    again = client.post("/checkout", data=CONTACT.as_json()).headers["location"]
    after = hidden_fields(client.get(again).text) | {"terms": "accepted"}
    with setting.database.platform() as tx:
        # Somebody is at work on it: the second click can neither end it nor order again.
        bought = sa.select(t.purchase.c.purchase_id).where(t.purchase.c.order_ref == order_ref)
        busy = {"lease_until": sa.func.now() + sa.text("interval '1 min'")}
        tx.execute(t.leg.update().where(t.leg.c.purchase_id.in_(bought)).values(**busy))
    refused = client.post("/checkout/confirm", data=after)
    assert refused.status_code == 409
    link = f"/order/{setting.opens(order_ref)}"
    assert f'href="{link}"' in refused.text
    assert client.get(link).status_code == 200


def test_who_lost_the_letter_is_given_the_link_again(
    setting: Setting, merchant: SmallMerchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_ref, _ = ordered(setting, merchant)
    installed = SimpleNamespace(database=setting.database, order_links=LINKS)
    monkeypatch.setattr("comptoir.installation.Installation", lambda: installed)
    for known in (order_ref, order_ref[:16]):
        written = CliRunner().invoke(command, ["link", known])
        assert written.output == f"{SITE}/order/{setting.opens(order_ref)}\n"
    assert CliRunner().invoke(command, ["link", "ord_unknown"]).exit_code != 0
