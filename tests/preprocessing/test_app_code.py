"""Test the output of `tflint contract show --as`: compiled or transpiled, and compared with stored vectors."""

from __future__ import annotations

import ctypes
import functools
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.models import ModelBuilder
from tests.helpers.recipes import recipe_for, run, wanted_pixel
from tflint.preprocessing.codegen.app_code import app_code, short_form
from tflint.preprocessing.recipe import Recipe, RecipeInput

VECTORS = json.loads((Path(__file__).parent / "vectors" / "vectors.json").read_text(encoding="utf-8"))


@functools.cache
def vector_recipe(name: str) -> Recipe:
    case = VECTORS[name]
    scales = {} if case["scale"] is None else {"scale": [case["scale"]], "zero_point": [case["zero_point"]]}
    builder = ModelBuilder().tensor("x", case["dtype"], case["shape"], **scales)
    content = builder.tensor("y", "INT8", [1, 5], scale=[0.05], zero_point=[3]).inputs("x").outputs("y").build()
    return recipe_for(case["contract"], content)


def wanted_bytes(name: str) -> np.ndarray:
    """What stands in the stored vectors: for each byte, each channel's value."""
    return np.array(VECTORS[name]["values"], dtype=np.float64)


def shown_bytes(name: str) -> np.ndarray:
    """A picture of 16 × 16 that has each byte once in every channel."""
    n_channels = wanted_bytes(name).shape[1]
    return np.repeat(np.arange(256, dtype=np.uint8)[:, None], n_channels, axis=1)


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_are_what_the_contract_says(name: str) -> None:
    recipe_input = vector_recipe(name).inputs[0]
    order = {"BGR": [2, 1, 0]}.get(recipe_input.channels, list(range(recipe_input.n_channels)))
    assert order  # the picture has the same byte in every channel, whatever their order
    for px in range(256):
        for c in range(recipe_input.n_channels):
            assert wanted_bytes(name)[px, c] == pytest.approx(
                wanted_pixel(recipe_input, px, c), rel=1e-6, abs=tolerance(recipe_input)
            )


def tolerance(recipe_input: RecipeInput) -> float:
    """Where a shift stands for the fold, a step; else nothing but the rounding of float32."""
    return 1.0 if short_form(recipe_input) is not None else 1e-5


@pytest.mark.parametrize("name", VECTORS)
def test_the_numpy_code_gives_the_vectors(name: str) -> None:
    recipe = vector_recipe(name)
    recipe_input = recipe.inputs[0]
    made = run(recipe)["input_0"](shown_bytes(name).reshape(16, 16, -1)).astype(np.float64)
    made = made.reshape(-1, 256).T if recipe_input.layout == "NCHW" else made.reshape(256, -1)
    assert np.abs(made - wanted_bytes(name)).max() <= tolerance(recipe_input)


def laid(name: str) -> np.ndarray:
    """The stored vectors in the order of the model's input."""
    wanted = wanted_bytes(name)
    return (wanted.T if vector_recipe(name).inputs[0].layout == "NCHW" else wanted).reshape(-1)


@pytest.mark.parametrize("name", VECTORS)
def test_c_gives_the_vectors(name: str, tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    (tmp_path / "call.c").write_text(app_code("c", vector_recipe(name)), encoding="utf-8")
    options = ["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-std=c99", "-ffp-contract=off"]
    subprocess.run([compiler, *options, "-o", "call.so", "call.c", "-lm"], cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "call.so"))
    shown, made = shown_bytes(name), np.zeros(wanted_bytes(name).size, vector_recipe(name).inputs[0].dtype)
    library.prepare_0(shown.ctypes.data_as(ctypes.c_void_p), made.ctypes.data_as(ctypes.c_void_p))
    assert np.allclose(made, laid(name), rtol=1e-6, atol=0)
    stored = np.array([-128, -1, 0, 5, 127]).astype(np.int8)
    values = np.zeros(5)
    library.read_0(stored.ctypes.data_as(ctypes.c_void_p), 5, values.ctypes.data_as(ctypes.c_void_p))
    assert values.tolist() == run(vector_recipe(name))["output_0"](stored).tolist()


@pytest.mark.parametrize("name", VECTORS)
def test_javascript_gives_the_vectors(name: str) -> None:
    require_script(name, app_code("js", vector_recipe(name)))


@pytest.mark.parametrize("name", VECTORS)
def test_kotlin_translated_to_javascript_gives_the_vectors_no_compiler_ran(name: str) -> None:
    code = app_code("kotlin", vector_recipe(name))
    script = re.sub(r"fun (\w+)\((.*?)\) \{", lambda m: f"function {m[1]}({parameters(m[2])}) {{", code)
    script = re.sub(r"for \((\w) in 0 until (\d+)\)", r"for (let \1 = 0; \1 < \2; \1++)", script)
    script = re.sub(r"for \(i in output.indices\)", "for (let i = 0; i < output.length; i++)", script)
    script = re.sub(r"val (\w+) = (?:int|double)ArrayOf\((.*)\)", r"const \1 = [\2];", script)
    script = script.replace("val px", "const px").replace(" and 0xff", " & 0xff").replace(".toInt()", "")
    script = re.sub(r"\.to(?:Byte|Short|Float)\(\)", "", script).replace("floor(", "Math.floor(")
    script = re.sub(r"= \((.*)\)\.coerceIn\((.*), (.*)\)", r"= Math.max(\2, Math.min(\3, \1))", script)
    require_script(name, re.sub(r"^import .*$", "", script, flags=re.M))


