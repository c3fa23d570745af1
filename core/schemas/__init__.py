"""Files of records: what a kind of file holds, and how one that cannot be read is renewed."""
