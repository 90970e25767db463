"""Sample the first convolutions of models for `rules/tables/first_layers`: `python -m tools.sample_first_layers FILE…`.

Prints an entry per convolution that follows an input, as JSON. Fill in the keys with TODO: only the source of a network
specifies how it was trained. `--distances` instead prints the distances of all pairs of these
convolutions and of the known layers, the closest pair first. Pairs of different shapes cannot match and are left out.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tflint.facts.facts import Facts
from tflint.facts.interface.first_layers import FirstLayer, read_first_layer
from tflint.facts.interface.input_arithmetic import input_paths
from tflint.model.batch_reader import open_model, read_one
from tflint.normalization.known_layers import distance, known_layers
from tflint.source import BytesSource

#: Significant digits of the weights: more than distances need, and fewer than the weights have.
_DIGITS = 5


def read_layers(content: bytes) -> Iterator[FirstLayer]:
    """Yield the first convolution after each input of a model. Yields nothing for a file that is not a model."""
    tables = read_one(open_model(BytesSource(content)))
    if not tables.is_readable:
        return
    facts = Facts(tables)
    for path in input_paths(facts):
        layer = read_first_layer(facts, path.tensor)
        if layer is not None:
            yield layer


def make_entry(name: str, content: bytes, layer: FirstLayer) -> dict[str, Any]:
    """Return the entry of a convolution. The keys with TODO cannot be read from the file."""
    return {
        "name": f"TODO ({name})",
        "shape": list(layer.shape),
        "normalization": "TODO: a name of rules/tables/normalizations.json",
        "order": "TODO: RGB or BGR",
        "normalization_source": "TODO: the address of the statement, at a revision",
        "model_source": "TODO: repository@revision:path",
        "sha256": hashlib.sha256(content).hexdigest(),
        "sampled": datetime.date.today().isoformat(),
        "weights": [float(f"{weight:.{_DIGITS}g}") for weight in layer.weights],
    }


def list_distances(layers: Sequence[tuple[str, FirstLayer]]) -> list[tuple[float, str, str]]:
    """Return the distance and the names of each pair of layers with the same shape, sorted by distance."""
    known = [(layer.name, FirstLayer(layer.shape, layer.weights)) for layer in known_layers()]
    pairs = itertools.combinations([*known, *layers], 2)
    return sorted(
        (min(distance(a.weights, b.weights), distance(b.weights, a.weights)), first, second)
        for (first, a), (second, b) in pairs
        if a.shape == b.shape and any(a.weights) and any(b.weights)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a model")
    parser.add_argument("--distances", action="store_true", help="print the distances of all pairs")
    options = parser.parse_args(arguments)
    contents = [(path.name, path.read_bytes()) for path in options.files]
    layers = [(name, content, layer) for name, content in contents for layer in read_layers(content)]
    if options.distances:
        for pair in list_distances([(name, layer) for name, _, layer in layers]):
            print("{:.4f}  {}  {}".format(*pair))
    else:
        print(json.dumps([make_entry(*layer) for layer in layers], indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
