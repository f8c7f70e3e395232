"""The tools of a generated project on FastMCP: stateless, JSON answers, one uvicorn worker, no authentication, no log lines.

PORT=8000 python fastmcp_server.py blank|coda
"""

import os
import sys
from typing import Annotated, Any

from fastmcp import FastMCP
from pydantic import BaseModel, Field

DocId = Annotated[str, Field(min_length=1, description="Id of the document, from `list_docs`.")]
PageToken = Annotated[str | None, Field(description="`next_page_token` of an earlier answer.")]


def limit(what: str) -> Any:
    return Field(ge=1, le=500, description=f"How many {what} at the most: 1 to 500, 25 by default.")


class Caller(BaseModel):
    """A caller."""

    email: str = Field(description="The caller's address, or the name of its service token.")
    kind: str = Field(description="human, service-token or developer.")


class WhoAmI(BaseModel):
    """Who is calling, and as whom the server acts."""

    caller: Caller = Field(description="The caller, as established by the server's authentication.")
    coda: dict[str, Any] = Field(description="The Coda account that the server uses.")


class Items(BaseModel):
    """A part of a list."""

    items: list[dict[str, Any]] = Field(description="The items, as Coda describes them.")
    next_page_token: str | None = Field(None, description="There when there is more: give it as `page_token` to go on.")


def hints(open_world: bool) -> dict[str, bool]:
    return {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": open_world}


def developer() -> Caller:
    return Caller(email="developer@localhost", kind="developer")


def blank(server: FastMCP) -> None:
    @server.tool(title="Who am I", description="Tells who is calling this server.", annotations=hints(False))
    async def get_whoami() -> Caller:
        return developer()


def coda(server: FastMCP) -> None:
    @server.tool(
        title="Who am I",
        description="Tells who is calling this server, and as which Coda account the server acts.",
        annotations=hints(True),
    )
    async def get_whoami() -> WhoAmI:
        return WhoAmI(caller=developer(), coda={})

    @server.tool(
        title="List documents",
        description="Lists the Coda documents that the server's account can see, most relevant first.",
        annotations=hints(True),
    )
    async def list_docs(
        query: Annotated[str | None, Field(description="Only documents that match this search term.")] = None,
        is_owner: Annotated[bool | None, Field(description="Only documents that the server's account owns.")] = None,
        limit: Annotated[int | None, limit("documents")] = None,
        page_token: PageToken = None,
    ) -> Items:
        return Items(items=[])

    @server.tool(
        title="Get a document",
        description="Describes one Coda document: its name, owner, folder, workspace and size.",
        annotations=hints(True),
    )
    async def get_doc(doc_id: DocId) -> dict[str, Any]:
        return {}

    @server.tool(
        title="List tables", description="Lists the tables and views of a Coda document.", annotations=hints(True)
    )
    async def list_tables(
        doc_id: DocId, limit: Annotated[int | None, limit("tables")] = None, page_token: PageToken = None
    ) -> Items:
        return Items(items=[])

    @server.tool(
        title="List rows",
        description="Lists the rows of a table of a Coda document, with their values by column name.",
        annotations=hints(True),
    )
    async def list_rows(
        doc_id: DocId,
        table_id: Annotated[
            str, Field(min_length=1, description="Id or name of the table, from `list_tables`. Ids are safer: names change.")
        ],
        query: Annotated[
            str | None,
            Field(description='Only rows with a value in a column: `Column name:"value"` or `c-column-id:"value"`.'),
        ] = None,
        limit: Annotated[int | None, limit("rows")] = None,
        page_token: PageToken = None,
    ) -> Items:
        return Items(items=[])


server = FastMCP("fastmcp")
{"blank": blank, "coda": coda}[sys.argv[1]](server)
server.run(
    transport="http",
    host="127.0.0.1",
    port=int(os.environ["PORT"]),
    stateless_http=True,
    json_response=True,
    show_banner=False,
    log_level="warning",
    uvicorn_config={"access_log": False, "workers": 1},
)
