"""Settings read from the environment: defaults, empty values, values that cannot be read."""

from __future__ import annotations

import pytest

from kernel.errors import DomainError
from kernel.settings import Settings, load_settings


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSWER_CACHE_MS", "")
    monkeypatch.setenv("REDIS_URL", "")
    settings = load_settings()
    assert (settings.answer_cache_ms, settings.redis_url) == (300, None)


def test_every_wrong_variable_is_named_and_no_value_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANSWER_CACHE_MS", "swordfish")
    monkeypatch.setenv("ELASTICSEARCH_SHARDS", "65")
    with pytest.raises(DomainError) as refused:
        load_settings()
    assert refused.value.code == "setting_invalid"
    assert "ANSWER_CACHE_MS" in refused.value.message
    assert "ELASTICSEARCH_SHARDS" in refused.value.message
    assert "swordfish" not in refused.value.message
    assert "docs/settings.md" in refused.value.hint


@pytest.mark.parametrize(("written", "seconds"), [("500ms", 0.5), ("1s", 1.0), ("30s", 30.0)])
def test_the_refresh_interval_in_seconds(written: str, seconds: float) -> None:
    assert Settings(elasticsearch_refresh_interval=written).refresh_s == seconds


def test_callers_that_are_not_counted_are_addresses_or_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for said in ("127.0.0.1", "10.0.0.0/8, 2001:db8::/32", "10.0.0.1/8,"):
        monkeypatch.setenv("LIMIT_EXEMPT", said)
        assert load_settings().limit_exempt == said
    for said in ("localhost", "10.0.0.0/33", "10.0.0.1 10.0.0.2"):
        monkeypatch.setenv("LIMIT_EXEMPT", said)
        with pytest.raises(DomainError, match="LIMIT_EXEMPT"):
            load_settings()
    monkeypatch.delenv("LIMIT_EXEMPT")
    monkeypatch.setenv("LIMIT_SEARCH", "-1")
    with pytest.raises(DomainError, match="LIMIT_SEARCH"):
        load_settings()
