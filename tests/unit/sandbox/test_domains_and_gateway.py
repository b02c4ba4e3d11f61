"""Connections, and who answers a visitor."""

from __future__ import annotations

from collections import Counter

from sandbox.core import Fault, Sandbox
from sandbox.scripted import Answer, Behaviour, Repository, landscape_ci
from tests.unit.sandbox.conftest import GIT_URL, Client

DOMAIN = "shop.example.com"


def connect(client: Client, sandbox: Sandbox, body: object) -> int:
    path = f"{sandbox.domain_path(DOMAIN)}/workspace-connections"
    return client.call("PUT", path, body).status_code


def test_a_put_replaces_the_whole_map_and_answers_the_domain(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit()
    old, new = sandbox.live_workspace(GIT_URL), sandbox.live_workspace(GIT_URL)
    sandbox.add_domain(DOMAIN, {"/": [old], "/blog": [old]})
    path = f"{sandbox.domain_path(DOMAIN)}/workspace-connections"
    answer = client.call("PUT", path, {"/": [new]})
    assert answer.json()["workspaces"] == {"/": [new]}
    assert sandbox.connections(DOMAIN) == {"/": [new]}


def test_a_nested_map_an_unknown_workspace_and_a_patch_are_refused(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit()
    sandbox.add_domain(DOMAIN, {"/": [sandbox.live_workspace(GIT_URL)]})
    before = sandbox.connections(DOMAIN)
    assert connect(client, sandbox, {"workspaces": {"/": [1]}}) == 400
    assert connect(client, sandbox, {"/": [1]}) == 400
    patch = client.call("PATCH", sandbox.domain_path(DOMAIN), {"workspaces": {"/": [1]}})
    assert patch.status_code == 400
    assert sandbox.connections(DOMAIN) == before


def test_the_gateway_follows_after_the_routes_delay(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    first = repository.commit()
    old = sandbox.live_workspace(GIT_URL)
    second = repository.commit()
    new = sandbox.live_workspace(GIT_URL)
    sandbox.add_domain(DOMAIN, {"/": [old]})
    assert connect(client, sandbox, {"/": [new]}) == 200
    assert client.http.get(f"http://{DOMAIN}/version").json() == {"commit": first}
    client.clock.sleep(0.1)
    assert client.http.get(f"http://{DOMAIN}/version").json() == {"commit": second}


def test_the_longest_prefix_wins_and_several_ids_take_turns(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit()
    one, two, blog = (sandbox.live_workspace(GIT_URL) for _ in range(3))
    sandbox.add_domain(DOMAIN, {"/": [one, two], "/blog": [blog]})
    for path in ("/", "/", "/bloggers", "/x?y=1", "/blog", "/blog/post"):
        client.http.get(f"http://{DOMAIN}{path}")
    assert Counter(s.workspace_id for s in sandbox.served) == {one: 2, two: 2, blog: 2}


def test_a_service_is_reached_by_its_own_path(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit(files={"ci.yml": landscape_ci({"web": 2, "api": 1})})
    sandbox.add_domain(DOMAIN, {"/": [sandbox.live_workspace(GIT_URL)]})
    replicas = [client.http.get(f"http://{DOMAIN}/").headers["x-replica"] for _ in range(4)]
    assert sorted(replicas) == ["0", "0", "1", "1"]
    assert client.http.get(f"http://{DOMAIN}/api/x").status_code == 200


def test_an_app_can_be_well_on_its_own_address_and_ill_in_production(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit(behaviour=Behaviour(production=Answer(500, "no database")))
    workspace = sandbox.live_workspace(GIT_URL)
    sandbox.add_domain(DOMAIN, {"/": [workspace]})
    own = client.call("GET", f"/workspaces/{workspace}").json()["devDomain"]
    assert client.http.get(f"http://{own}/").status_code == 200
    assert client.http.get(f"http://{DOMAIN}/").status_code == 500


def test_a_workspaces_own_address_has_its_moods(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit(behaviour=Behaviour(listens_after=3))
    workspace = sandbox.live_workspace(GIT_URL, restricted=True)
    own = client.call("GET", f"/workspaces/{workspace}").json()["devDomain"]
    assert client.http.get(f"http://{own}/").status_code == 303
    client.http.headers["x-cs-authorization"] = f"Bearer {sandbox.token}"
    assert client.http.get(f"http://{own}/").status_code == 502
    client.clock.sleep(3)
    assert client.http.get(f"http://{own}/").status_code == 200
    sandbox.quirks.starting_page = True
    assert "is starting" in client.http.get(f"http://{own}/").text
    sandbox.quirks.too_many_requests = True
    assert client.http.get(f"http://{own}/").status_code == 429


def test_nobody_home_is_the_gateways_own_page(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit()
    workspace = sandbox.live_workspace(GIT_URL)
    sandbox.add_domain(DOMAIN, {"/": [workspace], "/empty": []})
    assert client.http.get(f"http://{DOMAIN}/empty").status_code == 404
    client.call("DELETE", f"/workspaces/{workspace}")
    assert client.http.get(f"http://{DOMAIN}/").status_code == 502
    assert client.http.get("http://elsewhere.example.com/").status_code == 404


def test_a_new_domain_is_unverified_until_verified(client: Client, sandbox: Sandbox) -> None:
    path = "/domains/team/35/domain/new.example.com"
    made = client.call("POST", path).json()
    assert made["domainVerificationStatus"]["verified"] is False
    sandbox.platform.domains["new.example.com"].verify_result = False
    assert client.call("POST", f"{path}/verify").json()["verified"] is False
    sandbox.platform.domains["new.example.com"].verify_result = True
    assert client.call("POST", f"{path}/verify").json() == {"verified": True, "reason": None}


def test_somebody_else_can_edit_the_domain_just_before_a_put(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit()
    old, new, theirs = (sandbox.live_workspace(GIT_URL) for _ in range(3))
    sandbox.add_domain(DOMAIN, {"/": [old]})
    fault = sandbox.faults.add(
        Fault(
            method="PUT",
            path=".*/workspace-connections",
            do=lambda: sandbox.connect(DOMAIN, {"/": [theirs], "/blog": [old]}),
        )
    )
    assert connect(client, sandbox, {"/": [new]}) == 200
    assert fault.met == 1
    assert sandbox.connections(DOMAIN) == {"/": [new]}


def test_a_service_sees_its_path_without_the_prefix_when_the_file_says_so(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    plain = landscape_ci({"web": 1, "api": 1})
    before, _, after = plain.partition("path: /api")
    ci = f"{before}path: /api{after.replace('stripPath: false', 'stripPath: true')}"
    behaviour = Behaviour(answers={"/orders": Answer(200, "stripped")})
    repository.commit(files={"ci.yml": ci}, behaviour=behaviour)
    sandbox.add_domain(DOMAIN, {"/": [sandbox.live_workspace(GIT_URL)]})
    assert client.http.get(f"http://{DOMAIN}/api/orders").text == "stripped"
    assert client.http.get(f"http://{DOMAIN}/web/orders").text != "stripped"
