"""A class: a teacher's room, students who vote, and what each may see at which step."""
