"""Deliveries with their verdicts, and having one decided again."""

from __future__ import annotations

from typing import Final

from bot.api.endpoint import Call, Endpoint, Reply
from bot.api.models import DeliveryDetail, DeliveryList, VerdictView
from bot.api.requests import DeliveriesQuery
from bot.api.views import delivery_detail, delivery_view, verdict_view
from bot.intake import replayed
from workers.errors import NotAllowed

PATH: Final = "/api/v1/deliveries"


def list_deliveries(call: Call) -> Reply:
    """Give a page of the deliveries that are wanted, newest first.

    One call looks through a bounded number of them; a page with a `next` may be short, or empty.
    """
    query = call.query_as(DeliveriesQuery)
    found, following = call.services.intake_sync.page(
        limit=query.most, before=query.before, wanted=query.wanted
    )
    return Reply(
        DeliveryList(
            deliveries=[delivery_view(delivery) for delivery in found],
            next=None if following is None else str(following),
        )
    )


def one_delivery(call: Call) -> Reply:
    """Give one delivery, with its headers."""
    return Reply(delivery_detail(call.services.intake_sync.delivery(call.id)))


def replay(call: Call) -> Reply:
    """Have a delivery decided again by the rules of today; it becomes a delivery of its own."""
    delivery = call.services.intake_sync.delivery(call.id)
    if delivery["verdict"] == "refused":
        raise NotAllowed(
            f"delivery {call.id} was refused ({delivery['reason']}); have the host send it again"
        )
    if delivery["host"] not in call.services.settings.current.hosts:
        raise NotAllowed(f"the host {delivery['host']} of delivery {call.id} is not configured any more")
    settings = call.services.settings.current
    ids = call.services.identities.of(settings.projects)
    intake = replayed(call.id, delivery, settings, actor=call.who.name, ids=ids)
    verdict = call.services.intake_sync.accept(intake)
    return Reply(verdict_view(intake.delivery, verdict), {"Location": f"{PATH}/{intake.delivery}"})


ENDPOINTS = (
    Endpoint(
        "GET", PATH, "Deliveries and what became of them, newest first", "deliveries", "viewer",
        list_deliveries, answer=DeliveryList, query=DeliveriesQuery, refusals=(401, 402, 403, 422),
    ),
    Endpoint(
        "GET", f"{PATH}/{{id}}", "One delivery", "deliveries", "viewer", one_delivery,
        answer=DeliveryDetail, refusals=(401, 402, 403, 404),
    ),
    Endpoint(
        "POST", f"{PATH}/{{id}}/replay", "Have a delivery decided again", "deliveries", "operator", replay,
        answer=VerdictView, status=202, refusals=(401, 402, 403, 404, 409),
    ),
)  # fmt: skip