@pytest.mark.parametrize("name", VECTORS)
def test_swift_translated_to_javascript_gives_the_vectors_no_compiler_ran(name: str) -> None:
    code = app_code("swift", vector_recipe(name))
    script = re.sub(r"func (prepare\d)\(.*\) \{", r"function \1(rgb, input) {", code)
    script = re.sub(r"func (read\d)\(.*?\) -> \[Double\] \{", r"function \1(output) {", script)
    script = re.sub(r"for (\w) in 0\.\.<(\d+)", r"for (let \1 = 0; \1 < \2; \1++)", script)
    script = re.sub(r"let (\w+): \[\w+\] = ", r"const \1 = ", script).replace("let px", "const px")
    script = script.replace("UInt8(truncatingIfNeeded: Int(", "(255 & (")
    script = re.sub(r"\b(?:U?Int(?:8|16)?|Double|Float)\(", "(", script).replace(
        "output.map { ", "Array.from(output, (q) => "
    )
    script = re.sub(r"(Array\.from.*) \}", r"\1)", script.replace("$0", "q"))
    script = re.sub(r"\b(max|min|floor)\(", r"Math.\1(", script)
    require_script(name, script.replace("import Foundation", ""))


@pytest.mark.parametrize("name", VECTORS)
def test_dart_translated_to_javascript_gives_the_vectors_no_compiler_ran(name: str) -> None:
    code = app_code("dart", vector_recipe(name))
    script = re.sub(
        r"^(?:void|Float64List) (\w+)\((.*?)\) \{", lambda m: f"function {m[1]}({words(m[2])}) {{", code, flags=re.M
    )
    script = script.replace("for (var ", "for (let ").replace("final ", "const ")
    script = re.sub(r"<\w+>\[", "[", script).replace("Float64List(", "new Float64Array(")
    script = script.replace(".toInt() & 0xff)", " & 0xff)").replace(".toDouble()", "")
    script = re.sub(
        r"min\((.*?), \((.*)\)\.floorToDouble\(\) (.*?)\)\)\.toInt\(\)", r"min(\1, Math.floor(\2) \3))", script
    )
    script = re.sub(r"\b(max|min)\(", r"Math.\1(", script)
    require_script(name, re.sub(r"^import .*$", "", script, flags=re.M))


def parameters(text: str) -> str:
    """Names of parameters that are written `name: Type`."""
    return ", ".join(part.split(":")[0].strip() for part in text.split(","))


def words(text: str) -> str:
    """Names of parameters that are written `Type name`."""
    return ", ".join(part.split()[-1] for part in text.split(","))


def require_script(name: str, script: str) -> None:
    """Runs a script, which languages without a compiler here are translated to, against the stored vectors."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine")
    dtype = vector_recipe(name).inputs[0].dtype
    array = {"int8": "Int8Array", "uint8": "Uint8Array", "int16": "Int16Array", "float32": "Float32Array"}[dtype]
    shown = shown_bytes(name).reshape(-1).tolist()
    script += f"\nconst made = new {array}({wanted_bytes(name).size});\nprepare0(Uint8Array.from({shown}), made);\n"
    script += "const stored = Int8Array.from([-128, -1, 0, 5, 127]);\nlet values = new Float64Array(5);\n"
    script += "const read = read0(stored, values); if (read) values = read;\n"
    script += "console.log(JSON.stringify([Array.from(made), Array.from(values)]));\n"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr + script
    made, values = json.loads(done.stdout)
    assert np.allclose(made, laid(name), rtol=1e-6, atol=0)
    stored = np.array([-128, -1, 0, 5, 127]).astype(np.int8)
    assert values == run(vector_recipe(name))["output_0"](stored).tolist()


def test_a_shift_is_offered_with_its_greatest_error() -> None:
    found = short_form(vector_recipe("shift_int8").inputs[0])
    assert found is not None
    assert found.formula == "q = px − 128"
    exact = (np.arange(256.0) - 127.5) / 127.5 / vector_recipe("shift_int8").inputs[0].scale - 1
    assert found.error == pytest.approx(np.abs(np.clip(exact, -128, 127) - (np.arange(256) - 128)).max())
    assert short_form(vector_recipe("imagenet_int8").inputs[0]) is None
    assert short_form(vector_recipe("planes_float32").inputs[0]) is None


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ('kind = "audio"', "its kind is audio, not image"),
        ('kind = "image"\nlayout = "NHWC"\nshape = [1, -1, -1, 3]\ndtype = "uint8"', "dynamic"),
        ('kind = "image"\nlayout = "NHWC"\nshape = [1, 8, 8, 3]\ndtype = "int8"', "neither the contract nor the model"),
        ('kind = "image"\nlayout = "NHWC"\nshape = [1, 8, 8, 3]\ndtype = "float16"', "its type is float16"),
        ('kind = "image"\nlayout = "NHWC"\nshape = [1, 8, 8, 3]\nrange = [0, 1023]', "its source is not bytes"),
    ],
)
def test_what_has_no_loop_is_told(keys: str, why: str) -> None:
    code = app_code("c", recipe_for(f"[[inputs]]\n{keys}\n"))
    assert why in code
    assert "prepare_0" not in code
