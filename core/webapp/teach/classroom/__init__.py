"""The app that `melascope class` starts: the teaching page, and no other."""
