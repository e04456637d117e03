"""Calls to a running hub over its public HTTP interface, as any agent makes them.

Invariant: the demo uses nothing that a stranger could not.
"""

from typing import Any

import httpx

TIMEOUT_S = 30.0


class Refused(Exception):
    """The hub refused a call; `code` is its stable code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Hub:
    """One hub, reached with one key."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {key}"}

    async def query(self, path: str, **arguments: Any) -> Any:
        """Run a query."""
        return await self._call("query", path, arguments)

    async def mutation(self, path: str, **arguments: Any) -> Any:
        """Run a mutation."""
        return await self._call("mutation", path, arguments)

    async def action(self, path: str, **arguments: Any) -> Any:
        """Run an action."""
        return await self._call("action", path, arguments)

    async def _call(self, kind: str, path: str, arguments: dict[str, Any]) -> Any:
        body = {"path": path, "args": arguments, "format": "json"}
        answer = await self._http.post(f"/api/{kind}", json=body, headers=self._headers)
        told = answer.json()
        if told.get("status") != "success":
            data = told.get("errorData") or told
            raise Refused(str(data.get("code")), str(data.get("message")))
        return told["value"]
