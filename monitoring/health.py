"""Whether this process can do its work, for load balancers and container supervisors."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


def problems() -> list[str]:
    """What keeps the site from serving, as sentences without secrets; empty if nothing does."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        executor = MigrationExecutor(connection)
        waiting = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    except DatabaseError:
        return ["The database does not answer."]
    if waiting:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration in waiting)
        return [f"Migrations are not applied: {names}. Run `manage.py migrate`."]
    return []
