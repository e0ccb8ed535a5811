"""Architecture: imports go down the layers only, and heavy packages are imported on demand."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import echoic

SOURCE = Path(echoic.__file__).parent

# From the lowest layer up. A part may import those before it in this list, and itself.
LAYERS = [
    "errors",
    "units",
    "labels",
    "events",
    "checks",
    "jit",
    "streaming",
    "moves",
    "outputs",
    "metrics",
    "audio",
    "ear",
    "synthesis",
    "runtime",
    "processors",
    "nn",
    "report",
    "pipeline",
    "style",
    "training",
    "cli",
    "__main__",
]
# Further exceptions: lower layers that a part may not import.
STRANGERS = {
    "report": {"runtime", "processors", "nn"},
    "pipeline": {"nn"},
}
LEARNING = {"nn", "training", "style"}
EXTRAS = {"scipy", "onnx", "onnxscript", "tensorboard", "mir_eval"}
HEAVY = {"numpy", "torch", "scipy", "PIL", "numba", "onnxruntime", "soundfile", "rich"}
FILES = sorted(SOURCE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The part of the house a file belongs to; "" for the face itself."""
    first = path.relative_to(SOURCE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module a file imports, and whether that happens as soon as it is loaded.

    What stands under `if TYPE_CHECKING:` is never imported, and is not yielded.
    """
    package = ["echoic", *path.relative_to(SOURCE).parts[:-1]]

    def walk(node: ast.AST, at_load: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_load) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if module == "echoic":
                yield from ((f"echoic.{alias.name}", at_load) for alias in node.names)
            else:
                yield module, at_load
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, at_load and not inside)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), True)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE.parent)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_run_down_only(path):
    part = part_of(path)
    if part == "":
        allowed = {"errors"}
    else:
        assert part in LAYERS, f"{part} has no place in the house yet: add it to LAYERS"
        allowed = set(LAYERS[: LAYERS.index(part) + 1]) - STRANGERS.get(part, set())
    for module, _ in imports(path):
        if module.split(".")[0] != "echoic":
            continue
        target = module.split(".")[1] if "." in module else ""
        if target == "__version__":
            continue
        assert target in allowed, f"{part} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_what_extras_bring_stays_where_it_belongs(path):
    if part_of(path) in LEARNING:
        return
    for module, at_load in imports(path):
        root = module.split(".")[0]
        assert root != "torch", "torch is imported only under nn, training and style"
        assert not (at_load and root in EXTRAS), f"{root} is an extra: import it in the function"
        assert root not in {"typer", "rich"} or part_of(path) in {"cli", "training"}


def test_the_walker_sees_what_it_should(tmp_path):
    """A law that cannot fail is none: feed the walker every kind of import."""
    path = SOURCE / "ear" / "imaginary.py"
    code = (
        "import torch\nfrom echoic import cli\nfrom ..audio import read\n"
        "if TYPE_CHECKING:\n    import numpy\n"
        "def f():\n    import scipy.signal\n"
    )

    class Imaginary(type(path)):
        def read_text(self, **_: object) -> str:
            return code

    assert list(imports(Imaginary(path))) == [
        ("torch", True),
        ("echoic.cli", True),
        ("echoic.audio", True),
        ("scipy.signal", False),
    ]


@pytest.mark.parametrize("module", ["echoic", "echoic.cli", "echoic.errors"])
def test_importing_is_cheap(module):
    done = run_python(f"import sys, {module}; print(*sorted(sys.modules))")
    assert done.returncode == 0, done.stderr
    assert HEAVY & set(done.stdout.split()) == set()


def test_help_loads_nothing_heavy():
    done = run_python(
        "import sys\nsys.argv = ['echoic', '--help']\nfrom echoic.cli import main\n"
        "try:\n    main()\nfinally:\n    print('LOADED', *sys.modules)"
    )
    assert done.returncode == 0, done.stderr
    shown, loaded = done.stdout.split("LOADED")
    assert "info" in shown
    assert HEAVY & set(loaded.split()) == set()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted on Linux")
def test_the_command_line_multiplies_on_one_thread():
    """Otherwise the threads of several workers take each other's cores."""
    done = run_python(
        "import os, sys\nsys.argv = ['echoic', '--help']\nfrom echoic.cli import main\n"
        "for library in ('OMP', 'OPENBLAS'): os.environ.pop(f'{library}_NUM_THREADS', None)\n"
        "try:\n    main()\nfinally:\n    import numpy\n    x = numpy.ones((999, 999))\n    x @ x\n"
        "    print('THREADS', len(os.listdir('/proc/self/task')))"
    )
    assert done.stdout.split("THREADS")[1].strip() == "1"


def test_hearing_needs_no_torch():
    """Every module outside of learning loads where neither torch nor an extra is installed."""
    modules = sorted(
        ".".join(["echoic", *path.relative_to(SOURCE).with_suffix("").parts])
        for path in FILES
        if part_of(path) not in LEARNING and path.name not in {"__init__.py", "__main__.py"}
    )
    blocked = sorted({"torch", *EXTRAS})
    done = run_python(
        f"import sys\nfor name in {blocked}: sys.modules[name] = None\n"
        f"from importlib import import_module\nfor name in {modules}: import_module(name)\n"
    )
    assert done.returncode == 0, done.stderr


def test_every_name_of_the_face_is_there():
    assert sorted(echoic.__all__) == sorted(echoic._HOME)
    for name in echoic.__all__:
        assert getattr(echoic, name) is not None
        assert name in dir(echoic)
    with pytest.raises(AttributeError, match="no attribute 'herring'"):
        _ = echoic.herring


def test_parts_need_no_import_of_their_own():
    done = run_python(
        "import echoic; echoic.audio.resample, echoic.nn.Ear; echoic.report.draw_pitch"
    )
    assert done.returncode == 0, done.stderr
    assert set(echoic._PARTS) <= set(dir(echoic))
    assert not LEARNING & set(echoic._PARTS)


def test_the_version_is_one():
    pyproject = SOURCE.parent.parent / "pyproject.toml"
    assert f'version = "{echoic.__version__}"' in pyproject.read_text(encoding="utf-8")


def test_types_are_shipped():
    assert (SOURCE / "py.typed").is_file()
