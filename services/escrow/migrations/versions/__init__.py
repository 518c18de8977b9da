"""One module per revision; alembic finds them by their `revision`."""
