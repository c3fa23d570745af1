"""What answers for a trained network: the engine contract, the table of engines, and the files they start from. Loads no TensorFlow."""

from core.serving.engine import Engine
from core.serving.engines import ENGINES, choose_engine, find_engine, load_engine
from core.serving.members_engine import MembersEngine

__all__ = ["ENGINES", "Engine", "MembersEngine", "choose_engine", "find_engine", "load_engine"]
