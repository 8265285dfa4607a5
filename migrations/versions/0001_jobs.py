"""Procrastinate's own tables, types, functions and triggers: the queue that wakes the worker."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001_jobs"
down_revision = None
branch_labels = None
depends_on = None

NAMED_LIKE_THEM = """
SELECT format('DROP FUNCTION %s CASCADE', routine.oid::regprocedure)
FROM pg_proc routine
WHERE routine.proname LIKE 'procrastinate\\_%'
  AND routine.pronamespace = current_schema()::regnamespace
"""
TABLES = ("events", "periodic_defers", "jobs", "workers")
TYPES = ("job_to_defer_v1", "job_event_type", "job_status")


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))


def downgrade() -> None:
    for drop in op.get_bind().scalars(sa.text(NAMED_LIKE_THEM)).all():
        op.execute(drop)
    for table in TABLES:
        op.execute(f"DROP TABLE procrastinate_{table}")
    for kind in TYPES:
        op.execute(f"DROP TYPE procrastinate_{kind}")
