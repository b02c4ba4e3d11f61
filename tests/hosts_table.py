"""The README's table of Git hosts, made from the drivers; `python -P -m tests.hosts_table` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from workers.hosts.api_registry import offers_of
from workers.hosts.registry import DRIVERS, reads_of
from workers.releases.origin import Offer

README: Final = Path(__file__).parents[1] / "README.md"
BEGIN: Final = "<!-- hosts: begin, written by `make hosts-table` -->"
END: Final = "<!-- hosts: end -->"

NAMES: Final = {
    "github": "GitHub, Enterprise",
    "gitlab": "GitLab",
    "bitbucket-cloud": "Bitbucket Cloud",
    "bitbucket-dc": "Bitbucket Data Center",
    "azure-devops": "Azure DevOps",
    "standard-webhooks": "Standard Webhooks",
    "gitea": "Gitea",
    "forgejo": "Forgejo",
    "gogs": "Gogs",
}
EVENTS: Final = {
    "push": ("push",),
    "release": ("release_published",),
    "merged": ("change_merged",),
    "CI": ("ci_finished", "ci_status"),
    "comment": ("comment",),
}
"""What triggers use, by column, and the kinds of events behind it."""
ASKED: Final = (Offer.PERMISSIONS, Offer.CHANGES, Offer.CI, Offer.DELIVERIES)
TOLD: Final = (Offer.STATUSES, Offer.DEPLOYMENTS, Offer.COMMENTS)


def table() -> str:
    """Return the table in Markdown: events that each host's deliveries bring, and what a token adds."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    heads = ["host", "`driver`", *EVENTS, "asked with a token", "reported back with a token"]
    yield _row(heads)
    yield _row(["---"] * len(heads))
    for driver in DRIVERS:
        reads, offers = reads_of(driver), offers_of(driver)
        events = ["yes" if any(kind in reads for kind in kinds) else "-" for kinds in EVENTS.values()]
        yield _row([NAMES[driver], f"`{driver}`", *events, _named(offers, ASKED), _named(offers, TOLD)])


def _named(offers: frozenset[Offer], wanted: tuple[Offer, ...]) -> str:
    return ", ".join(offer.value for offer in wanted if offer in offers) or "-"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def with_table(readme: str) -> str:
    """Return the README with the table of today between its two marks; ValueError when they are missing."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README has lost its marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    """Rewrite the README's table; returns the exit status."""
    README.write_text(with_table(README.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
