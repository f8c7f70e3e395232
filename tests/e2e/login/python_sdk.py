"""The OAuth client of the Python SDK: finds out where to log in, registers or comes with a document, logs in, lists and calls,
and is asked for another scope half-way. python_sdk.py JWT_SERVER OPAQUE_SERVER prints what happened.
"""

import asyncio
import http.cookiejar
import sys
import urllib.error
import urllib.parse
import urllib.request

import httpx2
import mcp
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

REDIRECT = "http://127.0.0.1:7/callback"
CIMD = "https://client.example/oauth.json"


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def visit(url):
    """A browser without a person, as in visit.mjs."""
    jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(rfc2965=False))
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), Stay)
    for _ in range(20):
        if url.startswith(REDIRECT):
            return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        try:
            opener.open(url).close()
            sys.exit(f"the login ends at {url}")
        except urllib.error.HTTPError as answer:
            location = answer.headers["location"]
            if not location:
                sys.exit(f"the login ends at {url} with {answer.code}: {answer.read()[:300]}")
            url = urllib.parse.urljoin(url, location)
    sys.exit("the login has no end")


class Storage:
    tokens = information = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.information

    async def set_client_info(self, information):
        self.information = information


async def run(label, address, with_document):
    said, storage, asked = [], Storage(), []

    def must(what, holds, got):
        if not holds:
            sys.exit(f"{label}: {what}: {got!r:.600}")
        said.append(what)

    async def redirect(url):
        asked.append(url)

    async def back():
        query = await asyncio.to_thread(visit, asked[-1])
        if "code" not in query:
            sys.exit(f"{label}: no code for {asked[-1]}: {query}")
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))

    metadata = OAuthClientMetadata(
        client_name="end-to-end",
        redirect_uris=[REDIRECT],
        grant_types=["authorization_code"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    login = OAuthClientProvider(
        server_url=address,
        client_metadata=metadata,
        storage=storage,
        redirect_handler=redirect,
        callback_handler=back,
        client_metadata_url=CIMD if with_document else None,
    )

    def scopes():
        return [urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["scope"][0] for url in asked]

    async with httpx2.AsyncClient(auth=login) as http_client:
        async with mcp.Client(streamable_http_client(address, http_client=http_client)) as client:
            must("found the issuer by the 401 and logged in", storage.tokens, storage)
            must("asked for the scope of the challenge", scopes() == ["mcp"], scopes())
            document = storage.information is not None and storage.information.client_id == CIMD
            must(
                "came with its document" if with_document else "registered by itself",
                document == with_document,
                storage.information,
            )
            first = storage.tokens.access_token
            before = sorted(tool.name for tool in (await client.list_tools()).tools)
            must("sees the tools of its scope", before == ["get_whoami"], before)
            who = (await client.call_tool("get_whoami", {})).structured_content["caller"]
            must("is alice", who["kind"] == "human" and "alice@example.com" in str(who), who)
            docs = await client.call_tool("list_docs", {"limit": 1})
            must("called another tool after a step-up", len(docs.structured_content["items"]) == 1, docs)
            must("the step-up asked for both scopes", sorted(scopes()[-1].split()) == ["mcp", "rows:read"], scopes())
            must("has a new token", storage.tokens.access_token != first, None)
            after = sorted(tool.name for tool in (await client.list_tools()).tools)
            must("sees more tools", "list_docs" in after, after)
    print(f"{label}: {'; '.join(said)}")


async def main():
    jwt, opaque = sys.argv[1:3]
    await run("Python SDK, JWT, registration", jwt, False)
    await run("Python SDK, opaque, document", opaque, True)
    await run("Python SDK, JWT, document", jwt, True)
    await run("Python SDK, opaque, registration", opaque, False)


asyncio.run(main())
