"""The documents build without a broken link, and leave out nothing that the code has."""

import ast
import html
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core import __version__
from core.data.decoding.photo_formats import FORMATS
from core.decisions import DECISIONS
from core.explain.explainers import EXPLAINERS
from core.glossary import GLOSSARY, explain_term
from core.prevalence import MIXTURES
from core.training.recipes import RECIPES
from core.trust.measure_table import MEASURES

REPOSITORY = Path(__file__).resolve().parent.parent
DOCS = REPOSITORY / "docs"
SOURCES = sorted((REPOSITORY / "core").rglob("*.py"))
PAGES = sorted([*DOCS.rglob("*.md"), *REPOSITORY.glob("*.md")])
LONGEST_README = 120


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The built documents."""
    pytest.importorskip("material", reason="needs the extra `docs`")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def text_of(site: Path, page: str) -> str:
    """A built page's words."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", (site / page / "index.html").read_text("utf-8"))).split())


def commands() -> dict[str, set[str]]:
    """Every command of the command line -> its options."""
    from typer.main import get_command

    from core.__main__ import app

    found = {}

    def walk(command, path: tuple[str, ...]) -> None:
        if hasattr(command, "commands"):
            for name, one in command.commands.items():
                walk(one, (*path, name))
        else:
            found[" ".join(path)] = {o for p in command.params for o in p.opts if o.startswith("--")}

    walk(get_command(app), ())
    return found


def constants() -> dict[str, set[str]]:
    """Names of module-level constants in core -> the words that they are anywhere."""
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.Assign):
                continue
            (target,), value = node.targets, node.value
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            values = value.elts if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) else [value]
            for name, one in zip(names, values, strict=False):  # a call may give several
                words = one.elts if isinstance(one, ast.Tuple | ast.List) else [one]
                found.setdefault(ast.unparse(name), set()).update(
                    w.value for w in words if isinstance(w, ast.Constant) and isinstance(w.value, str)
                )
    return found


def environment_variables() -> set[str]:
    """Every variable that core asks the environment for."""
    known = constants()
    found = set().union(*(words for name, words in known.items() if name.endswith("VARIABLE")))
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                asked, key = ast.unparse(node.func), node.args[0]
                if asked not in ("os.environ.get", "os.environ.setdefault", "os.getenv"):
                    continue
            elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
                key = node.slice
            else:
                continue
            # A name that is no constant is a parameter, and what is given for it a constant that ends in VARIABLE.
            found |= {key.value} if isinstance(key, ast.Constant) else known.get(ast.unparse(key).split(".")[-1], set())
    return found


def test_every_command_and_option_is_in_the_reference(site):
    page = text_of(site, "reference/commands")
    for command, options in commands().items():
        assert f"melascope {command}" in page
        assert not {option for option in options if option not in page}, command


def test_every_row_of_a_table_is_in_the_reference(site):
    page = text_of(site, "reference/tables")
    for table in (RECIPES, EXPLAINERS, MEASURES, DECISIONS, MIXTURES):
        for name, row in table.items():
            assert name in page
            about = getattr(row, "about", None) or row.title
            assert about in page, name


def test_every_backbone_is_in_the_reference(site):
    source = (REPOSITORY / "core" / "networks" / "backbones.py").read_text(encoding="utf-8")
    names = re.findall(r'^    "(\w+)": Backbone\(', source, re.MULTILINE)
    assert len(names) >= 10
    assert not [name for name in names if name not in text_of(site, "reference/tables")]


def test_every_photo_format_is_in_the_reference(site):
    page = text_of(site, "photo-formats")
    assert not [row.short for row in FORMATS if row.short not in page]


def test_every_term_is_in_the_glossary(site):
    page = text_of(site, "glossary")
    for key, term in GLOSSARY.items():
        assert term.title in page
        assert " ".join(term.short.split()) in page
        assert term.short.endswith(".")
        assert explain_term(key) == term.short
    titles = [term.title for term in GLOSSARY.values()]
    assert len(set(titles)) == len(titles)


def test_every_environment_variable_is_in_the_reference():
    variables = environment_variables()
    assert {"MELASCOPE_WEIGHTS", "KERAS_HOME", "HAM10000_DIR", "MELASCOPE_DATABASE"} <= variables
    page = (DOCS / "reference" / "environment.md").read_text(encoding="utf-8")
    assert not {name for name in variables if f"`{name}`" not in page}


def test_every_file_is_in_the_reference():
    named = {w for name, words in constants().items() if name.lstrip("_").endswith(("FILE", "FILES")) for w in words}
    named |= {file for measure in MEASURES.values() for file in measure.files}
    assert {"card.json", "evaluation.json", "gate.json", "reading.json"} <= named
    page = (DOCS / "reference" / "files.md").read_text(encoding="utf-8")
    assert not {name for name in named if "." in name and f"`{name}`" not in page}


def test_commands_in_the_documents_are_there():
    known = commands()
    wrong = []
    for path in PAGES:
        for line in path.read_text(encoding="utf-8").splitlines():
            for words in re.findall(r"(?:python -m core|\.venv/bin/melascope|^melascope|`melascope) ([^`#|]*)", line):
                if not words.strip() or words.startswith("-") or words.split()[0].isupper():
                    continue
                command = next((c for c in known if f"{words} ".startswith(f"{c} ")), None)
                options = {w for w in re.findall(r"--[a-z-]+", words) if w != "--help"}
                if command is None or options - known[command]:
                    wrong.append(f"{path.name}: {words}")
    assert not wrong


def test_links_between_files_outside_the_documents_lead_somewhere():
    broken = [
        f"{path.name}: {link}"
        for path in REPOSITORY.glob("*.md")
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if not (REPOSITORY / link).exists()
    ]
    assert not broken


def test_the_readme_is_short():
    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST_README, "Move what a first reader does not need to docs/."


def test_the_version_is_said_once_more_only_where_people_look():
    for name in ("CHANGELOG.md", "CITATION.cff"):
        assert __version__ in (REPOSITORY / name).read_text(encoding="utf-8"), name


def test_a_page_that_asks_for_what_nothing_makes_is_refused():
    spec = importlib.util.spec_from_file_location("made_documents", DOCS / "_made.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    with pytest.raises(ValueError, match="Nothing makes 'wishes'"):
        made.fill("<!-- made: wishes -->\n")


def test_make_help_explains_every_target():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    assert not [t for t in targets if not re.search(rf"^{t}:.*## \w", makefile, re.MULTILINE)]
