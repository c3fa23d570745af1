"""What measures the signals, the maps and the hard pairs on a model's test part."""
