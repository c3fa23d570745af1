"""What tells how far to trust a reading, each signal with its measured error rate."""
