"""What is installed: for users, without training, and in which exact versions."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.export.formats import FORMATS
from tests.conftest import REPOSITORY

FILES = (
    "requirements.txt",
    "requirements-view.txt",
    "requirements-jax.txt",
    "requirements-pictures.txt",
    "requirements-ray.txt",
    "tests/requirements.txt",
)
OPTIONAL = {
    "pillow_heif": "requirements-pictures.txt",
    "pypdfium2": "requirements-pictures.txt",
    "jax": "requirements-jax.txt",
    "jaxlib": "requirements-jax.txt",
    "ray": "requirements-ray.txt",
    "optuna": "requirements-ray.txt",
}
MACHINES = [
    {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0", **system}
    for minor in (11, 12, 13)
    for system in (
        {"sys_platform": "linux", "platform_system": "Linux"},
        {"sys_platform": "darwin", "platform_system": "Darwin"},
        {"sys_platform": "win32", "platform_system": "Windows"},
    )
]


def lines(name: str) -> list[str]:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return [line.partition("#")[0].strip() for line in text.splitlines()]


def asked(name: str) -> list[Requirement]:
    return [
        Requirement(line) for line in lines(name) if line and not line.startswith("-")
    ]


@pytest.mark.parametrize("name", FILES)
def test_every_installation_is_of_the_versions_that_were_tested(name: str) -> None:
    options = [line for line in lines(name) if line.startswith("-")]
    assert any(
        option.removeprefix("-c ").endswith("constraints.txt")
        or option == "-r requirements.txt"
        for option in options
    )
    pins = asked("constraints.txt")
    for requirement in asked(name):
        for machine in MACHINES:
            [pin] = [
                pin
                for pin in pins
                if canonicalize_name(pin.name) == canonicalize_name(requirement.name)
                and (pin.marker is None or pin.marker.evaluate(machine))
            ]
            [exact] = pin.specifier
            assert exact.operator == "=="
            assert exact.version in requirement.specifier, (requirement, pin)


def test_looking_and_drawing_need_all_but_what_trains() -> None:
    every = [str(requirement) for requirement in asked("requirements.txt")]
    light = [str(requirement) for requirement in asked("requirements-view.txt")]
    trains = [word for word in every if word.startswith(("tensorflow", "keras"))]
    assert light == [word for word in every if word not in trains]
    assert len(trains) == 2


def imported(folder: str) -> Iterator[str]:
    for path in (REPOSITORY / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module or ""


def test_what_is_imported_is_declared() -> None:
    # What only one form of export needs, that form names.
    named = {module for form in FORMATS.values() for module in form.needs}
    ours = {"core", "pages", "models", "dashboard", *sys.stdlib_module_names}
    distributions = packages_distributions()
    declared = {
        name: {canonicalize_name(r.name) for r in asked(name)} for name in FILES
    }
    for folder in ("core", "pages", "models"):
        for module in (
            {name.partition(".")[0] for name in imported(folder)} - ours - named
        ):
            known = {canonicalize_name(d) for d in distributions.get(module, [module])}
            assert known & declared[OPTIONAL.get(module, "requirements.txt")], module
