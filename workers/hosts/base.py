"""What every Git host's webhooks have in common: headers, media types, ids, and the verbs of a host.

Pure functions only. What a delivery says is trusted after `Host.verify` returned, never before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Protocol, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.hosts.forms import payload_fields, unquoted
from workers.releases.events import BadDelivery, DeliveryFacts, Event, UnsupportedMedia

MAX_ENTRIES: Final = 10_000
"""So many objects may be in one list that we read; GitHub, which lists most, sends 2048 commits."""

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9._~:-]{1,128}", re.ASCII)
_EVENT_NAME: Final = re.compile(r"[A-Za-z0-9._: -]{1,100}", re.ASCII)
_BLANK: Final = " \t"  # of HTTP; any other byte may be the end of a secret in UTF-8

Shape = TypeVar("Shape", bound=BaseModel)
Entry = TypeVar("Entry")

# An empty object takes a hundred times the memory of its text, and so does the report of a fault in it.
Entries = Annotated[list[Entry], Field(max_length=MAX_ENTRIES, fail_fast=True)]
"""A list of objects, of which the first wrong one is the last that is looked at."""
Texts = Annotated[list[str], Field(fail_fast=True)]
"""A list of texts, of any length."""


class Headers:
    """The headers of a delivery: names without regard to case, several values for one name.

    Its repr shows names only, since values may be signatures or tokens.
    """

    __slots__ = ("_first", "_pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = tuple([(name.lower(), value) for name, value in pairs])
        # Nearly always each name comes once, and every header is asked for by name.
        self._first = dict(reversed(self._pairs))

    @classmethod
    def from_raw(cls, raw: Iterable[tuple[bytes, bytes]]) -> Self:
        """Take the headers as ASGI hands them over: bytes, read as Latin-1, which never fails."""
        return cls([(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw])

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, str | Sequence[str]]) -> Self:
        """Take the headers from a mapping, where a list of values stands for a repeated header."""
        return cls(
            (name, value)
            for name, values in mapping.items()
            for value in ([values] if isinstance(values, str) else values)
        )

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of the header, in the order of arrival, without outer white space."""
        wanted = name.lower()
        if wanted not in self._first:
            return ()
        return tuple(value.strip(_BLANK) for key, value in self._pairs if key == wanted)

    def one(self, name: str) -> str | None:
        """Return the header's value, or None where there is none; `BadDelivery` for different values."""
        if len(self._first) == len(self._pairs):
            value = self._first.get(name.lower())
            return None if value is None else value.strip(_BLANK)
        values = set(self.all(name))
        if len(values) > 1:
            raise BadDelivery(
                f"The header {name} came {len(values)} times with different values; send it once."
            )
        return values.pop() if values else None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __repr__(self) -> str:
        return f"Headers({[name for name, _ in self._pairs]})"


class Host(Protocol):
    """A Git host as configured. The receiver asks verify, facts, payload, read, in this order.

    No method does any input or output, and no other error than the named ones comes out.
    """

    @property
    def name(self) -> str:
        """Return the host's name in the settings."""
        ...

    @property
    def driver(self) -> str:
        """Return the name of its driver."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the kinds of events that it tells apart, beside `other`."""
        ...

    def verify(self, headers: Headers, body: bytes) -> int:
        """Return the index of the secret that signed these bytes.

        `BadSignature` when none did, also when none is configured; `BadDelivery` when two different
        signatures came.
        """
        ...

    def sends_unsigned(self, headers: Headers) -> bool:
        """Tell whether the host never signs this kind of delivery: a test of the connection.

        It is answered well, so that the test succeeds, and nothing in it is believed or written down.
        """
        ...

    def facts(self, headers: Headers, body: bytes) -> DeliveryFacts:
        """Return the delivery's id and event name; `BadDelivery` when a header contradicts itself."""
        ...

    def payload(self, headers: Headers, body: bytes) -> bytes:
        """Return the JSON text in the body; `UnsupportedMedia`, or `BadDelivery` for a broken form."""
        ...

    def read(self, headers: Headers, body: bytes) -> Event:
        """Return what the delivery says; takes the whole body, as it came.

        `BadDelivery` for what cannot be read; `UnsupportedMedia` as in `payload`.
        """
        ...


