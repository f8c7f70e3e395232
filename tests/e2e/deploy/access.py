"""The profile `access` of docker-compose.yml from outside: the challenge, a service token, a fault at a click.

usage: access.py EDGE; prints one line, or throws.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

EDGE = sys.argv[1]
PANEL = f"{EDGE}/cdn-cgi/access/emulator"


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


opener = urllib.request.build_opener(Stay, urllib.request.ProxyHandler({}))


def ask(url, body=None, **headers):
    request = urllib.request.Request(url, body, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        answer = opener.open(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()


def mcp(**headers):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    return ask(f"{EDGE}/mcp", body, Content_Type="application/json", Accept="application/json, text/event-stream", **headers)


def click(**form):
    status, _, text = ask(PANEL, urllib.parse.urlencode(form).encode())
    assert status == 303, (form, status, text)


status, headers, text = mcp()
assert status == 401 and "cloudflare-access-protected-resource/mcp" in headers["WWW-Authenticate"], (status, headers, text)
state = json.loads(ask(PANEL, Accept="application/json")[2])
token = next(token for token in state["serviceTokens"] if token["clientId"] == "emulator.access")
service = {"CF_Access_Client_Id": token["clientId"], "CF_Access_Client_Secret": token["clientSecret"]}
for _ in range(100):
    status, _, text = mcp(**service)
    if status == 200:
        break
    time.sleep(0.2)
assert status == 200 and '"get_whoami"' in text, (status, text)
click(fault="expired")
status, _, text = mcp(**service)
assert status == 401 and json.loads(text)["code"] == "MCP-AUTH-010", (status, text)
status, _, text = ask(f"{EDGE}/mcp", Host="mcp.example.com")
assert status == 403, (status, text)
print("the profile access answers as the edge does")
