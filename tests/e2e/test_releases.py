"""Whole releases through the real receiver, store and Celery workers, on a platform that really builds."""

from __future__ import annotations

import re

import httpx
import pytest

from sandbox.core.faults import Fault
from tests.e2e.street import Shop
from tests.e2e.tree import soon

pytestmark = [pytest.mark.xdist_group("street"), pytest.mark.timeout(120)]

FLAT = """\
prepare: {steps: [{command: "true"}]}
test: {steps: [{command: "true"}]}
run: {steps: [{command: 'COMMIT="$(git rev-parse HEAD)" exec python3 app.py'}]}
"""


def ci_of(shop: Shop) -> str:
    return (shop.sample.working / "ci.yml").read_text()


def app_of(shop: Shop) -> str:
    return (shop.sample.working / "app.py").read_text()


def went_live(shop: Shop) -> str:
    commit = shop.sample.commit
    shop.live(shop.push(commit))
    return commit


def assert_untouched(shop: Shop, commit: str, release: dict[str, object]) -> None:
    """The former version serves, the domain is as it was, and the failed workspace is gone."""
    assert shop.served() == commit
    assert len(shop.workspaces()) == 1
    assert shop.connections() == {"/": shop.workspaces()}
    assert release["status"] == "failed"


def test_a_push_goes_live_and_the_next_one_replaces_it(shop: Shop) -> None:
    first = went_live(shop)
    second = shop.commit("second")

    release = shop.live(shop.push(second, first))

    assert shop.served() == second
    assert release["downtime"]["failed"] == 0
    assert release["commit"] == second


@pytest.mark.parametrize("stage", ["prepare", "test"])
def test_a_stage_that_fails_leaves_production_alone_and_keeps_its_log(shop: Shop, stage: str) -> None:
    first = went_live(shop)
    broken = {
        "prepare": ("python3 -m compileall -q app.py", "echo no flour left >&2; exit 3"),
        "test": ("python3 -m unittest -q test_app", "echo the cake fell >&2; exit 4"),
    }[stage]
    second = shop.commit(f"break {stage}", ci_yml=ci_of(shop).replace(*broken))

    release = shop.ended(shop.push(second, first))

    assert_untouched(shop, first, release)
    assert release["failure"]["cause"] == "application"
    assert release["failure"]["step"] == stage
    assert any("no flour" in line or "cake fell" in line for line in release["failure"]["log"])
    failed = shop.get("/api/v1/queue/failed")["releases"]
    assert release["id"] in [entry["id"] for entry in failed]


def test_an_app_that_exits_fails_in_run(shop: Shop) -> None:
    first = went_live(shop)
    second = shop.commit("crash", app_py="raise SystemExit('out of stock')\n")

    release = shop.ended(shop.push(second, first))

    assert_untouched(shop, first, release)
    assert release["failure"]["step"] in ("test", "run")


def test_one_failing_replica_of_three_is_enough_to_stop(shop: Shop) -> None:
    first = went_live(shop)
    ci = ci_of(shop).replace("replicas: 1", "replicas: 3")

    app = app_of(shop).replace(
        "def main() -> None:\n",
        "def main() -> None:\n"
        '    if os.environ.get("CS_REPLICA", "").endswith("2"):\n        raise SystemExit(9)\n',
    )
    second = shop.commit("one bad replica", ci_yml=ci, app_py=app)

    release = shop.ended(shop.push(second, first))

    assert_untouched(shop, first, release)
    assert release["failure"]["step"] in ("run", "verify")  # whichever looks when it dies


def test_an_app_that_answers_wrongly_is_never_connected(shop: Shop) -> None:
    first = went_live(shop)
    second = shop.commit(
        "unwell",
        app_py=app_of(shop).replace('return 200, "application/json"', 'return 503, "x/y"'),
        test_app_py="import unittest\n",
    )

    release = shop.ended(shop.push(second, first))

    assert_untouched(shop, first, release)
    assert release["failure"]["step"] in ("test", "verify")


def test_a_version_that_fails_only_in_production_is_taken_back(shop: Shop) -> None:
    first = went_live(shop)
    port = shop.address.rpartition(":")[2]
    app = app_of(shop).replace(
        "        status, kind, text = answer(",
        f'        if (self.headers.get("Host") or "").endswith(":{port}"):\n'
        "            self.send_error(500)\n            return\n"
        "        status, kind, text = answer(",
    )
    second = shop.commit("ill in production", app_py=app)

    release = shop.ended(shop.push(second, first))

    assert release["status"] == "rolled_back", release
    assert release["downtime"]["failed"] >= 3
    assert shop.served() == first
    assert len(shop.workspaces()) == 1


def test_the_pushed_commit_goes_live_although_the_branch_moved_on(shop: Shop) -> None:
    pushed = shop.commit("pushed")
    shop.commit("moved on before the clone")

    shop.live(shop.push(pushed))

    assert shop.served() == pushed


def test_other_paths_of_the_domain_are_carried_over(shop: Shop) -> None:
    first = went_live(shop)
    (former,) = shop.workspaces()
    shop.local.sandbox.connect(shop.domain, {"/blog": [former], "/": [former]})

    release = shop.live(shop.push(shop.commit("second"), first))

    assert shop.connections() == {"/blog": [former], "/": [release["workspace_id"]]}


def test_somebody_who_edits_the_domain_meanwhile_is_not_overruled(shop: Shop) -> None:
    first = went_live(shop)
    (former,) = shop.workspaces()
    second = shop.commit("second")
    domain = re.escape(f"/domain/{shop.domain}")
    shop.local.sandbox.faults.add(
        Fault(
            f".*{domain}",
            method="GET",
            skip=2,  # resolving the target and its snapshot read it first
            do=lambda: shop.local.sandbox.connect(shop.domain, {"/blog": [former]}),
        )
    )

    release = shop.ended(shop.push(second, first))

    assert release["status"] == "failed"
    assert "somebody changed" in release["reason"]
    assert shop.connections() == {"/blog": [former]}


def test_a_flat_pipeline_goes_live_without_a_landscape(shop: Shop) -> None:
    commit = shop.commit("flat", ci_yml=FLAT)

    shop.live(shop.push(commit))

    assert shop.served() == commit
    (workspace,) = shop.workspaces()
    assert not shop.local.sandbox.called("POST", f"/workspaces/{workspace}/landscape/deploy")


def test_a_person_takes_a_release_back_and_the_pin_holds_the_next(shop: Shop) -> None:
    first = went_live(shop)
    second = shop.commit("second")
    release = shop.live(shop.push(second, first))

    answer = shop.post(f"/api/v1/releases/{release['id']}/rollback", {"reason": "looks wrong"})
    soon(lambda: shop.get(f"/api/v1/releases/{release['id']}")["status"] != "live", "the rollback is done")
    taken_back = shop.ended(release["id"])

    assert answer.status_code == httpx.codes.ACCEPTED
    assert taken_back["status"] == "rolled_back"
    assert shop.served() == first
