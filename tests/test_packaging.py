"""What is installed is what was written: contents of wheel and source distribution, and the commands out of each."""

from __future__ import annotations

import ast
import email.message
import email.parser
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tflint import __version__

ROOT = Path(__file__).parents[1]
NAME = f"tflite_lint-{__version__}"

pytestmark = pytest.mark.slow


class Environment:
    """A fresh virtual environment. Dependencies come from the one the tests run in, so that no index is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        run([sys.executable, "-m", "venv", str(folder)], cwd=folder.parent)
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
        lenders = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
        # A path file's folders come last, and path files in them do not count: no tflint is found there before ours.
        (self.packages / "lent.pth").write_text("\n".join(lenders) + "\n", encoding="utf-8")

    def pip_install(self, *what: str) -> None:
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--no-build-isolation"]
        self.python("-m", "pip", "install", *options, *what)

    def python(self, *arguments: str) -> str:
        return run([str(self.scripts / "python"), *arguments], cwd=self.folder)

    def command(self, name: str, *arguments: str, code: int = 0) -> str:
        return run([str(self.scripts / name), *arguments], cwd=self.folder, code=code)


def run(command: list[str], *, cwd: Path, code: int = 0) -> str:
    """Run a command as from a shell that knows nothing of this checkout; its output."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    caches = {"XDG_CACHE_HOME": str(cwd / "cache"), "LOCALAPPDATA": str(cwd / "cache"), "PYTHONNOUSERSITE": "1"}
    done = subprocess.run(
        command, cwd=cwd, env={**environment, **caches}, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == code, f"{command} left with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def built(kind: str, project: Path, folder: Path) -> Path:
    """The wheel or the source distribution of a project."""
    run([sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)], cwd=project)
    (path,) = folder.iterdir()
    return path


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def files_below(folder: Path, pattern: str) -> dict[str, bytes]:
    """Paths from a folder and contents; caches of Python and of tools left out."""
    paths = {path.relative_to(folder): path for path in folder.rglob(pattern) if path.is_file()}
    caches = {name for name in paths if any(part.startswith((".", "__pycache__")) for part in name.parts)}
    assert paths.keys() - caches, f"no {pattern} in {folder}"
    return {name.as_posix(): paths[name].read_bytes() for name in sorted(paths.keys() - caches)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture
def unpacked(sdist: Path, tmp_path: Path) -> Path:
    """The source distribution's folder."""
    careful = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # since 3.11.4; later a must
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, **careful)
    return tmp_path / NAME


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel in it."""
    environment = Environment(tmp_path_factory.mktemp("installed") / "venv")
    environment.pip_install(str(wheel))
    return environment


def metadata(wheel: Path) -> email.message.Message:
    return email.parser.BytesParser().parsebytes(contents(wheel)[f"{NAME}.dist-info/METADATA"])


def test_the_wheel_has_the_package_its_data_and_nothing_else(wheel):
    names = set(contents(wheel))
    assert {name.split("/")[0] for name in names} == {"tflint", f"{NAME}.dist-info"}
    assert "tflint/py.typed" in names
    modules = {f"tflint/{name}" for name in files_below(ROOT / "tflint", "*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    kinds = {name.rpartition("/")[2].rpartition(".")[2] for name in names if name.startswith("tflint/")}
    assert kinds == {"py", "typed", "toml", "json", "tflite", "task", "litertlm"}


@pytest.mark.parametrize(
    ("folder", "pattern", "place"),
    [
        ("rules", "*.toml", "tflint/_data/rules"),
        ("rules", "tables/*.json", "tflint/_data/rules"),
        ("rules", "models/*.tflite", "tflint/_data/rules"),
        ("schemas", "*.schema.json", "tflint/_data/schemas"),
        ("tflint", "schema/*.json", "tflint"),
    ],
)
def test_the_wheel_has_the_data_byte_for_byte(wheel, folder, pattern, place):
    found = contents(wheel)
    expected = files_below(ROOT / folder, pattern)
    assert {name: found.get(f"{place}/{name}") for name in expected} == expected


def test_the_checkout_has_no_second_copy_of_the_data():
    # It would be found before rules/ and schemas/, and be stale one day.
    assert not (ROOT / "tflint" / "_data").exists()
    assert not (ROOT / "rules" / "__init__.py").exists()


def test_the_wheel_says_what_it_is_and_needs(wheel):
    said = metadata(wheel)
    assert (said["Name"], said["Version"], said["License-Expression"]) == ("tflite-lint", __version__, "Apache-2.0")
    assert said["Requires-Python"] == ">=3.11"
    core = {line for line in said.get_all("Requires-Dist") if "extra ==" not in line}
    assert {line.split(">=")[0] for line in core} == {"numpy", "jsonschema", "rich"}
    extras = {"write", "pictures", "completion", "yaml", "test", "dev", "fuzz", "tensorflow"}
    assert set(said.get_all("Provides-Extra")) == extras
    licence = contents(wheel)[f"{NAME}.dist-info/licenses/LICENSE"].decode()
    assert "Apache License" in licence
    assert "Copyright 2026 the tflint authors" in licence


def test_what_the_package_imports_is_what_it_declares():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = {name: needs for name, needs in project["optional-dependencies"].items() if name not in ("test", "dev")}
    declared = [*project["dependencies"], *(need for needs in extras.values() for need in needs)]
    modules = {"pillow": "PIL", "pyyaml": "yaml"}
    distributions = {requirement.split(">=")[0] for requirement in declared}
    allowed = {modules.get(name, name) for name in distributions} | {"tflint"} | sys.stdlib_module_names
    imported = {
        (name, path)
        for path, source in files_below(ROOT / "tflint", "*.py").items()
        for name in imports(ast.parse(source))
    }
    assert [(name, path) for name, path in sorted(imported) if name not in allowed] == []


def imports(tree: ast.Module) -> set[str]:
    """The top-level packages that a module imports, at once or in a function."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.split(".")[0] for name in names}


