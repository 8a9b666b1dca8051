"""`python -m comptoir.merchant_sites --port 8001`: serves the demo merchants on the loopback."""

from __future__ import annotations

import argparse

import uvicorn

from comptoir.demo_market import generate
from comptoir.demo_market.generate import SEED
from comptoir.merchant_sites.app import create_app


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="Serve the demo merchants' own sites.")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    app = create_app(generate(chosen.seed))
    uvicorn.run(app, host="127.0.0.1", port=chosen.port, log_level="warning")


if __name__ == "__main__":
    main()
