"""Test the Dockerfile without Docker: its COPY and RUN instructions are executed in a folder in place of the root."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

from tests.helpers.action_requirements import pinned_versions, skip_without_index
from tests.helpers.models.examples import EXAMPLES_DIRECTORY
from tests.helpers.packages import run
from tests.helpers.paths import ROOT
from tflint import __version__
from tflint.resources import named_model_path

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
INSTRUCTIONS = [line.split(maxsplit=1) for line in TEXT.splitlines() if line and not line.startswith("#")]

needs_bash = pytest.mark.skipif(os.name == "nt" or shutil.which("bash") is None, reason="needs a POSIX shell and bash")


def arguments_of(name: str) -> list[str]:
    return [arguments for instruction, arguments in INSTRUCTIONS if instruction == name]


def in_root(text: str, root: Path) -> str:
    """Move the absolute paths of the image below a folder."""
    return re.sub(r"(?<!\S)/(?=opt/|source)", f"{root}/", text)


def copy_build_context(folder: Path) -> None:
    """Copy the files that .dockerignore includes. It excludes all, includes paths, and excludes caches."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    first, *included, last = [line for line in lines if not line.startswith("#")]
    assert (first, last) == ("*", "**/__pycache__")
    for name in included:
        source, target = ROOT / name.removeprefix("!"), folder / name.removeprefix("!")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


@needs_bash
@pytest.mark.slow
def test_the_image_contains_tflint_and_the_pinned_packages(tmp_path: Path) -> None:
    skip_without_index(tmp_path / "probe")
    (context, source), (origin, target) = (shlex.split(text)[-2:] for text in arguments_of("COPY"))
    assert context == "."
    copy_build_context(Path(in_root(source, tmp_path)))
    (command,) = arguments_of("RUN")
    search = f"PATH={Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run(["env", search, "sh", "-c", in_root(command, tmp_path)], cwd=tmp_path)

    assert origin == target, "a virtual environment works only in the folder in which it was created"
    (variable,) = arguments_of("ENV")
    scripts = Path(in_root(variable.removeprefix("PATH=").removesuffix(":$PATH"), tmp_path))
    (entrypoint,) = map(json.loads, arguments_of("ENTRYPOINT"))
    tflint = [str(scripts / entrypoint[0]), *entrypoint[1:]]
    assert run([*tflint, "--version"], cwd=tmp_path) == f"tflint {__version__}\n"
    run([*tflint, "check", str(EXAMPLES_DIRECTORY / "good.tflite")], cwd=tmp_path)
    run([*tflint, "check", str(named_model_path("truncated"))], cwd=tmp_path, code=1)
    listed = json.loads(run([str(scripts / "python"), "-I", "-m", "pip", "list", "--format", "json"], cwd=tmp_path))
    versions = {canonicalize_name(entry["name"]): entry["version"] for entry in listed}
    assert versions.items() >= pinned_versions().items()


def test_the_base_is_a_tag_of_the_python_that_the_action_uses() -> None:
    base = arguments_of("ARG")[0]
    version = re.fullmatch(r"PYTHON_IMAGE=python:(\d\.\d+)-slim-[a-z]+", base)
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert version
    assert version[1] == action["inputs"]["python-version"]["default"]
    assert [arguments.split()[0] for arguments in arguments_of("FROM")] == ["${PYTHON_IMAGE}"] * 2


def test_the_user_of_the_image_is_a_number_and_not_root() -> None:
    (user,) = arguments_of("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_the_labels_of_the_image_match_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (text,) = arguments_of("LABEL")
    labels = {
        name.removeprefix("org.opencontainers.image."): value
        for name, _, value in (label.partition("=") for label in shlex.split(text))
    }
    assert labels == {
        "title": project["name"],
        "description": project["description"],
        "licenses": project["license"],
        "vendor": project["authors"][0]["name"],
        "revision": "${REVISION}",
    }
