"""A room: the wall, the desk of the teacher, the phones of students."""
