//! Tools that are operations of an API, as a file describes them: one generic call for all of them.
//!
//! `mcp-kit add tool --from-openapi` makes the file, `src/NAME.tools.json`, of an OpenAPI description. It has an entry for each
//! tool: name, title, description, method, path, the schema of its arguments, and where each of them goes. It is read when the
//! server starts, and refused as a whole where it is wrong.

mod check;
mod place;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use axum::http::request::Parts;
use reqwest::Method;
use reqwest::header::HeaderMap;
use rmcp::ErrorData;
use rmcp::handler::server::router::tool::{ToolRoute, ToolRouter};
use rmcp::handler::server::tool::ToolCallContext;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, Tool, ToolAnnotations};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::{Api, ApiAnswer, ApiRequest, segment};
use place::{At, Place};

/// The name of the argument with the body of a request.
const BODY: &str = "body";

/// Why a file of operations is not valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperationsError {
    /// It is no JSON of this form.
    #[error("the file of operations is not valid: {0}")]
    Form(#[from] serde_json::Error),
    /// An operation cannot be a tool.
    #[error("the operation {0} of the file of operations {1}")]
    Operation(String, &'static str),
}

/// The operations of an API that are tools.
#[derive(Debug, Clone)]
pub struct Operations(Vec<Arc<Operation>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Where it comes from; for people.
    #[serde(rename = "source")]
    _source: Option<String>,
    tools: Vec<Operation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    name: String,
    title: String,
    description: String,
    method: String,
    path: String,
    /// The type of the body, which is the argument `body`.
    body: Option<BodyType>,
    /// The schema of the arguments.
    arguments: Map<String, Value>,
    /// Where the arguments go that are not the body.
    #[serde(default)]
    places: BTreeMap<String, Place>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, Deserialize)]
enum BodyType {
    #[serde(rename = "application/json")]
    Json,
    #[serde(rename = "application/merge-patch+json")]
    MergePatch,
    #[serde(rename = "application/x-www-form-urlencoded")]
    Form,
}

impl Operations {
    /// Reads the file.
    ///
    /// # Errors
    /// [`OperationsError`] with the first mistake.
    pub fn parse(text: &str) -> Result<Self, OperationsError> {
        let file: File = serde_json::from_str(text)?;
        let mut names = HashSet::new();
        for operation in &file.tools {
            let wrong = |what| Err(OperationsError::Operation(operation.name.clone(), what));
            if !names.insert(operation.name.as_str()) {
                return wrong("is there twice");
            }
            if !matches!(operation.method.as_str(), "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE") {
                return wrong("has a method that is none of GET, HEAD, POST, PUT, PATCH and DELETE");
            }
            let properties = operation.arguments.get("properties").and_then(Value::as_object);
            let known = |name: &String| properties.is_some_and(|properties| properties.contains_key(name));
            if !operation.places.keys().all(known) {
                return wrong("has a place for an argument that is not in its schema");
            }
            if properties.is_some_and(|all| all.keys().any(|name| name != BODY && !operation.places.contains_key(name)))
            {
                return wrong("has an argument without a place");
            }
        }
        Ok(Self(file.tools.into_iter().map(Arc::new).collect()))
    }

    /// The operations as tools. `api` finds the client in a request.
    #[must_use]
    pub fn tools<S, F>(&self, api: F) -> ToolRouter<S>
    where
        S: Send + Sync + 'static,
        F: for<'a> Fn(&'a Parts) -> Result<&'a Api, String> + Clone + Send + Sync + 'static,
    {
        self.0.iter().fold(ToolRouter::new(), |router, operation| {
            let (api, called) = (api.clone(), Arc::clone(operation));
            router.with_route(ToolRoute::new_dyn(operation.tool(), move |context: ToolCallContext<'_, S>| {
                let (api, operation) = (api.clone(), Arc::clone(&called));
                Box::pin(async move {
                    let result = operation.call(context, &api).await;
                    Ok::<CallToolResponse, ErrorData>(
                        result.unwrap_or_else(|text| CallToolResult::error(vec![ContentBlock::text(text)])).into(),
                    )
                })
            }))
        })
    }
}

