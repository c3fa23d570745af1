"""How a photo frames its lesion, and the square that is cut from it."""
