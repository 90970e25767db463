"""Every small model by name; `python -m tools.regenerate models` writes them to `rules/models` for rule examples."""

from __future__ import annotations

from collections.abc import Callable

from tests.helpers.models import containers, heads, mixed, plain, weighted, wrong_files
from tests.helpers.paths import ROOT

#: Models that LiteRT loads and runs.
RUNNABLE: dict[str, Callable[[], bytes]] = {
    "conv_int8": weighted.conv_int8,
    "conv_uint8": weighted.conv_uint8,
    "conv_float32": weighted.conv_float32,
    "conv_hybrid": weighted.conv_hybrid,
    "conv_float16_weights": weighted.conv_float16_weights,
    "conv_int16x8": weighted.conv_int16x8,
    "depthwise_int8": weighted.depthwise_int8,
    "fully_connected_int8": weighted.fully_connected_int8,
    "fully_connected_int4": weighted.fully_connected_int4,
    "wide_int8": weighted.wide_int8,
    "transpose_conv_int8": weighted.transpose_conv_int8,
    "add_int8": plain.add_int8,
    "add_float32": plain.add_float32,
    "reshape_int8": plain.reshape_int8,
    "concat_int8": plain.concat_int8,
    "max_pool_int8": plain.max_pool_int8,
    "padded_int8": plain.padded_int8,
    "chain_float32": plain.chain_float32,
    "signature_float32": plain.signature_float32,
    "two_signatures": plain.two_signatures,
    "labels_float32": plain.labels_float32,
    "labels_swapped_float32": plain.labels_swapped_float32,
    "labels_longer_float32": plain.labels_longer_float32,
    "labels_background_float32": plain.labels_background_float32,
    "labels_twice_float32": plain.labels_twice_float32,
    "two_subgraphs": plain.two_subgraphs,
    "variable_state": plain.variable_state,
    "string_const": plain.string_const,
    "logistic_int8": heads.logistic_int8,
    "logistic_int16": heads.logistic_int16,
    "softmax_int8": heads.softmax_int8,
    "tanh_int8": heads.tanh_int8,
    "tanh_int16": heads.tanh_int16,
    "l2_normalization_int8": heads.l2_normalization_int8,
    "log_softmax_int8": heads.log_softmax_int8,
    "boxes_and_scores_int8": heads.boxes_and_scores_int8,
    "border_float32": mixed.border_float32,
    "island_int8": mixed.island_int8,
    "small_island_int8": mixed.small_island_int8,
    "remainder_float32": mixed.remainder_float32,
    "sparse_float32": mixed.sparse_float32,
    "unused_input": mixed.unused_input,
    "misaligned_int16x8": mixed.misaligned_int16x8,
    "image_float32": mixed.image_float32,
    "pixels_int8": mixed.pixels_int8,
    "normalized_int8": mixed.normalized_int8,
    "rescaled_float32": mixed.rescaled_float32,
    "divided_float32": mixed.divided_float32,
    "tokens_float32": mixed.tokens_float32,
    "waveform_float32": mixed.waveform_float32,
    "stretched_float32": mixed.stretched_float32,
    "folded_float32": mixed.folded_float32,
    "pretrained_float32": mixed.pretrained_float32,
    "detection_float32": mixed.detection_float32,
    "described_float32": mixed.described_float32,
}

#: Valid models that a stock LiteRT does not run.
NOT_RUNNABLE: dict[str, Callable[[], bytes]] = {
    "custom_op": plain.custom_op,
    "flex_op": plain.flex_op,
}

#: Files that are no model, or one that no runtime takes.
WRONG_FILES: dict[str, Callable[[], bytes]] = {
    "git_lfs_pointer": wrong_files.git_lfs_pointer,
    "html_page": wrong_files.html_page,
    "zip_archive": wrong_files.zip_archive,
    "gzip_data": wrong_files.gzip_data,
    "truncated": wrong_files.truncated,
    "empty_file": wrong_files.empty_file,
    "older_schema": wrong_files.older_schema,
    "no_identifier": wrong_files.no_identifier,
}

#: Containers of models, by the names of their files; most of them are wrong in one way.
CONTAINERS: dict[str, Callable[[], bytes]] = {
    "bundle_task.task": containers.bundle_task,
    "bundle_nested.task": containers.bundle_nested,
    "bundle_compressed.task": containers.bundle_compressed,
    "bundle_escaping.task": containers.bundle_escaping,
    "bundle_overlapping.task": containers.bundle_overlapping,
    "bundle_bomb.task": containers.bundle_bomb,
    "bundle_encrypted.task": containers.bundle_encrypted,
    "bundle_deep.task": containers.bundle_deep,
    "bundle_same_names.task": containers.bundle_same_names,
    "bundle_wrong_checksum.task": containers.bundle_wrong_checksum,
    "bundle_litertlm.litertlm": containers.bundle_litertlm,
    "bundle_llm.task": containers.bundle_llm,
    "bundle_llm_one_signature.task": containers.bundle_llm_one_signature,
    "bundle_without_models.litertlm": containers.bundle_without_models,
    "bundle_broken_header.litertlm": containers.bundle_broken_header,
}

NAMED: dict[str, Callable[[], bytes]] = RUNNABLE | NOT_RUNNABLE | WRONG_FILES

MODELS_DIRECTORY = ROOT / "rules" / "models"


def main() -> None:
    """Write every named model. The files of removed models stay; a test reports them."""
    MODELS_DIRECTORY.mkdir(parents=True, exist_ok=True)
    for file, content in all_files().items():
        (MODELS_DIRECTORY / file).write_bytes(content)


def all_files() -> dict[str, bytes]:
    """Return every named model and container by file name."""
    models = {f"{name}.tflite": build() for name, build in NAMED.items()}
    return models | {file: build() for file, build in CONTAINERS.items()}


if __name__ == "__main__":
    main()
