"""The ledger: every workspace that we made, why it still stands, and letting one go before its time."""

from __future__ import annotations

from typing import Final

from bot.api.endpoint import Call, Endpoint, Reply
from bot.api.models import WorkspaceList
from bot.api.views import workspace_view

PATH: Final = "/api/v1/workspaces"


def list_workspaces(call: Call) -> Reply:
    """Give the ledger, and what the last reconciliation with the platforms found beside it."""
    ledger = call.services.reading.ledger()
    standing = call.services.workspaces.standing()
    return Reply(
        WorkspaceList(
            workspaces=[workspace_view(each, ledger.get(str(each.workspace), {})) for each in standing]
        )
    )


def retire(call: Call) -> Reply:
    """End a workspace's parking or keeping early; the engine deletes it."""
    call.services.workspaces.retire(call.id, by=call.who.name)
    return Reply()


ENDPOINTS = (
    Endpoint(
        "GET", PATH, "Workspaces that Switchover made, and why each still stands", "workspaces", "viewer",
        list_workspaces, answer=WorkspaceList, refusals=(401, 402, 403),
    ),
    Endpoint(
        "DELETE", f"{PATH}/{{id}}", "Let a parked or kept workspace go now", "workspaces", "operator",
        retire, status=204, refusals=(401, 402, 403, 404, 409),
    ),
)  # fmt: skip
