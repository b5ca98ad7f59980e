"""A package index on localhost."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

JSON = "application/vnd.pypi.simple.v1+json"


class PackageIndex(ThreadingHTTPServer):
    """A context in which an index answers every request with `answer`: status, type and body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: tuple[int, str, str] = (200, JSON, "{}")

    def __enter__(self) -> "PackageIndex":
        Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def offer(self, *files: tuple[str, str, bool]) -> None:
        """List wheels, each with its version, when it was uploaded, and whether it was yanked."""
        listed = [
            {
                "filename": f"sqlalchemy-{version}-py3-none-any.whl",
                "url": f"sqlalchemy-{version}-py3-none-any.whl",
                "hashes": {},
                "yanked": yanked,
                "upload-time": uploaded,
            }
            for version, uploaded, yanked in files
        ]
        page = {"meta": {"api-version": "1.1"}, "name": "sqlalchemy", "versions": [], "files": listed}
        self.answer = (200, JSON, json.dumps(page))


class Handler(BaseHTTPRequestHandler):
    server: PackageIndex

    def do_GET(self) -> None:
        status, kind, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass
