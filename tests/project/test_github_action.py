"""Test the GitHub action: its steps run like on a runner, on valid, broken and oddly named models.

`Runner` implements the part of a runner that action.yml needs: expressions in `env`, `if` and `outputs`, files for
outputs and the summary, and bash as a composite action calls it. Steps that use other actions are only recorded.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.utils import canonicalize_name

from tests.helpers.action_requirements import pinned_versions, skip_without_index
from tests.helpers.git import commit_all
from tests.helpers.models.examples import EXAMPLES_DIRECTORY
from tests.helpers.packages import Environment, built
from tests.helpers.paths import ROOT
from tflint.resources import named_model_path

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
PAGE = (ROOT / "docs" / "github-action.md").read_text(encoding="utf-8")

#: How a runner starts `shell: bash`.
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
_PIN = re.compile(r"uses: ([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$", re.MULTILINE)
_EQUALS = re.compile(r"(.*?) == '(.*)'")

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@dataclass
class Runner:
    """Runs the action in a folder; `temp` is RUNNER_TEMP, `given` are the inputs, `github` the context of the event."""

    folder: Path
    temp: Path
    given: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    log: str = ""
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    github: dict[str, str] = field(default_factory=dict)
    failed: int = 0

    @property
    def summary(self) -> str:
        path = self.temp / "summary"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def results(self) -> dict[str, str]:
        """What the action itself gives."""
        return {name: self.value(output["value"]) for name, output in ACTION["outputs"].items()}

    def run(self, *, install: bool = False) -> Runner:
        """Run the steps in order until one fails; the installation only where asked, else it is as if it was."""
        self.outputs["python"] = {"python-path": sys.executable}
        for step in STEPS:
            if "if" in step and self.value(step["if"]) != "true":
                continue
            if step.get("id") == "install" and not install:
                self.outputs["install"] = {"python": str(self.temp / "tflite-lint" / "bin" / "python")}
            elif "run" in step:
                self.script(step)
            else:
                self.used.append((step["uses"], {key: self.value(str(text)) for key, text in step["with"].items()}))
            if self.failed:
                break
        return self

    def script(self, step: dict[str, Any]) -> None:
        assert step["shell"] == "bash"
        script, written = self.temp / "script.sh", self.temp / "output"
        script.write_text(step["run"], encoding="utf-8")
        written.write_text("", encoding="utf-8")
        environment = {
            **os.environ,
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(written),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
            "RUNNER_TEMP": str(self.temp),
            **{name: self.value(str(text)) for name, text in step.get("env", {}).items()},
        }
        done = subprocess.run(
            [*BASH, str(script)],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
        )
        self.log += done.stdout.decode("utf-8")
        self.failed = done.returncode
        pairs = (line.split("=", 1) for line in written.read_text(encoding="utf-8").splitlines())
        self.outputs.setdefault(step.get("id", ""), {}).update(dict(pairs))

    def value(self, text: str) -> str:
        return _EXPRESSION.sub(lambda match: self.expression(match[1]), text)

    def expression(self, text: str) -> str:
        equals = _EQUALS.fullmatch(text)
        if equals:
            return str(self.expression(equals[1]) == equals[2]).lower()
        kind, *names = text.split(".")
        if kind == "github":
            return self.github.get(".".join(names), "")
        if kind == "inputs":
            (name,) = names
            return self.given.get(name, str(ACTION["inputs"][name]["default"]))
        assert kind == "steps" and names[1] == "outputs", text
        return self.outputs.get(names[0], {}).get(names[2], "")

    def commands(self) -> Iterator[tuple[str, str]]:
        """The workflow commands that a runner would obey: their names, and what stands behind these."""
        stopped = ""
        for line in map(str.strip, self.log.splitlines()):
            if stopped:
                stopped = "" if line == f"::{stopped}::" else stopped
                continue
            match = re.match(r"::([a-z-]+)(.*)", line)
            if match and match[1] == "stop-commands":
                stopped = match[2].removeprefix("::")
            elif match:
                yield match[1], match[2]


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RUNNER_TEMP with the action installed, from this checkout and without an index."""
    folder = tmp_path_factory.mktemp("a runner's temp")
    environment = Environment(folder / "tflite-lint")
    environment.pip_install(str(built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))))
    return folder


