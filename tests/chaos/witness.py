"""A witness between the bot and the platform: it judges every changing call at the moment that it is made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx

from sandbox.core.platform import IDE
from tests.flow.house import DOMAIN
from workers.releases.identity import is_ours
from workers.releases.model import Release
from workers.releases.sent import SentMap, sent_from
from workers.releases.status import Status
from workers.store.keyspace import key

if TYPE_CHECKING:
    from tests.chaos.history import HistoryHouse

PATH = "/"
"""The one path of the domain that is ours."""


class Witness(httpx.BaseTransport):
    """Passes calls on; `broken` says which promise a call broke, and how."""

    def __init__(self, transport: httpx.BaseTransport, house: HistoryHouse) -> None:
        self._transport = transport
        self._house = house
        self.broken: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Judge a changing call, then let it be answered."""
        path = request.url.path
        if request.method == "PUT" and path.endswith("/workspace-connections"):
            return self._switch(request, json.loads(request.read()))
        if request.method != "GET" and (found := re.search(r"/workspaces/(\d+)", path)):
            self._judge_workspace(request.method, int(found[1]))
        return self._transport.handle_request(request)

    def _switch(self, request: httpx.Request, wanted: dict[str, list[int]]) -> httpx.Response:
        """Judge a switch, and keep it where it goes unanswered and without an effect: it may come late."""
        self._judge_connections(wanted)
        try:
            return self._transport.handle_request(request)
        except httpx.TransportError:
            if self._house.connections() != wanted:
                self._house.lost.append(wanted)
            raise

    def _judge_workspace(self, method: str, workspace_id: int) -> None:
        workspace = self._house.sandbox.platform.workspaces.get(workspace_id)
        if workspace is None:
            return
        if workspace_id in self._house.foreigners:
            self.broken.append(f"P7: {method} on workspace {workspace_id}, which somebody else made")
        if method != "DELETE":
            return
        if not is_ours(str(workspace.fields.get("welcomeMessage"))):
            self.broken.append(f"P7: workspace {workspace_id} was deleted and does not carry our mark")
        for domain in self._house.sandbox.platform.domains.values():
            if any(workspace_id in ids for ids in domain.connections.values()):
                self.broken.append(f"P7: workspace {workspace_id} was deleted while {domain.name} names it")
        for sent in self._unanswered():
            if sent.holds(workspace_id, self._house.clock()) > 0:
                self.broken.append(f"P4: workspace {workspace_id} was deleted while {sent} may arrive")
        for release in self._house.releases():
            if release.workspace_id == workspace_id and release.unfinished:
                self.broken.append(f"P7: the workspace of unfinished release #{release.number} was deleted")

    def _judge_connections(self, wanted: Mapping[str, list[int]]) -> None:
        house = self._house
        there = house.connections()
        others = {path: ids for path, ids in there.items() if path != PATH}
        if {path: ids for path, ids in wanted.items() if path != PATH} != others:
            self.broken.append(f"P6: a PUT changes paths of others: from {there} to {wanted}")
        holder = self._holder()
        if holder is None:
            self.broken.append(f"P4: a PUT of {wanted} while nobody holds the target's lock")
            return
        if holder.status is Status.RUNNING and holder.step == "switch":
            self._judge_switch(holder, wanted.get(PATH), there.get(PATH))
        elif wanted.get(PATH) not in house.ever:
            self.broken.append(f"P3: release #{holder.number} puts back {wanted}, which never stood there")
        house.ever.append(wanted.get(PATH))
        house.put.append(wanted.get(PATH))

    def _unanswered(self) -> list[SentMap]:
        house = self._house
        return [
            sent_from(str(text))
            for name in house.client.keys(key("sent", "*"))
            for text in house.client.zrange(name, 0, -1)
        ]

    def _holder(self) -> Release | None:
        house = self._house
        locks = house.client.keys(key("target", "*"))
        if len(locks) != 1:
            return None
        return house.reading.release(str(house.client.hget(locks[0], "release")))

    def _judge_switch(self, release: Release, wanted: list[int] | None, there: list[int] | None) -> None:
        house = self._house
        name = f"release #{release.number}"
        if wanted != [release.workspace_id]:
            self.broken.append(f"P3: {name} connects {wanted}, its workspace is {release.workspace_id}")
            return
        if there not in (release.memory["snapshot"].get(PATH), *house.put):
            self.broken.append(f"P6: {name} replaces {there}, which somebody put there meanwhile")
        if release.id in house.cancelled:
            self.broken.append(f"{name} was cancelled and switches all the same")
        if release.id in house.may_not_switch:
            self.broken.append(f"{name} switches although {house.standing_why} before its switch began")
        self._judge_order(release, there)
        fault = self.unwell(release.workspace_id or 0, release.commit)
        if fault:
            self.broken.append(f"P3: {name} connects workspace {release.workspace_id}: {fault}")

    def _judge_order(self, release: Release, there: list[int] | None) -> None:
        for other in self._house.releases():
            ours = there == [other.workspace_id] and other.order > release.order
            if ours and other.status is Status.LIVE and not release.by_person:
                self.broken.append(f"P5: release #{release.number} replaces the newer #{other.number}")

    def unwell(self, workspace_id: int, commit: str) -> str | None:
        """Return why a workspace may not serve production, or None."""
        sandbox = self._house.sandbox
        workspace = sandbox.platform.workspaces.get(workspace_id)
        if workspace is None:
            return None  # the platform itself refuses
        if workspace.home.head() != commit:
            return f"it is at {workspace.home.head()}, not at {commit}"
        rows = json.loads(sandbox._direct("GET", f"/workspaces/{workspace_id}/pipeline/run").body)
        serving = [row for row in rows if row["server"] != IDE] or rows
        if not serving or any(row["state"] != "running" for row in serving):
            return f"its run stage is {serving}"
        answer = sandbox.serve(workspace.home.dev_domain, "/")
        return None if answer.status == 200 else f"it answers {answer.status}"


def is_connected(house: HistoryHouse, workspace_id: int) -> bool:
    """Tell whether production names a workspace."""
    domain = house.sandbox.platform.domains[DOMAIN]
    return any(workspace_id in ids for ids in domain.connections.values())
