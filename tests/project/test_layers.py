"""Test the import contracts of pyproject.toml, and which commands start without numpy."""

from __future__ import annotations

import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tflint
from tests.helpers.paths import ROOT
from tflint.resources import named_model_path

LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"

#: What must start at once: the command line, and what a cache hit, a rule's page and a report need.
LIGHT = (
    "tflint.__main__",
    "tflint.catalog",
    "tflint.cli",
    "tflint.columns.column_types",
    "tflint.config",
    "tflint.userfiles",
    "tflint.facts.fact_registry",
    "tflint.facts.plugin_loader",
    "tflint.findings",
    "tflint.language.type_check",
    "tflint.report",
    "tflint.resources",
    "tflint.testing",
)

#: Imported where they are needed and nowhere else: they cost more than linting a small model.
LAZY = ("argcomplete", "flatbuffers", "rich", "yaml")


#: Can be imported only in a server, with the packages of the server.
SERVER_ONLY = "tflint.registry.gate.mlflow_gate"


def all_modules(package: str = "tflint") -> list[str]:
    found = ("tflint", *(module.name for module in pkgutil.walk_packages(tflint.__path__, "tflint.")))
    return [name for name in found if f"{name}.".startswith(f"{package}.") and name != SERVER_ONLY]


def run_python(code: str, *arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder)}  # the package in this folder, whatever is installed
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return run_python(LINT_IMPORTS, "--no-logo", "--no-cache", folder=folder)


def loaded(modules: list[str], unwanted: tuple[str, ...]) -> str:
    """Which modules load what is unwanted, one `module: unwanted` per line, found out in a fresh process."""
    code = f"""
import importlib, sys
known = set()
for module in sys.argv[1:]:
    importlib.import_module(module)
    new = set({unwanted!r}) & set(sys.modules) - known
    known |= new
    if new:
        print(f"{{module}}: {{', '.join(sorted(new))}}")
"""
    done = run_python(code, *modules)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with the package and the contracts, to break them in."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "tflint", tmp_path / "tflint", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return tmp_path


def test_the_contracts_hold():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("path", "line", "said"),
    [
        ("errors.py", "import tflint.cli", "tflint.errors is not allowed to import tflint.cli"),
        (
            "model/batch_reader.py",
            "def late():\n    import tflint.facts",
            "tflint.model is not allowed to import tflint.facts",
        ),
        ("userfiles/userfile.py", "import tflint.config", "tflint.userfiles is not allowed to import tflint.config"),
        ("schema/__init__.py", "import tflite", "tflint is not allowed to import tflite"),
    ],
)
def test_an_import_against_the_order_breaks_a_contract(copied, path, line, said):
    file = copied / "tflint" / path
    file.write_text(f"{file.read_text(encoding='utf-8')}\n\n{line}\n", encoding="utf-8")
    done = lint_imports(copied)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 broken" in done.stdout
    assert said in done.stdout


def test_a_new_room_needs_a_place_in_the_order(copied):
    module = copied / "tflint" / "attic"
    module.mkdir()
    (module / "__init__.py").touch()
    done = lint_imports(copied)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "attic" in done.stdout


@pytest.mark.parametrize("package", LIGHT)
def test_starts_without_numpy(package):
    modules = all_modules(package)
    assert modules, f"{package} is gone: name what took its place"
    assert loaded(modules, ("numpy",)) == ""


def test_numpy_is_seen_where_it_is_needed():
    assert loaded(["tflint.columns.column"], ("numpy",)) == "tflint.columns.column: numpy\n"


def test_what_only_containers_need_is_not_imported_without_one():
    code = """
import sys, tflint
from tflint.catalog import builtin_catalog
builtin_catalog()  # compiles the rules, where they are not: that needs more
modules = (
    "tflint.container",
    "tflint.flexbuffer",
    "tflint.model.member_search",
    "tflint.source.zip_directory",
    "tflint.source.member_source",
)
for module in modules:
    sys.modules.pop(module, None)
for path in sys.argv[1:]:
    tflint.check(path)
    print([module for module in modules if module in sys.modules])
"""
    done = run_python(code, *(str(named_model_path(name)) for name in ("conv_int8", "bundle_task")))
    assert done.returncode == 0, done.stderr
    alone, with_container = done.stdout.splitlines()
    assert alone == "[]"
    assert "tflint.container" in with_container


def test_a_report_is_imported_when_it_is_rendered():
    """The command line knows the formats' names; `--help` and a run that stops early need no more of them."""
    reports = tuple(name for name in all_modules("tflint.report") if not name.endswith((".report", ".formats")))
    assert len(reports) > 10
    assert loaded(["tflint.cli.main"], reports) == ""


def test_no_module_imports_at_once_what_is_rarely_needed():
    modules = [name for name in all_modules() if "mlflow_" not in name]  # httpx imports rich if it is installed
    assert len(modules) > 50
    assert loaded(modules, LAZY) == ""
