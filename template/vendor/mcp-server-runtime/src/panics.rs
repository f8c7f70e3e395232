//! A panic while a request is answered: one line in the log says where, the caller gets an error at once, and everybody
//! else is served as before.

use std::borrow::Cow;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use axum::http::request::Parts;
use mcp_auth_middleware::User;
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler, model};

use crate::handlers::unreadable::{not_found_in_words, taken_note_of, unreadable, with_tool};
use crate::metrics::Metrics;
use crate::request_id::{self, RequestId};
use crate::router::RequestServices;
use crate::telemetry::{Failure, Operation};
use crate::tool_calls::ToolCall;

/// Logs each panic as one line from now on, in place of Rust's own lines on standard error.
pub fn log() {
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        // Without the message, which may hold what a caller sent.
        Some(place) => tracing::error!("Panicked at {place}"),
        None => tracing::error!("Panicked"),
    }));
}

/// The work panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panicked;

/// Does the work, and ends it where it panics.
///
/// # Errors
/// [`Panicked`].
pub async fn catch<F: Future>(work: F) -> Result<F::Output, Panicked> {
    let mut work = pin!(work);
    // The work is not polled again after a panic, so nobody sees what it has left half-done but through locks.
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}

/// An MCP handler whose panics are answered with -32603. rmcp runs it in a task of its own, where a panic would leave the
/// caller without an answer.
#[derive(Debug, Clone)]
pub struct CatchPanics<H> {
    handler: H,
    metrics: Arc<Metrics>,
}

impl<H> CatchPanics<H> {
    /// Panics are counted in `metrics`.
    #[must_use]
    pub fn new(handler: H, metrics: Arc<Metrics>) -> Self {
        Self { handler, metrics }
    }
}

impl<H: ServerHandler> CatchPanics<H> {
    /// The work is pinned where it was made: a future of that size is not to be in each of those around it.
    async fn guard<T>(
        &self,
        scope: Scope,
        work: Pin<&mut impl Future<Output = Result<T, ErrorData>>>,
    ) -> Result<T, ErrorData> {
        let Scope { id, operation } = scope;
        let work = catch(request_id::scope(id, work));
        let answer = match &operation {
            Some(operation) => Arc::clone(operation).scope(work).await,
            None => work.await,
        };
        let answer = answer.unwrap_or_else(|Panicked| {
            self.metrics.panicked();
            Err(ErrorData::internal_error("the server failed; its log says where", None))
        });
        if let (Some(operation), Err(error)) = (operation, &answer) {
            operation.failed(Failure::JsonRpc(error.code.0));
        }
        answer.map_err(not_found_in_words)
    }

    async fn guard_notification(&self, work: impl Future<Output = ()>) {
        catch(work).await.unwrap_or_else(|Panicked| self.metrics.panicked());
    }
}

/// Returns the outcome of a call, for its line in the log.
fn outcome(answer: &Result<model::CallToolResponse, ErrorData>) -> Cow<'static, str> {
    match answer {
        Ok(model::CallToolResponse::Complete(result)) if result.is_error == Some(true) => "tool error".into(),
        Ok(_) => "ok".into(),
        Err(error) => format!("error {}", error.code.0).into(),
    }
}

/// The names of the work on a request.
#[derive(Default)]
struct Scope {
    id: Option<RequestId>,
    operation: Option<Arc<Operation>>,
}

impl Scope {
    /// As the HTTP request has it.
    fn new(context: &RequestContext<RoleServer>) -> Self {
        let Some(parts) = context.extensions.get::<Parts>() else { return Self::default() };
        Self { id: parts.extensions.get().cloned(), operation: parts.extensions.get().cloned() }
    }
}

/// Methods that answer a request.
macro_rules! guarded {
    ($($method:ident($($request:ident: $type:ty)?) -> $result:ty;)*) => {$(
        async fn $method(
            &self,
            $($request: $type,)?
            context: RequestContext<RoleServer>,
        ) -> Result<$result, ErrorData> {
            let scope = Scope::new(&context);
            self.guard(scope, pin!(self.handler.$method($($request,)? context))).await
        }
    )*};
}

/// Methods that take a notification.
macro_rules! guarded_notifications {
    ($($method:ident($($notification:ident: $type:ty)?);)*) => {$(
        async fn $method(&self, $($notification: $type,)? context: NotificationContext<RoleServer>) {
            self.guard_notification(self.handler.$method($($notification,)? context)).await;
        }
    )*};
}

// Every method of rmcp 3.11, none left to its default: the handler behind may have its own.
#[allow(deprecated, reason = "handed on for handlers that have them")]
impl<H: ServerHandler> ServerHandler for CatchPanics<H> {
    guarded! {
        ping() -> ();
        initialize(request: model::InitializeRequestParams) -> model::InitializeResult;
        discover() -> model::DiscoverResult;
        complete(request: model::CompleteRequestParams) -> model::CompleteResult;
        set_level(request: model::SetLevelRequestParams) -> ();
        get_prompt(request: model::GetPromptRequestParams) -> model::GetPromptResponse;
        list_prompts(request: Option<model::PaginatedRequestParams>) -> model::ListPromptsResult;
        list_resources(request: Option<model::PaginatedRequestParams>) -> model::ListResourcesResult;
        list_resource_templates(request: Option<model::PaginatedRequestParams>) -> model::ListResourceTemplatesResult;
        read_resource(request: model::ReadResourceRequestParams) -> model::ReadResourceResponse;
        read_resource_directory(request: model::ReadResourceDirectoryRequestParams) -> model::ReadResourceDirectoryResult;
        subscribe(request: model::SubscribeRequestParams) -> ();
        unsubscribe(request: model::UnsubscribeRequestParams) -> ();
        list_skills(request: Option<model::PaginatedRequestParams>) -> model::ListSkillsResult;
        get_skill(request: model::GetSkillRequestParams) -> model::GetSkillResult;
        get_task(request: model::GetTaskParams) -> model::GetTaskResult;
        update_task(request: model::UpdateTaskParams) -> ();
        cancel_task(request: model::CancelTaskParams) -> ();
    }

