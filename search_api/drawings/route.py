"""Where browsers find the drawings: `/drawings/<category id>/<colour>.svg`."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from search_api.drawings.draw import draw

router = APIRouter(include_in_schema=False)


@router.get("/drawings/{category_id}/{colour}.svg")
async def drawing(category_id: str, colour: str) -> Response:
    """Always a picture: whatever is not known is drawn as a parcel or in its usual colour."""
    known = category_id.isascii() and category_id.isdigit() and len(category_id) <= 9
    return Response(
        draw(int(category_id) if known else None, colour[:20]),
        media_type="image/svg+xml",
        headers={"Cache-Control": "public, max-age=604800"},
    )
