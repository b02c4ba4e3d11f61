"""A small shop window: `/` is a page, `/version` says which commit serves it."""

import html
import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EVERYWHERE = "0.0.0.0"  # noqa: S104 - the platform reaches the app from another machine
HEADLINE = "Hello from the sample shop"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sample shop</title>
<style>
  body {{ font: 1.1rem/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 32rem }}
  code {{ background: #eef; padding: .1em .4em; border-radius: .3em }}
</style>
<h1>{headline}</h1>
<p>{greeting}. This page is served by commit <code>{commit}</code>.</p>
"""


def answer(path: str, commit: str, greeting: str) -> tuple[int, str, str]:
    """Status, content type and body for a path."""
    route = path.partition("?")[0]
    if route == "/version":
        return 200, "application/json", json.dumps({"commit": commit})
    if route == "/":
        page = PAGE.format(headline=html.escape(HEADLINE), greeting=html.escape(greeting), commit=commit[:12])
        return 200, "text/html; charset=utf-8", page
    return 404, "text/plain; charset=utf-8", "There is nothing here.\n"


class Handler(BaseHTTPRequestHandler):
    """Answers GET."""

    protocol_version = "HTTP/1.1"
    # Head and body leave together; apart, the second waits 40 ms for the first's acknowledgement.
    wbufsize = -1
    commit = os.environ.get("COMMIT", "unknown")
    greeting = os.environ.get("GREETING", "Welcome")

    def do_GET(self) -> None:
        """Answer one request."""
        status, kind, text = answer(self.path, self.commit, self.greeting)
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Commit", self.commit)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Stay quiet; the gateway keeps the log."""


class Server(ThreadingHTTPServer):
    """Lets requests under way end before it goes."""

    daemon_threads = True
    request_queue_size = 256


def main() -> None:
    """Serve until SIGTERM."""
    port = int(os.environ.get("PORT", "3000"))
    server = Server((EVERYWHERE, port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"Serving commit {Handler.commit} on port {port}", flush=True)
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
