"""Which kind of memory card or stick a title names: the kinds fit no other's slot. Pure.

Titles of one line (`Ultra 32 GB`) differ in nothing else, and most of their words agree.
"""

from __future__ import annotations

from collections.abc import Set

_SD = frozenset(("sd", "sdhc", "sdxc"))
_MICRO = frozenset(("microsd", "microsdhc", "microsdxc"))
_COMPACT_FLASH = frozenset(("cf", "cfast", "compactflash"))
_STICK = frozenset(("drive", "flash", "stick"))


def card_format(tokens: Set[str]) -> str | None:
    """`microsd`, `sd`, `xqd`, `cf` or `usb`, by the tokens of a title; None where it names none. An
    adapter for the larger slot comes with the smaller card."""
    if tokens & _MICRO or ("micro" in tokens and tokens & _SD):
        return "microsd"
    if "xqd" in tokens:
        return "xqd"
    if tokens & _COMPACT_FLASH:
        return "cf"
    if tokens & _SD:
        return "sd"
    return "usb" if "usb" in tokens and tokens & _STICK else None
