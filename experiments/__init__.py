"""What helps a network and what does not, measured: each module is one experiment with its command, time and result."""
