"""Test the GitLab template and the pipelines of examples/ci: their commands run on two models.

No service is needed: `gitlab_job` fills in inputs as GitLab does, and the commands of each pipeline run in a shell.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.helpers.action_requirements import skip_without_index
from tests.helpers.models.examples import EXAMPLES_DIRECTORY
from tests.helpers.paths import EXAMPLES, ROOT
from tests.helpers.report_schemas import GITLAB_VALIDATOR, JUNIT_SCHEMA
from tflint.resources import named_model_path

SCRIPTS = Path(sys.executable).parent
HEADER, TEMPLATE = yaml.safe_load_all((ROOT / "templates" / "tflite-lint.yml").read_text(encoding="utf-8"))
INPUTS: dict[str, dict[str, Any]] = HEADER["spec"]["inputs"]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((EXAMPLES / "ci" / "gitlab-ci.yml").read_text(encoding="utf-8"))
AZURE = yaml.safe_load((EXAMPLES / "ci" / "azure-pipelines.yml").read_text(encoding="utf-8"))
JENKINSFILE = (EXAMPLES / "ci" / "Jenkinsfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")

_INPUT = re.compile(r"\$\[\[ inputs\.([a-z-]+) \]\]")

#: GitLab runs scripts in bash if the image has it, otherwise in sh; Jenkins in sh; Azure in bash.
BASH, SH = ["bash", "-eo", "pipefail", "-c"], ["sh", "-e", "-c"]

pytestmark = pytest.mark.skipif(
    os.name == "nt" or shutil.which("tflint", path=str(SCRIPTS)) is None,
    reason="needs a POSIX shell, and the tflint command next to this Python",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with a good and a broken model."""
    folder = tmp_path / "a checkout"
    (folder / "models").mkdir(parents=True)
    shutil.copy(EXAMPLES_DIRECTORY / "good.tflite", folder / "models" / "good.tflite")
    shutil.copy(named_model_path("truncated"), folder / "models" / "broken.tflite")
    return folder


def run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", **variables}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert "Traceback" not in done.stderr
    return done


def gitlab_job(**given: str | int) -> tuple[str, dict[str, Any]]:
    """Return the name and the job of the template; underscores in the names of inputs stand for hyphens."""
    values = {name.replace("_", "-"): value for name, value in given.items()}
    assert values.keys() <= INPUTS.keys()
    for name, spec in INPUTS.items():
        value = values.setdefault(name, spec["default"]) if "default" in spec else values[name]
        assert isinstance(value, int if spec.get("type") == "number" else str), name
        assert value in spec.get("options", [value]), name
    ((name, job),) = fill(TEMPLATE, values).items()
    return name, job


def fill(value: Any, inputs: dict[str, str | int]) -> Any:
    """Replace the interpolation blocks in all keys and values, after YAML is parsed."""
    if isinstance(value, dict):
        return {fill(key, inputs): fill(item, inputs) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, inputs) for item in value]
    return _INPUT.sub(lambda match: str(inputs[match[1]]), value) if isinstance(value, str) else value


def run_gitlab(shell: list[str], folder: Path, **given: str | int) -> subprocess.CompletedProcess[str]:
    _, job = gitlab_job(image="tflint", **given)
    variables = {name: variable["value"] for name, variable in job["variables"].items()}
    return run([*shell, "\n".join(job["script"])], folder, **variables)


def read_code_quality(path: Path) -> list[str]:
    """Return the paths in a valid Code Quality report."""
    violations = json.loads(path.read_text(encoding="utf-8"))
    GITLAB_VALIDATOR.validate(violations)
    return [violation["location"]["path"] for violation in violations]


def read_junit(path: Path) -> dict[str, int]:
    """Return the number of failures and errors per test suite of a valid JUnit report."""
    JUNIT_SCHEMA.validate(str(path))
    suites = ElementTree.parse(path).getroot()
    return {suite.get("name", ""): int(suite.get("failures", "")) + int(suite.get("errors", "")) for suite in suites}


def read_sarif(path: Path) -> list[str]:
    """Return the rules of the results of a SARIF report."""
    (log,) = json.loads(path.read_text(encoding="utf-8"))["runs"]
    return [result["ruleId"] for result in log["results"]]


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# --- GitLab ---------------------------------------------------------------------------------------------------------


def test_the_template_uses_every_input_and_only_through_unexpanded_variables() -> None:
    _, job = gitlab_job(image="tflint")
    assert all(spec["description"].endswith(".") for spec in INPUTS.values())
    (raw,) = TEMPLATE.values()
    assert set(_INPUT.findall(json.dumps(TEMPLATE))) == INPUTS.keys()
    assert _INPUT.search(json.dumps(raw["script"])) is None
    assert [variable["expand"] for variable in job["variables"].values()] == [False] * len(job["variables"])
    used = set(re.findall(r"\bINPUT_[A-Z_]+", json.dumps(job["script"])))
    assert used == set(job["variables"])


