"""The choices that make a classifier of a backbone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

# Width of the metadata layer. Reference: the paper's notebooks; docs/reproduction.md, section 4.
PAPER_METADATA_UNITS = 4096
# What a card names in any case; the other choices only where they are not the paper's.
_ALWAYS = ("attach", "attention", "head")


@dataclass(frozen=True)
class NetworkDesign:
    """One of the paper's networks (the default), or a variation of it.

    Args:
        attach: where the encoder is cut; see `core.networks.backbones.Backbone`.
        attention: "none", or a form of `core.networks.soft_attention.SoftAttention`.
        head: "paper" flattens the attention module's output; "pooled" takes its mean over positions.
        metadata: whether patient facts come in.
        metadata_units: width of the facts' dense layer.
        dropout: before the logits (the paper has none here).
        gamma, learn_gamma: see `SoftAttention`.
    """

    attach: str = "paper"
    attention: str = "paper"
    head: str = "paper"
    metadata: bool = True
    metadata_units: int = PAPER_METADATA_UNITS
    dropout: float = 0.0
    gamma: float | None = None
    learn_gamma: bool = True

    @classmethod
    def from_card(cls, network: Mapping) -> "NetworkDesign":
        """The design that a card names.

        Args:
            network: `Card.network` of a single network.

        Raises:
            ValueError: a choice that no network has, such as the members of an ensemble.
        """
        unknown = set(network) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(
                f"No network can be built by {', '.join(sorted(map(str, unknown)))}. "
                f"Expected {', '.join(field.name for field in fields(cls))}."
            )
        return cls(**network)

    def to_card(self) -> dict:
        """As `Card.network`."""
        usual = asdict(NetworkDesign())
        return {name: value for name, value in asdict(self).items() if name in _ALWAYS or value != usual[name]}
