"""Stands before an upstream API and lets requests with one token through, which is the line on standard input."""

import http.server
import sys
import urllib.request

upstream, token = sys.argv[1], sys.stdin.readline().strip()


class Guard(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("authorization") != f"Bearer {token}":
            self.send_error(401)
            return
        request = urllib.request.Request(upstream + self.path, headers={"authorization": f"Bearer {token}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            body = answer.read()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guard)
print(f"guard listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
