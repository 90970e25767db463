"""The values of a summary: frozen, without numpy and without formatting."""

from __future__ import annotations

from tflint.normalization.range_fit import Fit
from tflint.values import frozen


@frozen
class Quantization:
    """Quantization parameters of an input or output.

    `scale` and `zero_point` are None if there is not exactly one of each. `low` and `high` are the ends of the
    calibrated range, or None if the scale or zero point is invalid. `details` is the type in the schema of parameters
    other than scales and zero points, such as BlockwiseQuantization, or None if there are no such parameters.
    """

    n_scales: int
    scale: float | None
    zero_point: int | None
    axis: int | None
    low: float | None
    high: float | None
    details: str | None = None


@frozen
class InterfaceTensor:
    """An input or output tensor. `signature` is the stored `shape_signature`, with -1 for a dynamic dimension."""

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    signature: tuple[int, ...] | None
    has_rank: bool
    quantization: Quantization | None

    @property
    def is_dynamic(self) -> bool:
        """Whether a dimension or the rank is dynamic."""
        return not self.has_rank or any(size < 0 for size in (*self.shape, *(self.signature or ())))

    @property
    def dimensions(self) -> tuple[int | None, ...]:
        """The shape, with None for a dynamic dimension."""
        return tuple(None if size < 0 else size for size in self.signature or self.shape)


@frozen
class InterfaceMetadata:
    """The TFLITE_METADATA of an input or output. `content` is the kind of its content, such as ImageProperties."""

    name: str | None
    description: str | None
    content: str | None
    color_space: str | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    stats_min: tuple[float, ...]
    stats_max: tuple[float, ...]
    files: tuple[str, ...]


@frozen
class Conversion:
    """An operator that changes only the type of an input or output, such as QUANTIZE.

    `side` is input or output, `position` the index of the input or output, `operator` the index of the operator.
    """

    side: str
    position: int
    opcode: str
    operator: int
    from_dtype: str
    to_dtype: str