impl Operation {
    fn tool(&self) -> Tool {
        // RFC 9110 §9.2: safe, idempotent; what replaces or removes is destructive.
        let (reads, destroys, repeats) = match self.method.as_str() {
            "GET" | "HEAD" => (true, false, true),
            "PUT" | "DELETE" => (false, true, true),
            "PATCH" => (false, true, false),
            _ => (false, false, false),
        };
        let annotations = ToolAnnotations::from_raw(None, Some(reads), Some(destroys), Some(repeats), Some(true));
        let output = json!({"type": "object", "additionalProperties": true});
        let output = output.as_object().cloned().unwrap_or_default();
        Tool::new(self.name.clone(), self.description.clone(), Arc::new(self.arguments.clone()))
            .with_title(self.title.clone())
            .with_annotations(annotations)
            .with_raw_output_schema(Arc::new(output))
    }

    async fn call<S>(
        &self,
        mut context: ToolCallContext<'_, S>,
        api: &impl for<'a> Fn(&'a Parts) -> Result<&'a Api, String>,
    ) -> Result<CallToolResult, String> {
        let arguments = context.arguments.take().unwrap_or_default();
        let request = self.request(arguments)?;
        let extensions = &context.request_context.extensions;
        let parts: &Parts = extensions.get().ok_or("the request has no head")?;
        let ApiAnswer { value, next, held } =
            api(parts)?.send(parts, request).await.map_err(|error| error.to_string())?;
        let mut object = match value {
            Value::Object(object) => object,
            Value::Array(items) => Map::from_iter([("items".to_owned(), Value::Array(items))]),
            Value::Null => Map::from_iter([("done".to_owned(), Value::Bool(true))]),
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        if let Some(next) = next {
            // What to give for the page behind this one.
            object.entry("next_page").or_insert(Value::Object(next));
        }
        let result = CallToolResult::structured(Value::Object(object));
        drop(held);
        Ok(result)
    }

    /// The request of a call with these arguments.
    fn request(&self, mut arguments: Map<String, Value>) -> Result<ApiRequest, String> {
        // Null is as good as absent, and 2.0 is an integer.
        arguments.retain(|_, value| !value.is_null());
        let mut arguments = Value::Object(arguments);
        crate::arguments::whole_numbers(&mut arguments);
        check::check(&self.arguments, &arguments)?;
        let Value::Object(mut arguments) = arguments else { return Err("the arguments are no object".to_owned()) };
        let body = arguments.remove(BODY).filter(|_| self.body.is_some());
        let (mut path, mut query, mut headers) = (self.path.clone(), Vec::new(), HeaderMap::new());
        for (argument, value) in &arguments {
            let Some(place) = self.places.get(argument) else { continue };
            let name = place.name.as_deref().unwrap_or(argument);
            match place.at {
                At::Path => {
                    let value = segment(argument, &place::text(value)).map_err(|error| error.to_string())?;
                    path = path.replace(&format!("{{{name}}}"), &value);
                }
                At::Query => place.style.add(name, value, &mut query),
                At::Header => place::header(argument, name, value, &mut headers)?,
            }
        }
        let method = Method::from_bytes(self.method.as_bytes()).map_err(|error| error.to_string())?;
        let body = match (self.body, body) {
            (Some(kind), Some(value)) => Some(kind.write(&value).ok_or("body cannot be written")?),
            _ => None,
        };
        Ok(ApiRequest { method, path, query, headers, body })
    }
}

impl BodyType {
    fn write(self, value: &Value) -> Option<(&'static str, Vec<u8>)> {
        let json = || serde_json::to_vec(value).ok();
        Some(match self {
            Self::Json => ("application/json", json()?),
            Self::MergePatch => ("application/merge-patch+json", json()?),
            Self::Form => ("application/x-www-form-urlencoded", place::form(value).into_bytes()),
        })
    }
}

#[cfg(test)]
mod tests;
