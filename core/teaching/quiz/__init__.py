"""A learner alone: an answer before the network's and one after it, networks made wrong on purpose, and cases that come again."""
