"""The import ranks of the architecture, read from the source: what may import what, and what importing costs."""

import ast
import graphlib
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CORE = REPOSITORY / "core"
# From the bottom up. A part may import parts below its row and nothing beside or above it.
ROWS = (
    ("choices", "folders", "threads"),
    ("csv_cells", "designs", "diagnoses", "estimates", "files", "glossary", "keras_home"),
    ("prevalence", "wording", "calibration", "decisions", "schemas"),
    ("data",),
    ("card", "archive"),
    ("members",),
    ("networks",),
    ("serving",),
    ("bundle",),
    ("training", "evaluation", "explain"),
    ("reading", "studies"),
    ("trust", "teaching"),
    ("interchange", "cluster"),
    ("questions",),
    ("service",),
    ("webapp", "cli"),
    ("__main__",),
    ("app", "pages"),
)
RANKS = {part: rank for rank, row in enumerate(ROWS) for part in row}
STREAMLIT = {"webapp", "app", "pages"}
SLOW = ("tensorflow", "keras", "jax", "torch")
HEAVY = (*SLOW, "cv2", "pandas", "streamlit", "sklearn")
PAGES = sorted(
    folder.name
    for folder in (CORE / "webapp").iterdir()
    if folder.is_dir() and folder.name not in ("shared", "reports", "__pycache__")
)
SOURCES = sorted(
    path
    for place in (CORE, REPOSITORY / "pages", REPOSITORY / "app.py")
    for path in ([place] if place.suffix else place.rglob("*.py"))
    if path.is_file()
)

MOST_LINES, MOST_FILES = 400, 15  # of one file, and of one folder: what a reader can hold in mind

# Packages whose requirement has another name.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "imagehash": "ImageHash",
    "prometheus_client": "prometheus-client",
    "python_multipart": "python-multipart",
    "sklearn": "scikit-learn",
    "tf_keras_vis": "tf-keras-vis",
}
# What pydicom decodes pixels by, fsspec reaches s3:// by and uvicorn listens by, without an import of ours.
PLUGINS = {"pyjpegls", "pylibjpeg", "pylibjpeg-openjpeg", "s3fs", "httptools", "uvloop"}


def part_of(path: Path) -> str:
    """The part of the architecture that a source file belongs to; "" for core/__init__.py."""
    first, *rest = path.relative_to(REPOSITORY).with_suffix("").parts
    return first if first != "core" else ("" if rest == ["__init__"] else rest[0])


def imported_modules(path: Path) -> set[str]:
    """Every module that a file imports anywhere, with its full dotted name."""
    package = path.relative_to(REPOSITORY).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module} if module != "core" else {f"core.{alias.name}" for alias in node.names}
    return found


def module_of(path: Path) -> str:
    """A file's dotted name; a folder's for its __init__.py."""
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def imported_names(path: Path) -> set[str]:
    """Modules that a file imports, and `module.name` for each name that it takes from one: that may be a module, too."""
    found = set(imported_modules(path))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imported_parts(path: Path) -> set[str]:
    """The parts of core that a file imports."""
    return {name.split(".")[1] for name in imported_modules(path) if name.startswith("core.")} & set(RANKS)


