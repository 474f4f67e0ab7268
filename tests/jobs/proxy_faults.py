"""Faults for mitmproxy in reverse mode: what goes wrong with the requests that a plan names. mitmdump loads it (-s).

The folder of the option `faults_folder` has the plan (`plan.json`, read anew for each request) and gets the port
(`port`), and a file for each thing that happened to a request of the plan: `CASE.arrived`, `CASE.answered`.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

from mitmproxy import ctx, http

BEFORE = ("refused", "slow", "429", "429-later", "409")
"""The server does not act, or not yet; after all others it has."""


class Faults:
    """The addon."""

    def __init__(self) -> None:
        self._met: Counter[str] = Counter()

    def load(self, loader: Any) -> None:
        """Declare the option."""
        loader.add_option("faults_folder", str, "", "where the plan is")

    def running(self) -> None:
        """Tell the port, which the system has chosen."""
        (address, *_) = ctx.master.addons.get("proxyserver").listen_addrs()
        self._tell("port", str(address[1]))

    def _tell(self, name: str, text: str = "") -> None:
        whole = Path(ctx.options.faults_folder) / name
        part = whole.with_name(f"{name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(whole)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Before the server has the request."""
        path = Path(ctx.options.faults_folder) / "plan.json"
        plan = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if (
            flow.is_replay
            or flow.request.method != "POST"
            or not flow.request.path.partition("?")[0].endswith(plan.get("path", "\0"))
        ):
            return
        self._met[plan["case"]] += 1
        if self._met[plan["case"]] > plan["times"]:
            return
        flow.metadata["plan"] = plan
        self._tell(f"{plan['case']}.arrived")
        await asyncio.sleep(plan["hold"])
        if plan["fault"] == "slow":
            self._later = asyncio.create_task(_sent_later(flow.copy(), plan["delay"]))
            flow.kill()
        elif plan["fault"] in BEFORE:
            _before(flow, plan)

    async def response(self, flow: http.HTTPFlow) -> None:
        """When the server has acted."""
        plan = flow.metadata.get("plan")
        if plan is None or plan["fault"] in BEFORE:
            return
        self._tell(f"{plan['case']}.answered")
        await asyncio.sleep(plan["hold"])
        await _after(flow, plan)


async def _sent_later(flow: http.HTTPFlow, delay: float) -> None:
    """A request that was still on its way when the connection broke."""
    await asyncio.sleep(delay)
    ctx.master.commands.call("replay.client", [flow])


def _before(flow: http.HTTPFlow, plan: dict[str, Any]) -> None:
    fault = plan["fault"]
    if fault == "refused":
        flow.kill()
    else:
        later = {"Retry-After": "1"} if fault == "429-later" else {}
        said = json.dumps({"error": {"message": f"it says {fault[:3]}", "type": "x", "param": None, "code": None}})
        flow.response = http.Response.make(int(fault[:3]), said, {"Content-Type": "application/json", **later})


async def _after(flow: http.HTTPFlow, plan: dict[str, Any]) -> None:
    fault, answer = plan["fault"], flow.response
    assert answer is not None
    if fault == "lost":
        flow.kill()
    elif fault == "late":
        await asyncio.sleep(plan["delay"])
    elif fault == "502":
        flow.response = http.Response.make(502, "<html>bad gateway</html>", {"Content-Type": "text/html"})
    elif fault == "truncated":
        half = (answer.content or b"")[: len(answer.content or b"") // 2]
        flow.response = http.Response.make(answer.status_code, half, {"Content-Type": "application/json"})


addons = [Faults()]