class Payload(BaseModel):
    """Base of the shapes that we read: only the fields that we use, of exactly the type that we expect."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


def delivery_id(host: str, sent: str | None, event: str, body: bytes) -> str:
    """Return the delivery's id, always URL-safe and at most 128 characters.

    An id that is not URL-safe is hashed; where the host sent none, host, event and body are.
    """
    if not sent:
        return _hash(host.encode(), event.encode(), body)
    if _SAFE_ID.fullmatch(sent):
        return sent
    # From a file, unlike from a socket, a header may be any text.
    return _hash(host.encode(), sent.encode("utf-8", "surrogatepass"))


def event_name(headers: Headers, name: str) -> str:
    """Return the event that the header names, or an empty text where it is missing or unusable."""
    value = headers.one(name) or ""
    return value if _EVENT_NAME.fullmatch(value) else ""


def json_text(headers: Headers, body: bytes) -> bytes:
    """Return the JSON text of a body that is JSON itself or a form with one field `payload`.

    `UnsupportedMedia` for any other media type, and for any encoding, since no host compresses.
    """
    encoding = (headers.one("Content-Encoding") or "identity").lower()
    if encoding != "identity":
        raise UnsupportedMedia(
            f"The Content-Encoding {encoding[:40]!r} is not taken; send the body as it is."
        )
    media_type = _media_type(headers)
    if media_type == _JSON:
        return body
    if media_type == _FORM:
        return _form_field(body)
    raise _not_taken(media_type)


def json_body(headers: Headers, body: bytes) -> bytes:
    """Return the body of a host that sends JSON only; `UnsupportedMedia` for anything else.

    No header of a signed body is signed: a text within a JSON body must not become a form's field.
    """
    media_type = _media_type(headers)
    if media_type != _JSON:
        raise _not_taken(media_type)
    return json_text(headers, body)


def parse(shape: type[Shape], text: bytes, event: str) -> Shape:
    """Read the JSON text into the shape; `BadDelivery` names the field that is missing or wrong.

    More than 200 arrays and objects inside each other are refused by the parser; hosts send fewer than ten.
    Texts come without NUL, except those whose form a shape checks: there it is a fault.
    """
    try:
        found = shape.model_validate_json(text)
    except ValidationError as error:
        raise BadDelivery(_fault(error, event)) from None
    # The one way to write NUL in JSON; hosts do not.
    return cast(Shape, _without_nul(found)) if b"\\u0000" in text else found


def printable(text: str) -> str:
    """Return the text without NUL, which stores and terminals take badly."""
    return text.replace("\0", "")


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    if isinstance(value, BaseModel):
        inner = {name: _without_nul(getattr(value, name)) for name in type(value).model_fields}
        return value.model_copy(update=inner)
    return value


def _media_type(headers: Headers) -> str:
    return (headers.one("Content-Type") or "").partition(";")[0].strip().lower()


def _not_taken(media_type: str) -> UnsupportedMedia:
    return UnsupportedMedia(
        f"The Content-Type {media_type[:80]!r} is not taken; set it to {_JSON} on the webhook."
    )


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _form_field(body: bytes) -> bytes:
    if body.lstrip()[:1] in {b"{", b"["}:
        # The media type is not signed: somebody's comment in a signed JSON body must not become an event.
        raise BadDelivery(
            "A form starts with its field payload; this body is JSON under the wrong media type."
        )
    values = payload_fields(body)
    if len(values) != 1:
        number = "more than one field" if values else "no field"
        raise BadDelivery(f"The form has {number} named payload; it needs exactly one.")
    return b"".join(unquoted(values[0]))


def _fault(error: ValidationError, event: str) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return f"The body of the {event} delivery is not JSON in UTF-8: {first['msg']}."
    place = ".".join(str(part) for part in first["loc"]) or "the body"
    return f"The {event} delivery cannot be read at {place}: {first['msg']}."
