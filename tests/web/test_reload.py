"""One reload reaches every process; a faulty file reaches none."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from bot.cli import switchover
from config.faults import ConfigurationError, Fault
from config.settings import read_settings
from tests.web.server import CONFIG, serving, write_config
from tests.web.web import SECRET, TOKENS, Web, is_envelope, open_web, settings
from workers.housekeeping import Chore, Housekeeper, ReloadWatch
from workers.store.connection import connect
from workers.store.releases import ReleaseStore


@pytest.mark.anyio
async def test_a_reload_puts_the_new_file_in_force_and_names_what_needs_a_restart(
    tmp_path: Path, store_url: str
) -> None:
    path = write_config(tmp_path)
    config = read_settings(path, {})
    async with open_web(store_url, config=config, read=lambda: read_settings(path, {})) as web:
        path.write_text(
            CONFIG.format(port=9090, admin=TOKENS["admin"], viewer=TOKENS["viewer"], secret=SECRET).replace(
                "  shop:", "  shop-two:"
            )
        )
        answer = await web.ask("POST", "/reload")
        again = await web.ask("POST", "/reload")

        assert answer.status_code == 200
        assert answer.json() == {"generation": 1, "projects": ["shop-two"], "needs_restart": ["server.port"]}
        assert again.json() == {"generation": 2, "projects": ["shop-two"], "needs_restart": []}
        assert list(web.services.settings.current.projects) == ["shop-two"]


@pytest.mark.anyio
async def test_a_faulty_file_is_refused_whole_with_its_faults_and_no_secret(
    tmp_path: Path, store_url: str
) -> None:
    path = write_config(tmp_path)
    config = read_settings(path, {})
    async with open_web(store_url, config=config, read=lambda: read_settings(path, {})) as web:
        path.write_text(path.read_text().replace("repository:", "repo:").replace("port: 0", "port: x"))
        answer = await web.ask("POST", "/reload")

        assert is_envelope(answer, 422)
        assert "projects.shop.repo" in answer.json()["detail"]
        assert "server.port" in answer.json()["detail"]
        assert not any(secret in answer.text for secret in (SECRET, *TOKENS.values()))
        assert list(web.services.settings.current.projects) == ["shop"]
        assert web.services.store.generation() == 0


@pytest.mark.anyio
@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_only_an_admin_may_reload(web: Web, role: str) -> None:
    assert is_envelope(await web.ask("POST", "/reload", role), 403)


def test_every_process_reads_again_once_when_it_was_asked_anywhere(store_url: str) -> None:
    with connect(store_url) as client:
        store = ReleaseStore(client)
        store.renew_generation()
        read: list[str] = []
        watches = [ReloadWatch(store.generation, lambda name=name: read.append(name)) for name in ("a", "b")]  # type: ignore[misc]  # mypy knows no default of a lambda
        keepers = [Housekeeper(store, [Chore("reload", 0.0, each.look, everywhere=True)]) for each in watches]

        def look() -> None:
            for keeper in keepers:
                keeper.look()

        look()
        at_start = list(read)
        store.renew_generation()
        look()
        look()

    assert at_start == []
    assert read == ["a", "b"]


def test_a_chore_of_the_start_is_done_when_processes_start_and_then_in_its_time(store_url: str) -> None:
    done: list[str] = []
    with connect(store_url) as client:
        store = ReleaseStore(client)
        store.turn("sweep", 600.0)  # the turn of a process that is gone
        chore = Chore("sweep", 600.0, lambda: done.append("swept"), at_start=True)
        keepers = [Housekeeper(store, [chore]) for _ in range(2)]

        for _ in range(3):
            for keeper in keepers:
                keeper.look()

    assert done == ["swept"]


def test_a_running_server_reloads_by_command(tmp_path: Path, store_url: str) -> None:
    fresh = "fresh-token-of-the-admin"
    with serving(write_config(tmp_path), store_url) as server:
        environ = {"SWITCHOVER_URL": server.address, "SWITCHOVER_TOKEN": TOKENS["admin"]}
        good = server.config.read_text()
        server.config.write_text("projects: {shop: {hots: github}}")
        refused = CliRunner().invoke(switchover, ["reload"], obj=environ)
        server.config.write_text(good.replace(TOKENS["admin"], fresh))
        taken = CliRunner().invoke(switchover, ["reload", "--json"], obj=environ)
        headers = {"Authorization": f"Bearer {fresh}"}
        status = httpx.get(f"{server.address}/api/v1/releases", headers=headers).status_code
        locks = CliRunner().invoke(switchover, ["locks"], obj={**environ, "SWITCHOVER_TOKEN": fresh})

    assert refused.exit_code == 2
    assert "projects.shop.hots" in refused.stderr
    assert json.loads(taken.stdout)["generation"] == 1
    assert status == 200
    assert "No target is locked." in locks.stdout


@pytest.mark.anyio
async def test_the_faults_of_a_refused_reload_come_all_at_once(store_url: str) -> None:
    def read() -> None:
        raise ConfigurationError([Fault("a", "one"), Fault("b", "two")])

    async with open_web(store_url, config=settings(), read=read) as web:
        detail = (await web.ask("POST", "/reload")).json()["detail"]

    assert "a: one" in detail
    assert "b: two" in detail
