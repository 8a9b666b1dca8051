"""One alembic history; a PostgreSQL schema for each package."""
