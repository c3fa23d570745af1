"""The page of all networks side by side."""
