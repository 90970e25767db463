"""The files that belong to a contract: its own text and the label files that it names."""

from __future__ import annotations

from pathlib import Path

from tflint.contract.contract import Contract
from tflint.contract.label_file import read_labels


def label_names(contract: Contract) -> list[str]:
    """Return the names of the label files, relative to the folder of the contract."""
    names = (entry.get("labels", {}).get("file") for entry in contract.outputs)
    return list(dict.fromkeys(name for name in names if name is not None))


def label_paths(contract: Contract) -> list[str]:
    """Return the paths of the label files."""
    folder = Path(contract.path).parent
    return [(folder / name).as_posix() for name in label_names(contract)]


def describe_labels(contract: Contract) -> list[str]:
    """Return a text per label file that is equal if the labels, or the reasons why there are none, are equal."""
    return [repr(read_labels(contract.path, name)) for name in label_names(contract)]


def hash_contract(contract: Contract | None) -> str:
    """Return a digest of a contract, its path and its label files. It is empty for None."""
    if contract is None:
        return ""
    import hashlib  # only the cache needs it

    targets = repr(contract.model.get("targets"))  # those of the text, unless the contract is limited
    problem = repr(contract.problem)
    text = "\0".join([contract.path, contract.text, targets, problem, *describe_labels(contract)])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
