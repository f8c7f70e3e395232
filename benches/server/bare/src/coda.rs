//! The five tools of the Coda example. Only their list is measured, so none of them does anything.

use std::sync::Arc;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::{ServerCapabilities, ServerConfig, Tool};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

type Object = Map<String, Value>;

#[derive(Clone)]
pub struct Tools {
    tool_router: Arc<ToolRouter<Self>>,
}

/// Who is calling, and as whom the server acts.
#[derive(Serialize, JsonSchema)]
pub struct WhoAmI {
    /// The caller, as established by the server's authentication.
    pub caller: Caller,
    /// The Coda account that the server uses.
    pub coda: Object,
}

/// A caller.
#[derive(Serialize, JsonSchema)]
pub struct Caller {
    /// The caller's address, or the name of its service token.
    pub email: String,
    /// human, service-token or developer.
    pub kind: String,
}

/// A part of a list.
#[derive(Default, Serialize, JsonSchema)]
pub struct Items {
    /// The items, as Coda describes them.
    pub items: Vec<Object>,
    /// There when there is more: give it as `page_token` to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Arguments of `list_docs`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
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

/// Arguments of `get_doc`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct GetDoc {
    /// Id of the document, from `list_docs`.
    #[schemars(length(min = 1))]
    pub doc_id: String,
}

/// Arguments of `list_tables`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
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
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
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

#[tool_router]
impl Tools {
    /// The tools with these declarations in place of those that the types give: what is listed is the same on both sides.
    pub fn new(declared: Vec<Tool>) -> Self {
        let mut tool_router = Self::tool_router();
        for tool in declared {
            if let Some(route) = tool_router.map.get_mut(&tool.name) {
                route.attr = tool;
            }
        }
        Self { tool_router: Arc::new(tool_router) }
    }

    #[tool(
        title = "Who am I",
        description = "Tells who is calling this server, and as which Coda account the server acts.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = true)
    )]
    async fn get_whoami(&self) -> Result<Json<WhoAmI>, String> {
        let caller = Caller { email: "developer@localhost".to_owned(), kind: "developer".to_owned() };
        Ok(Json(WhoAmI { caller, coda: Object::new() }))
    }

    #[tool(
        title = "List documents",
        description = "Lists the Coda documents that the server's account can see, most relevant first.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = true)
    )]
    async fn list_docs(&self, _: Parameters<ListDocs>) -> Result<Json<Items>, String> {
        Ok(Json(Items::default()))
    }

    #[tool(
        title = "Get a document",
        description = "Describes one Coda document: its name, owner, folder, workspace and size.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = true)
    )]
    async fn get_doc(&self, _: Parameters<GetDoc>) -> Result<Json<Object>, String> {
        Ok(Json(Object::new()))
    }

    #[tool(
        title = "List tables",
        description = "Lists the tables and views of a Coda document.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = true)
    )]
    async fn list_tables(&self, _: Parameters<ListTables>) -> Result<Json<Items>, String> {
        Ok(Json(Items::default()))
    }

    #[tool(
        title = "List rows",
        description = "Lists the rows of a table of a Coda document, with their values by column name.",
        annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = true)
    )]
    async fn list_rows(&self, _: Parameters<ListRows>) -> Result<Json<Items>, String> {
        Ok(Json(Items::default()))
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}
