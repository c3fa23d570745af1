"""Reports from parts: HTML and PDF."""
