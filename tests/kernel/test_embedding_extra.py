"""The extra `models` in its own environment, `.venv-models`: its tests run there, and torch never
enters ours."""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from kernel.embedding.encoder import load_encoder
from kernel.errors import DomainError

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-models" / "bin" / "python"
TRAINING = sorted((ROOT / "tests" / "comptoir").glob("test_model_training*.py"))


def test_this_environment_has_no_torch_and_says_what_to_install() -> None:
    if ".venv-models" in os.environ.get("VIRTUAL_ENV", "") or find_spec("torch"):
        pytest.skip("this is the environment with the extra")
    with pytest.raises(DomainError) as refusal:
        load_encoder("sentence-transformers/all-MiniLM-L6-v2")
    assert refusal.value.code == "embedding_extra_missing"
    assert "EMBEDDING_MODEL" in refusal.value.message
    assert "comptoir[models]" in refusal.value.hint


@pytest.mark.timeout(900)
def test_the_tests_of_the_extra_pass_in_its_environment(tmp_path: Path) -> None:
    if not (PYTHON.parents[1] / ".installed").exists():
        if os.environ.get("COMPTOIR_TEST_REQUIRE_ALL"):
            pytest.fail("the extra `models` is required here: make setup-models")
        pytest.skip("LEFT OUT: the extra `models` is not installed: make setup-models")
    done = subprocess.run(
        [PYTHON, "-m", "pytest", "-q", f"--basetemp={tmp_path / 'inner'}", "-p", "no:cacheprovider",
         "tests/with_models", *TRAINING],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
