"""A registry with the images of a folder that `docker save` has written, for clients with the password.
usage: registry.py FOLDER PORT PASSWORD-FILE"""

import base64
import http.server
import json
import pathlib
import sys

folder, port, password = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3]).read_text().strip()
allowed = "Basic " + base64.b64encode(f"somebody:{password}".encode()).decode()


class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        """/v2/, /v2/NAME/manifests/sha256:DIGEST and /v2/NAME/blobs/sha256:DIGEST"""
        if self.headers.get("Authorization") != allowed:
            self.answer(401, b"", {"WWW-Authenticate": 'Basic realm="ours"'})
            return
        kind, _, name = self.path.rpartition("/sha256:")
        blob = folder / "blobs" / "sha256" / name
        if not name or not name.isalnum() or not blob.is_file():
            self.answer(200 if self.path == "/v2/" else 404, b"{}", {})
            return
        content = blob.read_bytes()
        media = json.loads(content)["mediaType"] if kind.endswith("/manifests") else "application/octet-stream"
        self.answer(200, content, {"Content-Type": media, "Docker-Content-Digest": f"sha256:{name}"})

    do_HEAD = do_GET

    def answer(self, status, content, headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Registry)
print("listening", flush=True)
server.serve_forever()
