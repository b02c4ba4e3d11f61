"""The driver against the sandbox, which was written from the API's description and not from the driver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from pydantic import SecretStr

from sandbox.core import Fault, Sandbox
from sandbox.scripted import Behaviour, Failure, Repository, ScriptedWorld, flat_ci, landscape_ci
from sandbox.transport import API_ORIGIN, API_URL, SandboxTransport
from workers.errors import Asleep, Effect, Gone, PlatformError, Refused, TryAgain
from workers.flow.ports import Platform, Web
from workers.platforms.client import ApiClient
from workers.platforms.codesphere import Codesphere
from workers.platforms.transport import http_client
from workers.platforms.web import HttpWeb
from workers.releases.places import Service, Stage, StageReport, StageState, Workspace, WorkspaceSpec

GIT_URL = "https://git.example.com/acme/shop.git"
DOMAIN = "shop.example.com"
SPEC = WorkspaceSpec(
    team_id=35,
    plan_id=8,
    name="shop-r1",
    mark="switchover:r1",
    git_url=GIT_URL,
    branch="main",
    private=False,
    replicas=1,
    restricted=False,
    env={"APP_ENV": "production"},
)


@dataclass
class Clock:
    """Epoch seconds that stand still until `sleep`."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Bench:
    """A driver and a web over one sandbox, whose time only the test moves."""

    sandbox: Sandbox
    repository: Repository
    platform: Platform
    web: Web
    clock: Clock

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def workspace(self, spec: WorkspaceSpec = SPEC) -> Workspace:
        made = self.platform.create_workspace(spec)
        self.sleep(1)
        return made

    def finished(self, workspace: Workspace, stage: Stage, *services: Service) -> StageReport:
        self.platform.start_stage(workspace.id, stage, None)
        self.sleep(2)
        return self.platform.stage(workspace, stage, services)


@pytest.fixture
def bench() -> Iterator[Bench]:
    world = ScriptedWorld()
    clock = Clock()
    sandbox = Sandbox(world, clock)
    with http_client(transport=SandboxTransport(sandbox, sleep=clock.sleep)) as http:
        platform = Codesphere(ApiClient(http, API_URL, SecretStr(sandbox.token)), clock=clock)
        yield Bench(sandbox, world.repository(GIT_URL), platform, HttpWeb(http), clock)


def test_names_are_resolved_to_ids(bench: Bench) -> None:
    bench.sandbox.add_domain(DOMAIN)

    place = bench.platform.resolve("acme", 8, DOMAIN.upper(), 1)

    assert (place.team_id, place.plan_id) == (35, 8)
    assert place.key == f"{API_ORIGIN}|35|{DOMAIN}"


@pytest.mark.parametrize(
    ("team", "domain", "names"),
    [("nobody", DOMAIN, "'acme' (id 35)"), ("acme", "other.example.com", DOMAIN), (35, "x.example", DOMAIN)],
)
def test_what_does_not_exist_is_refused_with_what_does(
    bench: Bench, team: str | int, domain: str, names: str
) -> None:
    bench.sandbox.add_domain(DOMAIN)

    with pytest.raises(Refused) as caught:
        bench.platform.resolve(team, 8, domain, 1)
    assert names in str(caught.value)


def test_a_workspace_is_made_found_and_deleted(bench: Bench) -> None:
    bench.repository.commit()

    made = bench.platform.create_workspace(SPEC)

    assert (made.name, made.mark, made.restricted) == ("shop-r1", "switchover:r1", False)
    assert made.address is not None
    assert made.address.startswith("https://")
    assert [found.id for found in bench.platform.workspaces(35)] == [made.id]
    assert bench.platform.workspace(made.id) == made
    bench.platform.delete_workspace(made.id)
    bench.platform.delete_workspace(made.id)
    with pytest.raises(Gone):
        bench.platform.workspace(made.id)


def test_a_lost_answer_leaves_a_workspace_that_its_mark_finds(bench: Bench) -> None:
    bench.repository.commit()
    bench.sandbox.faults.add(Fault("/workspaces", method="POST", status=502, after=True))

    with pytest.raises(TryAgain) as caught:
        bench.platform.create_workspace(SPEC)

    assert caught.value.effect is Effect.UNKNOWN
    assert [found.mark for found in bench.platform.workspaces(35)] == [SPEC.mark]


def test_a_workspace_sleeps_and_wakes(bench: Bench) -> None:
    bench.repository.commit()
    made = bench.workspace()
    assert bench.platform.is_running(made.id)
    bench.sandbox.put_to_sleep(made.id)

    assert not bench.platform.is_running(made.id)
    with pytest.raises(Asleep):
        bench.platform.stage(made, Stage.PREPARE, ())
    bench.platform.wake(made)
    bench.sleep(5)
    assert bench.platform.is_running(made.id)


def test_the_clone_is_pinned_to_an_older_commit_and_pulled_to_a_newer_one(bench: Bench) -> None:
    older = bench.repository.commit("one")
    tip = bench.repository.commit("two")
    made = bench.workspace()
    assert bench.platform.head(made.id) == tip

    bench.platform.checkout(made.id, older)
    assert bench.platform.head(made.id) == older

    newest = bench.repository.commit("three")
    with pytest.raises(Refused, match="not in the clone"):
        bench.platform.checkout(made.id, newest)
    bench.platform.pull(made.id, "main")
    bench.platform.checkout(made.id, newest)
    assert bench.platform.head(made.id) == newest


def test_the_pipeline_file_is_read_from_the_workspace(bench: Bench) -> None:
    bench.repository.commit(files={"ci.yml": landscape_ci({"web": 2, "jobs": 1}), "ci.old.yml": flat_ci()})
    made = bench.workspace()

    assert bench.platform.pipeline(made.id, None).services == (Service("web", 2), Service("jobs", 1))
    assert not bench.platform.pipeline(made.id, "old").landscape
    with pytest.raises(Refused, match=r"ci\.prod\.yml"):
        bench.platform.pipeline(made.id, "prod")


