"""Many photos read in a row: an answer a photo, and the table of them."""
