"""Fields that sessions of UCP and ACP share, checked and bounded. Amounts are in minor units."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

Text = Annotated[str, Field(max_length=2000)]
Identifier = Annotated[str, Field(min_length=1, max_length=300)]
Minor = Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
Count = Annotated[int, Field(strict=True, ge=0, le=10**6)]


class Total(BaseModel):
    """One entry of a list of totals."""

    type: Text
    amount: Minor


Totals = Annotated[list[Total], Field(max_length=100)]
