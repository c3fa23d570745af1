"""Photo files decoded, within limits, to what every reader of ours expects: each format's own checks."""
