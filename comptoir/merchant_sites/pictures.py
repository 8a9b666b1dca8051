"""Plain pictures of demo goods: one outline for each kind of thing, filled with the colour."""

from __future__ import annotations

from kernel.categories import categories
from kernel.pictures import COLOURS

_FILL = {
    "black": "#2a2c30", "white": "#f3f3f0", "silver": "#c3c8ce", "grey": "#83898f",
    "blue": "#3767b1", "red": "#b83a35", "green": "#4b8058", "gold": "#c7a24d", "pink": "#dfa2b3",
    "beige": "#d9c7a7", "orange": "#d97c31", "purple": "#765297", "brown": "#7d5a41",
}  # fmt: skip
_TALL = '<rect x="140" y="60" width="120" height="240" rx="18"/>'
_WIDE = '<rect x="50" y="90" width="300" height="180" rx="10"/><path d="M160 300h80"/>'
_CUBE = '<rect x="90" y="70" width="220" height="240" rx="12"/><circle cx="200" cy="200" r="70"/>'
_ROUND = '<circle cx="180" cy="200" r="100"/><path d="M280 200h90" stroke-width="22"/>'
_FLASK = '<path d="M170 60h60v50l40 40v150h-140v-150l40-40z"/>'
_SHOE = '<path d="M50 260v-90h70l90 60 120 20q20 10 20 40h-300z"/>'
_PEAK = '<path d="M200 90l150 200h-300z"/><path d="M200 160l40 130h-80z"/>'
_WHEELS = '<circle cx="110" cy="240" r="65"/><circle cx="290" cy="240" r="65"/><path d="M110 240l60-110h80l40 110" fill="none"/>'  # noqa: E501
_LAMP = '<path d="M150 70h100l40 90h-180z"/><path d="M192 160h16v120h-16z"/><path d="M140 280h120v20h-120z"/>'  # noqa: E501
_WATCH = (
    '<path d="M165 50h70v260h-70z"/><circle cx="200" cy="180" r="75"/><path d="M200 135v45h35"/>'
)
_ARCH = '<path d="M90 220a110 110 0 0 1 220 0" fill="none" stroke-width="18"/><rect x="70" y="205" width="55" height="95" rx="22"/><rect x="275" y="205" width="55" height="95" rx="22"/>'  # noqa: E501
_BAG = '<path d="M165 95a35 35 0 0 1 70 0" fill="none"/><rect x="110" y="90" width="180" height="215" rx="50"/><rect x="140" y="205" width="120" height="75" rx="12"/>'  # noqa: E501
_TOOL = '<rect x="90" y="100" width="190" height="70" rx="14"/><path d="M280 125h60v18h-60z"/><path d="M120 170h60l10 120h-75z"/>'  # noqa: E501
_BOX = '<path d="M80 150l120-60 120 60v110l-120 50-120-50z"/><path d="M80 150l120 50 120-50M200 200v110" fill="none"/>'  # noqa: E501
_PILE = '<rect x="110" y="95" width="70" height="210" rx="8"/><rect x="220" y="95" width="70" height="210" rx="8"/><path d="M132 80h26v15h-26zM242 80h26v15h-26z"/>'  # noqa: E501
_CARD = '<path d="M120 80h120l40 40v180h-160z"/>'
_OUTLINES = {
    267: _TALL, 2353: _TALL, 4745: _WIDE, 328: _WIDE, 305: _WIDE, 404: _WIDE, 2549: _CUBE,
    680: _CUBE, 686: _TALL, 152: _CUBE, 662: _ROUND, 479: _FLASK, 751: _FLASK, 1868: _FLASK,
    736: _CUBE, 187: _SHOE, 1022: _PEAK, 1026: _WHEELS, 3387: _CARD, 3712: _CARD, 4636: _LAMP,
    201: _WATCH, 543626: _ARCH, 100: _BAG, 1217: _TOOL, 490: _TOOL, 1246: _BOX, 3287: _BOX,
    356: _CARD, 4928: _PILE, 249: _CUBE,
}  # fmt: skip


def picture(category: int, colour: str) -> str | None:
    """An SVG for a category and a colour; None when either is unknown."""
    if category not in categories() or colour not in COLOURS:
        return None
    outline = _OUTLINES.get(category, '<rect x="90" y="90" width="220" height="220" rx="40"/>')
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="380" viewBox="0 0 400 380">'
        '<rect width="400" height="380" fill="#eceff1"/>'
        '<ellipse cx="200" cy="322" rx="140" ry="12" fill="#d3d8db"/>'
        f'<g fill="{_FILL[colour]}" stroke="#3c4248" stroke-width="5" stroke-linejoin="round">'
        f"{outline}</g></svg>"
    )
