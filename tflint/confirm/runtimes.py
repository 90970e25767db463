"""The runtimes that can run models: Python packages, found without importing them."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Sequence

from tflint.errors import UserError
from tflint.targets.target import Target
from tflint.targets.version import parse_version
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen

#: A final release: a development version, such as 2.4.0.dev20261101, is none.
_RELEASE = re.compile(r"\d+(?:\.\d+)*")


@frozen
class Package:
    """A Python package with an interpreter.

    `names` are the distributions that contain it, and `module` the module with the class `Interpreter`. `runtime` is
    the runtime of targets that it stands for. `memory_bytes` limits the child's address space, apart from three times
    the size of the model.
    """

    name: str
    names: tuple[str, ...]
    module: str
    runtime: str
    memory_bytes: int


#: Memory limit of the runtimes that do not load TensorFlow.
_LIGHT = 1 << 30
#: The packages, those to be preferred first.
PACKAGES = (
    Package(
        "ai-edge-litert", ("ai-edge-litert", "ai-edge-litert-nightly"), "ai_edge_litert.interpreter", "litert", _LIGHT
    ),
    Package(
        "tflite-runtime", ("tflite-runtime", "tflite-runtime-nightly"), "tflite_runtime.interpreter", "tflite", _LIGHT
    ),
    Package(
        "tensorflow",
        ("tensorflow", "tensorflow-cpu", "tf-nightly"),
        "tensorflow.lite.python.interpreter",
        "tflite",
        4 << 30,
    ),
    Package("tflite-micro", ("tflite-micro",), "tflite_micro.python.tflite_micro.runtime", "tflm", _LIGHT),
)


@frozen
class InstalledRuntime:
    """An installed package with its version, such as 2.3.0."""

    package: Package
    version: str

    @property
    def label(self) -> str:
        """The runtime and its version, as in reports: `litert 2.3.0`."""
        return f"{self.package.runtime} {self.version}"

    def stands_for(self, target: Target) -> bool:
        """Return whether this is the very release that a target names. Any build of TFLM stands for the target tflm."""
        if self.package.runtime != target.runtime:
            return False
        if target.version is None:
            return True
        release = parse_version(target.version.line, self.version) if _RELEASE.fullmatch(self.version) else None
        return release is not None and release.equals(target.version)


def find_installed() -> tuple[InstalledRuntime, ...]:
    """Return the installed runtimes, those to be preferred first."""
    found = []
    for package in PACKAGES:
        for name in package.names:
            try:
                version = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
            found.append(InstalledRuntime(package, version))
            break
    return tuple(found)


def choose_runtimes(
    installed: Sequence[InstalledRuntime], targets: Sequence[Target], wanted: str | None
) -> tuple[InstalledRuntime, ...]:
    """Return the installed runtimes to run models with.

    They are those that `wanted` names, or for each target the one that is its release, else one of the same runtime;
    if no target has one, the preferred installed runtime. Raises `UserError` if `wanted` is unknown or not installed.
    """
    if wanted is not None:
        return (_find_named(installed, wanted),)
    chosen: dict[InstalledRuntime, None] = {}
    for target in targets:
        same = [one for one in installed if one.package.runtime == target.runtime]
        exact = [one for one in same if one.stands_for(target)]
        chosen.update(dict.fromkeys((exact or same)[:1]))
    return tuple(chosen) or tuple(installed[:1])


def _find_named(installed: Sequence[InstalledRuntime], wanted: str) -> InstalledRuntime:
    name = wanted.replace("_", "-")
    package = next((one for one in PACKAGES if name in (one.name, *one.names)), None)
    if package is None:
        known = [one.name for one in PACKAGES]
        hint = nearest(name, known) or f"runtimes: {', '.join(known)}"
        raise UserError(f"'{wanted}' is not a runtime that tflint can run", hint=hint)
    found = next((one for one in installed if one.package == package), None)
    if found is None:
        raise UserError(f"the runtime '{wanted}' is not installed", hint=f"pip install {package.name}")
    return found
