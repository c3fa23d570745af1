"""Choices are rows of literal tables; how one is looked up by its name."""

from core.choices.known import check_choice, find_choice

__all__ = ["check_choice", "find_choice"]
