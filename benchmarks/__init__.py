"""Speed, as ratios measured side by side in one run; see README.md. Not tests: machines are noisy."""
