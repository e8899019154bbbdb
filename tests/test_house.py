"""What holds for every room of the house."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from supportapi import errors
from supportapi.api.envelope import STATUSES
from supportapi.settings import VARIABLES, dotenv_example, markdown_table

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "supportapi").rglob("*.py"))
MODULES = [path for path in SOURCES if path.name != "__init__.py"]
DRAWERS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "shared",
    "base",
    "core",
    "tools",
    "types",
    "schemas",
    "models",
    "services",
    "constants",
}
FAILURES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.SupportApiError) and kind.__module__ == errors.__name__
]
REDIS_KEY = re.compile(r"\{sapi\}|^supportapi:|^rq:")
PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def imported_by(module: str) -> set[str]:
    """Everything that a fresh process has imported after importing `module`."""
    program = f"import sys, {module}; print(*sys.modules)"
    environ = {"PYTHONPATH": str(ROOT / "src")}
    return set(
        subprocess.run(
            [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
        ).stdout.split()
    )


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", SOURCES, ids=named)
def test_a_module_is_named_for_what_it_is_and_not_a_drawer(module: Path) -> None:
    assert not DRAWERS & {part.removesuffix(".py") for part in module.relative_to(ROOT / "src").parts}


@pytest.mark.parametrize("module", [path for path in SOURCES if path.name == "__init__.py"], ids=named)
def test_an_init_holds_no_code(module: Path) -> None:
    assert module.read_text() == ""


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_a_module_fits_on_three_hundred_lines(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= 300


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_a_module_says_what_it_is_for(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text()))


@pytest.mark.parametrize("module", [path for path in MODULES if path.name != "keys.py"], ids=named)
def test_redis_keys_are_spelled_in_keys_py_only(module: Path) -> None:
    tree = ast.parse(module.read_text())
    told = {id(node.body[0].value) for node in ast.walk(tree) if _has_docstring(node)}  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType,reportUnknownArgumentType] - checked
    words = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    ]

    assert [word for word in words if REDIS_KEY.search(word)] == []


def test_every_failure_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in FAILURES]

    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not CODE.fullmatch(code)] == []


@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_has_one_status(failure: type[errors.SupportApiError]) -> None:
    assert failure in STATUSES


def test_the_readme_documents_every_setting() -> None:
    assert markdown_table() in (ROOT / "README.md").read_text()


def test_the_example_environment_is_the_one_that_the_settings_write() -> None:
    assert (ROOT / ".env.example").read_text() == dotenv_example()


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_setting_says_what_it_means_and_what_its_absence_means(variable: object) -> None:
    assert getattr(variable, "meaning")  # noqa: B009 - any variable
    assert getattr(variable, "default") or getattr(variable, "unset")  # noqa: B009 - any variable


@pytest.mark.parametrize("heavy", ["polars", "boto3", "pandas"])
def test_the_api_starts_without_what_only_a_build_needs(heavy: str) -> None:
    assert heavy not in imported_by("supportapi.processes.application")


def test_help_imports_neither_server_nor_polars() -> None:
    assert not {"polars", "litestar", "granian", "rq", "redis"} & imported_by("supportapi.cli")


@pytest.mark.parametrize(("document", "at_least"), [("security.md", 50), ("operations.md", 30)])
def test_every_test_that_a_document_rests_on_exists(document: str, at_least: int) -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / document).read_text()))
    written = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))

    assert len(named) > at_least
    assert {name for name in named if f"def {name}(" not in written} == set()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-docs.lock"])
def test_a_lock_file_pins_by_hash_and_names_no_download_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pins = re.findall(r"^[a-z0-9._-]+(?:\[[a-z,]+\])?==", text, re.MULTILINE)

    assert len(pins) > 10
    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(pins)


def test_tests_run_on_the_very_pins_that_the_system_runs_on() -> None:
    running = set(PIN.findall((ROOT / "requirements.lock").read_text()))

    assert running - set(PIN.findall((ROOT / "requirements-dev.lock").read_text())) == set()


def test_the_site_is_made_with_the_pins_of_the_tests_where_both_need_a_package() -> None:
    ours = dict(PIN.findall((ROOT / "requirements-dev.lock").read_text()))
    site = PIN.findall((ROOT / "requirements-docs.lock").read_text())

    # pip-audit is asked about all lock files at once, and refuses two pins of one package.
    assert [(name, version) for name, version in site if ours.get(name, version) != version] == []


def _has_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and ast.get_docstring(node, clean=False) is not None
    )
