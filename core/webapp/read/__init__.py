"""The page that reads a photo."""
