"""The values that a portrait is made of: frozen, without numpy, and without a word of how they are shown."""

from __future__ import annotations

from tflint.normalization.range_fit import Fit
from tflint.values import frozen


@frozen
class Quantization:
    """Quantization parameters of a tensor at the border.

    `scale` and `zero_point` where there is one of each, else None. `low` and `high`: the smallest and largest real
    value that it can hold, None where scale or zero point make no sense. `details`: kind of other parameters
    (BlockwiseQuantization, …), None for the usual ones.
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
    """A tensor as its caller meets it. `signature` is the stored shape with -1 where a dimension is not fixed."""

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    signature: tuple[int, ...] | None
    has_rank: bool
    quantization: Quantization | None

    @property
    def is_dynamic(self) -> bool:
        """Whether a dimension is not fixed, or even the number of dimensions."""
        return not self.has_rank or any(size < 0 for size in (*self.shape, *(self.signature or ())))

    @property
    def dimensions(self) -> tuple[int | None, ...]:
        """The shape, None where a dimension is not fixed."""
        return tuple(None if size < 0 else size for size in self.signature or self.shape)


@frozen
class InterfaceMetadata:
    """What TFLITE_METADATA says of an input or output; `content` is its kind, such as ImageProperties."""

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
    """An operator at the border that only changes the representation: opcode, place, and what it makes of what."""

    side: str
    position: int
    opcode: str
    operator: int
    from_dtype: str
    to_dtype: str


@frozen
class Arithmetic:
    """What a graph does to an input before anything else: x × `scale` + `offset`, one number or one a channel.

    `expects` are the pixels that this normalises: u8 (0 to 255), unit (0 to 1), None where it is no normalization.
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    expects: str | None


@frozen
class Input:
    """An input: what it holds, and what that says of its preparation.

    `tensor` is None where the file names a tensor that it does not have. `layout` is NHWC, NCHW, … where the shape is
    that of a picture, else None. `calibrated` are the parameters behind the QUANTIZE that a float input goes into.
    `fits` are known normalisations that the range fits (only for pictures), `nominal` is the round range that it fits
    (such as −1 … 1), None where it fits none. `prepares` is what the graph does to it first, None where it is nothing.
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


@frozen
class Meaning:
    """What an output is, by the operator that makes it: `kind` (softmax, sigmoid, …), that operator, and classes."""

    kind: str
    opcode: str
    operator: int
    classes: int | None


@frozen
class Output:
    """An output, and what it means where the graph proves it."""

    position: int
    tensor: InterfaceTensor | None
    metadata: InterfaceMetadata | None
    meaning: Meaning | None


@frozen
class NamedTensor:
    """A name that callers use, and the index of the tensor that it stands for."""

    name: str
    tensor: int


@frozen
class Signature:
    """A signature: its key, its subgraph, and the names of its inputs and outputs."""

    key: str
    subgraph: int
    inputs: tuple[NamedTensor, ...]
    outputs: tuple[NamedTensor, ...]


@frozen
class Memory:
    """A lower bound of the activation memory of a subgraph, in bytes, and the operator at which it is reached.

    `unknown` counts tensors without a size in the file, which the bound leaves out; `dynamic` those whose size is that
    of the stored shape although a dimension is not fixed.
    """

    bytes: int
    operator: int | None
    opcode: str | None
    name: str
    unknown: int
    dynamic: int


@frozen
class Subgraph:
    """One subgraph: its size, its memory, and its inputs and outputs where a caller can reach it.

    `constant_bytes` are those of the buffers that its tensors name, each buffer once. `n_inputs` and `n_outputs` count
    all; `inputs` and `outputs` are empty where neither a signature leads to it nor it is the first one.
    """

    index: int
    name: str
    n_operators: int
    n_tensors: int
    n_inputs: int
    n_outputs: int
    constant_bytes: int
    memory: Memory
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]


@frozen
class OperatorCount:
    """How often an operator of a version occurs; `custom` is the name of a custom operator."""

    opcode: str
    version: int
    custom: str | None
    count: int

    @property
    def label(self) -> str:
        """The name that people know it by."""
        return self.custom if self.custom is not None else self.opcode


@frozen
class RuntimeRequirement:
    """The oldest release of a runtime that runs all built-in operators, and those operators that need it.

    `release` is None where no known release does; then `operators` are those that none runs. `is_oldest`: no older
    release is known.
    """

    runtime: str
    release: str | None
    operators: tuple[tuple[str, int], ...]
    is_oldest: bool = False


@frozen
class Variable:
    """State that stays between invocations: a variable tensor, or a resource by its shared name."""

    kind: str
    name: str
    subgraph: int
    dtype: str | None
    shape: tuple[int, ...] | None


@frozen
class AttachedFile:
    """A file that the metadata names or the zip holds; `lines` where it is a text that could be read cheaply."""

    name: str
    type: str | None
    owner: str | None
    size: int | None
    lines: int | None


@frozen
class FileStatements:
    """What the file says of itself, outside of its graph."""

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
    """Bytes: the file, its constants (each buffer once, by the type of the tensor that names it first), the rest.

    `other_buffer_bytes` are those of buffers that no tensor names, such as metadata; `tail_bytes` follow the
    flatbuffer. `external` names files with data of the model, with the bytes taken of each.
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
    """All that `tflint show` says of a model. `conversions` are those at the border of the first subgraph.

    `subgraphs` holds the first 2,000; `n_subgraphs` counts all.
    """

    path: str
    scheme: str
    conversions: tuple[Conversion, ...]
    n_operators: int
    n_tensors: int
    n_subgraphs: int
    sizes: Sizes
    needs: tuple[RuntimeRequirement, ...]
    operators: tuple[OperatorCount, ...]
    signatures: tuple[Signature, ...]
    subgraphs: tuple[Subgraph, ...]
    variables: tuple[Variable, ...]
    about: FileStatements
