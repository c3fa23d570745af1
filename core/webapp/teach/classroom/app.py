"""The class server's only page. It has no other pages: what they show of test photos would tell students the truths."""

from core.webapp.teach.view import draw_teach

draw_teach()
