"""Nothing here is collected where the extra is absent; tests/kernel/test_embedding_extra.py runs
it in the other environment, or says that it was left out."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("sentence_transformers") else ["test_*.py"]
