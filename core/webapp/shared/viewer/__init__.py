"""The viewer of a photo and its maps, and the watch over a page in the browser: components of this package, without a library."""
