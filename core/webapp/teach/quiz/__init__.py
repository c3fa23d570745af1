"""A quiz alone."""
