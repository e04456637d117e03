"""The program as it is run: servers, keys, skills and their files, in processes of their own."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from hubify.__main__ import main
from hubify.sdk.http import Client
from hubify.values.values import Value
from tests.shared_data import CHECKOUT, shared_path

PROGRAM = [sys.executable, "-m", "hubify"]
SAMPLES = CHECKOUT / "demo" / "skills"
NOTES = '''
"""Notes."""
from hubify.functions import Domain, QueryCtx
notes = Domain("notes")

@notes.query(public=True)
def twice(ctx: QueryCtx, *, text: str) -> str:
    """The text, twice."""
    return text + text
'''

pytestmark = pytest.mark.slow


class Server:
    """A running server: its address and what it has said."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        self.process = process
        self.said: list[str] = []
        for line in process.stderr:
            self.said.append(line.rstrip())
            if line.strip().startswith("docs"):
                break
        listening = next(line for line in self.said if "listens on" in line)
        self.url = listening.rpartition(" ")[2]


@contextmanager
def serving(
    data: Path, *options: str, port: str = "0", environment: dict[str, str] | None = None
) -> Iterator[Server]:
    """A server, on a free port unless one is given, stopped in order afterwards."""
    command = [*PROGRAM, "serve", "--data", str(data), "--port", port, *options]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=environment or {}, cwd=CHECKOUT
    ) as process:
        try:
            yield Server(process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            process.stderr.read()
            process.wait(timeout=30)


def hubify(*argv: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [*PROGRAM, *argv], capture_output=True, text=True, env=environment, timeout=120,
        cwd=CHECKOUT, check=False,
    )  # fmt: skip


def good(*argv: str, **environment: str) -> str:
    """What a command that must succeed writes to standard output."""
    finished = hubify(*argv, **environment)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_from_an_empty_directory_to_a_key_that_is_revoked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        assert any("admin" in line and "hk_live_" in line for line in server.said)
        assert (data / "admin.key").stat().st_mode & 0o777 == 0o600
        create = ["keys", "create", "--name", "ci", "--owner", "ann", "--scope", "auth:read"]
        key = good(*create, HUBIFY_DATA=str(data)).strip()
        assert key.startswith("hk_live_")
        ann = {"HUBIFY_URL": server.url, "HUBIFY_API_KEY": key}
        (listed,) = json.loads(good("keys", "list", "--json", **ann))["tokens"]
        assert (listed["owner"], listed["scopes"]) == ("ann", ["auth:read"])
        good("keys", "revoke", listed["_id"], HUBIFY_DATA=str(data))
        refused = hubify("keys", "list", **ann)
        assert refused.returncode == 1
        assert refused.stderr.startswith("hubify: UNAUTHORIZED: ")


def test_an_answer_is_the_same_through_the_server_and_in_the_directory(tmp_path: Path) -> None:
    data = {"HUBIFY_DATA": str(tmp_path / "data")}
    calls = [
        ["skills", "info", "retry-http", "--json"],
        ["skills", "search", "http", "--json"],
        ["call", "skills:listVersions", '{"name": "retry-http"}'],
        ["functions", "skills", "--json"],
    ]
    with serving(Path(data["HUBIFY_DATA"])):
        summary = good("skills", "import", str(SAMPLES), **data)
        assert summary.splitlines()[-1].startswith("imported 5, unchanged 0")
        through_the_server = [good(*call, **data) for call in calls]
    in_the_directory = [good(*call, **data) for call in calls]
    assert through_the_server == in_the_directory


@pytest.mark.parametrize("served", [True, False])
def test_real_skills_come_out_as_they_went_in(tmp_path: Path, *, served: bool) -> None:
    source = shared_path("data/skills/anthropic")
    data = {"HUBIFY_DATA": str(tmp_path / "data")}
    with serving(tmp_path / "data"):
        if served:
            good("skills", "import", str(source), "--owner", "ann", **data)
            good("skills", "export", "--all", str(tmp_path / "out"), **data)
    if not served:
        good("skills", "import", str(source), "--owner", "ann", **data)
        good("skills", "export", "--all", str(tmp_path / "out"), **data)
    assert files_of(tmp_path / "out") == files_of(source)
    again = good("skills", "import", str(source), "--owner", "ann", **data)
    assert again.splitlines()[-1].startswith("imported 0, unchanged 6 (6 skills)")
    name = next(source.iterdir()).name
    assert json.loads(good("skills", "info", name, "--json", **data))["owner"] == "ann"


def test_a_run_is_reported_and_counted(tmp_path: Path) -> None:
    data = {"HUBIFY_DATA": str(tmp_path / "data")}
    with serving(tmp_path / "data"):
        good("skills", "import", str(SAMPLES / "retry-http"), **data)
        good("report", "retry-http", "--success", "--platform", "cursor", "--agent", "a", **data)
        assert json.loads(good("skills", "info", "retry-http", "--json", **data))["executions"] == 1


def test_a_skill_is_watched_across_a_report_and_a_restart(tmp_path: Path) -> None:
    data = {"HUBIFY_DATA": str(tmp_path / "data")}
    report = ["report", "retry-http", "--success", "--agent", "a"]
    with ExitStack() as stack:
        with serving(tmp_path / "data") as server:
            good("skills", "import", str(SAMPLES / "retry-http"), **data)
            client = stack.enter_context(Client(server.url))
            watched = client.subscribe("skills:getByName", {"name": "retry-http"})
            stack.callback(watched.close)
            assert _executions(next(watched)) == 0
            good(*report, **data)
            assert _executions(next(watched)) == 1
            port = server.url.rpartition(":")[2]
        good(*report, **data)
        with serving(tmp_path / "data", port=port):
            assert _executions(next(watched)) == 2


def _executions(answer: Value) -> Value:
    assert isinstance(answer, dict)
    return answer["executions"]


def test_a_directory_and_an_address_have_one_server(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        second = hubify("serve", "--data", str(tmp_path / "data"), "--port", "0")
        assert second.returncode == 1
        assert second.stderr.startswith("hubify: UNAVAILABLE: ")
        port = server.url.rpartition(":")[2]
        other = hubify("serve", "--data", str(tmp_path / "other"), "--port", port)
        assert other.returncode == 1
        assert "choose another --port" in other.stderr


def test_after_a_server_was_killed_its_directory_opens(tmp_path: Path) -> None:
    data = {"HUBIFY_DATA": str(tmp_path / "data")}
    with serving(tmp_path / "data") as server:
        good("skills", "import", str(SAMPLES), **data)
        server.process.kill()
        server.process.wait(timeout=30)
    assert (tmp_path / "data" / "server.url").exists()
    assert json.loads(good("skills", "info", "sql-review", "--json", **data))["version"]
    assert not (tmp_path / "data" / "server.url").exists()


def test_an_operators_own_functions_are_called_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "notes.py").write_text(NOTES, encoding="utf-8")
    data = {"HUBIFY_DATA": str(tmp_path / "data")}
    with serving(tmp_path / "data", "--functions", str(tmp_path / "notes.py")):
        assert good("call", "notes:twice", '{"text": "ab"}', **data) == '"abab"\n'
    own = {"HUBIFY_FUNCTIONS": str(tmp_path / "notes.py")}
    assert good("call", "notes:twice", '{"text": "ab"}', **data, **own) == '"abab"\n'


def test_a_variable_that_nothing_reads_is_warned_about(tmp_path: Path) -> None:
    environment = {"HUBIFY_PROT": "1", "HUBIFY_FUNCTIONS": ""}
    with serving(tmp_path / "data", environment=environment) as server:
        warnings = [line for line in server.said if "warning" in line]
    assert warnings == ["warning: the variable HUBIFY_PROT is not known and has no effect"]


def test_output_that_nobody_reads_any_more_is_no_crash() -> None:
    with subprocess.Popen(
        [*PROGRAM, "settings"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={},
        cwd=CHECKOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() in {"", "* set by its variable\n"}
        assert process.wait(timeout=30) == 1


@pytest.mark.parametrize("closed", ["1", "2", "0"])
def test_a_stream_that_is_closed_from_the_start_is_no_crash(closed: str) -> None:
    shell = ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *PROGRAM, "settings"]
    done = subprocess.run(shell, capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_an_interruption_while_the_program_is_loaded_ends_it_quietly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow(ModuleType):
        def __getattr__(self, _name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "hubify.cli", Slow("hubify.cli"))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
