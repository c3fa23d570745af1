"""The page on what maps mean."""
