"""How rows reach each database in bulk: COPY on PostgreSQL, executemany on SQLite. The rest is the same SQL.

Ten to eighteen times cheaper than model instances (docs/performance.md).
"""

from lists.dialects.base import Among, Dialect, Stage, fetched, quote, walked
from lists.dialects.postgresql import PostgreSQL
from lists.dialects.sqlite import SQLite

__all__ = ["Among", "Dialect", "PostgreSQL", "SQLite", "Stage", "fetched", "quote", "walked"]
