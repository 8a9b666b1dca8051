"""The look of a brand as design tokens: brand TOML in, CSS custom properties out. Pure.

Only checked values reach the stylesheet: hex colours, bounded numbers and font names without CSS
syntax. Every pair of colours that the templates put together has enough contrast, or is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from kernel.errors import DomainError

TEXT_RATIO = 4.5
CONTROL_RATIO = 3.0
SOFT_SHARE = 0.12

# What the templates put on what. A pair missing here is a pair nobody has checked.
TEXT_PAIRS = (
    *((text, ground) for text in ("ink", "muted", "link") for ground in ("ground", "surface")),
    ("ink", "sunken"),
    ("muted", "sunken"),
    ("link", "sunken"),
    ("on_action", "action"),
    ("on_action", "action_strong"),
    ("on_accent", "accent"),
    ("on_header", "header"),
    ("on_hero", "hero"),
    *((state, "surface") for state in ("good", "warn", "bad")),
    *((state, "ground") for state in ("good", "warn", "bad")),
    *((state, f"{state}_soft") for state in ("good", "warn", "bad")),
    *(("ink", f"{state}_soft") for state in ("good", "warn", "bad")),
    *(("link", f"{state}_soft") for state in ("good", "warn", "bad")),
)
CONTROL_PAIRS = (
    *(
        (part, ground)
        for part in ("control", "action", "focus")
        for ground in ("ground", "surface")
    ),
    ("focus", "sunken"),
    ("control", "sunken"),
    ("on_header", "header"),
)

_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
_FONT = re.compile(r"[A-Za-z0-9 ,\"-]{3,300}\Z")


@dataclass(frozen=True, slots=True)
class Palette:
    """Colour roles, each `#rrggbb`. `on_x` is text on `x`; `control` is the edge of a control.

    `well` is the ground of pictures: light in both schemes, as products are photographed for it.
    """

    ground: str
    surface: str
    sunken: str
    ink: str
    muted: str
    line: str
    control: str
    link: str
    action: str
    action_strong: str
    on_action: str
    accent: str
    on_accent: str
    header: str
    on_header: str
    well: str
    hero: str
    on_hero: str
    focus: str
    good: str
    warn: str
    bad: str


@dataclass(frozen=True, slots=True)
class Theme:
    """Tokens of one brand. Sizes in CSS pixels at the reader's default font size.

    `density` is `airy` or `dense`; `results` says how a result list is set: `cards` or `rows`.
    """

    light: Palette
    dark: Palette
    font_text: str
    font_display: str
    display_weight: int
    display_tracking_milliem: int
    base_px: int
    scale_percent: int
    space_px: int
    radius_control_px: int
    radius_card_px: int
    width_px: int
    density: str
    results: str

    @classmethod
    def from_toml(cls, table: Mapping[str, object]) -> Theme:
        """From the `[theme]` table. Raises DomainError `theme_invalid`, naming the key."""
        known = {f.name for f in fields(cls)}
        for key in table:
            if key not in known:
                raise _invalid(key, "unknown key")
        return cls(
            light=_palette(table, "light"),
            dark=_palette(table, "dark"),
            font_text=_font(table, "font_text"),
            font_display=_font(table, "font_display"),
            display_weight=_number(table, "display_weight", 300, 900),
            display_tracking_milliem=_number(table, "display_tracking_milliem", -60, 120),
            base_px=_number(table, "base_px", 13, 20),
            scale_percent=_number(table, "scale_percent", 110, 140),
            space_px=_number(table, "space_px", 3, 8),
            radius_control_px=_number(table, "radius_control_px", 0, 32),
            radius_card_px=_number(table, "radius_card_px", 0, 40),
            width_px=_number(table, "width_px", 960, 1600),
            density=_choice(table, "density", ("airy", "dense")),
            results=_choice(table, "results", ("cards", "rows")),
        )


@dataclass(frozen=True, slots=True)
class ContrastFailure:
    """A pair of roles too close to read, e.g. `muted` on `sunken` in the `dark` scheme."""

    scheme: str
    front: str
    back: str
    ratio: float
    needed: float

    def __str__(self) -> str:
        return (
            f"{self.front} on {self.back} ({self.scheme}): "
            f"{self.ratio:.2f}:1, needs {self.needed:g}:1"
        )


def check_contrast(theme: Theme) -> list[ContrastFailure]:
    """Every pair below 4.5:1 (text) or 3:1 (controls and focus), light and dark; WCAG 2.2."""
    return [
        ContrastFailure(scheme, front, back, round(ratio, 2), needed)
        for scheme, palette in (("light", theme.light), ("dark", theme.dark))
        for colours in (_colours(palette),)
        for pairs, needed in ((TEXT_PAIRS, TEXT_RATIO), (CONTROL_PAIRS, CONTROL_RATIO))
        for front, back in pairs
        if (ratio := contrast_ratio(colours[front], colours[back])) < needed
    ]


def require_contrast(brand_id: str, theme: Theme) -> None:
    """Refuse an unreadable brand. Raises DomainError `brand_unreadable` naming brand and pairs."""
    failures = check_contrast(theme)
    if failures:
        raise DomainError(
            "brand_unreadable",
            f"The colours of brand {brand_id} are too close to read: "
            + "; ".join(map(str, failures)),
            hint="Darken or lighten one colour of each pair in [theme.light] or [theme.dark].",
        )


def contrast_ratio(front: str, back: str) -> float:
    """WCAG contrast of two `#rrggbb` colours, 1 to 21."""
    lighter, darker = sorted((_luminance(front), _luminance(back)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def theme_css(theme: Theme) -> str:
    """The tokens as custom properties: light, dark by the reader's system, dark by choice.

    Paper is always light: browsers print no grounds, and light letters would be left on white.
    """
    light, dark = (_declarations(_colours(palette)) for palette in (theme.light, theme.dark))
    return (
        f":root{{color-scheme:light;{_measures(theme)}{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-scheme=light])"
        f"{{color-scheme:dark;{dark}}}}}\n"
        f"@media screen{{:root[data-scheme=dark]{{color-scheme:dark;{dark}}}}}\n"
    )


def _measures(theme: Theme) -> str:
    return _declarations(
        {
            "font_text": theme.font_text,
            "font_display": theme.font_display,
            "display_weight": str(theme.display_weight),
            "display_tracking": f"{theme.display_tracking_milliem / 1000:g}em",
            "space": f"{theme.space_px / 16:g}rem",
            "radius_control": f"{theme.radius_control_px}px",
            "radius_card": f"{theme.radius_card_px}px",
            "width": f"{theme.width_px / 16:g}rem",
            **dict(_type_sizes(theme)),
        }
    )


def _type_sizes(theme: Theme) -> Iterator[tuple[str, str]]:
    """Six sizes from one base and one ratio, so that a brand's steps always belong together."""
    for name, step in (("xs", -1.2), ("s", -0.6), ("m", 0), ("l", 1), ("xl", 2.2), ("xxl", 4)):
        # 12 px is the floor: smaller facts are decoration, not information.
        size_px = max(12.0, theme.base_px * (theme.scale_percent / 100) ** step)
        yield f"text_{name}", f"{size_px / 16:.4g}rem"


