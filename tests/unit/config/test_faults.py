"""Each way in which a configuration can be wrong, and how it is said."""

from pathlib import Path
from typing import Any

import pytest

from config.faults import ConfigurationError, Fault
from config.settings import load_settings, read_settings

from .samples import SECRET, SOUND, bent, faults, load

TARGET = SOUND["projects"]["shop"]["target"]
SHOP = SOUND["projects"]["shop"]

ONE_CHANGE: list[tuple[str, Any, str, str]] = [
    # what is set where, and where the fault is seen, with words of its message
    ("sever", {}, "sever", 'did you mean "server"?'),
    ("colour", {}, "colour", "known here: server, redis"),
    ("server.prot", 1, "server.prot", 'did you mean "port"?'),
    ("projects.shop.target.pahts", [], "projects.shop.target.pahts", 'did you mean "paths"?'),
    ("projects.shop.observe.duration", "3s", "projects.shop.observe.duration", "known here: for"),
    ("projects.shop.name", "x", "projects.shop.name", "is not a known key"),
    ("projects.shop.verify.within", 120, "projects.shop.verify.within", "write for example 120s"),
    ("projects.shop.verify.within", "2 min", "projects.shop.verify.within", "is not a duration"),
    ("projects.shop.verify.successes", 0, "projects.shop.verify.successes", "at least 1"),
    ("projects.shop.verify.status", 99, "projects.shop.verify.status", "at least 200"),
    ("projects.shop.verify.path", "up", "projects.shop.verify.path", 'must start with "/"'),
    ("projects.shop.observe.every", "49ms", "projects.shop.observe.every", "from 50ms to 1m"),
    ("projects.shop.observe.failures", 0, "projects.shop.observe.failures", "at least 1"),
    ("projects.shop.workspace.replicas", "two", "projects.shop.workspace.replicas", "whole number"),
    ("projects.shop.workspace.env", {"A B": "x"}, "projects.shop.workspace.env", "A B"),
    ("projects.shop.stages.test.run", "maybe", "projects.shop.stages.test.run", "true or false"),
    ("projects.shop.git.private", 3, "projects.shop.git.private", "auto, true or false"),
    ("projects.shop.git.url", "https://u:p@x/y", "projects.shop.git.url", "password"),
    ("projects.shop.repository", "https://x/acme/shop", "projects.shop.repository", "acme/shop"),
    ("projects.shop.flow", "zero-downtme", "projects.shop.flow", 'did you mean "zero-downtime"?'),
    ("projects.shop.flow", "in-place", "projects.shop.target.workspace", "required by the flow"),
    ("projects.shop.host", "githib", "projects.shop.host", 'did you mean "github"?'),
    ("projects.shop.notify", ["crowd"], "projects.shop.notify.0", "known: team"),
    ("projects.shop.target.platform", "mars", "projects.shop.target.platform", "known: codesphere"),
    ("projects.shop.target.domain", "https://x.io", "projects.shop.target.domain", "without https"),
    ("projects.shop.target.domain", None, "projects.shop.target.domain", "is required"),
    ("projects.shop.target.plan", None, "projects.shop.target.plan", "is required"),
    ("projects.shop.target.team", None, "projects.shop.target.team", "is required"),
    ("projects.shop.target", None, "projects.shop.target", "is required"),
    ("projects.shop.target.paths", ["api"], "projects.shop.target.paths.0", 'must start with "/"'),
    ("projects.shop.target.paths", [], "projects.shop.target.paths", "at least 1"),
    ("projects.shop.target.paths", ["/a", "/a/"], "projects.shop.target.paths", "twice"),
    ("projects.shop.triggers", [{"pusch": {}}], "projects.shop.triggers.0", '"push"'),
    ("projects.shop.triggers", ["push"], "projects.shop.triggers.0", "exactly one key"),
    ("projects.shop.triggers", [{"push": {}}], "projects.shop.triggers.0.push", "no branch"),
    (
        "projects.shop.triggers",
        [{"push": {"branches": ["main", "a***"]}}],
        "projects.shop.triggers.0.push.branches.1",
        "***",
    ),
    (
        "projects.shop.triggers",
        [{"push": {"branches": ["main"], "forcd": "release"}}],
        "projects.shop.triggers.0.push.forcd",
        'did you mean "forced"?',
    ),
    ("projects.shop", [], "projects.shop", "should be a mapping"),
    ("projects.a b", SHOP, "projects.a b", "no name for a project"),
    ("hosts.github.secrets", [], "hosts.github.secrets", "at least one secret"),
    ("hosts.github.secrets", None, "hosts.github.secrets", "at least one secret"),
    ("hosts.github.secrets", ["x" * 15], "hosts.github.secrets.0", "shorter than 16"),
    ("hosts.github.driver", "gitlub", "hosts.github.driver", 'did you mean "gitlab"?'),
    ("hosts.github.api_url", "http://ghe.example.com", "hosts.github.api_url", "plain http"),
    ("platforms.codesphere.api_url", "http://10.0.0.1", "platforms.codesphere.api_url", "plain http"),
    ("platforms.codesphere.api_url", "ftp://x", "platforms.codesphere.api_url", "web address"),
    ("platforms.codesphere.token", "", "platforms.codesphere.token", "is empty"),
    ("platforms.codesphere.driver", "codenvy", "platforms.codesphere.api_url", "is required"),
    ("platforms.codesphere.workspace_url", "https://{x}", "platforms.codesphere.workspace_url", "other than"),
    ("platforms.codesphere.workspace_url", "https://{", "platforms.codesphere.workspace_url", "unmat"),
    ("access.tokens.0.token", "x" * 15, "access.tokens.0.token", "shorter than 16"),
    ("access.tokens.0.token", 1234567890123456, "access.tokens.0.token", "put it in quotes"),
    ("access.tokens.0.role", "root", "access.tokens.0.role", "viewer, operator, admin"),
    ("access.tokens", SOUND["access"]["tokens"] * 2, "access.tokens.1.name", "access.tokens.0 too"),
    ("access.tokens", SOUND["access"]["tokens"] * 2, "access.tokens.1.token", "access.tokens.0 too"),
    ("notices.team.on", ["lvie"], "notices.team.on.0", 'did you mean "live"?'),
    ("server.trusted_proxies", ["10.0.0.0/99"], "server.trusted_proxies.0", "should be a network"),
    ("server.max_body", "25MB", "server.max_body", "is not a size"),
    ("redis.url", "http://x", "redis.url", "redis://"),
    ("redis.url", "redis+sentinel://a,b", "redis.url", "a service"),
    ("redis.url", "redis+sentinel://a:1,b:x/bot", "redis.url", "not host:port"),
    ("redis.url", "redis+sentinel://a/bot?db=first", "redis.url", "not a number"),
    ("redis.url", "redis+sentinel://a/bot?base=1", "redis.url", "unknown option"),
    ("defaults", {"verfy": {}}, "defaults.verfy", 'did you mean "verify"?'),
    ("defaults", {"observe": {"every": "1ms"}}, "defaults.observe.every", "from 50ms"),
    ("defaults", [], "defaults", "should be a mapping"),
    ("include", "projects/*.yaml", "include", "should be a list"),
]


