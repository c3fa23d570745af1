"""Commands on another clinic's photos."""