def imported_packages(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    return {name.split(".")[0] for name in imported_modules(path)}


def label(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_every_part_of_core_has_a_rank():
    parts = {part_of(path) for path in SOURCES} - {""}
    assert parts <= set(RANKS), f"Give {sorted(parts - set(RANKS))} a row in ROWS, and in the architecture."


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_a_part_imports_only_parts_below_it(path):
    part = part_of(path)
    wrong = {other for other in imported_parts(path) if other != part and RANKS[other] >= RANKS.get(part, -1)}
    assert not wrong, f"{label(path)} must not import {sorted(wrong)}."


def test_no_file_of_core_imports_itself_through_others():
    """By every import, also those inside functions and those for type checkers."""
    modules = {module_of(path): path for path in SOURCES if path.is_relative_to(CORE)}
    graph = {name: (imported_names(path) & set(modules)) - {name} for name, path in modules.items()}
    order = graphlib.TopologicalSorter(graph)
    try:
        order.prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"A circle of imports: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_never_reaches_into_another_pages_folder(page):
    others = [f"core.webapp.{other}." for other in PAGES if other != page]
    for path in (CORE / "webapp" / page).rglob("*.py"):
        wrong = [name for name in imported_names(path) if name.startswith(tuple(others))]
        assert not wrong, f"{label(path)} imports {wrong}: what two pages need belongs into core/webapp/shared."


def test_what_pages_share_knows_no_page():
    pages = tuple(f"core.webapp.{page}." for page in PAGES)
    for path in [*(CORE / "webapp" / "shared").rglob("*.py"), *(CORE / "webapp" / "reports").rglob("*.py")]:
        assert not [name for name in imported_names(path) if name.startswith(pages)], label(path)


@pytest.mark.parametrize("path", [path for path in SOURCES if path.is_relative_to(CORE)], ids=label)
def test_no_file_of_core_is_too_long_to_read(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES, f"{label(path)} has {lines} lines: split it by what a reader looks for."


def test_no_folder_of_core_holds_too_many_files():
    counts = Counter(path.parent for path in SOURCES if path.is_relative_to(CORE))
    crowded = {label(folder): n for folder, n in counts.items() if n > MOST_FILES}
    assert not crowded, f"{crowded} files: make folders of what belongs together."


def test_every_test_file_has_its_own_name():
    """Pytest imports them by name alone: of two with one name it collects neither."""
    names = Counter(path.name for path in Path(__file__).parent.rglob("*.py") if path.name != "conftest.py")
    assert not [name for name, n in names.items() if n > 1]


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_streamlit_stays_in_the_user_interface(path):
    assert part_of(path) in STREAMLIT or "streamlit" not in imported_packages(path)


@pytest.mark.parametrize("path", [p for p in SOURCES if part_of(p) in ("networks", "training")], ids=label)
def test_networks_and_training_stay_free_of_a_backend(path):
    others = imported_packages(path) - set(sys.stdlib_module_names) - {"core", "keras", "numpy", "scipy"}
    assert not others, (
        f"{label(path)} imports {sorted(others)}: Keras 3, NumPy and SciPy only, so that every backend trains."
    )


@pytest.mark.parametrize("path", [p for p in SOURCES if part_of(p) in ("app", "pages")], ids=label)
def test_pages_leave_networks_to_core(path):
    assert not imported_packages(path) & {"tensorflow", "keras", "cv2", "tf_keras_vis"}


def test_requirements_are_what_the_sources_import_and_pinned():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    every = [line for lines in (project["dependencies"], *extras.values()) for line in lines]
    loose = [line for line in every if "==" not in line and not line.startswith("melascope[")]
    assert not loose, f"Pin {loose} in pyproject.toml."
    told = (
        *project["dependencies"],
        *(line for name in ("dicom", "export", "scale", "service") for line in extras[name]),
    )
    pins = dict(line.partition(";")[0].replace("[data,tune]", "").split("==") for line in told)
    packages = set().union(*map(imported_packages, SOURCES)) - set(sys.stdlib_module_names) - {"core"}
    assert {DISTRIBUTIONS.get(package, package) for package in packages} == set(pins) - PLUGINS


def command(*arguments: str) -> str:
    """Code that runs a command of the CLI."""
    run = "with contextlib.suppress(SystemExit): runpy.run_module('core', run_name='__main__')"
    return f"import contextlib, runpy, sys; sys.argv = {['core', *arguments]}\n{run}"


@pytest.mark.parametrize(
    "code",
    [
        "import core",
        "import core.card",
        "import core.explain",
        "import core.evaluation.report",
        command("--help"),
        command("train", "--help"),
        command("models", "--json"),
    ],
    ids=["core", "card", "explain", "evaluation.report", "help", "train help", "models"],
)
def test_importing_what_is_light_stays_light(code):
    heavy = SLOW if "core.explain" in code else HEAVY
    code += f"\nimport sys; print('loaded:', [m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert done.stdout.endswith("loaded: []\n"), done.stdout + done.stderr


def public_names(path: Path) -> tuple[set[str], set[str]]:
    """Names of a file's functions and classes, and of its other values, that others may use."""
    built, values = set(), set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            built.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            values |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return {n for n in built if not n.startswith("_")}, {n for n in values if not n.startswith("_")}


def test_one_name_is_one_thing():
    """No function or class of core has a namesake, nor has a value that other files take; commands are named after what they call."""
    files = [p for p in SOURCES if p.is_relative_to(CORE) and "migrations" not in p.parts]
    taken = Counter(name for path in SOURCES for name in imported_names(path))
    places: dict[str, list[str]] = {}
    for path in files:
        built, values = public_names(path)
        values = {name for name in values if taken[f"{module_of(path)}.{name}"]}
        for name in (built if part_of(path) != "cli" else set()) | (values - {"T"}):
            places.setdefault(name, []).append(label(path))
    twins = {name: where for name, where in places.items() if len(where) > 1}
    assert not twins, f"One word, one thing: {twins}"
