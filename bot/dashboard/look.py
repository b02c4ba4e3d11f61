"""What all pages share: the frame, the style, and small pieces of HTML. Pure."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files


@cache
def asset(name: str) -> str:
    """Return a file that lies beside the pages; it is put into them, so that nothing else is fetched."""
    return (files("bot.dashboard") / name).read_text("utf-8")


def page(title: str, nav: str, body: str, nonce: str, script: str = "") -> str:
    """Return a whole page. `nav`, `body` and `script` are HTML and code of ours."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,">'
        f'<style nonce="{nonce}">{asset("style.css")}</style></head><body>'
        f"<header><h1>Switchover</h1><nav>{nav}</nav></header><main>{body}</main>"
        + (f'<script nonce="{nonce}">{script}</script>' if script else "")
        + "</body></html>"
    )


def text(value: object) -> str:
    """Return a value as text that HTML cannot misread."""
    return escape(str(value))


def tag(status: str) -> str:
    """Return a status as a small label."""
    return f'<span class="tag {text(status)}">{text(status.replace("_", " "))}</span>'


def commit(value: str) -> str:
    """Return a commit's first ten characters, the whole of it on hovering."""
    return f'<code title="{text(value)}">{text(value[:10])}</code>'
