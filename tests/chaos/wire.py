"""A TCP proxy that a test cuts: what went through it hangs, as packets do that a network drops."""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Iterator


class Wire:
    """One port of loopback that leads to another, until it is cut."""

    def __init__(self, to: tuple[str, int] | str, port: int = 0) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self._listener.getsockname()[1])
        self._whole = threading.Event()
        self._whole.set()
        self._ended = threading.Event()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Let nothing through any more; connections stay open, and new ones are never answered."""
        self._whole.clear()

    def mend(self) -> None:
        """Let everything through again, also what was sent meanwhile."""
        self._whole.set()

    def end(self) -> None:
        """Close everything."""
        self._ended.set()
        self._whole.set()
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(near)
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        self._whole.wait()
        with contextlib.suppress(OSError), self._far() as far, near, selectors.DefaultSelector() as ready:
            self._sockets.append(far)
            ready.register(near, selectors.EVENT_READ, far)
            ready.register(far, selectors.EVENT_READ, near)
            while not self._ended.is_set():
                for key, _ in ready.select(1.0):
                    piece = self._received(key)
                    if not piece:
                        return
                    self._whole.wait()
                    key.data.sendall(piece)

    def _far(self) -> socket.socket:
        if isinstance(self._to, str):
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._to)
            return far
        return socket.create_connection(self._to)

    @staticmethod
    def _received(key: selectors.SelectorKey) -> bytes:
        assert isinstance(key.fileobj, socket.socket)
        return key.fileobj.recv(65536)


@contextlib.contextmanager
def wire(to: tuple[str, int] | str) -> Iterator[Wire]:
    """Lay a wire to an address, or to a unix socket's path, for as long as the block lasts."""
    made = Wire(to)
    try:
        yield made
    finally:
        made.end()


if __name__ == "__main__":
    # In a network namespace of its own: from a port of its loopback to a socket that every namespace sees.
    Wire(sys.argv[2], int(sys.argv[1]))
    sys.stdout.write("laid\n")
    sys.stdout.flush()
    signal.pause()
