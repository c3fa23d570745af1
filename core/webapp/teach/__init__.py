"""The pages that teach: presenting, classes, quizzes, reader studies."""