def test_a_landscape_is_built_deployed_and_run(bench: Bench) -> None:
    bench.repository.commit(files={"ci.yml": landscape_ci({"web": 2})})
    made = bench.workspace()
    web = Service("web", 2)

    assert bench.finished(made, Stage.PREPARE).state is StageState.SUCCEEDED
    assert bench.finished(made, Stage.TEST).state is StageState.SUCCEEDED
    assert bench.platform.stage(made, Stage.RUN, (web,)).state is StageState.WAITING
    bench.platform.deploy_landscape(made.id, None)
    bench.sleep(2)
    up = bench.finished(made, Stage.RUN, web)
    bench.platform.stop_stage(made.id, Stage.RUN)
    stopped = bench.platform.stage(made, Stage.RUN, (web,))

    assert (up.state, stopped.state) == (StageState.RUNNING, StageState.FAILED)
    assert up.mark


def test_a_flat_pipeline_runs_without_a_landscape(bench: Bench) -> None:
    bench.repository.commit(files={"ci.yml": flat_ci()})
    made = bench.workspace()

    assert bench.finished(made, Stage.RUN).state is StageState.RUNNING


def test_a_failed_step_tells_its_log(bench: Bench) -> None:
    failure = Failure("test", step=1, lines=("assert 1 == 2", "1 failed"))
    ci = landscape_ci(test=["lint", "unit", "slow"])
    bench.repository.commit(files={"ci.yml": ci}, behaviour=Behaviour(failures=(failure,)))
    made = bench.workspace()

    report = bench.finished(made, Stage.TEST)

    assert (report.state, report.failed_step) == (StageState.FAILED, 1)
    assert bench.platform.log_tail(made.id, Stage.TEST, report)[-2:] == ("assert 1 == 2", "1 failed")
    assert bench.platform.log_tail(made.id, Stage.TEST, replace(report, failed_step=None)) == ()


def test_a_service_that_exits_tells_its_log_too(bench: Bench) -> None:
    failure = Failure("run", lines=("goodbye",), cleanly=True)
    bench.repository.commit(behaviour=Behaviour(failures=(failure,)))
    made = bench.workspace()
    bench.platform.deploy_landscape(made.id, None)
    bench.sleep(2)

    report = bench.finished(made, Stage.RUN, Service("web", 1))

    assert report.state is StageState.FAILED
    assert "goodbye" in bench.platform.log_tail(made.id, Stage.RUN, report)


def test_the_domain_is_read_and_its_whole_map_replaced(bench: Bench) -> None:
    bench.repository.commit()
    old, new = bench.workspace(), bench.workspace(replace(SPEC, name="shop-r2"))
    bench.sandbox.add_domain(DOMAIN, {"/": [old.id], "/blog": [old.id]})
    before = bench.platform.domain(35, DOMAIN)

    answer = bench.platform.connect(35, DOMAIN, {**before.connections, "/": (new.id, old.id)}, timeout=5)

    wanted = {"/": (new.id, old.id), "/blog": (old.id,)}
    assert before.verified
    assert before.certificate_issued
    assert answer.connections == wanted
    assert [found.connections for found in bench.platform.domains(35)] == [wanted]
    with pytest.raises(Gone):
        bench.platform.domain(35, "other.example.com")


def test_a_restricted_workspace_opens_with_the_access_headers_only(bench: Bench) -> None:
    commit = bench.repository.commit()
    made = bench.workspace(replace(SPEC, restricted=True))
    bench.platform.deploy_landscape(made.id, None)
    bench.sleep(2)
    bench.finished(made, Stage.RUN, Service("web", 1))
    bench.sleep(60)

    shut = bench.web.get(f"{made.address}/version", timeout=5)
    bench.sleep(60)
    headers = bench.platform.access_headers(made)
    opened = bench.web.get(f"{made.address}/version", timeout=5, headers=headers)

    assert shut.status == 303
    assert (opened.status, commit in opened.body) == (200, True)
    assert bench.platform.access_headers(replace(made, restricted=False)) == {}
    with pytest.raises(Refused, match="https"):
        bench.platform.access_headers(replace(made, address="http://app.example.com"))


@pytest.mark.parametrize("garbage", ["html", "truncated", "empty", "unknown-state", "not-json"])
def test_garbage_is_never_taken_for_success(bench: Bench, garbage: str) -> None:
    bench.repository.commit()
    made = bench.workspace()
    bench.finished(made, Stage.PREPARE)
    bench.sandbox.faults.add(Fault(".*/pipeline/prepare", garbage=garbage))  # type: ignore[arg-type]  # parametrised

    with pytest.raises(TryAgain):
        bench.platform.stage(made, Stage.PREPARE, ())


def test_an_empty_list_of_rows_is_not_the_end_of_a_stage(bench: Bench) -> None:
    bench.repository.commit()
    made = bench.workspace()
    bench.finished(made, Stage.PREPARE)
    bench.sandbox.faults.add(Fault(".*/pipeline/prepare", garbage="empty-list"))

    assert bench.platform.stage(made, Stage.PREPARE, ()).state is StageState.WAITING


def test_a_wrong_token_is_refused_without_being_told(bench: Bench) -> None:
    http = http_client(transport=SandboxTransport(bench.sandbox))
    platform = Codesphere(ApiClient(http, API_URL, SecretStr("wrong-token-1234")))

    with pytest.raises(PlatformError, match="token") as caught:
        platform.workspaces(35)
    assert "wrong-token-1234" not in str(caught.value)
