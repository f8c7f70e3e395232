//! The MCP tools. To add one, write a method with `#[tool]` here: the router, its schema and the list follow.

{% if example == "coda" -%}
use axum::http::request::Parts;
use mcp_server_runtime::answers::Held;
use mcp_server_runtime::arguments::{NoArguments, Parameters, plain_schemas};
use mcp_server_runtime::{caller, hangup, metrics, token, upstream};
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::Json;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::coda::{self, Call, Coda, CodaError, Object, Page, Wanted, checked_id};
use crate::{SERVICE, VERSION};

/// What answers MCP requests. Cloned for every request: everything in it is shared.
#[derive(Debug, Clone)]
pub struct Tools {
    tool_router: std::sync::Arc<ToolRouter<Self>>,
}

/// Who is calling, and as whom the server acts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WhoAmI {
    /// The caller, as established by the server's authentication.
    pub caller: Caller,
    /// The Coda account that the server uses.
    pub coda: Object,
}

/// A caller.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Caller {
    /// The caller's address, or the name of its service token.
    pub email: String,
    /// human, service-token or developer.
    pub kind: String,
}

/// A part of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Items {
    /// The items, as Coda describes them.
    pub items: Vec<Object>,
    /// There when there is more: give it as `page_token` to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    /// The memory that the items take is counted until they are answered.
    #[serde(skip)]
    _held: Held,
}

impl From<Page> for Items {
    fn from(page: Page) -> Self {
        Self { items: page.items, next_page_token: page.next_page_token, _held: page.held }
    }
}

/// Arguments of `list_docs`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDocs {
    /// Only documents that match this search term.
    pub query: Option<String>,
    /// Only documents that the server's account owns.
    pub is_owner: Option<bool>,
    /// How many documents at the most: 1 to 500, 25 by default.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// `next_page_token` of an earlier answer.
    pub page_token: Option<String>,
}

{%- comment %} region: arguments {% endcomment %}
/// Arguments of `get_doc`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetDoc {
    /// Id of the document, from `list_docs`.
    #[schemars(length(min = 1))]
    pub doc_id: String,
}
{%- comment %} end: arguments {% endcomment %}

/// Arguments of `list_tables`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTables {
    /// Id of the document, from `list_docs`.
    #[schemars(length(min = 1))]
    pub doc_id: String,
    /// How many tables at the most: 1 to 500, 25 by default.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// `next_page_token` of an earlier answer.
    pub page_token: Option<String>,
}

/// Arguments of `list_rows`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRows {
    /// Id of the document, from `list_docs`.
    #[schemars(length(min = 1))]
    pub doc_id: String,
    /// Id or name of the table, from `list_tables`. Ids are safer: names change.
    #[schemars(length(min = 1))]
    pub table_id: String,
    /// Only rows with a value in a column: `Column name:"value"` or `c-column-id:"value"`.
    pub query: Option<String>,
    /// How many rows at the most: 1 to 500, 25 by default.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// `next_page_token` of an earlier answer.
    pub page_token: Option<String>,
}

/// Why a tool failed. It reaches the model as a result with `isError`, so that it can mend its call.
type ToolError = String;

#[tool_router]
impl Tools {
    #[tool(
        title = "Who am I",
        description = "Tells who is calling this server, and as which Coda account the server acts.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = true)
    )]
    async fn get_whoami(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(NoArguments {}): Parameters<NoArguments>,
    ) -> Result<Json<WhoAmI>, ToolError> {
        let user = caller(&parts)?;
        let coda = call(&parts).await?.object(&["whoami"], &[]).await.map_err(text)?;
        let caller = Caller { email: user.email.clone(), kind: user.kind.as_str().to_owned() };
        Ok(Json(WhoAmI { caller, coda }))
    }

    #[tool(
        title = "List documents",
        description = "Lists the Coda documents that the server's account can see, most relevant first.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = true)
    )]
    async fn list_docs(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(args): Parameters<ListDocs>,
    ) -> Result<Json<Items>, ToolError> {
        let mut query = Vec::new();
        query.extend(search(args.query));
        query.extend(args.is_owner.map(|o| ("isOwner", o.to_string())));
        let wanted = wanted(args.limit, args.page_token)?;
        let page = call(&parts).await?.list(&["docs"], &query, wanted).await.map_err(text)?;
        Ok(Json(page.into()))
    }