def test_the_sdist_builds_the_same_wheel(wheel, unpacked, tmp_path):
    again = built("wheel", unpacked, tmp_path / "again")
    assert again.name == wheel.name
    assert contents(again) == contents(wheel)


def test_the_sdist_can_be_worked_on(unpacked):
    for name in ("README.md", "LICENSE", "pyproject.toml", ".pre-commit-hooks.yaml", ".ci/run", "tests/__init__.py"):
        assert (unpacked / name).is_file(), name
    strays = {path.name for path in unpacked.rglob("*") if path.name in ("__pycache__", ".git", ".hypothesis")}
    assert strays == set()


@pytest.mark.parametrize("command", ["tflint", "tflite-lint"])
def test_the_commands_are_there(installed, command):
    assert installed.command(command, "--version") == f"tflint {__version__}\n"


def test_an_installed_wheel_checks_models(installed):
    models = installed.packages / "tflint" / "_data" / "rules" / "models"
    report = json.loads(installed.command("tflint", "check", "--format", "json", str(models / "conv_int8.tflite")))
    (file,) = report["files"]
    assert (file["status"], file["summary"]["error"], file["summary"]["warning"]) == ("checked", 0, 0)
    assert "G003" in installed.command("tflint", "check", str(models / "truncated.tflite"), code=1)


def test_an_installed_wheel_knows_its_rules(installed):
    rules = installed.command("tflint", "rules")
    n_rules = sum(path.read_text(encoding="utf-8").count("[[rule]]\n") for path in (ROOT / "rules").glob("*.toml"))
    assert f"{n_rules} rules; " in rules
    assert "bias-scale" in installed.command("tflint", "explain", "Q001")


def test_an_installed_wheel_passes_its_own_examples(installed):
    assert ": 0 failed" in installed.command("tflint", "rules", "test")


def test_an_installed_wheel_finds_all_its_data(installed):
    code = """
import json
from tflint import resources
from tflint.schema import metadata_schema, tflite_schema
print(json.dumps({
    "rules": str(resources.rules_folder()),
    "schemas": str(resources.schemas_folder()),
    "tables": [resources.table(name)["source"] != "" for name in resources.table_names()],
    "models": [resources.named_model_path(name).is_file() for name in resources.named_models()],
    "kinds": [resources.json_schema(name)["type"] for name in ("rule", "config")],
    "roots": [tflite_schema().root, metadata_schema().root],
}))
"""
    found = json.loads(installed.python("-c", code))
    data = installed.packages / "tflint" / "_data"
    assert Path(found["rules"]) == data / "rules"
    assert Path(found["schemas"]) == data / "schemas"
    assert len(found["tables"]) == len(list((ROOT / "rules" / "tables").glob("*.json")))
    assert len(found["models"]) == len(list((ROOT / "rules" / "models").iterdir()))
    assert all(found["tables"] + found["models"])
    assert found["kinds"] == ["object", "object"]
    assert found["roots"] == ["Model", "ModelMetadata"]


def test_an_editable_install_reads_the_rules_beside_the_package(unpacked, tmp_path):
    """A change of a rule counts at once, though the installation keeps a copy of the older one."""
    environment = Environment(tmp_path / "venv")
    environment.pip_install("--editable", str(unpacked))
    code = "from tflint import resources; print(resources.rules_folder(), resources.schemas_folder(), sep='\\n')"
    assert environment.python("-c", code).splitlines() == [str(unpacked / "rules"), str(unpacked / "schemas")]
    rule = unpacked / "rules" / "Q001.toml"
    text = rule.read_text(encoding="utf-8")
    assert "bias-marked-by-this-test" not in environment.command("tflint", "rules")
    name = next(line for line in text.splitlines() if line.startswith("name "))
    rule.write_text(text.replace(name, 'name = "bias-marked-by-this-test"', 1), encoding="utf-8")
    assert "bias-marked-by-this-test" in environment.command("tflint", "rules")


def test_ci_runs_the_tests_as_the_readme_does():
    blocks = (ROOT / "README.md").read_text(encoding="utf-8").split("```bash\n")
    command = blocks[2].split("```")[0].strip().rpartition(" && ")[2]
    assert "pytest" in command
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