@pytest.mark.parametrize(("change", "value", "path", "words"), ONE_CHANGE)
def test_one_fault_is_named_with_its_path_and_the_way_out(
    change: str, value: Any, path: str, words: str
) -> None:
    found = faults(bent((change, value)))

    assert path in found
    assert words in found[path]
    assert all(each.startswith(("access", path)) for each in found), "one slip, one fault"


def test_the_sound_configuration_has_no_faults() -> None:
    assert "shop" in load(SOUND).projects


def test_all_faults_are_reported_at_once() -> None:
    tree = bent(
        ("sever", {}),
        ("redis.url", "${REDIS_URL}"),
        ("log.level", "loud"),
        ("hosts.github.secrets", []),
        ("projects.shop.host", "gitlab"),
        ("projects.shop.observe.every", "1ms"),
        ("projects.twin", SHOP),
    )

    assert faults(tree).keys() == {
        "sever",
        "redis.url",
        "log.level",
        "hosts.github.secrets",
        "projects.shop.host",
        "projects.shop.observe.every",
        "projects.twin.target.domain",
    }


def test_a_fault_in_the_defaults_is_reported_once_however_many_projects_there_are() -> None:
    other = {**SHOP, "target": {**TARGET, "domain": "other.example.com"}}
    tree = bent(("projects.other", other), ("defaults", {"notify": ["crowd"], "flow": "fast"}))

    assert faults(tree).keys() == {"defaults.notify.0", "defaults.flow"}


@pytest.mark.parametrize(
    "change",
    [
        {"domain": "SHOP.example.com"},
        {"team": "35"},
        {"paths": ["/api", "/"]},
        {"platform": "again"},
    ],
)
def test_two_projects_may_not_claim_one_path_of_a_domain(change: dict[str, Any]) -> None:
    tree = bent(
        ("platforms.again", {"driver": "codesphere", "token": SECRET}),
        ("projects.twin", {**SHOP, "target": {**TARGET, **change}}),
    )

    [(path, message)] = faults(tree).items()

    assert path.startswith("projects.twin.target.")
    assert "projects.shop" in message