@frozen
class Arithmetic:
    """Arithmetic that the graph applies to an input before all else: x × `scale` + `offset`.

    `scale` and `offset` have one number, or one per channel. `expects` is the range of the pixels that the arithmetic
    normalizes: u8 (0 to 255) or unit (0 to 1). It is None if the arithmetic does not normalize pixels.
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    expects: str | None


@frozen
class FirstLayer:
    """The known pretrained network whose first layer follows an input.

    `normalization` is the name of the normalization that the network expects, `short` and `formula` its two notations,
    `order` the order of the color channels, and `source` the address of the statement about the normalization.
    `is_in_graph` is true if the graph applies a normalization before the layer.
    """

    name: str
    normalization: str
    short: str
    formula: str
    order: str
    source: str
    is_in_graph: bool


@frozen
class Input:
    """An input, and what the file reveals about its preprocessing.

    `tensor` is None if the tensor index is out of range. `layout` is NHWC, NCHW, … for an image, else None.
    `calibrated` holds the quantization parameters of QUANTIZE if it is the only consumer of a float input, else None.
    `fits` lists the known normalizations that match the calibrated range; it is empty unless the input is an image.
    `nominal` is the round range that matches the calibrated range, such as −1 … 1, or None. `prepares` is the
    arithmetic that the graph applies to the input before all else, or None. `first_layer` is the first layer that
    follows the input if it is that of a known network, else None.
    """

    position: int
    tensor: InterfaceTensor | None
    metadata: InterfaceMetadata | None
    layout: str | None
    channels: int | None
    calibrated: Quantization | None
    fits: tuple[Fit, ...]
    nominal: tuple[float, float] | None
    prepares: Arithmetic | None
    first_layer: FirstLayer | None


@frozen
class Meaning:
    """Meaning of an output: its `kind` (softmax, sigmoid, …), the operator that computes it, the number of classes."""

    kind: str
    opcode: str
    operator: int
    classes: int | None


@frozen
class Output:
    """An output, and its meaning, or None if the graph does not determine it."""

    position: int
    tensor: InterfaceTensor | None
    metadata: InterfaceMetadata | None
    meaning: Meaning | None


@frozen
class NamedTensor:
    """The name that a signature gives to an input or output, with the index of the tensor."""

    name: str
    tensor: int


@frozen
class Signature:
    """A signature: key, subgraph, and names of inputs and outputs."""

    key: str
    subgraph: int
    inputs: tuple[NamedTensor, ...]
    outputs: tuple[NamedTensor, ...]


@frozen
class Memory:
    """Lower bound of the activation memory of a subgraph, in bytes, and the operator that reaches it.

    `unknown` is the number of tensors of unknown size, which the bound ignores. `dynamic` is the number of tensors with
    a dynamic dimension, for which the bound uses the stored size.
    """

    bytes: int
    operator: int | None
    opcode: str | None
    name: str
    unknown: int
    dynamic: int


@frozen
class Computation:
    """Number of multiply-accumulate operations (MACs) of a subgraph.

    `unknown` is the number of operators whose MACs cannot be computed from the shapes. `dynamic` is the number of
    operators with a dynamic output, counted for the stored shapes. `uncounted` are the opcodes, or names of custom
    operators, that may multiply but are not counted.
    """

    macs: int
    unknown: int
    dynamic: int
    uncounted: tuple[str, ...]


@frozen
class Subgraph:
    """One subgraph: its size, memory and MACs, and its inputs and outputs if client code can run it.

    In `constant_bytes`, each buffer counts once. `n_inputs` and `n_outputs` are the numbers of all inputs and outputs.
    `inputs` and `outputs` are empty unless the subgraph is the first one or has a signature.
    """

    index: int
    name: str
    n_operators: int
    n_tensors: int
    n_inputs: int
    n_outputs: int
    constant_bytes: int
    memory: Memory
    computation: Computation
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]


@frozen
class OperatorCount:
    """The number of operators with the same code and version. `custom` is the name of a custom operator, else None."""

    opcode: str
    version: int
    custom: str | None
    count: int

    @property
    def label(self) -> str:
        """The custom name, or the opcode of a built-in operator."""
        return self.custom if self.custom is not None else self.opcode


@frozen
class RuntimeRequirement:
    """The oldest release of a runtime that runs all built-in operators of a model.

    `operators` are the operators that no older release runs. If no known release runs all operators, `release` is None
    and `operators` are the unsupported ones. `is_oldest` is true if no release older than `release` is known.
    """

    runtime: str
    release: str | None
    operators: tuple[tuple[str, int], ...]
    is_oldest: bool = False


@frozen
class Variable:
    """State kept between invocations: a variable tensor, or a resource with its shared name."""

    kind: str
    name: str
    subgraph: int
    dtype: str | None
    shape: tuple[int, ...] | None


@frozen
class AttachedFile:
    """An associated file.

    `size` is the number of bytes, or None if the file is not packed with the model. `lines` is the number of lines of a
    small list, else None.
    """

    name: str
    type: str | None
    owner: str | None
    size: int | None
    lines: int | None


@frozen
class FileStatements:
    """Descriptions and associated files that the model file declares, apart from its graph."""

    description: str | None
    name: str | None
    summary: str | None
    version: str | None
    author: str | None
    license: str | None
    min_parser_version: str | None
    min_runtime_version: str | None
    error: str | None
    entries: tuple[str, ...]
    files: tuple[AttachedFile, ...]


@frozen
class Sizes:
    """Sizes in bytes: the file, its constants and the rest.

    Each buffer counts once, with the type of the first tensor that uses it. `other_buffer_bytes` is the size of the
    buffers that no tensor uses, such as metadata. `tail_bytes` is the number of bytes after the flatbuffer. `external`
    lists the external files, each with the number of bytes that the model uses in it.
    """

    file_bytes: int
    constant_bytes: int
    by_dtype: tuple[tuple[str, int], ...]
    other_buffer_bytes: int
    tail_bytes: int
    tail: str
    external: tuple[tuple[str, int], ...] = ()


@frozen
class Summary:
    """The summary of a model that `tflint show` prints.

    `conversions` are the operators that convert inputs and outputs of the first subgraph. `subgraphs` holds at most the
    first 2,000 subgraphs; `n_subgraphs` is the number of all subgraphs. `n_parameters` is the number of elements of
    constant weights and biases. `is_stateful` is false if no invocation changes the variables.
    """

    path: str
    scheme: str
    conversions: tuple[Conversion, ...]
    n_operators: int
    n_tensors: int
    n_subgraphs: int
    n_parameters: int
    sizes: Sizes
    needs: tuple[RuntimeRequirement, ...]
    operators: tuple[OperatorCount, ...]
    signatures: tuple[Signature, ...]
    subgraphs: tuple[Subgraph, ...]
    variables: tuple[Variable, ...]
    is_stateful: bool
    about: FileStatements
