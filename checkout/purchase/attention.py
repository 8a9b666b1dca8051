"""When people are called to a leg, and what they are told. Pure.

They are called where something was refused and there is no way back, or where it is not settled in
time; and once more before the provider lets the money go that the leg still needs.
"""

from __future__ import annotations

from datetime import datetime

from checkout.deps import Windows
from checkout.purchase.leg import Leg
from checkout.purchase.machine import FINAL, State
from checkout.states import Reason

_HELD_UNTIL = "; the money is held until "


def news_for_people(leg: Leg, trouble: str | None, now: datetime, windows: Windows) -> str | None:
    """What is to be told of a leg in trouble; None where they know it, or nothing is wrong."""
    known = leg.attention
    news = known if known is not None else trouble
    if news is None:
        return None
    if hold_is_ending(leg, now, windows):
        news = f"{news.partition(_HELD_UNTIL)[0]}{_HELD_UNTIL}{leg.capture_before:%Y-%m-%d %H:%M}Z"
    return None if news == known else news


def hold_is_ending(leg: Leg, now: datetime, windows: Windows) -> bool:
    """True where money is reserved, and needed, that the provider soon lets go or has let go."""
    is_held = leg.authorised.minor > 0 and leg.captured.minor == 0
    if not is_held or leg.capture_before is None or leg.state in FINAL | {State.VOIDING}:
        return False
    if leg.reason is Reason.HOLD_EXPIRED:
        return False
    return now >= leg.capture_before - windows.hold


def hold_ends(leg: Leg, windows: Windows) -> datetime:
    """Until when the money of a leg that waits for shipment can be charged, as far as is known."""
    return leg.capture_before or leg.state_since + windows.unsaid_hold
