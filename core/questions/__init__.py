"""What is asked about a photo, and a model opened to answer it: one way for the command line, the cluster and the service."""

from core.questions.open_model import Answer, OpenModel
from core.questions.question import Question, Words, read_facts

__all__ = ["Answer", "OpenModel", "Question", "Words", "read_facts"]
