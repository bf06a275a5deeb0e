"""Promises about the whole: imports go one way, nothing heavy at import, the wheel is complete."""

import ast
import configparser
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import crosslingual

ROOT = Path(__file__).parents[1]
FOLDERS = ["data", "alignment", "probes", "training", "analysis", "cli", "models"]
PACKAGES = ("alignment", "analysis", "cli", "data", "models", "probes", "training")
# a folder may import from itself and from those named here
ALLOWED = {
    "data": set(),
    "alignment": {"data"},
    "probes": {"data", "alignment"},
    "training": {"data", "alignment"},
    "analysis": {"data", "alignment", "probes", "training"},
    "cli": {"data", "alignment", "probes", "training", "analysis"},
    "models": {"data", "alignment", "training", "analysis", "cli"},
}


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> list[tuple[int, str | None]]:
    tree = ast.parse(path.read_text("utf-8"))
    found: list[tuple[int, str | None]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found.append((node.level, node.module))
        elif isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
    return found


def folders_imported(path: Path, folder: str) -> set[str]:
    depth = len(path.relative_to(ROOT).parts)  # data/x.py: 2; `..` from there is the package root
    found = set()
    for level, module in imports(path):
        if level == depth and module:
            found.add(module.split(".")[0])
    return found - {folder, "__version__"}


def test_every_folder_is_checked():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages == set(FOLDERS)
    assert all(len(sources(folder)) > 1 for folder in FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_go_leftwards(folder):
    for path in sources(folder):
        assert folders_imported(path, folder) <= ALLOWED[folder], path


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_inside_the_package_are_relative(folder):
    for path in sources(folder):
        for level, module in imports(path):
            assert level > 0 or (module or "").split(".")[0] not in {"crosslingual", *FOLDERS}, path


def loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


HEAVY = {"torch", "transformers", "datasets", "faiss", "matplotlib", "seaborn", "sklearn", "pandas"}


@pytest.mark.parametrize("statement", ["import crosslingual", "import crosslingual.cli"])
def test_importing_is_light(statement):
    assert not loaded_after(statement) & (HEAVY | {"numpy"})


def test_importing_data_needs_no_model():
    assert not loaded_after("import crosslingual.data.corpora.files") & {
        "torch",
        "transformers",
        "faiss",
    }


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", "utf-8")
    return parser


def test_every_folder_with_code_is_a_listed_package():
    listed = set(setup_cfg()["options"]["packages"].split())
    found = {
        ".".join(["crosslingual", *path.parent.relative_to(ROOT).parts])
        for folder in FOLDERS
        for path in sources(folder)
    }
    assert listed == found | {"crosslingual"}


def test_no_stray_module_lies_at_the_root():
    assert {path.name for path in ROOT.glob("*.py")} == {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("name", ["pocket.tsv", "README.md"])
def test_data_files_are_installed(name):
    assert resources.files("crosslingual.data").joinpath("pocket", name).read_text("utf-8")
    assert resources.files("crosslingual").joinpath("py.typed").is_file()


def test_both_faiss_extras_are_never_asked_together():
    extras = setup_cfg()["options.extras_require"]
    assert "faiss-gpu" in extras["gpu"]
    for name, needs in extras.items():
        assert not ("faiss-cpu" in needs and "faiss-gpu" in needs), name


def test_version_is_in_the_changelog():
    assert f"## {crosslingual.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_doctests():
    """Every example of every docstring runs."""
    packages = [f"crosslingual.{folder}" for folder in FOLDERS]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--doctest-modules", "-q", "-c", "/dev/null", "--pyargs", *packages],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    marks = sum(path.read_text("utf-8").count(">>> ") for folder in FOLDERS for path in sources(folder))
    assert re.search(r"[1-9]\d* passed", done.stdout) and marks > 15


def test_nothing_is_imported_that_only_posix_has():
    """Not at import, that is: Windows has our modules, too."""
    root = Path(crosslingual.__file__).parent
    posix = {"fcntl", "resource", "pwd", "grp", "termios"}
    modules = [path for path in root.rglob("*.py") if path.relative_to(root).parts[0] in PACKAGES]
    assert len(modules) > 150
    for path in modules:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Import):
                assert not posix & {one.name for one in node.names}, path
            elif isinstance(node, ast.ImportFrom):
                assert node.module not in posix, path


def test_commands_start_without_fcntl():
    code = "import sys; sys.modules['fcntl'] = None; from crosslingual.cli import main; main(['list', 'measures'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "accuracy" in done.stdout, done.stderr[-600:]
