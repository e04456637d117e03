"""Read Python by its syntax tree: what text rules cannot see.

Invariant: nothing is executed or imported, and code that cannot be parsed is a finding, not an
error.
"""

import ast
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from hubify.evidence.gateway.findings import Finding, Gate, Severity, excerpt_of

MAX_SOURCE: Final = 400_000  # characters
MAX_NODES: Final = 200_000
RUNNERS: Final = frozenset({"exec", "eval", "compile", "__import__"})
DECODERS: Final = frozenset(
    """b64decode b32decode b16decode a85decode b85decode unhexlify fromhex decompress decodebytes
    decodestring rot13""".split()
)
FETCHERS: Final = frozenset({"urlopen", "urlretrieve", "get", "post", "request", "put", "send"})
FETCH_MODULES: Final = frozenset(
    {"requests", "urllib", "httpx", "aiohttp", "http", "socket", "ftplib", "smtplib", "websocket"}
)
SECRET_PATHS: Final = (
    ".ssh/id_",
    ".aws/credentials",
    ".netrc",
    ".git-credentials",
    ".docker/config.json",
    ".kube/config",
    "/etc/shadow",
    "Login Data",
    "key4.db",
    "wallet.dat",
    ".config/solana",
    "login.keychain",
)
UNPACKERS: Final = frozenset({"pickle.loads", "marshal.loads", "dill.loads"})
ROOTS: Final = frozenset({"/", "~", "/home", "/etc", "/usr", "C:\\", "C:/", "C:\\\\"})
FIX: Final = "Remove it, or appeal and say what it is for."


class Facts(msgspec.Struct):
    """What one module does, gathered in one walk."""

    imports: set[str]
    calls: set[str]
    secrets: list[tuple[int, str]]
    sends_environment: int = 0


def scan_python(path: str, source: str, *, first_line: int = 1) -> list[Finding]:
    """Findings in one module; `first_line` places a part of a file."""
    if len(source) > MAX_SOURCE:
        return [_unread(path, first_line, "the module is too long to be read")]
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [_unread(path, first_line, "the module cannot be parsed as Python 3")]
    facts = Facts(set(), set(), [])
    findings: list[Finding] = []
    for count, node in enumerate(ast.walk(tree)):
        if count >= MAX_NODES:
            findings.append(_unread(path, first_line, "the module is too large to be read"))
            break
        _note(node, facts)
        findings.extend(_judge_node(node, path, first_line))
    findings.extend(_judge_module(facts, path, first_line))
    return findings


