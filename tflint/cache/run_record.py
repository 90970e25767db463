"""Records of runs: what a run printed, and all its inputs. If no input has changed, the output is printed again.

A record has an environment (the arguments, the current folder and everything else that a run reads except files), the
states of all files and folders that the run read or looked for, its output and its exit code. Configurations and models
are neither parsed nor read. A record is found by a checksum of its environment; records with the same slot replace each
other, which bounds their number.
"""

from __future__ import annotations

import os
import sys
import time
import zlib

from tflint.cache.cache_folder import RUNS, open_cache, remove_temporary
from tflint.cache.file_state import is_unchanged
from tflint.cache.tool_state import read_tool_state
from tflint.program_name import program_name

TYPE_CHECKING = False  # see `tflint/__init__.py`
if TYPE_CHECKING:
    from collections.abc import Sequence

#: Number of records, and the maximum size of one in bytes (10,000 files take 1 MB).
N_SLOTS = 64
MAX_BYTES = 2 << 20

_MAGIC = b"tflite-lint run 1"
#: Environment variables that affect the output.
_VARIABLES = ("GITHUB_ACTIONS", "NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "PYTHONUTF8", "HOME", "USERPROFILE")


class Record:
    """A record of a run.

    `inputs` are the paths that the run read or looked for, each with its state and, for a model, the SHA-256 of its
    content (else an empty text).
    """

    def __init__(
        self, environment: Sequence[str], inputs: Sequence[tuple[str, str, str]], output: bytes, exit_code: int
    ) -> None:
        self.environment = environment
        self.inputs = inputs
        self.output = output
        self.exit_code = exit_code


def replay(record: Record) -> int | None:
    """Print the output of a recorded run and return its exit code. Return None if an input of the run has changed."""
    if sys.stdout is None or not all(is_unchanged(path, state) for path, state, _ in record.inputs):
        return None
    try:
        sys.stdout.buffer.write(record.output)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # the reader of the output has exited
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError:  # such as a full disk: the run reports the error
        return None
    return record.exit_code


def find_record(arguments: Sequence[str]) -> Record | None:
    """Return the record of a run with the same environment, or None if there is none."""
    folder = open_cache(RUNS)
    if folder is None:
        return None
    try:
        environment = read_environment(arguments)
    except OSError:  # the current folder no longer exists
        folder.close()
        return None
    content = folder.read(_slot(environment), MAX_BYTES)
    folder.close()
    record = None if content is None else parse(content)
    return record if record is not None and record.environment == environment else None


def store_record(record: Record) -> None:
    """Store the record of a run. Does nothing if the cache folder is not usable."""
    content = dump(record)
    if len(content) > MAX_BYTES:
        return
    folder = open_cache(RUNS, is_created=True)
    if folder is not None:
        folder.replace(_slot(record.environment), content)
        remove_temporary(folder, time.time())
        folder.close()


def read_environment(arguments: Sequence[str]) -> list[str]:
    """Return everything that affects the output of a run, except the contents of files."""
    stream = sys.stdout
    variables = [f"{name}={os.environ.get(name)}" for name in _VARIABLES]
    is_terminal = stream is not None and stream.isatty()
    width = os.get_terminal_size(stream.fileno()).columns if is_terminal else 0
    return [
        read_tool_state(),
        program_name(),  # printed in commands
        os.getcwd(),
        time.strftime("%Y-%m-%d"),  # suppressions may expire
        f"{getattr(stream, 'encoding', '')} {is_terminal} {width}",
        *variables,
        *arguments,
    ]


def dump(record: Record) -> bytes:
    """Return a record as bytes: a checksum, numbers of lines, the environment, the inputs, and the output."""
    lines = [f"{record.exit_code} {len(record.environment)} {len(record.inputs)}", *record.environment]
    lines += [f"{state}\t{digest}\t{path}" for path, state, digest in record.inputs]
    body = os.fsencode("\n".join([*map(_require_line, lines), ""])) + record.output
    return b"%s %08x\n%s" % (_MAGIC, zlib.crc32(body), body)


def can_be_stored(texts: Sequence[str]) -> bool:
    """Return whether a record can contain these texts. A file name with a newline would look like two."""
    return not any("\n" in text or "\t" in text for text in texts)


def parse(content: bytes) -> Record | None:
    """Return the record in bytes, or None if they are damaged."""
    head, _, body = content.partition(b"\n")
    if head != b"%s %08x" % (_MAGIC, zlib.crc32(body)):
        return None
    try:
        first, _, rest = body.partition(b"\n")
        exit_code, n_environment, n_inputs = map(int, first.split())
        *lines, output = rest.split(b"\n", n_environment + n_inputs)
        texts = list(map(os.fsdecode, lines))
        if len(texts) != n_environment + n_inputs:
            return None
        inputs = []
        for line in texts[n_environment:]:
            state, digest, path = line.split("\t")
            inputs.append((path, state, digest))
    except ValueError:
        return None
    return Record(texts[:n_environment], inputs, output, exit_code)


def _slot(environment: Sequence[str]) -> str:
    return f"{zlib.crc32(os.fsencode(chr(10).join(environment))) % N_SLOTS:02x}"


def _require_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("a text with a newline")
    return text
