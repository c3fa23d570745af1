"""The cases of a session: kept until its tab closes, taken along as one file."""
