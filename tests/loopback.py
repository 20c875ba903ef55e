"""A web server on this machine, with the bad habits of real ones."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """`files[path] = bytes`; what else happens to a request is told by the other fields."""

    def __init__(self):
        self.files, self.types, self.requests = {}, {}, []
        self.cuts = []  # for each coming request, the bytes after which the line goes dead
        self.ranges = True  # whether it can go on in the middle of a file
        self.etag = '"one"'
        self.port = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def serve():
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            start = self.headers.get("Range", "bytes=0-")[6:-1]
            site.requests.append((self.path, int(start)))
            if self.path not in site.files:
                return self.send_error(404)
            data, start = site.files[self.path], int(start)
            fresh = self.headers.get("If-Range", site.etag) != site.etag or not site.ranges
            start = 0 if fresh else start
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.send_header("Content-Type", site.types.get(self.path, "application/octet-stream"))
            self.send_header("ETag", site.etag)
            self.end_headers()
            self.wfile.write(data[start:start + site.cuts.pop(0)] if site.cuts else data[start:])
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
