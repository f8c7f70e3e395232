//! `mcp-kit docs serve`: serves the site on this machine and rebuilds it when the catalog, a template or a document
//! changes. It writes no file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Path as Segment, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::catalog::Catalog;
use crate::catalog::pages::placed;
use crate::cli::DocsServe;
use crate::commands::console::{Console, Status};
use crate::commands::docs::build::{DocsError, root_of};
use crate::docs::build::{ByHand, plan};
use crate::docs::documents::{self, collect};
use crate::docs::site::BuiltSite;
use crate::error::{self, Explain, Failure, UNFINISHED};
use crate::fs::files::{File, FileTree};
use crate::text::date::today;

/// The interval between two checks of the files.
const INTERVAL: Duration = Duration::from_millis(200);
/// The path of the web socket that reports changes to an open page.
const RELOAD: &str = "mcp-kit-reload";
/// How that path ends in the script of a page as it is built. The page's revision follows when it is sent.
const REVISION: &str = "mcp-kit-reload/\"";

/// The reason that the site is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The first build of the site failed.
    #[error(transparent)]
    Docs(#[from] DocsError),
    /// The server cannot listen on the port.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// Another system error.
    #[error("cannot serve: {0}")]
    Io(#[from] io::Error),
}

/// An event to show on the terminal.
#[derive(Debug)]
enum Event<'a> {
    /// The server is listening.
    Listening(SocketAddr),
    /// The site was rebuilt in this time.
    Rebuilt(Duration),
    /// A note on a document.
    Note(&'a str),
    /// A rebuild failed. The previous site is still served.
    Failed(DocsError),
}

/// The site that is served.
#[derive(Clone)]
struct Current {
    /// The number of changes before it.
    revision: u64,
    files: Arc<FileTree>,
}

type Shared = watch::Receiver<Current>;
/// The modification time and size of each file, or `None` for a missing file.
type FileStates = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

/// Runs the command until it is interrupted.
///
/// # Errors
/// When the first build fails, or the server cannot listen on the port.
pub fn run(command: &DocsServe, console: &Console) -> Result<Status, Failure> {
    serve(
        &command.file.path,
        command.port,
        || today().to_string(),
        |event| match event {
            Event::Listening(address) => {
                // The address is the result of this command, and programs wait for it.
                let _ = console.print(format!("http://{address}/ shows the pages; Ctrl-C ends it\n").as_bytes());
            }
            Event::Rebuilt(time) => console.note(&format!("rebuilt in {} ms", time.as_millis())),
            Event::Note(text) => console.note(text),
            Event::Failed(error) => console.error(&Failure::from(error)),
        },
    )?;
    Ok(Status::Clean)
}

/// Serves the site of a catalog on loopback until it is interrupted. Port 0 picks a free port.
///
/// # Errors
/// When the first build fails, or the server cannot listen on the port.
fn serve(
    catalog: &Path,
    port: u16,
    today: impl Fn() -> String,
    mut report: impl FnMut(Event<'_>),
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut seen = states(catalog);
        let site = make(catalog, &today())?;
        for note in &site.notes {
            report(Event::Note(note));
        }
        let listener = TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
        report(Event::Listening(listener.local_addr()?));
        let (current, shared) = watch::channel(Current { revision: 0, files: Arc::new(site.files) });
        let router = Router::new()
            .route(&format!("/{RELOAD}/{{shown}}"), any(reload))
            .fallback(file)
            .layer(from_fn(only_loopback))
            .with_state(shared);
        let mut serving = std::pin::pin!(axum::serve(listener, router).into_future());
        let mut stop = std::pin::pin!(interrupted());
        let mut ticks = tokio::time::interval(INTERVAL);
        loop {
            tokio::select! {
                ended = &mut serving => return Ok(ended?),
                stopped = &mut stop => return Ok(stopped?),
                _ = ticks.tick() => {}
            }
            if inspect(seen.keys().map(PathBuf::as_path)) == seen {
                continue;
            }
            // Check the files before the build, so that the next check sees changes made during it. While the catalog
            // has errors, only the catalog is watched.
            seen = states(catalog);
            let begun = Instant::now();
            let (path, day) = (catalog.to_owned(), today());
            match tokio::task::spawn_blocking(move || make(&path, &day)).await.map_err(io::Error::other)? {
                Ok(site) => {
                    for note in &site.notes {
                        report(Event::Note(note));
                    }
                    let Current { revision, files } = current.borrow().clone();
                    if *files != site.files {
                        current.send_replace(Current { revision: revision + 1, files: Arc::new(site.files) });
                        report(Event::Rebuilt(begun.elapsed()));
                    }
                }
                Err(error) => report(Event::Failed(error)),
            }
        }
    })
}

