"""A page served to this machine's browsers, or through a tunnel to others'."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def served(page: Path, port: int = 0) -> Iterator[ThreadingHTTPServer]:
    """Give a server of one file, for this machine only, that is closed afterwards.

    Args:
        page: what is served, as it is now.
        port: a free one if 0.

    Raises:
        OSError: the port is taken.
    """
    text = page.read_bytes()

    class Page(BaseHTTPRequestHandler):
        """Answers with the page, whatever is asked for."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Page) as server:
        yield server
