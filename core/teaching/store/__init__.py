"""Where rooms, quizzes and reader studies are kept: SQLite without any setup, or PostgreSQL. No photo, only ids and hashes."""
