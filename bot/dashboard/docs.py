"""The page that lists the API's operations and lets one try them. It reads /api/openapi.json. Pure."""

from __future__ import annotations

from bot.dashboard.look import asset, page


def docs_page(nonce: str) -> str:
    """Return the page."""
    body = (
        '<p>Every operation of the API, from <a href="/api/openapi.json">its description</a>. '
        "Calls are made from here with the token below, or with your session when it is empty.</p>"
        '<label class="small" for="token">Token</label>'
        '<input id="token" type="password" autocomplete="off"><div id="operations"></div>'
        "<noscript>This page needs JavaScript; the description itself does not.</noscript>"
    )
    return page("Switchover: API", '<a href="/">Dashboard</a>', body, nonce, asset("docs.js"))
