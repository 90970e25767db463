"""Compares two models: the entry function and the values of its result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tflint.confirm.child.generated_inputs import default_limits
from tflint.confirm.compare.activation_errors import ActivationError
from tflint.confirm.compare.compared_graph import FLOATS, ComparedGraph
from tflint.confirm.compare.comparison_samples import FedSample, generate_samples, read_files, read_golden
from tflint.confirm.compare.error_birth import ErrorBirth, find_births
from tflint.confirm.compare.fed_inputs import FedInput
from tflint.confirm.compare.loss_causes import WARNING, CauseFinder, LossFinding
from tflint.confirm.compare.output_agreement import OutputAgreement
from tflint.confirm.compare.paired_runs import CannotRunError, ComparedSide, PairedRuns, RunSums
from tflint.confirm.compare.tensor_pairing import BY_NAME, Pairing, pair_graphs
from tflint.confirm.compare.weight_errors import WeightError, measure_weights
from tflint.confirm.model_session import Subject
from tflint.confirm.runtimes import InstalledRuntime, choose_runtimes, find_installed
from tflint.confirm.subjects import MAX_MODEL_BYTES, build_subject
from tflint.contract import Contract
from tflint.contract.contract_search import find_adjacent_contract, load_discovered_contract
from tflint.errors import UserError
from tflint.facts.facts import Facts
from tflint.preprocessing.recipe import Recipe, build_recipe
from tflint.runner.model_loader import Model, load_readable
from tflint.values import frozen

#: Default limit of wall-clock seconds for the runs of each model.
MAX_SECONDS = 60.0
#: Default seed of generated values.
SEED = 0
#: Origin of samples that are neither files nor golden samples.
GENERATED = "generated"
#: Hint if no runtime is installed.
INSTALL_HINT = 'pip install "tflite-lint[runtime]"'


@frozen
class CompareOptions:
    """Options of a comparison: samples (None: generated), runtime (None: the preferred one), seed, seconds."""

    samples: str | None = None
    runtime: str | None = None
    seed: int = SEED
    max_seconds: float = MAX_SECONDS


@frozen
class ComparedActivation:
    """A compared tensor of the model: the operator that computes it (-1: an input), and its error.

    `reference` is the tensor of the reference. `is_born` is whether an error is born here.
    """

    tensor: int
    reference: int
    name: str
    operator: int
    opcode: str
    dtype: str
    is_born: bool
    error: ActivationError


@frozen
class SampleRun:
    """The runs: the runtime, the samples, and the errors of tensors in execution order."""

    runtime: str
    n_samples: int
    samples_from: str
    activations: tuple[ComparedActivation, ...]
    births: tuple[ErrorBirth, ...]
    outputs: tuple[OutputAgreement, ...]
    problems: tuple[str, ...]


@frozen
class Comparison:
    """A comparison of a model with its reference.

    `n_operators` is the number of operators of the model, of which `n_by_name` and `n_by_graph` are paired. `run` is
    None if the models were not run, for the reason `not_run`; `hint` says what to do about it. `unreadable` has the
    names of constants that were not compared. Findings are sorted, those that lose most first.
    """

    reference: str
    model: str
    seed: int
    n_operators: int
    n_by_name: int
    n_by_graph: int
    weights: tuple[WeightError, ...]
    unreadable: tuple[str, ...]
    run: SampleRun | None
    not_run: str
    hint: str
    findings: tuple[LossFinding, ...]

    @property
    def has_warnings(self) -> bool:
        """Whether a finding is a warning."""
        return any(finding.severity == WARNING for finding in self.findings)


def compare_models(reference: str, model: str, options: CompareOptions) -> Comparison:
    """Compare the models at two paths.

    Raises `UserError` if a model is not readable, the models share nothing, or samples do not fit.
    """
    with np.errstate(all="ignore"):  # models may contain NaN, infinity and extreme scales
        return _Comparer(reference, model, options).compare()


@frozen(eq=False)
class _Loaded:
    side: ComparedSide
    subject: Subject
    contract: Contract | None
    model: Model

    def recipe(self) -> Recipe | None:
        """Return the recipe of the contract next to the model."""
        return None if self.contract is None else build_recipe(self.contract, self.side.graph.facts, self.side.name)


def _load(path: str) -> _Loaded:
    model = load_readable(path)
    found = find_adjacent_contract(path)
    contract = None if found is None else load_discovered_contract(found)
    subject, facts = build_subject(model, contract)
    graph = ComparedGraph(facts if facts is not None else Facts(model.tables))
    return _Loaded(ComparedSide(model.name, graph, subject), subject, contract, model)


class _Comparer:
    def __init__(self, reference: str, model: str, options: CompareOptions) -> None:
        self._options = options
        installed = find_installed()
        self._runtimes = choose_runtimes([one for one in installed if one.package.runtime != "tflm"], (), None)
        if options.runtime is not None:
            self._runtimes = choose_runtimes(installed, (), options.runtime)
        self._reference, self._model = _load(reference), _load(model)

    def compare(self) -> Comparison:
        reference, model = self._reference.side, self._model.side
        pairing = pair_graphs(reference.graph, model.graph)
        if pairing.is_empty:
            raise UserError(
                f"'{model.name}' and '{reference.name}' share no operators",
                hint="compare two conversions of the same model",
            )
        weights, unreadable = measure_weights(reference.graph, model.graph, pairing)
        run, not_run, hint = self._try_run(pairing)
        activations = {} if run is None else run.sums.activations
        finder = CauseFinder(
            model.graph, weights, activations, is_generated=run is not None and run.samples_from == GENERATED
        )
        births = [] if run is None else find_births(model.graph, pairing, activations, run.sums.natural)
        different = finder.find_different_weights()
        if different is not None:
            findings = [different]
        else:
            findings = [finder.explain(birth) for birth in births]
            findings += finder.judge_constants(has_run=run is not None, born={birth.operator for birth in births})
        n_by_name = sum(one.how == BY_NAME for one in pairing.operators)
        return Comparison(
            reference.name,
            model.name,
            self._options.seed,
            len(model.graph.operators),
            n_by_name,
            len(pairing.operators) - n_by_name,
            tuple(weights),
            tuple(unreadable),
            None if run is None else self._describe_run(run, pairing, births),
            not_run,
            hint,
            tuple(sorted(findings, key=lambda finding: finding.severity != WARNING)),
        )

    # -- running -------------------------------------------------------------------------------------------------------

    def _try_run(self, pairing: Pairing) -> tuple[_Ran | None, str, str]:
        """Run both models; return the results, or why they were not run and what to do."""
        if not self._runtimes:
            return None, "no runtime is installed", INSTALL_HINT
        runtime = self._runtimes[0]
        if runtime.package.runtime == "tflm":
            raise UserError(f"{runtime.package.name} does not show inner tensors", hint="--runtime ai-edge-litert")
        for loaded in (self._reference, self._model):
            if loaded.model.opened.size > MAX_MODEL_BYTES:
                return None, f"{loaded.side.name} has more than {MAX_MODEL_BYTES:,} bytes", ""
        try:
            return self._run(runtime, pairing), "", ""
        except CannotRunError as error:
            if self._options.samples is not None:
                raise UserError(f"the models cannot be run: {error}") from error
            return None, str(error), ""

    def _run(self, runtime: InstalledRuntime, pairing: Pairing) -> _Ran:
        options = self._options
        sides = self._reference.side, self._model.side
        with PairedRuns(*sides, pairing, runtime, options.seed, options.max_seconds) as runs:
            runs.load()
            inputs = runs.fed_inputs([self._generated_range(*pair) for pair in sorted(pairing.inputs)])
            samples, origin, problems = self._choose_samples(inputs)
            return _Ran(runtime.label, runs.run(inputs, samples), origin, tuple(problems))

    def _choose_samples(self, inputs: Sequence[FedInput]) -> tuple[Iterable[FedSample], str, list[str]]:
        """Return the samples, their origin, and problems."""
        options, owners = self._options, (self._model, self._reference)
        if options.samples is not None:
            recipe = next((found for one in owners if (found := one.recipe()) is not None), None)
            return read_files(options.samples, inputs, recipe), options.samples, []
        problems = []
        for one in owners:
            recipe = one.recipe()
            if recipe is not None and recipe.contract.data.get("golden"):
                golden, why = read_golden(recipe, inputs, is_reference=one is self._reference)
                problems += why
                if golden:
                    return golden, f"golden samples of {recipe.contract.path}", problems
        return generate_samples(inputs, options.seed), GENERATED, problems

    def _generated_range(self, position: int, partner: int) -> tuple[float, float]:
        """Return the range of values to generate: stated by a contract or metadata, else the calibrated range."""
        sides = ((self._model, position), (self._reference, partner))
        for loaded, place in sides:
            known = loaded.subject.limits[place] if place < len(loaded.subject.limits) else None
            if known is not None and loaded.subject.limits_from in ("contract", "metadata"):
                return _to_real(loaded.side.graph, place, known)
        for loaded, place in sides:
            calibrated = _calibrated_range(loaded.side.graph, place)
            if calibrated is not None:
                return calibrated
        for loaded, place in sides:
            known = loaded.subject.limits[place] if place < len(loaded.subject.limits) else None
            if known is not None:
                return _to_real(loaded.side.graph, place, known)
        tensor = self._model.side.graph.tensors[self._model.side.graph.inputs[position]]
        dtype = np.dtype(np.float32 if tensor.dtype in FLOATS else np.int32)
        return default_limits(dtype, is_quantized=False)

    def _describe_run(self, run: _Ran, pairing: Pairing, births: Sequence[ErrorBirth]) -> SampleRun:
        graph = self._model.side.graph
        born = {birth.tensor for birth in births}
        activations = []
        for tensor, error in run.sums.activations.items():
            producer, found = graph.producer(tensor), graph.tensors[tensor]
            number, opcode = (-1, "input") if producer is None else (producer.number, producer.opcode)
            partner = pairing.activations[tensor]
            activations.append(
                ComparedActivation(tensor, partner, found.name, number, opcode, found.dtype, tensor in born, error)
            )
        sums = run.sums
        problems = (*run.problems, *sums.problems)
        return SampleRun(
            run.runtime, sums.n_samples, run.samples_from, tuple(activations), tuple(births), sums.outputs, problems
        )


@frozen(eq=False)
class _Ran:
    runtime: str
    sums: RunSums
    samples_from: str
    problems: tuple[str, ...]


def _calibrated_range(graph: ComparedGraph, position: int) -> tuple[float, float] | None:
    """Return the range of a quantized input, or that of the first conversion of a float input."""
    tensor = graph.inputs[position]
    if tensor < 0:
        return None
    if graph.tensors[tensor].limits is not None:
        return graph.tensors[tensor].limits
    for number in graph.consumers.get(tensor, ()):
        operator = graph.operators[number]
        if operator.opcode == "QUANTIZE" and operator.outputs and graph.tensors[operator.outputs[0]].limits is not None:
            return graph.tensors[operator.outputs[0]].limits
    return None


def _to_real(graph: ComparedGraph, position: int, limits: tuple[float, float]) -> tuple[float, float]:
    """Return limits in the units of an input's type as real values."""
    tensor = graph.tensors[graph.inputs[position]]
    if tensor.step is None:
        return limits
    zero = tensor.zero_points[0] if tensor.zero_points else 0
    return (limits[0] - zero) * tensor.step, (limits[1] - zero) * tensor.step
