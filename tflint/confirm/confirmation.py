"""Confirms checked files: runs their models, adds verdicts to findings, and adds the findings of probes."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TypeAlias

from tflint.catalog import Rule
from tflint.columns.column import text_of
from tflint.confirm.child_process import Children
from tflint.confirm.confirm_options import ConfirmOptions
from tflint.confirm.model_probes import Job
from tflint.confirm.run_findings import find_in_runs, list_not_judged
from tflint.confirm.runtimes import InstalledRuntime, choose_runtimes, find_installed
from tflint.confirm.self_check import find_disagreements
from tflint.confirm.subjects import MAX_MODEL_BYTES, build_subject
from tflint.confirm.supervisor import Supervisor
from tflint.confirm.threaded_streams import ThreadedStreams
from tflint.confirm.verdicts import CONFIRMED, REFUSALS, judge_findings
from tflint.contract import Contract
from tflint.engine.plan import Plan, plan_for_contract
from tflint.errors import UserError
from tflint.facts.fact_registry import RUN_TABLES
from tflint.facts.facts import Facts
from tflint.facts.run.model_run import ModelRun
from tflint.findings import Confirmation, FileReport, Notice, RunSummary
from tflint.preprocessing.recipe import build_recipe
from tflint.runner.model_loader import Checkable, Model, load
from tflint.runner.run_limits import NO_LIMITS, Limits
from tflint.runner.scheduler import CheckedFile
from tflint.source import Source, SourceError
from tflint.targets.target import Target
from tflint.values import frozen, replace

#: Largest limit of seconds per model.
MAX_LIMIT = 1_000_000
#: Seed of the generated inputs.
SEED = 0
#: Smallest height and width of an input that counts as an image.
_MIN_IMAGE_SIZE = 16


def confirm_files(
    files: Sequence[CheckedFile],
    sources: Sequence[Checkable],
    plan: Plan,
    all_rules: Sequence[Rule],
    options: ConfirmOptions,
    progress: Callable[[int, int], None] | None = None,
    limits: Limits = NO_LIMITS,
) -> tuple[list[CheckedFile], Confirmation, list[Notice]]:
    """Return the files with verdicts and the findings of probes, a summary, and notices about disagreements.

    `sources` has, per file, what to open. `all_rules` are the rules that exist, whether selected or not. Once the run
    has reached `limits`, no further model is run. Raises `UserError` if `options` names a runtime that is unknown or
    not installed, or an impossible limit.
    """
    installed = find_installed()
    rules = {selected.rule.id: selected.rule for selected in plan.rules}
    if not 0 < options.max_seconds <= MAX_LIMIT:
        raise UserError(f"the limit must be more than 0 and at most {MAX_LIMIT:,} seconds, not {options.max_seconds}")
    is_complete = all(rule.id in rules or rule.confirm not in REFUSALS or rule.status != "stable" for rule in all_rules)
    confirmer = _Confirmer(plan, rules, installed, options, limits, is_complete=is_complete)
    waiting = [number for number, file in enumerate(files) if file.report.kind == "model"]
    confirmed = list(files)
    notices: list[Notice] = []
    n_runs = 0
    runtimes: dict[str, None] = {}
    failed: dict[str, None] = {}
    results = confirmer.confirm_all([(files[number], sources[number]) for number in waiting])
    with contextlib.closing(results):  # an interrupt must end the children even if the generator is suspended
        for n_done, (number, result) in enumerate(zip(waiting, results, strict=True), 1):
            confirmed[number] = result.file
            notices += result.notices
            n_runs += sum(bool(run.attempts) for run in result.runs)
            runtimes |= dict.fromkeys(run.label for run in result.runs if run.attempts)
            failed |= dict.fromkeys(text for run in result.runs if not run.attempts for text in run.problems)
            if progress is not None:
                progress(n_done, len(waiting))
    notices += [Notice("confirmation", text, "warning") for text in failed]
    if not installed:
        text = "no runtime is installed, so no model was run: pip install tflite-lint[runtime]"
        notices.append(Notice("confirmation", text, "warning"))
    return confirmed, Confirmation(tuple(sorted(runtimes)), SEED, n_runs, options.max_seconds), notices


def merge_confirmations(parts: Sequence[Confirmation]) -> Confirmation:
    """Return one summary for the parts of a run; each part has the files of one configuration."""
    runtimes = sorted({runtime for part in parts for runtime in part.runtimes})
    return replace(parts[0], runtimes=tuple(runtimes), n_runs=sum(part.n_runs for part in parts))


@frozen(eq=False)
class _Confirmed:
    file: CheckedFile
    runs: tuple[ModelRun, ...]
    notices: tuple[Notice, ...]


#: A file, and what to open in order to run it.
_Entry: TypeAlias = tuple[CheckedFile, Checkable]


@frozen(eq=False)
class _Prepared:
    """A model that is ready to run: its jobs, one per runtime, or the reason why it does not run.

    `opened` is the source to close afterwards.
    """

    file: CheckedFile
    plan: Plan
    model: Model | None
    facts: Facts | None
    jobs: tuple[Job, ...]
    reason: str = ""
    opened: Source | None = None


class _Confirmer:
    def __init__(
        self,
        plan: Plan,
        rules: Mapping[str, Rule],
        installed: Sequence[InstalledRuntime],
        options: ConfirmOptions,
        limits: Limits,
        *,
        is_complete: bool,
    ) -> None:
        self._plan, self._rules, self._installed, self._limits = plan, rules, installed, limits
        self._options, self._is_complete = options, is_complete
        self._run_rules = tuple(rule.id for rule in rules.values() if rule.for_each in RUN_TABLES)
        choose_runtimes(installed, plan.targets, options.runtime)  # an unknown runtime is an error of the run

    def confirm_all(self, files: Sequence[_Entry]) -> Generator[_Confirmed, None, None]:
        """Yield the result of each file, in order. Threads share the files; each has a child process of its own."""
        n_threads = min(max(self._options.jobs, 1), len(files))
        with Children() as children:
            if n_threads <= 1:
                yield from self._confirm_some(files, children)
                return
            parts = [self._confirm_some(files[number::n_threads], children) for number in range(n_threads)]
            with ThreadedStreams(parts, children) as streams:
                for number in range(len(files)):
                    yield streams.next(number % n_threads)

    def _confirm_some(self, files: Sequence[_Entry], children: Children) -> Generator[_Confirmed, None, None]:
        """Yield the result of each file. Models are opened one by one, just before they run."""
        waiting: deque[_Prepared] = deque()

        def all_jobs() -> Iterator[Job]:
            for file, source in files:
                waiting.append(self._prepare(file, source))
                yield from waiting[-1].jobs

        collected: list[ModelRun] = []
        with Supervisor(children) as supervisor:
            for run in supervisor.run(all_jobs()):
                while not waiting[0].jobs:  # files that do not run come before the file of this run
                    yield self._finish(waiting.popleft(), ())
                collected.append(run)
                if len(collected) == len(waiting[0].jobs):
                    yield self._finish(waiting.popleft(), collected)
                    collected = []
        while waiting:
            yield self._finish(waiting.popleft(), ())

    def _prepare(self, file: CheckedFile, source: Checkable) -> _Prepared:
        plan = plan_for_contract(self._plan, file.contract)
        reason = self._limits.describe_reached() if self._limits.are_set else ""
        if reason:
            return _Prepared(file, plan, None, None, (), reason)
        try:
            model = source if isinstance(source, Model) else load(source, name=file.report.path)
        except (UserError, SourceError) as error:
            return _Prepared(file, plan, None, None, (), str(error))
        if model.opened.source is None and model.opened.content is None:
            return _Prepared(file, plan, None, None, (), "the file cannot be read")
        opened = None if isinstance(source, Model) else model.opened.source
        if model.opened.size > MAX_MODEL_BYTES:
            reason = f"models above {MAX_MODEL_BYTES:,} bytes are not run"
            return _Prepared(file, plan, model, None, (), reason, opened)
        subject, facts = build_subject(model, file.contract)
        recipe = None
        if facts is not None and file.contract is not None and file.contract.data.get("golden"):
            recipe = build_recipe(file.contract, facts, file.report.path)
        images = () if facts is None or recipe is not None else tuple(_unknown_images(facts, file.contract))
        jobs = tuple(
            Job(
                subject,
                runtime,
                tuple(target.name for target in plan.targets if runtime.stands_for(target)),
                SEED,
                self._options.max_seconds,
                recipe,
                images,
            )
            for runtime in choose_runtimes(self._installed, plan.targets, self._options.runtime)
        )
        return _Prepared(file, plan, model, facts, jobs, "", opened)

    def _finish(self, prepared: _Prepared, runs: Sequence[ModelRun]) -> _Confirmed:
        """Return the report of a file with verdicts and the findings of probes."""
        report = prepared.file.report
        targets = prepared.plan.targets
        judged = judge_findings(
            report.findings,
            self._rules,
            runs,
            [target.name for target in targets],
            lambda name: prepared.reason or self._describe_missing(name, targets),
        )
        predicted = {
            (finding.probe or {}).get("runtime")
            for finding in judged
            if finding.verdict == CONFIRMED and self._rules[finding.rule].confirm in REFUSALS
        }
        is_unreadable = report.status == "unreadable"  # the finding about this needs no confirmation
        runs = tuple(replace(run, is_predicted=is_unreadable or run.label in predicted) for run in runs)
        own = []
        if prepared.model is not None and runs:
            own = find_in_runs(prepared.model, report.path, prepared.file.contract, runs, prepared.plan)
        notices = find_disagreements(
            report.path, prepared.facts, judged, self._rules, runs, is_complete=self._is_complete
        )
        if prepared.facts is not None:
            prepared.facts.forget()
        if prepared.opened is not None:
            prepared.opened.close()
        not_judged = list_not_judged(runs, self._run_rules, prepared.reason)
        confirmed: FileReport = replace(
            report,
            findings=(*judged, *own),
            not_checked=(*report.not_checked, *not_judged),
            runs=tuple(map(_summarize, runs)),
        )
        return _Confirmed(CheckedFile(confirmed, prepared.file.contract), tuple(runs), tuple(notices))

    def _describe_missing(self, name: str, targets: Sequence[Target]) -> str:
        """Return why there is no run for a target: no runtime, or a different release."""
        target = next((one for one in targets if one.name == name), None)
        if target is None:
            return f"no runtime for {name} is installed"
        same = [one for one in self._installed if one.package.runtime == target.runtime]
        if same:
            return f"the target is {name}, but {same[0].label} is installed"
        return f"no runtime for {name} is installed: {_HINTS.get(target.runtime, 'pip install tflite-lint[runtime]')}"


_HINTS = {
    "litert": "pip install tflite-lint[runtime]",
    "tflite": "pip install tensorflow",
    "tflm": "pip install tflite-micro",
}


def _summarize(run: ModelRun) -> RunSummary:
    steps: dict[str, dict[str, str]] = {}
    for attempt in run.attempts:
        steps.setdefault(attempt.kernels, {})[attempt.step] = attempt.outcome
    failed = run.failure()
    return RunSummary(
        run.label,
        steps,
        failed.message if failed else "",
        run.seconds,
        run.arena_bytes,
        len(run.tensors),
        len(run.unchanged),
        tuple((one.normalization, one.spread, one.confidence) for one in run.normalizations),
        run.problems,
    )


def _unknown_images(facts: Facts, contract: Contract | None) -> Iterator[int]:
    """Yield the positions of float image inputs whose normalization neither contract, metadata nor graph states."""
    described = set(facts.rows("contract_input", "input").tolist()) if contract is not None else set()
    for row in range(facts.n("input")):
        tensor = int(facts.rows("input", "tensor")[row])
        if tensor < 0 or facts.rows("input", "subgraph")[row] != facts.rows("input", "subgraph")[0] or row in described:
            continue
        shape = facts.lists("tensor", "shape").row(tensor)
        is_image = len(shape) == 4 and shape[3] in (1, 3) and min(shape[1:3]) >= _MIN_IMAGE_SIZE and shape[0] == 1
        is_known = bool(facts.lists("input", "metadata.mean").row(row)) or _has_text(facts, "graph_expects", row)
        if is_image and not is_known and text_of(facts.column("tensor", "dtype"), tensor) == "FLOAT32":
            yield int(facts.numbers("input", "position")[row])


def _has_text(facts: Facts, column: str, row: int) -> bool:
    return text_of(facts.column("input", column), row) is not None
