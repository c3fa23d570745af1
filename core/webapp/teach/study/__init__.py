"""Reader studies."""
