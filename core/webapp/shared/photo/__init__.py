"""A photo on its way through a page: asked for, kept, encoded, painted."""