def test_template_and_action_agree_about_their_common_inputs() -> None:
    common = INPUTS.keys() & ACTION["inputs"].keys()
    assert common == {"paths", "config", "targets", "fail-on", "args", "max-seconds", "max-memory"}
    for name in common:
        assert str(INPUTS[name]["default"]) == ACTION["inputs"][name]["default"]


def test_stage_name_and_image_reach_the_job() -> None:
    name, job = gitlab_job(image="registry/tflint:1", stage="lint", job_name="models")
    assert (name, job["stage"], job["image"]) == ("models", "lint", {"name": "registry/tflint:1", "entrypoint": [""]})


@pytest.mark.parametrize("shell", [BASH, SH])
@pytest.mark.parametrize(("paths", "code"), [("models/good.tflite", 0), ("models", 1)])
def test_the_template_publishes_both_reports(checkout: Path, shell: list[str], paths: str, code: int) -> None:
    done = run_gitlab(shell, checkout, paths=paths)
    assert done.returncode == code, done.stdout + done.stderr
    _, job = gitlab_job(image="tflint")
    assert job["artifacts"]["when"] == "always"
    reports = {kind: checkout / name for kind, name in job["artifacts"]["reports"].items()}
    assert reports.keys() == {"codequality", "junit"}
    broken = ["models/broken.tflite"] * code
    assert read_code_quality(reports["codequality"]) == broken
    assert [name for name, failures in read_junit(reports["junit"]).items() if failures] == broken


@pytest.mark.parametrize("shell", [BASH, SH])
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"fail_on": "never"}, 0),
        ({"paths": "models/g*.tflite\n\n"}, 0),
        ({"paths": "models/good.tflite\nmodels/broken.tflite"}, 1),
        ({"paths": ""}, 1),
        ({"paths": "nowhere"}, 2),
        ({"args": "--ignore\nG003\n--ignore=Q"}, 0),
        ({"targets": "litert==2.1.0\ntflm\n", "paths": "models/good.tflite"}, 0),
        ({"targets": "litert==2.1.0\nnothing", "paths": "models/good.tflite"}, 2),
        ({"config": "a folder/strict.toml"}, 0),
        ({"max_seconds": 0, "paths": "models/good.tflite"}, 2),
    ],
)
def test_inputs_of_the_template_reach_the_command(
    checkout: Path, shell: list[str], given: dict[str, str | int], code: int
) -> None:
    (checkout / "a folder").mkdir()
    (checkout / "a folder" / "strict.toml").write_text('ignore = ["G003"]\n', encoding="utf-8")
    done = run_gitlab(shell, checkout, **given)
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize("shell", [BASH, SH])
@pytest.mark.parametrize("name", ["paths", "config", "targets", "args"])
@pytest.mark.parametrize("value", ["x'; touch pwned; '", '"$(touch pwned)"', "`touch pwned`", "$(touch pwned)", "}; *"])
@pytest.mark.security
def test_no_input_of_the_template_is_executed(checkout: Path, shell: list[str], name: str, value: str) -> None:
    before = files_in(checkout)
    done = run_gitlab(shell, checkout, **{name: value})
    assert done.returncode == 2, done.stdout + done.stderr
    assert files_in(checkout) == before


@pytest.mark.security
def test_a_path_that_looks_like_an_option_is_a_path(checkout: Path) -> None:
    shutil.copy(named_model_path("truncated"), checkout / "--output=pwned.tflite")
    done = run_gitlab(SH, checkout, paths="--output=pwned.tflite")
    assert done.returncode == 1, done.stdout + done.stderr
    assert not (checkout / "pwned.tflite").exists()


@pytest.mark.parametrize("shell", [BASH, SH])
@pytest.mark.security
def test_the_shell_expands_no_globs_in_inputs_of_the_template(checkout: Path, shell: list[str]) -> None:
    (checkout / "G003").touch()
    done = run_gitlab(shell, checkout, args="--select\n[G]003")
    assert done.returncode == 2, done.stdout + done.stderr


def test_the_gitlab_example_includes_the_template_with_valid_inputs(checkout: Path) -> None:
    (included,) = GITLAB["include"]
    assert (ROOT / included["file"].lstrip("/")).is_file()
    (checkout / "assets").mkdir()
    shutil.copy(EXAMPLES_DIRECTORY / "good.tflite", checkout / "assets")
    given = {name.replace("-", "_"): value for name, value in included["inputs"].items()}
    assert given.pop("image")
    assert run_gitlab(SH, checkout, **given).returncode == 1
    assert read_code_quality(checkout / "gl-code-quality-report.json") == ["models/broken.tflite"]


