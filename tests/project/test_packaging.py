"""Test the wheel and the source distribution: their contents, and the commands installed from each."""

from __future__ import annotations

import ast
import email.message
import email.parser
import hashlib
import json
import os
import re
import shlex
import shutil
import stat
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.helpers.action_requirements import skip_without_index
from tests.helpers.packages import Environment, built, run
from tests.helpers.paths import ROOT
from tflint import __version__
from tflint.catalog import builtin_catalog

NAME = f"tflite_lint-{__version__}"

#: The extras that users install.
FOR_USERS = {"contract", "completion", "runtime", "registry", "gate"}

pytestmark = pytest.mark.slow


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
        ("rules", "*/*.toml", "tflint/_data/rules"),
        ("rules", "tables/runtimes/*.json", "tflint/_data/rules"),
        ("rules", "tables/first_layers/*.json", "tflint/_data/rules"),
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
    assert {line.split(">=")[0] for line in core} == {"numpy", "rich"}
    extras = FOR_USERS | {"test", "dev", "fuzz", "tensorflow"}
    assert set(said.get_all("Provides-Extra")) == extras
    licence = contents(wheel)[f"{NAME}.dist-info/licenses/LICENSE"].decode()
    assert "Apache License" in licence
    assert "Copyright 2026 the tflint authors" in licence


def test_the_readme_names_the_extras_that_commands_need():
    rows = (ROOT / "README.md").read_text(encoding="utf-8").split("| command | extra |\n")[1].split("\n\n")[0]
    cells = [line.split("|")[2] for line in rows.splitlines()[1:]]
    assert {name for name in FOR_USERS if any(f"`{name}`" in cell for cell in cells)} == FOR_USERS


def test_a_missing_package_is_blamed_on_an_extra_that_has_it():
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    pattern = re.compile(r'MissingExtraError\(\s*"(\w+)", "(\w+)"')
    named = [
        found for text in files_below(ROOT / "tflint", "*.py").values() for found in pattern.findall(text.decode())
    ]
    assert len(named) >= 6
    for extra, module in named:
        assert extra in FOR_USERS
        assert any(requirement.startswith(module.lower()) for requirement in extras[extra]), (extra, module)


def test_what_the_package_imports_is_what_it_declares():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = {name: needs for name, needs in project["optional-dependencies"].items() if name not in ("test", "dev")}
    declared = [*project["dependencies"], *(need for needs in extras.values() for need in needs)]
    modules = {"pillow": "PIL", "pyyaml": "yaml"}
    distributions = {re.split("[=>]", requirement)[0] for requirement in declared}
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


@pytest.mark.security
def test_two_builds_of_the_same_files_give_the_same_digest(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "elsewhere" / "a longer path"
    copy_project(first, seconds=1_000_000_000, file_mode=0o644, folder_mode=0o755)
    copy_project(second, seconds=1_700_000_001, file_mode=0o600, folder_mode=0o700)
    digests = [digest(built("wheel", first, tmp_path / "one"))]
    for name, value in {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "77", "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    before = os.umask(0o077)
    try:
        digests.append(digest(built("wheel", second, tmp_path / "two")))
    finally:
        os.umask(before)
    assert digests[0] == digests[1]


def copy_project(folder: Path, *, seconds: int, file_mode: int, folder_mode: int) -> None:
    """Copy the project without repository and caches, in files of the given time and permissions."""
    ignored = shutil.ignore_patterns(".git", "__pycache__", ".*_cache", ".hypothesis", ".venv", "build", "dist", "docs")
    shutil.copytree(ROOT, folder, ignore=ignored, copy_function=shutil.copyfile)
    for path in folder.rglob("*"):
        path.chmod(folder_mode if path.is_dir() else file_mode)
        os.utime(path, (seconds, seconds))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_no_file_of_the_wheel_is_executable(wheel):
    # A checkout on Windows, or with core.fileMode=false, has no such permission, and its wheel would differ.
    with zipfile.ZipFile(wheel) as archive:
        modes = {stat.S_IMODE(entry.external_attr >> 16) for entry in archive.infolist()}
    assert modes == {0o644}


@pytest.mark.security
@pytest.mark.skipif(sys.platform == "win32", reason="the page is for Linux and macOS")
@pytest.mark.skipif(shutil.which("git") is None or shutil.which("sha256sum") is None, reason="needs git and sha256sum")
def test_the_page_on_reproducible_builds_tells_a_genuine_wheel_from_a_changed_one(tmp_path):
    skip_without_index(tmp_path / "probe")
    genuine, changed = tmp_path / "genuine.whl", tmp_path / "changed.whl"
    blocks = page_commands(ADDRESS=str(tag_project(tmp_path / "repository")), TAG="v1", WHEEL=str(genuine))
    folder = tmp_path / "empty"
    folder.mkdir()
    build, _, compare = blocks[0].rpartition("\n")
    run(["bash", "-ec", build], cwd=folder)
    # The reader's environment, since the one of the tests may have another hatchling; this project, not the clone.
    build_options = ["-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "received")]
    run(["env", "-u", "SOURCE_DATE_EPOCH", str(folder / "build/bin/python"), *build_options], cwd=ROOT)
    next((tmp_path / "received").iterdir()).rename(genuine)
    change_wheel(genuine, changed)

    assert [line.split()[0] for line in run(["bash", "-ec", compare], cwd=folder).splitlines()] == [digest(genuine)] * 2
    assert run(["bash", "-ec", blocks[1]], cwd=folder) == "same contents\n"
    shutil.rmtree(folder / "contents-received")
    look = blocks[1].replace(str(genuine), str(changed))
    assert "\n> pass\n" in run(["bash", "-c", look], cwd=folder, code=1)


def page_commands(**values: str) -> list[str]:
    """The blocks of commands of the page, with values for the words that a reader replaces."""
    page = (ROOT / "docs" / "reproducible-build.md").read_text(encoding="utf-8")
    for name, value in values.items():
        page = re.sub(rf"\b{name}\b", shlex.quote(value), page)
    return [block.split("```")[0].strip() for block in page.split("```bash\n")[1:]]


def tag_project(folder: Path) -> Path:
    """A repository with this project, at the tag v1."""
    copy_project(folder, seconds=1_000_000_000, file_mode=0o644, folder_mode=0o755)
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "-m", "v1"], ["tag", "v1"]):
        run(["git", *command], cwd=folder)
    return folder


def change_wheel(wheel: Path, path: Path) -> None:
    """Copy a wheel and add a line to one module."""
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            line = b"pass\n" if entry.filename == "tflint/errors.py" else b""
            target.writestr(entry, source.read(entry) + line)


def test_the_sdist_can_be_worked_on(unpacked):
    for name in (
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "action.yml",
        "action-requirements.txt",
        ".pre-commit-hooks.yaml",
        ".ci/run",
        ".ci/install-pinned",
        "Dockerfile",
        ".dockerignore",
        "templates/tflite-lint.yml",
        "examples/ci/Jenkinsfile",
        "tests/__init__.py",
    ):
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
    n_rules = len(builtin_catalog().rules)
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
    rule = unpacked / "rules" / "quantization" / "Q001-bias-scale-mismatch.toml"
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
