"""The API as a caller meets it: who is let in, what is refused, and how."""

from __future__ import annotations

import pytest

from sandbox.core import Sandbox
from sandbox.scripted import Repository, landscape_ci
from tests.unit.sandbox.conftest import Client, create_body


def test_a_call_without_the_token_is_401_with_the_error_body(client: Client) -> None:
    client.http.headers["authorization"] = "Bearer wrong"
    answer = client.call("GET", "/teams")
    assert answer.status_code == 401
    assert {"status", "title", "traceId"} <= answer.json().keys()


def test_an_unknown_route_is_a_404_in_text(client: Client) -> None:
    answer = client.call("POST", "/workspaces/1/restart")
    assert (answer.status_code, answer.text) == (404, "Cannot POST /api/workspaces/1/restart")


def test_an_unknown_workspace_is_a_404_in_json(client: Client) -> None:
    answer = client.call("GET", "/workspaces/1")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"replicas": 0}, "expected a type of 'PositiveInteger', got: '0', at replicas"),
        ({"replicas": True}, "expected a type of 'PositiveInteger', got: 'true', at replicas"),
        ({"name": None}, "expected a type of 'string', got: 'null', at name"),
        ({"colour": "red"}, "expected a type of 'known property', got: 'colour'"),
        ({"gitUrl": "git@host:a/b"}, "expected a type of 'http(s) URL', got: 'git@host:a/b'"),
        ({"env": [{"name": "A B", "value": ""}]}, "got: 'A B', at env[0].name"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_what_was_got(
    client: Client, fields: dict[str, object], detail: str
) -> None:
    answer = client.call("POST", "/workspaces", create_body(**fields))
    assert answer.status_code == 400
    assert detail in answer.json()["detail"]


def test_unknown_properties_are_ignored_when_the_quirk_is_off(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit()
    sandbox.quirks.refuse_unknown_properties = False
    answer = client.call("POST", "/workspaces", create_body(colour="red"))
    assert answer.status_code == 200
    assert "colour" not in answer.json()


def test_a_new_workspace_comes_up_after_its_start_time(client: Client, repository: Repository) -> None:
    sha = repository.commit()
    made = client.call("POST", "/workspaces", create_body()).json()
    path = f"/workspaces/{made['id']}"
    assert client.call("GET", f"{path}/status").json() == {"isRunning": False}
    assert client.call("GET", f"{path}/git/head").status_code == 400
    client.clock.sleep(0.2)
    assert client.call("GET", f"{path}/status").json() == {"isRunning": True}
    assert client.call("GET", f"{path}/git/head").json() == {"head": sha}


def test_restricted_is_the_default_and_git_ref_does_nothing(client: Client, repository: Repository) -> None:
    old, new = repository.commit("old"), repository.commit("new")
    body = create_body(gitRef=old)
    del body["restricted"]
    made = client.call("POST", "/workspaces", body).json()
    client.clock.sleep(1)
    assert made["restricted"] is True
    assert client.call("GET", f"/workspaces/{made['id']}/git/head").json() == {"head": new}


def test_a_commit_is_pinned_by_a_local_checkout(client: Client, repository: Repository) -> None:
    old = repository.commit("old")
    repository.commit("new")
    base = f"/workspaces/{client.workspace()}"
    pin = f"cd /home/user/app && git cat-file -e {old}^{{commit}} && git checkout -q --detach {old}"
    done = client.call("POST", f"{base}/execute", {"command": f"{pin}; echo rc=$?"}).json()
    assert done["output"] == "rc=0\n"
    assert client.call("GET", f"{base}/git/head").json() == {"head": old}
    assert client.call("POST", f"{base}/git/pull").status_code == 400


def test_a_commit_that_the_clone_does_not_have_cannot_be_checked_out(
    client: Client, repository: Repository
) -> None:
    repository.commit()
    command = {"command": f"git cat-file -e {'a' * 40}^{{commit}} && echo yes; echo rc=$?"}
    base = f"/workspaces/{client.workspace()}"
    assert client.call("POST", f"{base}/execute", command).json()["output"] == "rc=1\n"
    slow = {"command": "sleep 6"}
    assert client.call("POST", f"{base}/execute", slow).status_code == 408


def test_a_pull_brings_what_was_pushed_since(client: Client, repository: Repository) -> None:
    repository.commit()
    base = f"/workspaces/{client.workspace()}"
    new = repository.commit("new")
    assert client.call("POST", f"{base}/git/pull/origin/main").status_code == 200
    assert client.call("GET", f"{base}/git/head").json() == {"head": new}


def test_a_profile_reads_its_own_file(client: Client, repository: Repository) -> None:
    repository.commit(files={"ci.prod.yml": landscape_ci({"api": 1})})
    workspace = client.workspace()
    assert client.act(workspace, "landscape/deploy/default").status_code == 400
    assert client.act(workspace, "landscape/deploy/prod").status_code == 200
    assert ("api", "waiting") in client.states(workspace, "run")


def test_environment_variables_are_upserted_and_dropped(client: Client, repository: Repository) -> None:
    repository.commit()
    base = f"/workspaces/{client.workspace(env=[{'name': 'A', 'value': '1'}])}/env-vars"
    client.call("PUT", base, [{"name": "B", "value": "2"}])
    assert [v["name"] for v in client.call("GET", base).json()] == ["A", "B"]
    client.call("DELETE", base, ["A"])
    assert client.call("GET", base).json() == [{"name": "B", "value": "2"}]


def test_more_replicas_than_the_plan_allows_are_refused(client: Client) -> None:
    assert client.call("POST", "/workspaces", create_body(replicas=4)).status_code == 400
    assert client.call("POST", "/workspaces", create_body(planId=999)).status_code == 400


def test_a_sleeping_workspace_answers_400_until_its_replicas_are_set(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit()
    workspace = client.workspace()
    sandbox.put_to_sleep(workspace)
    assert client.call("GET", f"/workspaces/{workspace}/pipeline/run").status_code == 400
    assert client.call("PATCH", f"/workspaces/{workspace}", {"replicas": 1}).status_code == 200
    client.clock.sleep(1)
    assert client.call("GET", f"/workspaces/{workspace}/pipeline/run").status_code == 200


def test_a_call_is_sent_on_to_the_data_centre_when_the_quirk_is_on(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit()
    sandbox.quirks.datacenter_redirect = True
    answer = client.call("GET", "/workspaces/team/35")
    assert answer.status_code == 307
    assert answer.headers["location"].startswith("http://5.codesphere.sandbox/api/")
    assert client.http.get(answer.headers["location"]).json() == []


def test_the_journal_names_every_call(client: Client, sandbox: Sandbox) -> None:
    client.call("GET", "/teams")
    client.call("POST", "/workspaces", {"x": 1})
    assert [(c.method, c.path, c.status) for c in sandbox.calls] == [
        ("GET", "/teams", 200),
        ("POST", "/workspaces", 400),
    ]
    assert sandbox.calls[1].body == {"x": 1}
