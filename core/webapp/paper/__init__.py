"""The paper side by side."""
