"""Before the answer: the photo is asked for, shown, and framed."""
