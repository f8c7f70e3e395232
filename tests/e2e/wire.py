"""What a server must answer on the wire, in both eras of MCP, where no client library would send such a request.

MCP_TOKEN=... wire.py URL [TEAM], where TEAM is a file with what access_team printed; prints one line, or what is broken.
Each rule says where it comes from: S = MCP specification (Transports, Lifecycle), J = JSON-RPC 2.0, A = this project's
choice (template/README.md). Only the standard library of Python.
"""

import http.client
import json
import os
import pathlib
import socket
import sys
from urllib.parse import urlsplit

URL = urlsplit(sys.argv[1])
TEAM = json.loads(pathlib.Path(sys.argv[2]).read_text()) if len(sys.argv) > 2 else None
TOKEN = os.environ["MCP_TOKEN"]
LEGACY = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
broken, checked = [], 0


def rule(name, holds, got):
    global checked
    checked += 1
    if not holds:
        broken.append(f"{name}\n    got {got}")


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.text = status, text
        self.headers = {name.lower(): value for name, value in headers}
        try:
            self.json = json.loads(text)
        except ValueError:
            self.json = None

    def __str__(self):
        return f"{self.status} {self.headers.get('content-type')} {self.text[:300]}"

    def error(self):
        return (self.json or {}).get("error", {}).get("code") if isinstance(self.json, dict) else None

    def result(self):
        return (self.json or {}).get("result", {}) if isinstance(self.json, dict) else {}


def send(body, method="POST", path=None, **headers):
    """One request on a connection of its own. Headers by keyword, `_` for `-`; None leaves one out."""
    all_headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Authorization": f"Bearer {TOKEN}",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(URL.hostname, URL.port, timeout=30)
    body = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
    body = body.encode() if isinstance(body, str) else body
    connection.request(method, path or URL.path, body, {n: v for n, v in all_headers.items() if v is not None})
    response = connection.getresponse()
    answer = Answer(response.status, response.getheaders(), response.read().decode("utf-8", "replace"))
    connection.close()
    return answer


