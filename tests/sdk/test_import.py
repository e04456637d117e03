"""What it takes to import the client: nothing of the server, and nothing before it is needed."""

import subprocess
import sys

SERVER_ONLY = ("apsw", "httptools", "semver", "uvicorn", "uvloop", "yaml")
OUR_SERVER = ("app", "core", "domains", "functions", "storage", "transports", "workers")


def imported_by(program: str) -> set[str]:
    """The modules that a clean interpreter holds after running a program."""
    told = f"{program}\nimport sys\nprint(*sys.modules)"
    command = [sys.executable, "-I", "-c", told]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_the_client_imports_nothing_of_the_server() -> None:
    modules = imported_by("from hubify.sdk import Client; Client('http://127.0.0.1:1')")
    assert "hubify.sdk.http" in modules
    forbidden = {*SERVER_ONLY, *(f"hubify.{name}" for name in OUR_SERVER), "websockets"}
    assert not modules & forbidden


def test_the_network_library_is_imported_with_the_first_client() -> None:
    modules = imported_by("import hubify.sdk; hubify.sdk.HubifyError")
    assert not modules & {"httpx", "msgspec", "websockets"}