@pytest.fixture
def runner(temp: Path, tmp_path: Path) -> Runner:
    """A runner in a checkout with a good and a broken model."""
    (temp / "summary").unlink(missing_ok=True)
    runner = Runner(tmp_path / "checkout", temp)
    (runner.folder / "models").mkdir(parents=True)
    shutil.copy(EXAMPLES_DIRECTORY / "good.tflite", runner.folder / "models" / "good.tflite")
    model(runner, "truncated", "models/broken.tflite")
    return runner


def model(runner: Runner, name: str, path: str) -> None:
    shutil.copy(named_model_path(name), runner.folder / path)


# --- the file -------------------------------------------------------------------------------------------------------


def test_no_expression_stands_in_a_script() -> None:
    scripts = [step["run"] for step in STEPS if "run" in step]
    assert len(scripts) >= 3
    assert not any("${{" in script for script in scripts)


def test_other_actions_are_pinned_by_commit_with_the_release_beside_it() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert [name.partition("@")[0] for name in used] == ["actions/setup-python", "github/codeql-action/upload-sarif"]
    assert [f"{name}@{commit}" for name, commit, _ in pins((ROOT / "action.yml").read_text(encoding="utf-8"))] == used


def test_the_docs_pin_other_actions_by_commit_and_all_alike() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "action.yml", *sorted((ROOT / "docs").glob("*.md")))]
    uses = [line for text in texts for line in re.findall(r"^ *(?:- +)?uses:.*", text, re.MULTILINE)]
    unpinned = [line for line in uses if not _PIN.search(line) and "OWNER/REPOSITORY@COMMIT # TAG" not in line]
    assert unpinned == []
    found = {pin for text in texts for pin in pins(text)}
    assert {"actions/checkout", "github/codeql-action/upload-sarif"} <= {name for name, _, _ in found}
    assert len({name for name, _, _ in found}) == len(found), "one action is pinned to two commits"


def pins(text: str) -> list[tuple[str, str, str]]:
    """Actions, their commits and the releases in the comments."""
    return [(match[1], match[2], match[3]) for match in _PIN.finditer(text)]


def test_every_python_of_the_action_is_isolated_and_reads_and_writes_utf_8() -> None:
    steps = "\n".join(step["run"] for step in STEPS if "run" in step)
    assert '.ci/install-pinned" "$PYTHON" ' in steps
    steps = steps.replace('.ci/install-pinned" "$PYTHON" ', "")
    installer = (ROOT / ".ci" / "install-pinned").read_text(encoding="utf-8")
    calls = re.findall(r'"\$(?:PYTHON|python|1)" (?!!|==).*', steps + installer)
    assert len(calls) >= 6
    assert [call for call in calls if " -I -X utf8 " not in call] == []


def test_the_jobs_python_is_left_alone() -> None:
    (step,) = [step for step in STEPS if step.get("id") == "python"]
    assert step["with"]["update-environment"] is False


def test_every_input_is_used_and_every_one_used_is_there() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])
    assert all(
        entry["description"].endswith(".") for entry in (*ACTION["inputs"].values(), *ACTION["outputs"].values())
    )


# --- runs -----------------------------------------------------------------------------------------------------------


@needs_bash
def test_a_good_model_passes(runner: Runner) -> None:
    runner.given = {"paths": "models/good.tflite"}
    assert runner.run().failed == 0, runner.log
    assert list(runner.commands()) == []
    assert {key: runner.results[key] for key in ("errors", "warnings", "notes")} == {
        "errors": "0",
        "warnings": "0",
        "notes": "0",
    }
    assert json.loads(Path(runner.results["sarif"]).read_text(encoding="utf-8"))["runs"][0]["results"] == []
    assert runner.summary.startswith("### tflite-lint · 1 model: no findings")


@needs_bash
def test_a_broken_model_fails_with_annotation_summary_and_sarif(runner: Runner) -> None:
    assert runner.run().failed == 1
    ((command, text),) = runner.commands()
    assert command == "error"
    assert text.startswith(" file=models/broken.tflite,title=G003 flatbuffer invalid::")
    assert runner.results["errors"] == "1"
    assert "models/broken.tflite" in runner.summary
    (result,) = json.loads(Path(runner.results["sarif"]).read_text(encoding="utf-8"))["runs"][0]["results"]
    assert result["level"] == "error"
    ((name, _),) = runner.used
    assert name.startswith("actions/setup-python@"), "nothing is uploaded unasked"


