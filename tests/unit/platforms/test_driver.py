"""What the driver makes of answers that the sandbox does not give."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from tests.unit.platforms.conftest import TOKEN, api_answered_by
from workers.errors import Asleep, Effect, PlatformError, Refused, TryAgain
from workers.flow.ports import Platform
from workers.platforms.codesphere import Codesphere
from workers.platforms.codesphere.translate import address
from workers.releases.places import Stage, StageReport, StageState, Workspace, WorkspaceSpec

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FAILED = StageReport(StageState.FAILED, "", failed_step=0, server="codesphere-ide")
TEAMS = [{"id": 35, "name": "acme", "defaultDataCenterId": 5}, {"id": 36, "name": "35"}]
PLAN = {"id": 8, "title": "small", "maxReplicas": 3, "characteristics": {"onDemand": False}}
SPEC = WorkspaceSpec(35, 8, "shop-r1", "mark", "https://git.example.com/shop.git", None, False, 1, True)

Routes = dict[str, object]


def platform_with(routes: Routes, *, clock: Callable[[], float] = lambda: 0.0) -> Platform:
    """Answer each path (its end decides) with JSON, text, or what a callable gives."""

    def answer(request: httpx.Request) -> httpx.Response:
        for end, content in routes.items():
            if request.url.path.endswith(end):
                made = content(request) if callable(content) else content
                return made if isinstance(made, httpx.Response) else httpx.Response(200, json=made)
        return httpx.Response(404, json={"status": 404, "title": "Not found"})

    return Codesphere(api_answered_by(answer), clock=clock)


def resolving(plan: object = PLAN, domain_center: int = 5) -> Platform:
    domain = {"name": "shop.example.com", "workspaces": {}, "dataCenterId": domain_center}
    return platform_with({"/teams": TEAMS, "/workspace-plans": [plan], "/shop.example.com": domain})


def executing(output: str, error: str = "") -> Platform:
    return platform_with({"/execute": {"output": output, "error": error}, "/git/head": {"head": "main"}})


def test_a_team_named_like_an_id_is_found_by_its_name() -> None:
    assert resolving().resolve("35", 8, "shop.example.com", 1).team_id == 36
    assert resolving().resolve(35, "8", "shop.example.com", 1).team_id == 35


@pytest.mark.parametrize(
    ("change", "replicas", "reason"),
    [
        ({"deprecated": True}, 1, "deprecated"),
        ({}, 4, "allows 3 replicas"),
        ({"characteristics": {"onDemand": True}}, 2, "one replica only"),
    ],
)
def test_a_plan_that_cannot_carry_the_workspace_is_refused(
    change: dict[str, object], replicas: int, reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        resolving({**PLAN, **change}).resolve("acme", "small", "shop.example.com", replicas)


def test_what_will_hurt_is_said_as_a_warning() -> None:
    asleep = {**PLAN, "characteristics": {"onDemand": True}}

    assert resolving().resolve("acme", 8, "shop.example.com", 3).warnings == ()
    said = resolving(asleep, domain_center=6).resolve("acme", 8, "shop.example.com", 1).warnings
    assert len(said) == 2
    assert "sleeps" in said[0]
    assert "data centre 6" in said[1]


def test_teams_are_remembered_for_a_minute() -> None:
    asked, now = 0, 100.0

    def teams(_: httpx.Request) -> object:
        nonlocal asked
        asked += 1
        return TEAMS

    platform = platform_with({"/teams": teams, "/workspace-plans": [PLAN]}, clock=lambda: now)
    for now in (100.0, 159.0, 160.0, 161.0):  # noqa: B007 - the clock above reads it
        platform.resolve("acme", 8, "", 1)

    assert asked == 2


def test_a_new_workspace_is_asked_for_with_everything_said_and_nothing_unknown() -> None:
    bodies: list[object] = []

    def create(request: httpx.Request) -> object:
        bodies.append(json.loads(request.content))
        return {"id": 7, "name": "shop-r1", "teamId": 35}

    platform_with({"/workspaces": create}).create_workspace(replace(SPEC, env={"A": "1"}))

    assert bodies == [
        {
            "teamId": 35,
            "name": "shop-r1",
            "planId": 8,
            "isPrivateRepo": False,
            "replicas": 1,
            "gitUrl": "https://git.example.com/shop.git",
            "welcomeMessage": "mark",
            "restricted": True,
            "env": [{"name": "A", "value": "1"}],
        }
    ]


def test_a_password_in_the_git_address_is_not_sent_to_the_platform() -> None:
    with pytest.raises(Refused, match="password") as caught:
        platform_with({}).create_workspace(replace(SPEC, git_url="https://me:hunter22@git.example.com/x"))
    assert "hunter22" not in str(caught.value)


def test_values_of_the_environment_that_the_api_echoes_are_in_no_error() -> None:
    def create(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"title": "bad", "detail": request.content.decode()})

    with pytest.raises(Refused) as caught:
        platform_with({"/workspaces": create}).create_workspace(replace(SPEC, env={"KEY": "hunter22"}))
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("template", "dev_domain", "filled"),
    [
        ("https://{dev_domain}", "7-3000.5.example.com", "https://7-3000.5.example.com"),
        ("https://{dev_domain}/app", "https://7.example.com/", "https://7.example.com/app"),
        ("https://{dev_domain}", None, None),
        ("http://127.0.0.1:9000/w/{workspace_id}", None, "http://127.0.0.1:9000/w/7"),
    ],
)
def test_the_address_is_what_the_platform_tells(
    template: str, dev_domain: str | None, filled: str | None
) -> None:
    assert address(template, 7, dev_domain) == filled


def test_git_is_asked_where_the_api_tells_no_commit() -> None:
    assert executing(f"{COMMIT}\nrc=0\n").head(7) == COMMIT
    with pytest.raises(TryAgain, match="no commit"):
        executing("rc=128\n", "fatal: not a git repository").head(7)


def test_a_checkout_says_why_it_failed() -> None:
    with pytest.raises(Refused, match="not in the clone"):
        executing("rc=128\n").checkout(7, COMMIT)
    with pytest.raises(Refused, match="disk quota"):
        executing("commit found\nrc=1\n", "error: disk quota exceeded").checkout(7, COMMIT)
    with pytest.raises(TryAgain, match="at work"):
        executing("commit found\nrc=128\n", "Unable to create '.git/index.lock'").checkout(7, COMMIT)
    with pytest.raises(TryAgain) as cut_off:
        executing("commit found\n").checkout(7, COMMIT)
    assert cut_off.value.effect is Effect.UNKNOWN


def test_a_landscape_that_cannot_be_laid_out_points_at_the_file() -> None:
    bare = httpx.Response(500, json={"status": 500, "title": "An internal error occurred"})

    with pytest.raises(TryAgain, match=r"validate ci\.prod\.yml"):
        platform_with({"/landscape/deploy/prod": bare}).deploy_landscape(7, "prod")


@pytest.mark.parametrize(
    ("status", "meaning"), [(400, Refused), (401, Refused), (429, TryAgain), (500, TryAgain)]
)
def test_a_problem_in_a_log_stream_is_an_error_under_http_200(
    status: int, meaning: type[PlatformError]
) -> None:
    text = f'event: problem\ndata: {{"status": {status}, "title": "no logs"}}\n\n'
    platform = platform_with({"/logs/test/0": httpx.Response(200, text=text)})

    with pytest.raises(meaning, match="no logs"):
        platform.log_tail(7, Stage.TEST, FAILED)


def test_a_log_that_is_not_there_is_empty_and_a_sleeping_workspace_is_told() -> None:
    asleep = httpx.Response(400, json={"status": 400, "title": "Workspace is not running"})

    assert platform_with({}).log_tail(7, Stage.TEST, FAILED) == ()
    with pytest.raises(Asleep):
        platform_with({"/logs/test/0": asleep}).log_tail(7, Stage.TEST, FAILED)


def test_a_stream_that_breaks_leaves_the_lines_that_were_read() -> None:
    class Breaking(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b'event: data\ndata: [{"kind":"E","data":"it broke with full-power-key-1234"}]\n\n'
            raise httpx.ReadTimeout("silent")

    platform = platform_with({"/logs/test/0": lambda _: httpx.Response(200, stream=Breaking())})

    assert platform.log_tail(7, Stage.TEST, FAILED) == ("it broke with ***",)


def test_a_change_that_cannot_be_read_back_stays_open() -> None:
    platform = platform_with({"/workspace-connections": {"name": "shop.example.com"}})

    with pytest.raises(TryAgain, match="workspaces") as caught:
        platform.connect(35, "shop.example.com", {"/": (7,)}, timeout=1)
    assert caught.value.effect is Effect.UNKNOWN


def test_the_map_is_sent_in_its_order_and_byte_for_byte() -> None:
    sent: list[bytes] = []

    def put(request: httpx.Request) -> object:
        sent.append(request.content)
        return {"name": "shop.example.com", "workspaces": json.loads(request.content)}

    connections = {"/b ü/": (9, 7, 8), "/": (1,), "^/a.*$": ()}
    answer = platform_with({"/workspace-connections": put}).connect(35, "x", connections, timeout=1)

    assert list(json.loads(sent[0]).items()) == [("/b ü/", [9, 7, 8]), ("/", [1]), ("^/a.*$", [])]
    assert answer.connections == connections


def test_the_key_goes_to_a_restricted_workspace_only() -> None:
    workspace = Workspace(7, "x", None, 35, 1, "https://7.example.com", restricted=True)
    platform = platform_with({})

    assert platform.access_headers(workspace) == {"X-CS-Authorization": f"Bearer {TOKEN}"}
    assert platform.access_headers(replace(workspace, restricted=False)) == {}
    assert platform.access_headers(replace(workspace, address=None)) == {}
    assert platform.access_headers(replace(workspace, address="http://127.0.0.1:9000")) != {}
    with pytest.raises(Refused, match="https"):
        platform.access_headers(replace(workspace, address="http://7.example.com"))
