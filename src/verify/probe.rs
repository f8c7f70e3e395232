//! All requests to one address, in the order of a client; many addresses at the same time.

use std::sync::Arc;

use reqwest::header::{HeaderMap, HeaderValue, USER_AGENT};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use super::client::{HttpAnswer, VerifyClient, header_map};
use super::credentials::Credentials;
use super::mcp::{self, ConversationError};
use super::metadata;
use super::observation::{Health, Observation, Seen, Session, Silence};
use super::recognise::{AnswerParts, recognise};
use super::{ServerAddress, VerifyError, VerifySettings};

/// The longest time for one address, as a multiple of that for one answer. A server that answers all else and lets each
/// request wait cannot hold the rest.
const PATIENCE: u32 = 6;

/// Asks all addresses.
///
/// # Errors
/// When nothing can be asked.
pub(super) fn ask(
    addresses: &[ServerAddress],
    credentials: &Credentials,
    settings: VerifySettings,
    progress: &dyn Fn(usize, usize),
) -> Result<Vec<Observation>, VerifyError> {
    let client_error = |error: std::io::Error| VerifyError::Client(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(client_error)?;
    runtime.block_on(async {
        let client = VerifyClient::new(settings.timeout)?;
        let places = Arc::new(Semaphore::new(settings.concurrency.max(1)));
        let mut running = JoinSet::new();
        for (number, address) in addresses.iter().enumerate() {
            let (client, places, address) = (client.clone(), places.clone(), address.clone());
            let headers = credentials.headers(&address.id).map(header_map);
            running.spawn(async move {
                let _place = places.acquire().await;
                let mut observation = Observation { address: number, ..Observation::default() };
                let whole = settings.timeout * PATIENCE;
                let probe = probe(&client, &address, headers, &mut observation);
                if tokio::time::timeout(whole, probe).await.is_err() && observation.session.is_none() {
                    observation.session = Some(Session::Slow(whole.as_secs()));
                }
                observation
            });
        }
        let mut observations = Vec::with_capacity(addresses.len());
        while let Some(done) = running.join_next().await {
            observations.extend(done.ok());
            progress(observations.len(), addresses.len());
        }
        observations.sort_by_key(|observation| observation.address);
        Ok(observations)
    })
}

async fn probe(
    client: &VerifyClient,
    address: &ServerAddress,
    credentials: Option<HeaderMap>,
    observation: &mut Observation,
) {
    let Ok(url) = Url::parse(&address.url) else {
        observation.stranger = Seen::Silence(Silence::Broken("its url is no address".to_owned()));
        return;
    };
    let none = HeaderMap::new();
    let answer = match client.post(&url, &none, mcp::initialize()).await {
        Ok(answer) => answer,
        Err(silence) => {
            observation.stranger = Seen::Silence(silence);
            return;
        }
    };
    observation.certificate_ends = answer.certificate_ends;
    observation.stranger = seen(&answer);
    if matches!(observation.stranger, Seen::NoServer(_)) {
        return;
    }
    if let (false, Some(Err(_))) = (matches!(answer.status, 401 | 403), mcp::message(&answer)) {
        // It speaks MCP and knows no `initialize`, as servers of the newest revision.
        observation.stranger = match mcp::converse(client, &url, &none).await {
            Ok(server) => Seen::Open(Box::new(server)),
            Err(ConversationError::Http(answer)) => seen(&answer),
            Err(ConversationError::Silence(silence)) => Seen::Silence(silence),
            Err(ConversationError::Mcp(_)) => Seen::Other(answer.status),
        };
    } else if matches!(observation.stranger, Seen::Open(_)) {
        // It lets everybody in, so its tools can be read as well.
        if let Ok(server) = mcp::converse(client, &url, &none).await {
            observation.stranger = Seen::Open(Box::new(server));
        }
    }
    let mut agent = HeaderMap::new();
    agent.insert(USER_AGENT, HeaderValue::from_static("Claude-User"));
    if let Ok(answer) = client.post(&url, &agent, mcp::initialize()).await {
        observation.claude = Some(seen(&answer));
    }
    observation.login = login(client, &answer, &url).await;
    observation.health = health(client, &url, credentials.as_ref().unwrap_or(&none)).await;
    if let Some(headers) = credentials {
        observation.template = template(client, &url, &headers).await;
        observation.session = Some(match mcp::converse(client, &url, &headers).await {
            Ok(server) => Session::Accepted(server),
            Err(ConversationError::Http(answer)) => Session::Answered { status: answer.status, seen: seen(&answer) },
            Err(ConversationError::Silence(silence)) => Session::Silence(silence),
            Err(ConversationError::Mcp(why)) => Session::Failed(why),
        });
    }
}

/// Returns the meaning of an answer to a client without credentials.
fn seen(answer: &HttpAnswer) -> Seen {
    if answer.body.is_none() {
        return Seen::TooLarge;
    }
    if let (200..=299, Some(Ok(_))) = (answer.status, mcp::message(answer)) {
        return Seen::Open(Box::default());
    }
    recognise(&AnswerParts {
        status: answer.status,
        content_type: answer.content_type(),
        location: answer.location(),
        challenge: &answer.challenge(),
        body: answer.text(),
    })
}

/// Follows a challenge to the login. Returns the problems, or `None` when the challenge names no metadata.
async fn login(client: &VerifyClient, answer: &HttpAnswer, resource: &Url) -> Option<Vec<String>> {
    let address = metadata::resource_metadata(&answer.challenge()).filter(|_| answer.status == 401)?;
    Some(follow(client, &address, resource).await.unwrap_or_else(|problem| vec![problem]))
}

async fn follow(client: &VerifyClient, address: &str, resource: &Url) -> Result<Vec<String>, String> {
    let Some(url) = Url::parse(address).ok().filter(metadata::is_secure) else {
        return Err(format!("resource_metadata is {address:?}, which is no https address"));
    };
    let document = document(client, &url).await.map_err(|why| format!("{url} {}", why.sentence()))?;
    let issuer = metadata::authorization_server(&document, address, resource)?;
    // Without an answer, nothing is known of its metadata.
    let mut silent = None;
    for address in metadata::issuer_metadata(&issuer) {
        match self::document(client, &address).await {
            Ok(document) => return Ok(metadata::problems(&document, issuer.as_str())),
            Err(NoDocument::Silence(silence)) => silent = Some(silence),
            Err(NoDocument::Answer(_)) => {}
        }
    }
    Err(match silent {
        Some(silence) => format!("the authorization server {issuer} {}", silence.sentence()),
        None => format!("the authorization server {issuer} has no metadata (RFC 8414), so clients cannot log in there"),
    })
}

/// The reason that there is no document at an address.
enum NoDocument {
    Silence(Silence),
    /// As the end of a sentence that begins with the address.
    Answer(String),
}

impl NoDocument {
    fn sentence(&self) -> String {
        match self {
            Self::Silence(silence) => silence.sentence(),
            Self::Answer(what) => what.clone(),
        }
    }
}

async fn document(client: &VerifyClient, url: &Url) -> Result<Value, NoDocument> {
    match client.get(url, &HeaderMap::new()).await {
        Ok(answer) if answer.status == 200 => answer.json().ok_or_else(|| NoDocument::Answer("is no JSON".to_owned())),
        Ok(answer) => Err(NoDocument::Answer(format!("answered {}", answer.status))),
        Err(silence) => Err(NoDocument::Silence(silence)),
    }
}

/// Asks for `/health`. An edge that wants a login first says nothing about the server.
async fn health(client: &VerifyClient, url: &Url, headers: &HeaderMap) -> Option<Health> {
    let url = url.join("/health").ok()?;
    let answer = client.get(&url, headers).await.ok()?;
    if matches!(answer.status, 300..=499) {
        return None;
    }
    let document = answer.json().unwrap_or_default();
    if answer.status < 500 && !document.is_object() {
        return None;
    }
    let auth = document.get("auth");
    Some(Health {
        status: answer.status,
        is_unreached: matches!(seen(&answer), Seen::NoServer(_)),
        word: text(document.get("status")),
        version: text(document.get("version")),
        auth_mode: text(auth.and_then(|auth| auth.get("mode"))),
        token_storage: text(auth.and_then(|auth| auth.get("tokenStorage"))),
        template: template_version(&document),
    })
}

/// Returns the version of the template that `/status` names. It asks for credentials, and strangers learn nothing.
async fn template(client: &VerifyClient, url: &Url, headers: &HeaderMap) -> Option<String> {
    let answer = client.get(&url.join("/status").ok()?, headers).await.ok()?;
    if answer.status == 200 { template_version(&answer.json()?) } else { None }
}

fn template_version(document: &Value) -> Option<String> {
    let template = document.get("template");
    text(template.and_then(|template| template.get("version")).or(template))
}

/// Returns a text of a document, up to a length that fits into a message.
fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(|text| text.chars().take(200).collect())
}
