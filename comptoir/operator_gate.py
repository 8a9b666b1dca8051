"""Who may call the back office's APIs: operators, by `Authorization: Bearer cok_...`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request

from kernel.db import Database
from kernel.errors import DomainError
from tenants.operator_keys import Operator, operator_of


def admission(database: Database) -> Callable[..., None]:
    """A dependency for a whole router; DomainError `key_invalid` (401) for anybody else."""

    def admit(request: Request, authorization: Annotated[str, Header()] = "") -> None:
        scheme, _, bearer = authorization.partition(" ")
        with database.platform() as tx:
            found = operator_of(tx, bearer.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise DomainError(
                "key_invalid",
                "This key is not valid.",
                hint="Make one: comptoir ranking key --operator NAME.",
                status=401,
            )
        request.state.operator = found

    return admit


def acting(request: Request) -> Operator:
    """Whom the router has let in."""
    operator: Operator = request.state.operator
    return operator


def acting_for_platform(request: Request) -> Operator:
    """The operator, where its key is of no single brand: master data belong to all of them."""
    operator = acting(request)
    operator.require(None)
    return operator


Who = Annotated[Operator, Depends(acting)]
PlatformOperator = Annotated[Operator, Depends(acting_for_platform)]
