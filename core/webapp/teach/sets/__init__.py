"""Case sets: choosing one, and making one."""
