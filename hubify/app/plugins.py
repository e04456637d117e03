"""An operator's own functions: files or modules that declare domains with the public API.

Invariant: they are loaded before the registry is built and are then like any other domain.
"""

import importlib
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from hubify.functions import Domain, InvalidInput


def load_domains(names: Iterable[str]) -> list[Domain]:
    """Every `Domain` that the named files (`x.py`) or modules (`package.module`) define.

    Raises:
        InvalidInput: a file or module cannot be loaded, or defines no domain.

    """
    return [domain for name in names for domain in _domains_of(name)]


def _domains_of(name: str) -> list[Domain]:
    module = _load_file(Path(name)) if name.endswith(".py") else _load_module(name)
    found = [value for value in vars(module).values() if isinstance(value, Domain)]
    if not found:
        message = f"'{name}' defines no Domain; write `notes = Domain(\"notes\")` in it"
        raise InvalidInput(message)
    return found


def _load_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"the module '{name}' cannot be loaded: {error}"
        raise InvalidInput(message) from error


def _load_file(path: Path) -> ModuleType:
    if not path.exists():
        message = f"there is no file '{path}' to load functions from"
        raise InvalidInput(message)
    spec = importlib.util.spec_from_file_location(f"hubify_functions_{path.stem}", path)
    assert spec is not None, "a .py file has a spec"
    assert spec.loader is not None, "and a loader"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
