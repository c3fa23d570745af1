"""The page of a session's cases."""
