"""The serving file: a network's graph without its numbers. They stay in the weights file, so nothing is stored twice.

`serving.zip` lies beside the weights and holds, for each part of the network (encoder, head, gradients), an ONNX graph whose weights are
left out, and `graph.json`: which array of the weights file belongs where, and the SHA-256 of the description of the network that it is
the graph of. The card binds the file by its SHA-256. New weights of the same network, or a new calibration, need no new graph.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.card import Card
from core.files import write_bytes

GRAPH_FILE, ABOUT = "serving.zip", "graph.json"
# Of the graphs' making; raised when the same network would give other graphs.
GRAPH_FORMAT = 2
ENCODER, HEAD, GRADIENTS = "encoder", "head", "gradients"
MAX_MEMBER = 64_000_000  # bytes that a member may unpack to; the largest backbone's graph has 8 million


class InvalidGraph(ValueError):
    """A serving file that is missing, damaged, or of another network; the sentence ends with the command that makes it."""


@dataclass(frozen=True, eq=False)
class Graph:
    """What a serving file holds.

    Args:
        models: part -> ONNX, with the few constants of its own.
        inputs: part -> name of a constant whose numbers the graph lacks -> path of its array in the weights file.
        order: the head's and the encoder's arrays in the network's own order, as paths in the weights file.
        shapes: path -> the shape that its array must have.
        feature_shape: (h, w, C).
        uses_metadata, has_attention: see `Engine`.
        versions: of what made it.
    """

    models: dict[str, bytes]
    inputs: dict[str, dict[str, str]]
    order: dict[str, list[str]]
    shapes: dict[str, list[int]]
    feature_shape: tuple[int, int, int]
    uses_metadata: bool
    has_attention: bool
    versions: dict[str, str]

    def check(self, arrays: Mapping) -> None:
        """Compares a weights file's arrays with what the graph takes.

        Raises:
            ValueError: an array is missing or has another shape.
        """
        for path, shape in self.shapes.items():
            came = "nothing" if path not in arrays else f"an array of shape {list(arrays[path].shape)}"
            if path not in arrays or list(arrays[path].shape) != shape:
                raise ValueError(f"expected an array of shape {shape} under {path}, got {came}.")


def network_digest(card: Card) -> str:
    """SHA-256 of all that a network's graph depends on: its description, not its weights."""
    described = {"format": GRAPH_FORMAT, "backbone": card.backbone, "network": card.network, "image_size": card.image_size}
    return graph_digest(described)


def graph_digest(described: dict) -> str:
    """SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def pack_graph(graph: Graph, digest: str) -> bytes:
    """A serving file's bytes; the same for the same graph.

    Args:
        digest: from `network_digest`.
    """
    about = {"format": GRAPH_FORMAT, "network_sha256": digest} | {
        name: value for name, value in vars(graph).items() if name != "models"
    }
    members = {ABOUT: json.dumps(about, indent=1).encode()}
    members |= {f"{part}.onnx": model for part, model in graph.models.items()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        for name, content in members.items():
            # Without a date: the same graph is the same file.
            bundle.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    return file.getvalue()


def write_graph(graph: Graph, digest: str, path: str | Path) -> Path:
    """Writes a serving file; see `pack_graph`."""
    return write_bytes(path, pack_graph(graph, digest))


def read_graph(content: bytes, digest: str, name: str, again: str) -> Graph:
    """Reads a serving file whose bytes are known to be those that were made.

    Args:
        content: of the file.
        digest: of the network that it must be of.
        name: of the file, and
        again: the sentence that says how to make it, for messages.

    Raises:
        InvalidGraph: it is of another network, or not a serving file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            if any(member.file_size > MAX_MEMBER for member in bundle.infolist()):
                raise InvalidGraph(f"{name} unpacks to more than {MAX_MEMBER / 1e6:.0f} MB. {again}")
            about = json.loads(bundle.read(ABOUT))
            if about.pop("format") != GRAPH_FORMAT or about.pop("network_sha256") != digest:
                raise InvalidGraph(
                    f"{name} is of another network than the card describes, or of another version. {again}"
                )
            models = {part: bundle.read(f"{part}.onnx") for part in about["inputs"]}
        return Graph(models, **about | {"feature_shape": tuple(about["feature_shape"])})
    except InvalidGraph:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, zipfile.BadZipFile) as error:
        raise InvalidGraph(f"{name} cannot be used ({error}). {again}") from None
