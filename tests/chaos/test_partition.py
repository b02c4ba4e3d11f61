"""A worker cut off from the store but not from the platform: it does nothing more, and another goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.core.faults import Fault
from tests.chaos.outside import some_projects
from tests.chaos.processes import ROOT, Town, soon, town
from tests.chaos.servers import PASSWORD, Server, start_server
from tests.chaos.wire import wire

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(200)]

DURABLE = ("appendonly yes", "appendfsync always")


@dataclass(frozen=True)
class Cable:
    """How the first worker reaches the store, and how that is cut and mended."""

    place: Town
    store_url: str
    cut: Callable[[], None]
    mend: Callable[[], None]
    within: Sequence[str] = ()


@pytest.fixture(params=["a proxy that is cut", "a network namespace whose link goes down"])
def cable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cable]:
    with contextlib.ExitStack() as stack:
        if request.param.startswith("a proxy"):
            yield by_proxy(stack, tmp_path)
        else:
            yield by_namespace(stack, tmp_path)


def address_of(server: Server, host: str = "127.0.0.1", port: int | None = None) -> str:
    return f"redis://:{PASSWORD}@{host}:{port or server.port}/0"


def by_proxy(stack: contextlib.ExitStack, directory: Path) -> Cable:
    """Lead the first worker's connections through a proxy."""
    server = start_server(directory, *DURABLE)
    stack.callback(server.end)
    laid = stack.enter_context(wire(("127.0.0.1", server.port)))
    place = stack.enter_context(town(directory, some_projects(1), address_of(server)))
    return Cable(place, address_of(server, port=laid.port), laid.cut, laid.mend)


def by_namespace(stack: contextlib.ExitStack, directory: Path) -> Cable:
    """Put the first worker into a namespace that reaches the store by a link, the platform by a socket."""
    number = os.getpid() % 250
    name, near, far = f"sw{number}", f"10.213.{number}.1", f"10.213.{number}.2"
    lay_link(stack, name, near, far)
    server = start_server(directory, *DURABLE, bind=f"127.0.0.1 {near}")
    stack.callback(server.end)
    place = stack.enter_context(town(directory, some_projects(1), address_of(server)))
    platform = place.platform
    inside = ("ip", "netns", "exec", name)
    forwarder = subprocess.Popen(
        [*inside, sys.executable, "-P", "-m", "tests.chaos.wire", str(platform.port), str(platform.path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    stack.enter_context(forwarder)
    stack.callback(forwarder.kill)
    assert forwarder.stdout is not None
    assert forwarder.stdout.readline() == b"laid\n"
    return Cable(
        place,
        address_of(server, near),
        cut=lambda: ip("link", "set", f"{name}a", "down"),
        mend=lambda: ip("link", "set", f"{name}a", "up"),
        within=inside,
    )


def lay_link(stack: contextlib.ExitStack, name: str, near: str, far: str) -> None:
    """Make a namespace with one link to us, or skip where that is not allowed."""
    if shutil.which("ip") is None and "CI" not in os.environ:
        pytest.skip("there is no ip command (package iproute2)")
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"no network namespace may be made here: {made.stderr.strip()}")
    stack.callback(ip, "netns", "del", name)
    ip("link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b", "netns", name)
    ip("addr", "add", f"{near}/30", "dev", f"{name}a")
    ip("link", "set", f"{name}a", "up")
    ip("-n", name, "addr", "add", f"{far}/30", "dev", f"{name}b")
    ip("-n", name, "link", "set", f"{name}b", "up")
    ip("-n", name, "link", "set", "lo", "up")


def ip(*arguments: str) -> None:
    """Run iproute2."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ".*/pipeline/prepare/start"), ("PUT", ".*/workspace-connections")],
    ids=["amid a build", "at the switch"],
)
def test_a_worker_without_the_store_does_nothing_more_and_another_goes_on(
    cable: Cable, method: str, path: str
) -> None:
    place, (project,) = cable.place, cable.place.projects
    receiver = place.receiver()
    first = place.worker(store_url=cable.store_url, within=cable.within)
    place.await_workers(1)
    place.sandbox.faults.add(Fault(method=method, path=path, do=cable.cut))
    old = place.commit(project)
    release = place.released(receiver, project, old)
    soon(lambda: "nothing is claimed until the store is back" in place.log(first), "the first one is cut off")
    place.worker()

    live = place.live(release)
    cable.mend()

    soon(lambda: "the store is back" in place.log(first), "the first one is back")
    assert place.puts(project) == [{"/": [live.workspace_id]}]
    assert len(place.sandbox.called("POST", "/workspaces")) == 1
    newer = place.live(place.released(receiver, project, place.commit(project), old))
    assert place.sandbox.connections(project.domain) == {"/": [newer.workspace_id]}
    assert len(place.puts(project)) == 2