@needs_bash
def test_sarif_is_uploaded_before_the_job_fails(runner: Runner) -> None:
    runner.given = {"upload-sarif": "true", "sarif-max-level": "warning", "sarif-category": "models"}
    assert runner.run().failed == 1
    name, given = runner.used[-1]
    assert name.startswith("github/codeql-action/upload-sarif@")
    assert given == {"sarif_file": runner.results["sarif"], "category": "models"}
    (result,) = json.loads(Path(given["sarif_file"]).read_text(encoding="utf-8"))["runs"][0]["results"]
    assert result["level"] == "warning"


@needs_bash
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"fail-on": "never"}, 0),
        ({"paths": "models/good.tflite\r\n\r\nmodels/broken.tflite"}, 1),
        ({"paths": "models/g*.tflite"}, 0),
        ({"paths": ""}, 1),
        ({"args": "--ignore=G003\n--ignore=Q"}, 0),
        ({"targets": "litert==2.1.0\ntflm"}, 1),
        ({"config": "lint/strict.toml"}, 0),
    ],
)
def test_inputs_reach_the_command(runner: Runner, given: dict[str, str], code: int) -> None:
    (runner.folder / "lint").mkdir()
    (runner.folder / "lint" / "strict.toml").write_text('ignore = ["G003"]\n')
    runner.given = given
    assert runner.run().failed == code, runner.log


@needs_bash
def test_one_run_serves_all_reports(runner: Runner) -> None:
    (script,) = [step["run"] for step in STEPS if step.get("id") == "lint"]
    assert script.count("-m tflint") == 1


# --- what must not work ---------------------------------------------------------------------------------------------


NAMES = [
    "a b.tflite",
    'it\'s "quoted".tflite',
    "$(touch pwned).tflite",
    "`touch pwned`.tflite",
    "; touch pwned #.tflite",
    "-v.tflite",
    "--output=pwned.tflite",
    "%0A::error::x.tflite",
    "::error::x.tflite",
    "${{ github.token }}.tflite",
]


@needs_bash
@pytest.mark.skipif(sys.platform == "win32", reason="names of files are fewer there")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.security
def test_a_name_is_a_name(runner: Runner, name: str) -> None:
    model(runner, "truncated", name)
    before = sorted(runner.folder.rglob("*"))
    runner.given = {"paths": name}
    runner.run()
    assert sorted(runner.folder.rglob("*")) == before, "nothing was made"
    assert runner.failed == 1
    assert runner.results["errors"] == "1", "the file of that name was checked"
    assert [command for command, _ in runner.commands()] == ["error"]


@needs_bash
@pytest.mark.parametrize("name", [
    "paths", "config", "targets", "fail-on", "args", "max-seconds", "max-memory", "sarif-max-level", "upload-sarif",
])  # fmt: skip
@pytest.mark.parametrize("value", ["x'; touch pwned; '", '"$(touch pwned)"', "x\n::set-output name=code::0\n"])
@pytest.mark.security
def test_no_input_is_executed(runner: Runner, name: str, value: str) -> None:
    before = sorted(runner.folder.rglob("*"))
    runner.given = {name: value}
    runner.run()
    assert sorted(runner.folder.rglob("*")) == before
    assert runner.failed == 2, runner.log
    assert [command for command, _ in runner.commands()] == ["error"]


@needs_bash
@pytest.mark.security
def test_a_file_of_the_repository_gives_no_command(runner: Runner) -> None:
    (runner.folder / "tflint.toml").write_text('ignore = ["G003"]\n  ::add-mask::secret = 1\n')
    assert runner.run().failed == 2
    assert "  ::add-mask::secret" in runner.log, "the message shows the line"
    ((command, text),) = runner.commands()
    assert (command, text) == ("error", " title=tflite-lint::models were not checked; see the log of this step")


