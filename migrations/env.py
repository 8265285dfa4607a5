"""Alembic's environment: for the `alembic` command and for `portal migrate` alike.

`portal migrate` hands its connection over in `config.attributes["connection"]`; the command
connects by the portal's own settings.
"""

from alembic import context

from portal.core import embedded
from portal.core.config import load_settings
from portal.core.migrate import configure, metadata


def run_here(url: str) -> None:
    """Connect to the database at `url` and migrate it."""
    from sqlalchemy import NullPool, create_engine

    with create_engine(url, poolclass=NullPool).connect() as connection:
        configure(context, connection=connection, target_metadata=metadata())
        with context.begin_transaction():
            context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    configure(context, connection=given)
    with context.begin_transaction():
        context.run_migrations()
elif context.is_offline_mode():
    configure(context, dialect_name="postgresql", literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    settings = load_settings()
    run_here(settings.database_url or embedded.start(settings.data_dir))