fn make(path: &Path, today: &str) -> Result<BuiltSite, DocsError> {
    let catalog = Catalog::load(path)?;
    let root = root_of(path)?;
    let one = |error| DocsError::Build(vec![error]);
    // `docs build` reports hand-written text in the place of a page. Nothing is written here.
    let plan = plan(root.as_path(), &catalog, today, ByHand::Overwrite).map_err(DocsError::Build)?;
    let documents = collect(&root, &catalog, &plan).map_err(one)?;
    Ok(documents::site(&root, &catalog, &documents, Some(REVISION.trim_end_matches('"')))?)
}

/// Returns every input file of the site, and the template folder, where a new template can appear. Returns nothing for
/// a catalog with errors.
fn inputs(path: &Path) -> Vec<PathBuf> {
    let (Ok(catalog), Ok(root)) = (Catalog::load(path), root_of(path)) else { return Vec::new() };
    let templates = catalog.docs.templates.as_ref().map(|folder| root.join(folder));
    let entries = templates.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.extend(documents::named(&catalog).map(|path| root.join(path)));
    files.extend(placed(&catalog).iter().map(|page| root.join(&*page.path)));
    files.extend(templates);
    files
}

/// Returns the state of the catalog and of every input file. The catalog's is read first: what is written while its
/// inputs are read is a change for the next check.
fn states(catalog: &Path) -> FileStates {
    let mut states = inspect([catalog]);
    states.extend(inspect(inputs(catalog).iter().map(PathBuf::as_path)));
    states
}

fn inspect<'a>(files: impl IntoIterator<Item = &'a Path>) -> FileStates {
    let state = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.into_iter().map(|path| (path.to_owned(), state(path))).collect()
}

/// Waits for SIGINT or SIGTERM, the usual end.
async fn interrupted() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => stopped,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Rejects foreign host names. Otherwise a foreign page whose name resolves to this machine could read the documents
/// (DNS rebinding).
async fn only_loopback(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    if !matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
        return (StatusCode::FORBIDDEN, "this is served as localhost only\n").into_response();
    }
    next.run(request).await
}

/// Tells a page once that it is no longer the current one. It may have been replaced before its socket was open.
async fn reload(State(mut shared): State<Shared>, Segment(shown): Segment<u64>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        let replaced = tokio::select! {
            changed = shared.wait_for(|site| site.revision != shown) => changed.is_ok(),
            // Pages send nothing: this one was closed.
            _ = socket.recv() => false,
        };
        if replaced {
            // The message that mdBook's script waits for. A page that is closed needs none.
            let _ = socket.send(Message::text("reload")).await;
        }
    })
}

async fn file(State(shared): State<Shared>, request: Request) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let Current { revision, files } = shared.borrow().clone();
    let Some((name, File { bytes, .. })) = find(&files, request.uri().path()) else {
        return (StatusCode::NOT_FOUND, "there is no such page\n").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, media_type(name)),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let page = name.ends_with(".html").then(|| str::from_utf8(bytes).ok()).flatten();
    let numbered = page.map(|text| text.replace(REVISION, &format!("{RELOAD}/{revision}\"")).into_bytes());
    (headers, numbered.unwrap_or_else(|| bytes.to_vec())).into_response()
}

fn find<'a>(files: &'a FileTree, path: &str) -> Option<(&'a str, &'a File)> {
    let path = percent_encoding::percent_decode_str(path.trim_start_matches('/')).decode_utf8().ok()?;
    let path = if path.is_empty() { "index.html" } else { &*path };
    files.get_key_value(path).map(|(name, file)| (name.as_str(), file))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

impl Explain for ServeError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Docs(error) => error.hint(),
            Self::Listen { .. } => Some("choose another port with --port, or 0 for a free one".into()),
            Self::Io(_) => None,
        }
    }

    fn status(&self) -> u8 {
        if let Self::Docs(error) = self { error.status() } else { UNFINISHED }
    }

    fn messages(&self) -> Vec<error::Message> {
        match self {
            Self::Docs(error) => error.messages(),
            _ => vec![self.message()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_and_typed() {
        let files = FileTree::from([
            ("index.html".to_owned(), File::text("entry")),
            ("docs/a b.html".to_owned(), File::text("page")),
        ]);
        let name = |path: &str| find(&files, path).map(|(name, _)| name);
        assert_eq!(name("/"), Some("index.html"));
        assert_eq!(name("/docs/a%20b.html"), Some("docs/a b.html"));
        assert_eq!(name("/docs/"), None);
        assert_eq!(name("/../index.html"), None);
        assert_eq!(name("/%ff"), None);
        assert_eq!(media_type("docs/a b.html"), "text/html; charset=utf-8");
        assert_eq!(media_type(".nojekyll"), "application/octet-stream");
    }
}