    /// Those that the caller may call, and then not for others to see.
    async fn list_tools(
        &self,
        request: Option<model::PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<model::ListToolsResult, ErrorData> {
        let parts = context.extensions.get::<Parts>();
        let given = parts.and_then(|parts| RequestServices::find(&parts.extensions)).cloned();
        let user = parts.and_then(|parts| parts.extensions.get::<User>()).cloned();
        let continued =
            request.as_ref().and_then(|params| params.cursor.as_deref()).is_some_and(|cursor| !cursor.is_empty());
        let scope = Scope::new(&context);
        let work = pin!(async {
            // A server that lists everything at once has given no cursor: any is invalid (MCP, Pagination, "Error Handling"),
            // and its client would take the same tools for more of them.
            if continued && self.handler.list_tools(None, context.clone()).await?.next_cursor.is_none() {
                return Err(ErrorData::invalid_params(
                    "the cursor is none of this server's: the list has one page",
                    None,
                ));
            }
            self.handler.list_tools(request, context).await
        });
        let mut list = self.guard(scope, work).await?;
        if given.is_some_and(|given| given.permissions().retain(user.as_ref(), &mut list.tools)) {
            list.cache_scope = Some(model::CacheScope::Private);
        }
        Ok(list)
    }

    async fn call_tool(
        &self,
        request: model::CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<model::CallToolResponse, ErrorData> {
        let scope = Scope::new(&context);
        let operation = scope.operation.clone();
        if let Some(operation) = operation.as_ref().filter(|_| self.handler.get_tool(&request.name).is_some()) {
            operation.called_tool(&request.name);
        }
        let parts = context.extensions.get::<Parts>();
        let user = parts.and_then(|parts| parts.extensions.get::<User>());
        let permissions =
            parts.and_then(|parts| RequestServices::find(&parts.extensions)).map(RequestServices::permissions);
        let name = request.name.clone();
        // Looked at before, where the body came; here it is what rmcp has read.
        let allowed = permissions.is_some_and(|permissions| permissions.allow(user, &request.name));
        let call = match permissions {
            Some(permissions) => permissions.begin(user, &request.name),
            None => ToolCall::begin(user, &request.name),
        };
        let work = pin!(async move {
            if !allowed {
                call.finish("refused");
                return Err(ErrorData::invalid_request("tool not allowed", None));
            }
            let answer = self.handler.call_tool(request, context).await;
            call.finish(outcome(&answer));
            answer
        });
        let answer = self.guard(scope, work).await.map_err(|error| with_tool(error, &name));
        if let (Some(operation), Ok(model::CallToolResponse::Complete(result))) = (operation, &answer)
            && result.is_error == Some(true)
        {
            operation.failed(Failure::Tool);
        }
        answer
    }

    guarded_notifications! {
        on_cancelled(notification: model::CancelledNotificationParam);
        on_progress(notification: model::ProgressNotificationParam);
        on_initialized();
        on_roots_list_changed();
        on_custom_notification(notification: model::CustomNotification);
    }

    /// rmcp takes a request whose parameters it cannot read for one of an unknown method; it gets what is really wrong.
    async fn on_custom_request(
        &self,
        request: model::CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<model::CustomResult, ErrorData> {
        let (method, version) = (request.method.clone(), context.protocol_version());
        if let Some(noted) = taken_note_of(&method, version.as_ref()) {
            return Ok(noted);
        }
        let (scope, params) = (Scope::new(&context), request.params.clone());
        let answer = self.guard(scope, pin!(self.handler.on_custom_request(request, context))).await;
        answer.map_err(|error| match error.code {
            model::ErrorCode::METHOD_NOT_FOUND => unreadable(&method, params, version.as_ref()),
            _ => error,
        })
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.guard(Scope::default(), pin!(self.handler.listen(context))).await
    }

    fn negotiate_initialize(
        &self,
        request: &model::InitializeRequestParams,
    ) -> Result<model::InitializeResult, ErrorData> {
        self.handler.negotiate_initialize(request)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [model::ProtocolVersion]> {
        self.handler.supported_protocol_versions()
    }

    fn accepted_subscription_filter(&self, requested: &model::SubscriptionFilter) -> Option<model::SubscriptionFilter> {
        self.handler.accepted_subscription_filter(requested)
    }

    fn get_tool(&self, name: &str) -> Option<model::Tool> {
        self.handler.get_tool(name)
    }

    fn get_info(&self) -> model::ServerConfig {
        self.handler.get_info()
    }
}
