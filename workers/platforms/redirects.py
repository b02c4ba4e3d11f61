"""Where a redirect may lead. Pure.

A call for a team in another data centre may be answered 307 to `<data centre id>.<host>`. The token is a
full-power key, so it follows only there: any other target is refused, not asked without the token.
"""

from __future__ import annotations

import re
from http import HTTPStatus

import httpx

from workers.errors import Refused

MOST_HOPS = 10
_FOLLOWED = frozenset({HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT})


def is_redirect(status: int) -> bool:
    """Tell whether the answer sends us elsewhere."""
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


def next_hop(base: httpx.URL, current: httpx.URL, status: int, location: str | None) -> httpx.URL:
    """Return where the same call, body and token go next, or raise `Refused`.

    Allowed: 307 and 308, to the configured host or `<digits>.<configured host>`, by the same scheme and
    port, without credentials in the address.
    """
    if status not in _FOLLOWED or not location:
        raise Refused(
            f"{base.host} answered {status} and points elsewhere; only 307 and 308 keep a call as it is."
            " Check the platform's api_url"
        )
    try:
        target = current.join(location).copy_with(fragment=None)
    except httpx.InvalidURL:
        raise Refused(f"{base.host} redirects to something that is no web address") from None
    if not _is_ours(base, target):
        raise Refused(
            f"{base.host} redirects to {target.scheme}://{target.host}, which gets no token of ours: only"
            f" {base.host} and its data centres (<number>.{base.host}), by the same scheme and port, do."
            " If that is where the API lives now, set api_url to it"
        )
    return target


def _is_ours(base: httpx.URL, target: httpx.URL) -> bool:
    same_way = (target.scheme, target.port) == (base.scheme, base.port) and not target.userinfo
    data_centre = re.fullmatch(rf"[0-9]+\.{re.escape(base.host)}", target.host)
    return same_way and (target.host == base.host or data_centre is not None)
