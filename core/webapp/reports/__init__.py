"""Reports: parts, top to bottom, that one HTML file and one PDF are written from."""
