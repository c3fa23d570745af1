"""The cases of this session, with labels and notes; as one file they go to another day or another computer."""

from core.webapp.session.view import draw_session
from core.webapp.shared.frame import page_frame

page_frame(
    "This session",
    "What you have read since this tab was opened. It is in memory only: closing the tab forgets it, a session file keeps it.",
)
draw_session()
