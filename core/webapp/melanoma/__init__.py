"""The page of melanoma versus nevus."""
