"""What the commands do on Ray: the option, photos read in parts, sweeps."""