def _note(node: ast.AST, facts: Facts) -> None:
    if isinstance(node, ast.Import):
        facts.imports.update(alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        facts.imports.add((node.module or "").partition(".")[0])
    elif isinstance(node, ast.Call):
        facts.calls.add(_name(node.func))
        if _name(node.func).rpartition(".")[2] in FETCHERS and _holds_environment(node):
            facts.sends_environment = facts.sends_environment or node.lineno
    elif isinstance(node, ast.Constant) and _names_secret(node.value):
        facts.secrets.append((node.lineno, str(node.value)))


def _names_secret(value: object) -> bool:
    return isinstance(value, str) and any(place in value[:400] for place in SECRET_PATHS)


def _name(node: ast.expr) -> str:
    """`a.b.c` of an expression, as far as it is one; bounded by the tree's own depth limit."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    elif isinstance(node, ast.Call):
        parts.append(_callee(node))
    return ".".join(reversed(parts))


def _callee(node: ast.Call) -> str:
    """The name called, of `__import__("os")` the module."""
    called = node.func.id if isinstance(node.func, ast.Name) else ""
    first = node.args[0] if node.args else None
    imports = called in {"__import__", "import_module"}
    if imports and isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return called


def _holds_environment(call: ast.Call) -> bool:
    """`post(url, json=dict(os.environ))`: all of it, not one variable."""
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(_is_whole_environment(value) for value in values)


def _is_whole_environment(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return _name(node) == "os.environ"
    if isinstance(node, ast.Call):
        named = _name(node.func)
        wrapped = named in {
            "dict",
            "str",
            "repr",
            "json.dumps",
            "os.environ.copy",
            "os.environ.items",
        }
        inner = node.args[:1] or ([node.func.value] if isinstance(node.func, ast.Attribute) else [])
        return wrapped and (
            named.startswith("os.environ") or any(map(_is_whole_environment, inner))
        )
    if isinstance(node, ast.Dict):
        return any(_is_whole_environment(value) for value in node.values)
    return False


def _judge_node(node: ast.AST, path: str, first_line: int) -> Iterator[Finding]:
    if not isinstance(node, ast.Call):
        return
    called = _name(node.func).removeprefix("builtins.")
    line = node.lineno + first_line - 1
    for rule, message, applies in CALL_RULES:
        if applies(called, node):
            yield _blocking(rule, message, path, line, node)


def _runs_decoded(called: str, node: ast.Call) -> bool:
    return called in RUNNERS and _calls_any(node, DECODERS)


def _runs_fetched(called: str, node: ast.Call) -> bool:
    return called in RUNNERS and _fetches(node)


def _unpacks_foreign(called: str, node: ast.Call) -> bool:
    return called in UNPACKERS and (_calls_any(node, DECODERS) or _fetches(node))


def _removes_everything(called: str, node: ast.Call) -> bool:
    return called.rpartition(".")[2] == "rmtree" and _removes_root(node)


def _calls_any(node: ast.Call, names: frozenset[str]) -> bool:
    return any(
        isinstance(inner, ast.Call) and _name(inner.func).rpartition(".")[2] in names
        for argument in node.args
        for inner in ast.walk(argument)
    )


def _fetches(node: ast.Call) -> bool:
    return any(
        isinstance(inner, ast.Call)
        and _name(inner.func).partition(".")[0] in FETCH_MODULES
        and _name(inner.func).rpartition(".")[2] in FETCHERS
        for argument in node.args
        for inner in ast.walk(argument)
    )


def _removes_root(node: ast.Call) -> bool:
    if not node.args:
        return False
    target = node.args[0]
    if isinstance(target, ast.Constant):
        return target.value in ROOTS
    if isinstance(target, ast.Call):
        named = _name(target.func)
        home = named in {"Path.home", "pathlib.Path.home"}
        first = target.args[0] if target.args else None
        expanded = named.endswith("expanduser") and isinstance(first, ast.Constant)
        return home or (expanded and isinstance(first, ast.Constant) and first.value in {"~", "~/"})
    return False


def _judge_module(facts: Facts, path: str, first_line: int) -> Iterator[Finding]:
    tails = {call.rpartition(".")[2] for call in facts.calls}
    networked = bool(facts.imports & FETCH_MODULES)
    if (
        "socket" in facts.imports
        and "dup2" in tails
        and facts.imports & {"subprocess", "pty", "os"}
    ):
        yield _finding(
            "python/reverse-shell", "gives a shell to a remote machine", path, first_line
        )
    if facts.sends_environment:
        line = facts.sends_environment + first_line - 1
        yield _finding(
            "python/environment-sent",
            "sends all environment variables over the network",
            path,
            line,
        )
    for line, value in facts.secrets[:3]:
        yield Finding(
            gate=Gate.CONTENT,
            rule="python/secret-file",
            severity=Severity.HIGH if networked else Severity.MEDIUM,
            blocks=False,
            path=path,
            line=line + first_line - 1,
            excerpt=excerpt_of(value),
            message="names a file of credentials"
            + (" and talks to the network" if networked else ""),
            fix=FIX,
        )
    if "ctypes" in facts.imports and tails & {
        "VirtualAlloc",
        "CreateThread",
        "mprotect",
        "RtlMoveMemory",
    }:
        yield _finding("python/machine-code", "runs machine code from memory", path, first_line)


def _blocking(rule: str, message: str, path: str, line: int, node: ast.Call) -> Finding:
    found = _finding(rule, message, path, line)
    return msgspec.structs.replace(found, excerpt=excerpt_of(ast.unparse(node)[:400]))


def _finding(rule: str, message: str, path: str, line: int) -> Finding:
    return Finding(
        gate=Gate.CONTENT,
        rule=rule,
        severity=Severity.CRITICAL,
        blocks=True,
        path=path,
        line=line,
        message=message,
        fix=FIX,
    )


def _unread(path: str, line: int, message: str) -> Finding:
    return Finding(
        gate=Gate.CONTENT,
        rule="python/unread",
        severity=Severity.LOW,
        blocks=False,
        path=path,
        line=line,
        message=message,
        fix="Publish code that can be read.",
    )


CALL_RULES: Final[tuple[tuple[str, str, Callable[[str, ast.Call], bool]], ...]] = (
    ("python/decoded-code", "decodes hidden code and runs it", _runs_decoded),
    ("python/fetched-code", "downloads code and runs it", _runs_fetched),
    ("python/unpickled-code", "unpacks code from hidden or foreign data", _unpacks_foreign),
    ("python/remove-everything", "removes a directory of the system or user", _removes_everything),
)
