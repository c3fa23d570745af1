"""Real cases on a fresh machine: fetching their photos from the archive, at a person's word."""
