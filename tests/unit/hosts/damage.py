"""Ways to damage a delivery: its values, its text, its bytes, its headers; bounded in size."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import quote_plus

from hypothesis import strategies as st

from tests.unit.hosts.senders import ONE, Pairs

DEEP: Final = 10_000
DIGITS: Final = 5_000
LONG: Final = 20_000

_RAW: Final = {
    "@digits@": b"9" * DIGITS,
    "@fraction@": b"0." + b"1" * DIGITS,
    "@exponent@": b"1e400",
    "@arrays@": b"[" * DEEP + b"]" * DEEP,
    "@objects@": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "@open@": b"[" * DEEP,
    "@not-utf-8@": b'"\xc3\x28\xff"',
    "@half@": b'"\\ud800"',
    "@nan@": b"NaN",
}
"""What JSON in Python cannot write: it takes the place of a text of this name."""

odd_values: Final[st.SearchStrategy[Any]] = st.sampled_from(
    [
        *(
            None,
            True,
            False,
            0,
            -1,
            2**31,
            2**63,
            2**64,
            1.5,
            1e308,
            "",
            " ",
            "\0",
            "a\0b",
            "\ud800",
            "0" * 40,
        ),
        *(
            ONE,
            ONE[:12],
            "main",
            "refs/heads/",
            "refs/heads/\0",
            "refs/tags/v2",
            "-x",
            "../..",
            "a/b",
            "a/b/c",
        ),
        *(
            "2014-05-02T19:17:13.3309587Z",
            "9999-12-31T23:59:59.9999999Z",
            "0001-01-01",
            "x" * LONG,
            "\u0663" * 99,
        ),
        *([], {}, [None], [{}], [[[[]]]], {"": {}}, [{"a": [1]}] * 50, *_RAW),
    ]
) | st.text(max_size=20)

odd_texts: Final = st.sampled_from(
    [
        *(
            "",
            " ",
            "\0",
            "\ud800",
            "\u00e9",
            "\u0663" * 64,
            "\r\nX: y",
            "a" * 8_000,
            "v1," * 2_000,
            "=",
            "sha256=",
        ),
        *(
            "application/json",
            "application/x-www-form-urlencoded",
            "text/plain; charset=utf-16",
            "gzip",
            "identity",
        ),
        *("9" * DIGITS, "-1", "Basic", "Basic :", "push", "git.push"),
    ]
) | st.text(max_size=20)


def _places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*here, key)
        yield from _places(each, (*here, key))


def _damage_values(draw: st.DrawFn, document: dict[str, Any]) -> None:
    """Exchange a value for another, drop it, or repeat it."""
    places = list(_places(document))
    if not places:
        return
    *way, last = draw(st.sampled_from(places))
    holder: Any = document
    for key in way:
        holder = holder[key]
    match draw(st.sampled_from(["exchange", "exchange", "drop", "repeat", "wrap"])):
        case "exchange":
            holder[last] = copy.deepcopy(draw(odd_values))
        case "drop":
            del holder[last]
        case "repeat":
            holder[last] = [holder[last]] * draw(st.integers(0, 20))
        case _:
            holder[last] = {"a": holder[last]}


def _text_of(document: dict[str, Any]) -> bytes:
    text = json.dumps(document).encode()
    for name, raw in _RAW.items():
        text = text.replace(f'"{name}"'.encode(), raw)
    return text


def _damage_bytes(draw: st.DrawFn, body: bytes) -> bytes:
    at = draw(st.integers(0, max(0, len(body) - 1)))
    ways: dict[str, Callable[[], bytes]] = {
        "flip": lambda: (
            body[:at] + bytes([body[at] ^ draw(st.integers(1, 255))]) + body[at + 1 :] if body else b"?"
        ),
        "cut": lambda: body[:at],
        "insert": lambda: body[:at] + draw(st.binary(min_size=1, max_size=5)) + body[at:],
        "mark": lambda: b"\xef\xbb\xbf" + body,
        "utf-16": lambda: body.decode("latin-1").encode("utf-16"),
        "append": lambda: body + draw(st.sampled_from([b"{}", b"\0", b" " * 500, b"&payload=1"])),
        "double": lambda: b'{"repository":[],"data":0,"resource":"",' + body[1:],
        "replace": lambda: draw(
            st.sampled_from([b"", b"null", b"[]", b"0", b'""', b"9" * DIGITS, b"[" * DEEP])
        ),
        "form": lambda: b"payload=" + quote_plus(body).encode(),
        "forms": lambda: b"payload=%zz&payload=" + body + b"&" * 500 + b"payload=%",
    }
    return ways[draw(st.sampled_from(sorted(ways)))]()


def each_place(document: dict[str, Any], *, one_in: int) -> Iterator[bytes]:
    """Yield the document once for each of its places and each of some odd values there, or one in so many."""
    values: list[Any] = ["a\0b", "refs/heads/a\0b", "acme/a\0b", "\ud800", "", None, True, 7, -1, 2**64, 1.5]
    values += [[], {}, [None], [{}], "@digits@", "@exponent@", "@nan@", "@not-utf-8@"]
    tries = itertools.product(list(_places(document)), values)
    for (*way, last), value in itertools.islice(tries, 0, None, one_in):
        holder: Any = document
        for key in way:
            holder = holder[key]
        kept, holder[last] = holder[last], value
        yield _text_of(document)
        holder[last] = kept


@st.composite
def bodies(draw: st.DrawFn, document: dict[str, Any]) -> bytes:
    """Return the document with a few places damaged."""
    for _ in range(draw(st.integers(0, 3))):
        _damage_values(draw, document)
    body = _text_of(document)
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        body = _damage_bytes(draw, body)
    return body


@st.composite
def headers(draw: st.DrawFn, pairs: Pairs, events: list[str]) -> Pairs:
    """Return the headers with a few of them damaged, or as they were."""
    found = list(pairs)
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 3]))):
        if not found:
            break
        at = draw(st.integers(0, len(found) - 1))
        name, _ = found[at]
        match draw(st.sampled_from(["drop", "double", "exchange", "event", "form", "packed", "name"])):
            case "drop":
                del found[at]
            case "double":
                found.append((name.upper(), draw(odd_texts)))
            case "exchange":
                found[at] = (name, draw(odd_texts))
            case "event":
                found = [
                    (key, draw(st.sampled_from(events)) if "event" in key.lower() else kept)
                    for key, kept in found
                ]
            case "form":
                found = [(key, kept) for key, kept in found if key != "Content-Type"]
                found.append(("content-type", "application/x-www-form-urlencoded; charset=utf-8"))
            case "packed":
                found.append(("Content-Encoding", draw(st.sampled_from(["gzip", "br", "identity", "\0"]))))
            case _:
                found.append((draw(st.text(max_size=10)), draw(odd_texts)))
    return found
