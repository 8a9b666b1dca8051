"""Product drawings of our own: SVG by category and colour, light from the upper left, no words.

`shapes/<category id>-<name>.svg` holds each drawing on a 320 x 320 ground; `{l} {b} {d} {e}` stand
for the colour lit, plain, in shade and at the edge, `{a}` for a small mark beside it.
"""

from search_api.drawings.draw import draw

__all__ = ["draw"]