@needs_bash
@pytest.mark.security
def test_a_module_of_the_repository_is_not_imported(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_modules(runner.folder, "tflint", "numpy", "json", "secrets", "sitecustomize")
    monkeypatch.setenv("PYTHONPATH", str(runner.folder))
    runner.given = {"paths": "models/good.tflite"}
    assert runner.run().failed == 0, runner.log
    assert not (runner.folder / "pwned").exists()


def plant_modules(folder: Path, *names: str) -> None:
    """Write modules that leave the file `pwned` in the folder when a Python imports them."""
    for name in names:
        (folder / f"{name}.py").write_text(f"open({str(folder / 'pwned')!r}, 'w')\n", encoding="utf-8")


@needs_bash
@pytest.mark.security
def test_a_folder_without_models_is_no_success(runner: Runner) -> None:
    (runner.folder / "empty").mkdir()
    runner.given = {"paths": "empty"}
    assert runner.run().failed == 2
    assert "nothing to check: no models found in 'empty'" in runner.log
    assert "nothing to check" in runner.summary
    runner.failed, runner.given = 0, {"paths": "empty", "args": "--allow-empty"}
    assert runner.run().failed == 0


@needs_bash
@pytest.mark.security
def test_what_the_limits_of_the_action_do_not_reach_fails(runner: Runner) -> None:
    runner.given = {"paths": "models/good.tflite", "max-seconds": "0.000001"}
    assert runner.run().failed == 1
    assert runner.results["errors"] == "1"
    assert "G119" in runner.log


@needs_bash
def test_nothing_checked_is_no_success(runner: Runner) -> None:
    runner.given = {"args": "--help"}
    assert runner.run().failed == 2


# --- the installation -----------------------------------------------------------------------------------------------


@pytest.fixture
def fresh_runner(tmp_path: Path) -> Runner:
    """A runner in a checkout with a good model and nothing installed."""
    runner = Runner(tmp_path / "checkout", tmp_path / "temp")
    runner.temp.mkdir()
    runner.folder.mkdir()
    shutil.copy(EXAMPLES_DIRECTORY / "good.tflite", runner.folder / "good.tflite")
    return runner


@needs_bash
@pytest.mark.slow
@pytest.mark.security
def test_the_installation_has_the_pinned_versions_and_imports_nothing_of_the_job(
    fresh_runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without_index(tmp_path / "probe")
    plant_modules(fresh_runner.folder, "sitecustomize", "hatchling", "pip", "pathspec", "json")
    monkeypatch.setenv("PYTHONPATH", str(fresh_runner.folder))
    runner = fresh_runner.run(install=True)
    assert runner.failed == 0, runner.log
    assert runner.results["errors"] == "0"
    assert not (runner.folder / "pwned").exists()
    assert Path(runner.outputs["install"]["python"]).is_relative_to(runner.temp)
    assert installed_versions(runner).items() >= pinned_versions().items()


@needs_bash
@pytest.mark.security
def test_a_package_of_the_pinned_version_with_other_contents_is_not_installed(
    fresh_runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index"
    index.mkdir()
    for name, version in pinned_versions().items():
        forge_wheel(index, name.replace("-", "_"), version)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    runner = fresh_runner.run(install=True)
    assert runner.failed, "the installation went through"
    assert "DO NOT MATCH THE HASHES" in runner.log
    assert list(runner.temp.rglob("forged.py")) == []


def forge_wheel(folder: Path, name: str, version: str) -> None:
    """Write a wheel that pip would install if it did not look at its hash."""
    metadata = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/forged.py", "")
        archive.writestr(f"{metadata}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{metadata}/RECORD", "")


@needs_bash
@pytest.mark.parametrize("arguments", [[], ["python3"]])
def test_the_installer_needs_a_python_and_a_folder(tmp_path: Path, arguments: list[str]) -> None:
    command = ["bash", str(ROOT / ".ci" / "install-pinned"), *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: .ci/install-pinned PYTHON FOLDER\n"


def installed_versions(runner: Runner) -> dict[str, str]:
    """The distributions in the environment of the action."""
    command = [runner.outputs["install"]["python"], "-I", "-m", "pip", "list", "--format", "json"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {canonicalize_name(entry["name"]): entry["version"] for entry in listed}


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_page_names_every_input_and_output() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert rows == [*ACTION["inputs"], *ACTION["outputs"]]


def test_the_workflows_of_the_page_give_inputs_that_there_are() -> None:
    workflows = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    assert len(workflows) >= 2
    for workflow in workflows:
        for job in workflow["jobs"].values():
            if not any("OWNER" in step.get("uses", "") for step in job["steps"]):
                continue  # the workflow that only comments
            (step,) = [step for step in job["steps"] if "OWNER" in step.get("uses", "")]
            assert set(step.get("with", {})) <= set(ACTION["inputs"])
            checkout = job["steps"][0]
            assert checkout["uses"].startswith("actions/checkout@")
            assert checkout["with"].pop("fetch-depth", 0) == 0
            assert checkout["with"] == {"lfs": True, "persist-credentials": False}


# --- pull requests --------------------------------------------------------------------------------------------------


@needs_bash
def test_a_pull_request_from_a_fork_uploads_nothing_and_does_not_fail(runner: Runner) -> None:
    runner.given = {"upload-sarif": "true", "fail-on": "never"}
    runner.github = {"repository": "team/app", "event.pull_request.head.repo.full_name": "somebody/app"}
    runner.run()
    assert not any("upload-sarif" in name for name, _ in runner.used)
    assert runner.failed == 0
    assert any("no upload to code scanning" in text for _, text in runner.commands())
    runner.github["event.pull_request.head.repo.full_name"] = "team/app"
    runner.run()
    assert any("upload-sarif" in name for name, _ in runner.used)


@needs_bash
def test_paths_and_configuration_are_relative_to_the_working_directory(runner: Runner) -> None:
    (runner.folder / "app" / "nets").mkdir(parents=True)
    shutil.copy(EXAMPLES_DIRECTORY / "broken.tflite", runner.folder / "app" / "nets" / "x.tflite")
    (runner.folder / "app" / "lint.toml").write_text('select = ["Q009"]\n')
    runner.given = {"working-directory": "app", "paths": "nets", "config": "lint.toml"}
    runner.run()
    annotations = [text for name, text in runner.commands() if name == "error"]
    assert len(annotations) == 1
    assert "file=app/nets/x.tflite" in annotations[0]
    assert runner.failed == 1


@needs_bash
def test_the_configuration_of_a_revision_decides(runner: Runner) -> None:
    (runner.folder / "tflint.toml").write_text("")
    commit_all(runner.folder)
    (runner.folder / "tflint.toml").write_text('fail-on = "never"\n')
    runner.given = {"config-from": "HEAD"}
    assert runner.run().failed == 1
    assert "HEAD:tflint.toml" in runner.log
    runner.given, runner.failed = {"config-from": "origin/main"}, 0
    assert runner.run().failed == 2
    assert "fetch-depth" in runner.log


@needs_bash
def test_the_base_decides_about_a_pull_request_from_a_fork(runner: Runner) -> None:
    (runner.folder / "tflint.toml").write_text("")
    base = commit_all(runner.folder)
    (runner.folder / "tflint.toml").write_text('fail-on = "never"\n')
    runner.github = {
        "repository": "team/app",
        "event.pull_request.head.repo.full_name": "somebody/app",
        "event.pull_request.base.sha": base,
    }
    assert runner.run().failed == 1
    runner.github["event.pull_request.base.sha"] = "0" * 40
    runner.failed = 0
    assert runner.run().failed == 0
    assert any("the pull request decides about the configuration" in text for _, text in runner.commands())
    runner.github["event.pull_request.head.repo.full_name"] = "team/app"
    assert runner.run().failed == 0


@needs_bash
def test_diff_compares_with_a_revision(runner: Runner) -> None:
    commit_all(runner.folder)
    shutil.copy(EXAMPLES_DIRECTORY / "broken.tflite", runner.folder / "models" / "good.tflite")
    runner.given = {"command": "diff", "base": "HEAD", "paths": "models/good.tflite", "fail-on": "never"}
    runner.run()
    assert runner.failed == 0
    assert "compared with" in Path(runner.results["markdown"]).read_text(encoding="utf-8")
    runner.given = {"command": "train"}
    assert runner.run().failed == 2
