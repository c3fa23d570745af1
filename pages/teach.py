"""Teach: present cases, let a class vote, a quiz alone, reader studies."""

from core.webapp.teach.view import draw_teach

draw_teach()
