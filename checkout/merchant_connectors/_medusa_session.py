"""The calls of the Medusa connector: what a question, a draft and a binding act may end in.

In: a path of the store or admin API. Out: the answer, or the outcome that it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checkout.merchant_connectors._medusa_answers import parse
from checkout.merchant_connectors._shop_orders import in_doubt, silent
from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from checkout.peer_http import AnswerLost, NeverSent, PeerAnswer, PeerClient


def exchanged(client: PeerClient, path: str, query: Sequence[tuple[str, str]]) -> PeerAnswer:
    """A question, asked twice before it counts as unanswered. It changes nothing."""
    try:
        return client.ask(path, query)
    except (NeverSent, AnswerLost) as error:
        raise silent(error) from error


def asked(client: PeerClient, path: str, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The body of the answer to a question. Raises NoAnswer."""
    return body_of(exchanged(client, path, query))


def body_of(answer: PeerAnswer) -> dict[str, Any]:
    """The object that a question was answered with. Raises NoAnswer."""
    if answer.status != 200:
        raise NoAnswer(f"The shop answered {answer.status}: {reason_of(answer)}")
    return parse(answer.raw)


def sent(client: PeerClient, path: str, body: Mapping[str, object]) -> PeerAnswer:
    """A change that binds nobody. Refused as the shop refuses it, NoAnswer in any other trouble."""
    try:
        answer = client.exchange("POST", path, json_body=body)
    except (NeverSent, AnswerLost) as error:
        raise silent(error) from error
    if answer.status == 200:
        return answer
    if answer.status == 400:
        raise refusal(answer)
    raise NoAnswer(f"The shop answered {answer.status}: {reason_of(answer)}")


def acted(client: PeerClient, path: str) -> PeerAnswer:
    """Send what binds the shop, once. Raises NoAnswer or OutcomeUnknown."""
    try:
        answer = client.exchange("POST", path, json_body={})
    except NeverSent as error:
        raise silent(error) from error
    except AnswerLost as error:
        raise in_doubt(str(error)) from error
    if answer.status >= 500 or answer.status in (408, 409, 429):
        raise in_doubt(f"it answered {answer.status}")
    return answer


def completed_order(answer: PeerAnswer) -> str | None:
    """The order that a cart became; None where the shop completed nothing."""
    body = parse(answer.raw)
    order = body.get("order")
    if answer.status != 200 or body.get("type") != "order":
        return None
    number = order.get("id") if isinstance(order, dict) else None
    if not isinstance(number, str):
        raise NoAnswer("The shop's order has no number.")
    return number


def place_refused(answer: PeerAnswer) -> Refused | OutcomeUnknown:
    """Why a cart was not completed."""
    if answer.status in (200, 400, 404):
        return refusal(answer)
    return in_doubt(f"it answered {answer.status}")


def refusal(answer: PeerAnswer) -> Refused:
    """The shop's no in our words."""
    body = answer.body if isinstance(answer.body, dict) else {}
    # What was there when the cart was filled can be gone when it is completed; that has no code.
    has_too_few = reason_of(answer).startswith("Not enough stock available")
    if body.get("code") == "insufficient_inventory" or has_too_few:
        return Refused("out_of_stock", "The shop has too few of an article.")
    return Refused("order_refused", f"The shop refused: {reason_of(answer)}")


def reason_of(answer: PeerAnswer) -> str:
    """The shop's own words, cut to a sentence's length."""
    body = answer.body if isinstance(answer.body, dict) else {}
    error = body.get("error") if isinstance(body.get("error"), dict) else body
    words = error.get("message") if isinstance(error, dict) else None
    return words[:300] if isinstance(words, str) else "no reason given"
