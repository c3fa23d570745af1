"""What Alembic runs: the steps between two versions of the database, on the connection that `migrate` opened."""

from alembic import context

from core.teaching.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes few things in place
)
context.run_migrations()