def raw(head, body=b""):
    """These bytes; the status of the answer."""
    with socket.create_connection((URL.hostname, URL.port), timeout=30) as stream:
        stream.sendall(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
        data = b""
        while b"\r\n" not in data and (part := stream.recv(65536)):
            data += part
    return int(data.split()[1]) if data else None


def message(method, params=None, **more):
    out = {"jsonrpc": "2.0", "id": 1, "method": method} | more
    if params is not None:
        out["params"] = params
    return out


def notification(method, params=None):
    out = message(method, params)
    del out["id"]
    return out


def initialize(version):
    return message(
        "initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "wire", "version": "1"}}
    )


def modern(method, params=None, **headers):
    version = headers.pop("version", MODERN)
    meta = META | {"io.modelcontextprotocol/protocolVersion": version}
    defaults = {"MCP_Protocol_Version": version, "Mcp_Method": method}
    if "name" in (params or {}):
        defaults["Mcp_Name"] = params["name"]
    return send(message(method, (params or {}) | {"_meta": meta}), **(defaults | headers))


def legacy_era():
    for version in LEGACY:
        answer = send(initialize(version))
        rule(f"S: initialize {version} is answered in that version", answer.result().get("protocolVersion") == version, answer)
        rule(f"S: {version} tells name and version", {"name", "version"} <= set(answer.result().get("serverInfo", {})), answer)
        rule(f"S: {version} has the capability tools", "tools" in answer.result().get("capabilities", {}), answer)
        rule(f"A: {version} gets plain JSON", answer.headers.get("content-type", "").startswith("application/json"), answer)
        rule(f"A: {version} gets no session", "mcp-session-id" not in answer.headers, answer.headers)
        header = {"MCP_Protocol_Version": version} if version >= "2025-06-18" else {}
        answer = send(notification("notifications/initialized"), **header)
        rule(f"S: a notification in {version} gets 202 and nothing", (answer.status, answer.text) == (202, ""), answer)
        answer = send(message("tools/list"), **header)
        rule(f"S: tools/list in {version}", answer.status == 200 and answer.result().get("tools"), answer)
        answer = send(message("ping"), **header)
        rule(f"S: ping in {version}", answer.status == 200 and answer.result() == {}, answer)
    answer = send(initialize("1999-01-01"))
    rule("S: an unknown version is answered with one that is known", answer.result().get("protocolVersion") in LEGACY, answer)
    answer = send(message("tools/list"), MCP_Protocol_Version="1999-01-01")
    rule("S: 400 for an unknown MCP-Protocol-Version", answer.status == 400, answer)


def json_rpc():
    for text, code in [
        ("{nope", -32700),
        ("", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', -32700),
        ("[]", -32600),
        ([message("ping")], -32600),
        ("17", -32600),
        ("{}" if os.environ.get("LEGACY_PROXY") == "off" else '{"jsonrpc":"2.0"}', -32600),
        (message("ping", id=None), -32600),
        (message("ping", id=True), -32600),
        (message("ping", id=1.5), -32600),
        (message("ping", id={}), -32600),
        (message("ping", id="x" * 5000), -32600),
        (message("ping", jsonrpc="1.0"), -32600),
        (message(7), -32600),
        ('{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32600),
    ]:
        answer = send(text)
        rule(f"J: 400 and {code} for {str(text)[:60]}", answer.status == 400 and answer.error() == code, answer)
    for identity in ["abc", "", 0, -5, 2**53 + 1]:
        answer = send(message("ping", id=identity))
        rule(f"J: id {identity!r} comes back", answer.status == 200 and (answer.json or {}).get("id") == identity, answer)
    answer = send(message("no/such"))
    rule("J: -32601 for an unknown method", answer.error() == -32601, answer)
    answer = send(message("tools/call", {"name": "no_such_tool", "arguments": {}}))
    rule("S: -32602 for an unknown tool", answer.error() == -32602, answer)
    for params in [5, [1], {}, {"name": 7}, {"name": "get_whoami", "arguments": "x"}]:
        answer = send(message("tools/call", params))
        rule(f"J: -32602 for the parameters {params}", answer.error() == -32602, answer)
    for method in ["notifications/progress", "notifications/resources/list_changed", "notifications/unheard/of"]:
        answer = send(notification(method))
        rule(f"J: {method} gets no error", (answer.status, answer.text) == (202, ""), answer)


def arguments():
    """A tool's arguments are held against its schema, and none of them leaves its place in the path."""
    for tool, wrong in [
        ("list_docs", {"limit": "ten"}),
        ("list_docs", {"limit": 0}),
        ("list_docs", {"limit": 501}),
        ("list_docs", {"unknown": 1}),
        ("get_doc", {}),
        ("get_doc", {"doc_id": ""}),
        ("get_doc", {"doc_id": ".."}),
        ("get_doc", {"doc_id": "a\r\nX-Injected: 1"}),
        ("get_doc", {"doc_id": "a\u0000b"}),
        ("list_rows", {"doc_id": "a", "table_id": ".."}),
    ]:
        answer = send(message("tools/call", {"name": tool, "arguments": wrong}))
        refused = answer.result().get("isError") is True or answer.error() == -32602
        rule(f"S: {tool} refuses {wrong}", answer.status == 200 and refused, answer)
    # Tables can be named with a slash, so it is encoded, not refused: it names a document, or none, but nothing else.
    for identity in ["../../whoami", "x/../../../whoami", "..%2f..%2fwhoami"]:
        answer = send(message("tools/call", {"name": "get_doc", "arguments": {"doc_id": identity}}))
        rule(f"A: {identity!r} stays in its place", answer.status == 200 and "loginId" not in answer.text, answer)


def transport():
    for method in ["GET", "DELETE", "PUT"]:
        rule(f"S: 405 for {method}", (answer := send(None, method)).status == 405, answer)
    for accept, status in [("text/html", 406), ("application/json", 200), ("*/*", 200)]:
        rule(f"S: {status} for Accept: {accept}", (answer := send(message("ping"), Accept=accept)).status == status, answer)
    answer = send(message("ping"), Content_Type="text/plain")
    rule("S: 415 for another content type", answer.status == 415, answer)
    answer = send(message("ping"), Mcp_Session_Id="made-up")
    rule("A: a session id from elsewhere does no harm", answer.status == 200, answer)
    rule("S: 403 for a foreign Origin", (answer := send(message("ping"), Origin="https://evil.example")).status == 403, answer)
    rule("S: 403 for a foreign Host", (answer := send(message("ping"), Host="evil.example")).status == 403, answer)
    rule("A: /health under any name", (answer := send(None, "GET", "/health", Host="10.0.0.7")).status == 200, answer)
    for path in ["/", "/oauth/token", "/oauth/authorize", "/sse", "/mcp/x"]:
        rule(f"A: {path} does not exist", (answer := send(None, "GET", path)).status == 404, answer)
    answer = send(message("ping", {"x": "x" * 3_000_000}))
    rule("A: 413 for 3 MB", answer.status == 413, answer)
    host = f"Host: {URL.netloc}\nConnection: close"
    long = f"GET /health HTTP/1.1\n{host}\nX-Long: {'x' * 100_000}"
    rule("A: 431 for a head of 100 KB", (status := raw(long)) == 431, status)
    two = f"POST /mcp HTTP/1.1\n{host}\nAuthorization: Bearer {TOKEN}\nAuthorization: Bearer {TOKEN}\nContent-Length: 0"
    rule("A: 401 for two Authorization headers", (status := raw(two)) == 401, status)
    two = f"POST /mcp HTTP/1.1\n{host}\nHost: evil.example\nAuthorization: Bearer {TOKEN}\nContent-Length: 0"
    rule("A: two Host headers are refused", (status := raw(two)) in (400, 403), status)
    claims = f"POST /mcp HTTP/1.1\n{host}\nContent-Type: application/json\nContent-Length: 1000000000"
    rule("A: 401 before the body is read", (status := raw(claims, b"{")) == 401, status)


def modern_era():
    answer = modern("server/discover")
    rule("S: server/discover names the version", MODERN in answer.result().get("supportedVersions", []), answer)
    answer = modern("tools/list")
    result = answer.result()
    rule("S: a list says how long it holds", {"resultType", "ttlMs", "cacheScope"} <= set(result), answer)
    rule("S: no session", "mcp-session-id" not in answer.headers, answer.headers)
    names = [tool["name"] for tool in result.get("tools", [])]
    again = [tool["name"] for tool in modern("tools/list").result().get("tools", [])]
    rule("S: the order of tools is fixed", names == again and names, (names, again))
    call = {"name": "get_whoami", "arguments": {}}
    answer = modern("tools/call", call)
    rule("S: tools/call", answer.status == 200 and answer.result().get("isError") is not True and answer.result(), answer)
    for header, value in [("Mcp_Name", "other"), ("Mcp_Name", None), ("Mcp_Method", "tools/list"), ("Mcp_Method", None)]:
        answer = modern("tools/call", call, **{header: value})
        rule(f"S: 400 and -32020 for {header} = {value}", answer.status == 400 and answer.error() == -32020, answer)
    answer = modern("tools/list", version="1900-01-01")
    rule("S: 400 and -32022 for an unsupported version", answer.status == 400 and answer.error() == -32022, answer)
    for method in ["no/such", "initialize", "ping"]:
        answer = modern(method)
        rule(f"S: 404 and -32601 for {method}", answer.status == 404 and answer.error() == -32601, answer)


def authentication():
    def whoami(**headers):
        return send(message("tools/call", {"name": "get_whoami"}), **({"Authorization": None} | headers))

    for name, headers in [
        ("no credential", {}),
        ("a wrong token", {"Authorization": "Bearer " + "0" * len(TOKEN)}),
        ("a part of the token", {"Authorization": f"Bearer {TOKEN[:-1]}"}),
        ("another scheme", {"Authorization": f"Basic {TOKEN}"}),
        ("an empty header", {"Authorization": ""}),
        ("the token in the query", {"path": f"/mcp?access_token={TOKEN}"}),
        ("a forged identity", {"Cf_Access_Authenticated_User_Email": "ada@example.com"}),
        ("a cookie", {"Cookie": f"CF_Authorization={TEAM['tokens']['person'] if TEAM else 'x'}"}),
    ]:
        answer = whoami(**headers)
        challenge = answer.headers.get("www-authenticate", "")
        rule(f"S: 401 for {name}", answer.status == 401, answer)
        # Without an authorization server there is none to find.
        is_led = ("resource_metadata=" in challenge) == bool(TEAM)
        rule(f"S: {name} is led to where it can authenticate, if there is such a place", is_led, challenge)
        rule(f"A: {name} gets a stable code", str((answer.json or {}).get("code", "")).startswith("MCP-AUTH-"), answer)
    answer = send(None, "GET", "/.well-known/oauth-protected-resource/mcp", Authorization=None)
    if TEAM:
        resource = str((answer.json or {}).get("resource", ""))
        rule("S: metadata of the resource (RFC 9728)", resource.endswith("/mcp"), answer)
    else:
        rule("S: no metadata without an authorization server", answer.status == 404, answer)
    if not TEAM:
        return

    def caller(answer):
        return answer.result().get("structuredContent", {}).get("caller")

    answer = whoami(Cf_Access_Jwt_Assertion=TEAM["tokens"]["person"])
    rule("A: a person comes in", caller(answer) == {"email": "ada@example.com", "kind": "human"}, answer)
    answer = whoami(Cf_Access_Jwt_Assertion=TEAM["tokens"]["service"])
    rule("A: a service token comes in", caller(answer) == {"email": "ci.access", "kind": "service-token"}, answer)
    answer = whoami(Authorization=f"Bearer {TOKEN}")
    rule("A: a developer comes in", caller(answer) == {"email": "developer@localhost", "kind": "developer"}, answer)
    for name in ["expired", "other audience", "other issuer", "other key", "no signature"]:
        for bearer in [None, f"Bearer {TOKEN}"]:
            answer = whoami(Cf_Access_Jwt_Assertion=TEAM["tokens"][name], Authorization=bearer)
            with_bearer = " with a right Bearer token" if bearer else ""
            rule(f"A: 401 for an Access token: {name}{with_bearer}", answer.status == 401, answer)


for part in [legacy_era, json_rpc, arguments, transport, modern_era, authentication]:
    part()
if not checked:
    sys.exit("no rule was checked")
if broken:
    sys.exit(f"{len(broken)} of {checked} rules are broken:\n  " + "\n  ".join(broken))
print(f"wire rules: {checked} hold")
