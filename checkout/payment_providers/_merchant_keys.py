"""Keys that have an id: `id:secret` for all accounts, or `account=id:secret` for each by commas."""

from __future__ import annotations

from collections.abc import Mapping

from kernel.errors import DomainError


def merchant_keys(setting: str) -> Mapping[str, tuple[str, str]]:
    """Key id and secret by account; of "" for those that are not named."""
    found = {}
    for entry in setting.split(","):
        head, _, secret = entry.strip().partition(":")
        account, _, key_id = head.rpartition("=")
        found[account] = (key_id, secret)
    return found


def key_of(keys: Mapping[str, tuple[str, str]], account: str, provider: str) -> tuple[str, str]:
    """Key id and secret of an account. DomainError `payment_key_missing`."""
    key_id, secret = keys.get(account) or keys.get("", ("", ""))
    if not key_id or not secret:
        raise DomainError(
            "payment_key_missing",
            f"There is no key for {account} at {provider}.",
            hint="PAYMENT_API_KEY is id:secret, or account=id:secret for each merchant.",
        )
    return key_id, secret
