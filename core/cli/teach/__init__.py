"""The command that opens a class."""
