"""What `read` does: which photos, what is asked about each, and what is said of the answers."""
