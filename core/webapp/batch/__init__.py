"""The page that reads many photos at once."""
