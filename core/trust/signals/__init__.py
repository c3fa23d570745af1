"""What is said of one photo, beside the network's answer."""