@pytest.mark.parametrize("key", ["name", "host_has_token"])
def test_what_a_project_is_told_by_the_rest_of_the_file_cannot_be_written(key: str) -> None:
    [(path, message)] = faults(bent((f"projects.shop.{key}", "true"))).items()

    assert (path, "is not a known key" in message) == (f"projects.shop.{key}", True)


@pytest.mark.parametrize(
    ("token", "reports"), [("", False), (SECRET, True), ("${NOT_SET:-}", False)], ids=["none", "one", "unset"]
)
def test_projects_report_where_their_host_has_a_token(token: str, reports: bool) -> None:
    settings = load(bent(("hosts.github.token", token)))

    assert settings.projects["shop"].reports is reports


@pytest.mark.parametrize(
    "change",
    [{"domain": "x.example.com"}, {"team": 36}, {"paths": ["/api"]}, {"platform": "sandbox"}],
)
def test_projects_with_separate_targets_live_side_by_side(change: dict[str, Any]) -> None:
    tree = bent(
        ("platforms.sandbox", {"driver": "codesphere", "token": "x", "api_url": "http://127.0.0.1:1"}),
        ("projects.twin", {**SHOP, "target": {**TARGET, **change}}),
    )

    assert len(load(tree).projects) == 2


def test_a_trailing_slash_does_not_make_another_path() -> None:
    tree = bent(
        ("projects.shop.target.paths", ["/a"]),
        ("projects.twin", {**SHOP, "target": {**TARGET, "paths": ["/b", "/a/"]}}),
    )

    assert faults(tree).keys() == {"projects.twin.target.paths.1"}


def test_two_projects_may_not_work_in_one_workspace() -> None:
    project = {**SHOP, "flow": "in-place", "target": {**TARGET, "workspace": 7}}

    found = faults(bent(("projects.shop", project), ("projects.twin", project)))

    assert found.keys() == {"projects.twin.target.workspace"}


@pytest.mark.parametrize("address", ["http://localhost:1", "http://[::1]:1/api", "http://a.localhost"])
def test_plain_http_is_allowed_on_loopback(address: str) -> None:
    settings = load(bent(("platforms.codesphere.api_url", address)))

    assert settings.platforms["codesphere"].api_url == address


def test_duplicate_keys_are_named_with_their_lines() -> None:
    found = faults("server: {port: 1}\nlog:\n  level: info\n  level: debug\nserver: {}\n")

    assert "lines 3 and 4" in found["log.level"]
    assert "lines 1 and 5" in found["server"]


@pytest.mark.parametrize(
    "text",
    [
        "token: *s3cret-value-that-nobody-may-see",
        "token: !s3cret-value-that-nobody-may-see x",
        "token: 's3cret-value-that-nobody-may-see",
        "token: s3cret-value-that-nobody-may-see: x",
        "[1, 2]",
        "a: \x00",
        "a: &a [*a]",
        "? [a, b]\n: c",
        "a: " + "[" * 2000,
    ],
)
def test_text_that_is_no_fitting_yaml_is_one_fault_without_what_was_written(text: str) -> None:
    found = faults(text)

    assert len(found) == 1
    assert SECRET not in str(found)


# A file's name is repeated on purpose: it is no place for a secret.
@pytest.mark.parametrize("path", sorted({path for path, *_ in ONE_CHANGE} - {"include"}))
def test_a_secret_in_the_wrong_place_is_not_repeated(path: str) -> None:
    for wrong in (f"{SECRET} ", f"http://{SECRET}", [f"{SECRET} "], {"x": f"{SECRET} "}):
        assert SECRET not in report_on(bent((path, wrong)))


def report_on(tree: dict[str, Any]) -> str:
    try:
        load(tree)
    except ConfigurationError as error:
        return f"{error} {error!r}"
    return ""


def test_the_error_reads_as_a_list_of_faults() -> None:
    error = ConfigurationError([Fault("a.b", "is required"), Fault("", "is empty")])

    assert str(error) == "The configuration has 2 faults:\n  a.b: is required\n  is empty"


def test_a_file_that_cannot_be_read_is_a_fault_with_its_reason(tmp_path: Path) -> None:
    for path, words in [
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path, "not a regular file"),
        (_written(tmp_path / "latin.yaml", b"a: \xff"), "not UTF-8"),
    ]:
        with pytest.raises(ConfigurationError) as caught:
            read_settings(path, {})
        assert words in str(caught.value)
        assert str(path) in str(caught.value)


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_an_empty_file_is_all_defaults() -> None:
    assert load_settings("", {}, Path()).server.port == 8080
