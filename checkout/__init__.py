"""Money: basket, live quote, purchase, payment providers, merchants' systems, ledger."""
