"""What a network is built of, as plain choices: cards and recipes hold them, and nothing here needs Keras."""

from core.designs.network import NetworkDesign

__all__ = ["NetworkDesign"]
