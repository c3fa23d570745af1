"""Steps that bring a database of an earlier version to this one; run by `store.database.open_store`."""
