"""The Python SDK's client, negotiating by itself and in the legacy mode, and FastMCP's.

MCP_TOKEN=... clients.py URL prints one line, or says what failed.
"""

import asyncio
import os
import sys

import httpx2
import mcp
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.client.streamable_http import streamable_http_client

URL = sys.argv[1]
TOOLS = ["get_doc", "get_whoami", "list_docs", "list_rows", "list_tables"]


def headers(token):
    return {"Authorization": f"Bearer {token}"}


def check(label, tools, who, docs):
    names = sorted(tool.name for tool in tools)
    if names != TOOLS:
        sys.exit(f"{label}: other tools: {names}")
    for tool, result in [("get_whoami", who), ("list_docs", docs)]:
        if getattr(result, "is_error", False) or not result.content or not result.structured_content:
            sys.exit(f"{label}: {tool}: {result}")
    if who.structured_content["caller"]["kind"] != "developer" or len(docs.structured_content["items"]) != 1:
        sys.exit(f"{label}: {who} {docs}")


async def sdk(mode, token):
    async with httpx2.AsyncClient(headers=headers(token)) as http:
        async with mcp.Client(streamable_http_client(URL, http_client=http), mode=mode) as client:
            tools = (await client.list_tools()).tools
            who = await client.call_tool("get_whoami", {})
            check(f"SDK {mode}", tools, who, await client.call_tool("list_docs", {"limit": 1}))
            return f"SDK {mode} {client.protocol_version}"


async def fastmcp(_, token):
    async with Client(StreamableHttpTransport(URL, headers=headers(token))) as client:
        tools, who = await client.list_tools(), await client.call_tool("get_whoami", {})
        check("FastMCP", tools, who, await client.call_tool("list_docs", {"limit": 1}))
        return "FastMCP"


async def main():
    lines = []
    for client, mode in [(sdk, "auto"), (sdk, "legacy"), (fastmcp, "")]:
        lines.append(await client(mode, os.environ["MCP_TOKEN"]))
        try:
            await client(mode, "wrong-token-0123456789")
        except BaseException as error:  # an ExceptionGroup in some versions
            if isinstance(error, SystemExit):
                raise
        else:
            sys.exit(f"{client.__name__} {mode}: a wrong token was let in")
    print("Python clients: " + ", ".join(lines))


asyncio.run(main())