# --- Jenkins --------------------------------------------------------------------------------------------------------


def run_jenkins(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the only `sh` step. Groovy removes each backslash at the end of a line, with the line break."""
    (script,) = re.findall(r"^ +sh '''(.*?)'''$", JENKINSFILE, re.MULTILINE | re.DOTALL)
    assert len(re.findall(r"^ +sh\b", JENKINSFILE, re.MULTILINE)) == 1
    return run(["sh", "-xe", "-c", script.replace("\\\n", "")], folder)


def test_the_jenkinsfile_publishes_the_reports_of_its_command(checkout: Path) -> None:
    assert run_jenkins(checkout).returncode == 1
    (junit,) = re.findall(r"junit testResults: '(.*?)'", JENKINSFILE)
    (sarif,) = re.findall(r"sarif\(pattern: '(.*?)'\)", JENKINSFILE)
    assert read_junit(checkout / junit)["models/broken.tflite"] == 1
    assert read_sarif(checkout / sarif) == ["G003"]
    (checkout / "models" / "broken.tflite").unlink()
    assert run_jenkins(checkout).returncode == 0
    assert read_sarif(checkout / sarif) == []


def test_a_jenkins_build_without_reports_does_not_publish_those_of_the_previous_build(checkout: Path) -> None:
    before = files_in(checkout)
    run_jenkins(checkout)
    assert files_in(checkout) != before
    (checkout / "tflint.toml").write_text("no toml", encoding="utf-8")
    assert run_jenkins(checkout).returncode == 2
    assert files_in(checkout) == sorted([*before, "tflint.toml"])


# --- Azure Pipelines ------------------------------------------------------------------------------------------------


def azure_step(name: str) -> dict[str, Any]:
    (step,) = [step for step in AZURE["steps"] if step.get("displayName") == name]
    return step


def test_the_azure_pipeline_publishes_the_reports_of_its_command(checkout: Path, tmp_path: Path) -> None:
    temp = tmp_path / "agent temp"
    (temp / "tflint" / "bin").mkdir(parents=True)
    (temp / "tflint" / "bin" / "tflint").symlink_to(SCRIPTS / "tflint")
    step = azure_step("Lint models")
    done = run(["bash", "--noprofile", "--norc", "-c", step["bash"]], checkout, AGENT_TEMPDIRECTORY=str(temp))
    assert done.returncode == 1, done.stdout + done.stderr
    tests, sarif = AZURE["steps"][-2:]
    assert (tests["condition"], sarif["condition"]) == ("succeededOrFailed()", "succeededOrFailed()")
    junit_path, sarif_path = (
        Path(text.replace("$(Agent.TempDirectory)", str(temp)))
        for text in (tests["inputs"]["testResultsFiles"], sarif["publish"])
    )
    assert read_junit(junit_path)["models/broken.tflite"] == 1
    assert read_sarif(sarif_path) == ["G003"]
    assert "tflint-junit.xml" not in files_in(checkout)


def test_the_azure_pipeline_checks_out_models_from_lfs_and_runs_in_their_folder() -> None:
    models, tflint = [step for step in AZURE["steps"] if "checkout" in step]
    assert (models["checkout"], models["lfs"]) == ("self", True)
    assert azure_step("Lint models")["workingDirectory"] == f"$(Pipeline.Workspace)/{models['path']}"
    assert f'"$PIPELINE_WORKSPACE/{tflint["path"]}/.ci/' in azure_step("Install tflint")["bash"]
    assert [repository["repository"] for repository in AZURE["resources"]["repositories"]] == [tflint["checkout"]]


@pytest.mark.slow
def test_the_azure_pipeline_installs_tflint(checkout: Path, tmp_path: Path) -> None:
    skip_without_index(tmp_path / "probe")
    (mirror,) = [step["path"] for step in AZURE["steps"] if step.get("checkout") == "tflint"]
    (tmp_path / mirror).symlink_to(ROOT)
    temp = tmp_path / "agent temp"
    temp.mkdir()
    for name, code in (("Install tflint", 0), ("Lint models", 1)):
        command = ["bash", "--noprofile", "--norc", "-c", azure_step(name)["bash"]]
        done = run(command, checkout, PIPELINE_WORKSPACE=str(tmp_path), AGENT_TEMPDIRECTORY=str(temp))
        assert done.returncode == code, done.stdout + done.stderr


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_page_lists_every_input_of_the_template() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE) == [*INPUTS]


def test_the_includes_of_the_page_have_valid_inputs() -> None:
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    includes = [included for block in blocks for included in block.get("include", ())]
    assert len(includes) >= 2
    for included in includes:
        assert gitlab_job(**{name.replace("-", "_"): value for name, value in included["inputs"].items()})
