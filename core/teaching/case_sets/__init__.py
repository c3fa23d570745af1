"""Case sets: lists of cases with truth, licence and why they were chosen; never photos."""