{%- comment %} region: tool {% endcomment %}
    #[tool(
        title = "Get a document",
        description = "Describes one Coda document: its name, owner, folder, workspace and size.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = true)
    )]
    async fn get_doc(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(args): Parameters<GetDoc>,
    ) -> Result<Json<Object>, ToolError> {
        let doc = checked_id("doc_id", &args.doc_id).map_err(text)?;
        let object = call(&parts).await?.object(&["docs", doc], &[]).await.map_err(text)?;
        Ok(Json(object))
    }
{%- comment %} end: tool {% endcomment %}

    #[tool(
        title = "List tables",
        description = "Lists the tables and views of a Coda document.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = true)
    )]
    async fn list_tables(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(args): Parameters<ListTables>,
    ) -> Result<Json<Items>, ToolError> {
        let doc = checked_id("doc_id", &args.doc_id).map_err(text)?;
        let wanted = wanted(args.limit, args.page_token)?;
        let page = call(&parts).await?.list(&["docs", doc, "tables"], &[], wanted).await.map_err(text)?;
        Ok(Json(page.into()))
    }

    #[tool(
        title = "List rows",
        description = "Lists the rows of a table of a Coda document, with their values by column name.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = true)
    )]
    async fn list_rows(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(args): Parameters<ListRows>,
    ) -> Result<Json<Items>, ToolError> {
        let doc = checked_id("doc_id", &args.doc_id).map_err(text)?;
        let table = checked_id("table_id", &args.table_id).map_err(text)?;
        let mut query = vec![("useColumnNames", "true".to_owned())];
        query.extend(search(args.query));
        let wanted = wanted(args.limit, args.page_token)?;
        let segments = ["docs", doc, "tables", table, "rows"];
        let page = call(&parts).await?.list(&segments, &query, wanted).await.map_err(text)?;
        Ok(Json(page.into()))
    }
}

{%- comment %} region: caller {% endcomment %}
/// A call of Coda for the sender of this request, with the server's own token: the only credential that ever goes there.
async fn call(parts: &Parts) -> Result<Call<'_>, ToolError> {
    let token = token(parts, coda::TOKEN).await?;
    let call = upstream::<Coda>(parts)?.call(caller(parts)?, token);
    Ok(call.until(hangup(parts)).counted(metrics(parts)))
}
{%- comment %} end: caller {% endcomment %}

impl Default for Tools {
    fn default() -> Self {
        Self { tool_router: std::sync::Arc::new(plain_schemas(Self::tool_router())) }
    }
}

fn text(error: CodaError) -> ToolError {
    error.to_string()
}

/// An empty search is none: clients in strict mode have to give every argument, and give empty ones.
fn search(query: Option<String>) -> Option<(&'static str, String)> {
    query.filter(|query| !query.is_empty()).map(|query| ("query", query))
}

fn wanted(limit: Option<u32>, page_token: Option<String>) -> Result<Wanted, ToolError> {
    match limit.unwrap_or(25) {
        limit @ 1..=500 => Ok(Wanted { limit: limit as usize, page_token: page_token.filter(|t| !t.is_empty()) }),
        other => Err(format!("limit must be between 1 and 500, not {other}")),
    }
}

// Without `router` the macro would build the router anew on every call.
#[tool_handler(router = self.tool_router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new(SERVICE, VERSION))
            .with_instructions("Reads Coda documents: start with list_docs, then list_tables and list_rows.")
    }
}
{%- else -%}
use axum::http::request::Parts;
use mcp_server_runtime::arguments::{NoArguments, Parameters, plain_schemas};
use mcp_server_runtime::caller;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::tool::Extension;
use rmcp::handler::server::wrapper::Json;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{SERVICE, VERSION};

/// What answers MCP requests. Cloned for every request: everything in it is shared.
#[derive(Debug, Clone)]
pub struct Tools {
    tool_router: std::sync::Arc<ToolRouter<Self>>,
}

/// Who is calling.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WhoAmI {
    /// The caller's address, or the name of its service token.
    pub email: String,
    /// human, service-token or developer.
    pub kind: String,
}

/// Why a tool failed. It reaches the model as a result with `isError`, so that it can mend its call.
type ToolError = String;

#[tool_router]
impl Tools {
    #[tool(
        title = "Who am I",
        description = "Tells who is calling this server.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = false)
    )]
    async fn get_whoami(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(NoArguments {}): Parameters<NoArguments>,
    ) -> Result<Json<WhoAmI>, ToolError> {
        let user = caller(&parts)?;
        Ok(Json(WhoAmI { email: user.email.clone(), kind: user.kind.as_str().to_owned() }))
    }
}

impl Default for Tools {
    fn default() -> Self {
        Self { tool_router: std::sync::Arc::new(plain_schemas(Self::tool_router())) }
    }
}

// Without `router` the macro would build the router anew on every call.
#[tool_handler(router = self.tool_router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new(SERVICE, VERSION))
    }
}
{%- endif %}
