"""Puts a sandbox together: desks, routes of the profile, the layer of faults, uvicorn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ftprep.sandbox import fireworks_api, openai_files, openai_jobs, talk, together_api
from ftprep.sandbox.app import SIGNED, Admin, Door, Route, make_app
from ftprep.sandbox.clocks import Clock, Pace
from ftprep.sandbox.faults import Faults
from ftprep.sandbox.files import Files
from ftprep.sandbox.house import House
from ftprep.sandbox.jobs import Jobs
from ftprep.sandbox.journal import Journal
from ftprep.sandbox.models import Models
from ftprep.sandbox.profiles import Profile
from ftprep.sandbox.store import Store
from ftprep.sandbox.training import Training

if TYPE_CHECKING:
    from ftprep.sandbox.server import Sandbox


class Building:
    """One sandbox, ready to serve."""

    def __init__(
        self,
        sandbox: Sandbox,
        clock: Clock,
        pace: Pace,
        profile: Profile,
        key: str | None,
        plan: Sequence[Mapping[str, Any]],
    ) -> None:
        self._sandbox, self._key = sandbox, key
        self._faults = Faults(plan)
        self.house = House(Store(sandbox.folder), clock, profile, pace, Journal(sandbox.folder))
        self.door: Door

    def server(self, base64_results: bool, is_open: bool) -> Any:
        """The uvicorn server."""
        import uvicorn

        house = self.house
        house.base64_results = base64_results
        self.door = Door(house, self._key, is_open)
        about = {"sandbox": "ftprep", "profile": house.profile.name, "folder": str(self._sandbox.folder)}
        admin = Admin(house, self._faults, {**about, "pid": os.getpid()})
        app = make_app(self.door, self._routes(), admin, self._faults)
        quiet: dict[str, Any] = {"log_config": None, "log_level": "critical", "access_log": False}
        times: dict[str, Any] = {"timeout_keep_alive": 65, "timeout_graceful_shutdown": 5}
        config = uvicorn.Config(app, http=_protocol(), ws="none", lifespan="off", server_header=False, **quiet, **times)
        return uvicorn.Server(config)

    def _routes(self) -> list[Route]:
        house = self.house
        files, training = Files(house), Training(house)
        jobs = Jobs(house, files, training)
        models = Models(house, jobs, training)
        speaking = talk.Talk(house, models)
        desks = house, files, jobs, models
        tables: list[tuple[Sequence[tuple[str, str, str]], Any]] = [(talk.ROUTES, speaking)]
        signed: list[Route] = []
        if house.profile.name == "together":
            together = together_api.TogetherApi(*desks)
            tables.append((together_api.ROUTES, together))
            signed = [("PUT", f"{SIGNED}{{token}}", together.put)]
        elif house.profile.name == "fireworks":
            fireworks = fireworks_api.FireworksApi(*desks)
            tables.append((fireworks_api.ROUTES, fireworks))
            signed = [("PUT", f"{SIGNED}{{token}}", fireworks.put)]
            signed += [(method, f"/inference/v1{path}", getattr(speaking, name)) for method, path, name in talk.ROUTES]
        else:
            tables.append((openai_files.ROUTES, openai_files.FilesApi(house, files)))
            tables.append((openai_jobs.ROUTES, openai_jobs.JobsApi(*desks)))
        if house.profile.name == "azure":
            tables.append((talk.DEPLOYED, speaking))
        return signed + [
            (method, prefix + path, getattr(desk, name))
            for prefix in house.profile.prefixes
            for table, desk in tables
            for method, path, name in table
        ]

    def close(self) -> None:
        """Put all on disk."""
        self.house.store.close()
        self.house.journal.close()


def _protocol() -> Any:
    """uvicorn's protocol, which tells the application its connection, so that a fault can break it."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    def made(app_state: Mapping[str, Any], **named: Any) -> Any:
        connection: dict[str, Any] = {}
        protocol = H11Protocol(**named, app_state={**app_state, "connection": connection})
        connection["protocol"] = protocol
        return protocol

    return made
