"""The commands of `python -m core`, one file each; thin: ask, one call into core, show."""
