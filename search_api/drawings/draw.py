"""Category and colour in, a whole SVG document out. Pure; under 6 kB each; never fails."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from kernel.categories import category_path
from kernel.pictures import COLOURS

PARCEL = 0

# Lit, plain, in shade, edge, mark.
_SHADES = {
    "black": ("#59626c", "#30373f", "#1b2026", "#0d1014", "#ff9d3c"),
    "white": ("#ffffff", "#f3f3f0", "#d3d4d2", "#9da1a3", "#3b82d0"),
    "silver": ("#f4f6f8", "#cdd3d9", "#a0a8b0", "#6f7880", "#3b82d0"),
    "grey": ("#aeb6be", "#838c95", "#5f6871", "#3d444b", "#ff9d3c"),
    "blue": ("#7fb2ec", "#3a78c9", "#245596", "#16345e", "#ffb340"),
    "red": ("#f58a80", "#d33f3a", "#9c2626", "#631416", "#ffd45c"),
    "green": ("#8fcf9f", "#46975f", "#2d6c43", "#184228", "#ffb340"),
    "gold": ("#f8e3ac", "#dcb765", "#ad863a", "#71541d", "#7a4a2a"),
    "pink": ("#fcd0da", "#ee94aa", "#c5647d", "#843a50", "#7a2a5c"),
    "beige": ("#f8efdf", "#e2d0b2", "#bfa783", "#85704f", "#b0603a"),
    "orange": ("#ffc07c", "#f0842e", "#bb5c16", "#77380b", "#2f6fc0"),
    "purple": ("#c3a6e6", "#8a5cc0", "#613b90", "#3a205c", "#ffb340"),
    "brown": ("#c69a72", "#8f5f3b", "#653f25", "#3c2413", "#ffc766"),
}
assert set(_SHADES) == set(COLOURS)

# What a thing looks like when nobody states its colour; grey otherwise.
_USUAL = {
    PARCEL: "beige", 267: "blue", 2353: "green", 328: "silver", 4745: "silver", 305: "black",
    404: "black", 543626: "black", 249: "brown", 152: "black", 3387: "black", 3712: "red",
    292: "blue", 5497: "white", 356: "blue", 4928: "black", 2549: "white", 680: "silver",
    686: "silver", 619: "red", 736: "black", 751: "silver", 762: "silver", 662: "red",
    4636: "orange", 1868: "brown", 2826: "brown", 1217: "blue", 187: "blue", 100: "green",
    201: "brown", 479: "pink", 490: "purple", 1022: "orange", 1026: "red", 1246: "green",
    3287: "blue",
}  # fmt: skip

# A department is shown by one of its things.
_STANDS_FOR = {
    222: 328, 604: 2549, 536: 4636, 632: 1217, 166: 100, 469: 479, 988: 1026, 1239: 3287,
}  # fmt: skip

_FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 320" width="320" height="320">'
    "<defs>"
    '<linearGradient id="g" x1="0" y1="0" x2="1" y2=".35">'
    '<stop offset="0" stop-color="{l}"/><stop offset=".42" stop-color="{b}"/>'
    '<stop offset="1" stop-color="{d}"/></linearGradient>'
    '<linearGradient id="v" x1="0" y1="0" x2=".2" y2="1">'
    '<stop offset="0" stop-color="{l}"/><stop offset=".4" stop-color="{b}"/>'
    '<stop offset="1" stop-color="{d}"/></linearGradient>'
    '<linearGradient id="k" x1="0" y1="0" x2=".8" y2="1">'
    '<stop offset="0" stop-color="#3d4c5e"/><stop offset="1" stop-color="#131a23"/>'
    "</linearGradient>"
    '<linearGradient id="m" x1="0" y1="0" x2="1" y2=".6">'
    '<stop offset="0" stop-color="#f6f7f8"/><stop offset=".5" stop-color="#c4c9ce"/>'
    '<stop offset="1" stop-color="#8f979f"/></linearGradient>'
    '<radialGradient id="s"><stop offset="0" stop-color="#1c1420" stop-opacity=".34"/>'
    '<stop offset=".6" stop-color="#1c1420" stop-opacity=".15"/>'
    '<stop offset="1" stop-color="#1c1420" stop-opacity="0"/></radialGradient>'
    "</defs>"
)


@lru_cache(maxsize=1024)
def draw(category_id: int | None, colour: str | None) -> str:
    """The drawing of a category in a colour of `kernel.pictures.COLOURS`, else its usual colour.

    A department shows one of its things; an unknown category is a parcel.
    """
    shape = _shape_of(category_id)
    shades = _SHADES.get(colour or "") or _SHADES[_USUAL.get(shape, "grey")]
    document = _FRAME + _shapes()[shape] + "</svg>"
    for letter, shade in zip("lbdea", shades, strict=True):
        document = document.replace(f"{{{letter}}}", shade)
    return document


def _shape_of(category_id: int | None) -> int:
    """The nearest drawn category on the way up the tree."""
    for candidate in reversed(category_path(category_id)):
        drawn = _STANDS_FOR.get(candidate, candidate)
        if drawn in _shapes():
            return drawn
    return PARCEL


@lru_cache(maxsize=1)
def _shapes() -> dict[int, str]:
    folder = files("search_api.drawings").joinpath("shapes")
    return {
        int(file.name.partition("-")[0]): file.read_text("utf-8").replace("\n", "")
        for file in folder.iterdir()
        if file.name.endswith(".svg")
    }