def _declarations(values: Mapping[str, str]) -> str:
    return "".join(f"--{name.replace('_', '-')}:{value};" for name, value in values.items())


def _colours(palette: Palette) -> dict[str, str]:
    """The roles and what follows from them: a soft ground for each state."""
    given = {f.name: str(getattr(palette, f.name)) for f in fields(palette)}
    softs = {
        f"{state}_soft": _mix(given[state], given["surface"], SOFT_SHARE)
        for state in ("good", "warn", "bad")
    }
    return given | softs


def _mix(front: str, back: str, share: float) -> str:
    pairs = zip(_channels(front), _channels(back), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in _channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _palette(table: Mapping[str, object], scheme: str) -> Palette:
    given = table.get(scheme)
    if not isinstance(given, Mapping):
        raise _invalid(scheme, "a table of colours is missing")
    roles = {f.name for f in fields(Palette)}
    if wrong := sorted(roles ^ set(given)):
        raise _invalid(f"{scheme}.{wrong[0]}", "missing or unknown colour role")
    for role, colour in given.items():
        if not (isinstance(colour, str) and _HEX.match(colour)):
            raise _invalid(f"{scheme}.{role}", "a colour is written #rrggbb")
    return Palette(**given)


def _font(table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    if not (isinstance(value, str) and _FONT.match(value) and value.count('"') % 2 == 0):
        raise _invalid(key, "a list of font names separated by commas")
    return value


def _number(table: Mapping[str, object], key: str, low: int, high: int) -> int:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _invalid(key, f"a whole number from {low} to {high}")
    return value


def _choice(table: Mapping[str, object], key: str, allowed: tuple[str, ...]) -> str:
    value = table.get(key)
    if not isinstance(value, str) or value not in allowed:
        raise _invalid(key, "one of " + ", ".join(allowed))
    return value


def _invalid(key: object, why: str) -> DomainError:
    return DomainError("theme_invalid", f"[theme] {key}: {why}.")
