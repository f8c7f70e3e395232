//! The requests: each address once, many hosts at a time, few requests per host.
//!
//! lychee sends requests, follows redirects and finds anchors. This module retries, because lychee gives up on 503 at
//! once, and it stops requests to a host that wants fewer, because lychee waits per address and not per host.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use lychee_lib::ratelimit::RateLimitConfig;
use lychee_lib::{Client as LycheeClient, ClientBuilder, FragmentCheckerOptions, Uri};
use secrecy::SecretString;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use url::Url;

use super::private::is_private;
use super::verdict::{Again, REDIRECTS, judge};
use super::{OnlineSettings, UrlAnswer, WebError};

/// The maximum number of hosts at the same time.
const HOSTS: usize = 32;
/// The maximum number of requests to one host at the same time, the same as a browser's.
const QUESTIONS: usize = 6;
/// After so many failed requests in a row, with their retries, a host counts as down.
const DOWN: u32 = 3;
/// The longest `Retry-After` that is honoured, as a multiple of the timeout. After a longer one the host gets no more
/// requests.
const PATIENCE: u32 = 2;

/// Requests all addresses. Returns the answers, and `true` when no host answered at all. `progress` receives the number
/// of finished requests, and of all.
///
/// # Errors
/// When there is nothing to ask with.
pub(super) fn request_all(
    urls: Vec<Url>,
    settings: &OnlineSettings,
    progress: &dyn Fn(usize, usize),
) -> Result<(Vec<(String, UrlAnswer)>, bool), WebError> {
    let client_error = |error: &dyn std::fmt::Display| WebError::Client(error.to_string());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| client_error(&error))?;
    runtime.block_on(async {
        let client = Client::new(settings)?;
        let all = urls.len();
        let mut hosts: BTreeMap<String, BTreeMap<String, Vec<Url>>> = BTreeMap::new();
        for url in urls {
            let (mut page, host) = (url.clone(), url.host_str().unwrap_or_default().to_owned());
            page.set_fragment(None);
            hosts.entry(host).or_default().entry(page.into()).or_default().push(url);
        }
        let places = Arc::new(Semaphore::new(HOSTS));
        let mut running = JoinSet::new();
        for (name, pages) in hosts {
            let (client, places) = (client.clone(), places.clone());
            running.spawn(async move {
                let _place = places.acquire().await;
                client.host(&name, pages.into_values().collect()).await
            });
        }
        let (mut answers, mut unreachable, mut done) = (Vec::new(), true, 0);
        progress(0, all);
        while let Some(host) = running.join_next().await {
            let host = host.map_err(|error| client_error(&error))?;
            done += host.asked;
            unreachable &= !host.has_answered;
            answers.extend(host.answers);
            progress(done, all);
        }
        if unreachable {
            // Then this machine is offline, and no address is proven broken.
            for (_, answer) in &mut answers {
                if let UrlAnswer::Broken { why } = answer {
                    *answer = UrlAnswer::Undecided { why: std::mem::take(why) };
                }
            }
        }
        Ok((answers, unreachable))
    })
}

/// The answers of one host.
struct Host {
    asked: usize,
    has_answered: bool,
    answers: Vec<(String, UrlAnswer)>,
}

/// The state of a host during its requests.
#[derive(Default)]
struct State {
    has_answered: AtomicBool,
    wants_rest: AtomicBool,
    failed: AtomicU32,
}

impl State {
    /// Returns the reason that the host gets no more requests.
    fn rests(&self, name: &str) -> Option<String> {
        if self.wants_rest.load(Ordering::Relaxed) {
            return Some(format!("{name} wants no more requests"));
        }
        (self.failed.load(Ordering::Relaxed) >= DOWN).then(|| format!("{name} seems to be down"))
    }
}

#[derive(Clone)]
struct Client {
    client: Arc<LycheeClient>,
    settings: Arc<OnlineSettings>,
}

impl Client {
    fn new(settings: &OnlineSettings) -> Result<Self, WebError> {
        let limits = RateLimitConfig { concurrency: QUESTIONS, ..RateLimitConfig::default() };
        // Only GitHub's API receives it, for pages that github.com does not show to everyone.
        let token = std::env::var("GITHUB_TOKEN").ok().filter(|token| !token.is_empty()).map(SecretString::from);
        let client = ClientBuilder::builder()
            .max_redirects(REDIRECTS)
            .max_retries(0_u64)
            .timeout(Some(settings.timeout))
            .user_agent(concat!("mcp-kit/", env!("CARGO_PKG_VERSION")))
            .github_token(token)
            .rate_limit_config(limits)
            .fragment_checker_options(FragmentCheckerOptions {
                check_anchor_fragments: true,
                check_text_fragments: false,
            })
            .build()
            .client()
            .map_err(|error| WebError::Client(error.to_string()))?;
        Ok(Self { client: Arc::new(client), settings: Arc::new(settings.clone()) })
    }

    /// Sends all requests to one host.
    async fn host(self, name: &str, pages: Vec<Vec<Url>>) -> Host {
        let asked = pages.iter().map(Vec::len).sum();
        if !self.settings.private
            && let Some(url) = pages.first().and_then(|page| page.first())
            && let Some(ip) = private_address(url).await
        {
            let why = format!(
                "{name} is {ip}, which is not on the internet; `audit.online.private: true` asks it all the same"
            );
            let answer = UrlAnswer::Undecided { why };
            let answers = pages.into_iter().flatten().map(|url| (url.into(), answer.clone())).collect();
            // No request was sent, so the host does not count as unreachable.
            return Host { asked, has_answered: true, answers };
        }
        let state = Arc::new(State::default());
        let (mut running, mut answers) = (JoinSet::new(), Vec::new());
        let name: Arc<str> = name.into();
        for page in pages {
            if running.len() >= QUESTIONS {
                answers.extend(running.join_next().await.and_then(Result::ok).unwrap_or_default());
            }
            running.spawn(self.clone().page(name.clone(), page, state.clone()));
        }
        answers.extend(running.join_all().await.into_iter().flatten());
        Host { asked, has_answered: state.has_answered.load(Ordering::Relaxed), answers }
    }

    /// Requests a page with each of its anchors. A failure of the page is the answer for all of them.
    async fn page(self, name: Arc<str>, urls: Vec<Url>, state: Arc<State>) -> Vec<(String, UrlAnswer)> {
        let mut answers: Vec<(String, UrlAnswer)> = Vec::new();
        let mut page: Option<(Url, UrlAnswer)> = None;
        for url in urls {
            let answer = match &page {
                Some((_, answer @ (UrlAnswer::Broken { .. } | UrlAnswer::Undecided { .. }))) => Some(answer.clone()),
                _ => self.with_retries(&name, &url, &state).await,
            };
            let answer = match (answer, &page) {
                (None, _) => continue,
                // lychee reports redirects once per page.
                (Some(UrlAnswer::Fine), Some((first, moved))) => {
                    likewise(&url, first, moved).unwrap_or(UrlAnswer::Fine)
                }
                (Some(answer), _) => answer,
            };
            answers.push((url.as_str().to_owned(), answer.clone()));
            page.get_or_insert((url, answer));
        }
        answers
    }

    /// Requests until there is a final answer, or no retries are left.
    async fn with_retries(&self, name: &str, url: &Url, state: &State) -> Option<UrlAnswer> {
        let mut pause = self.settings.pause;
        let mut last = None;
        for attempt in 0..=self.settings.retries {
            if let Some(why) = state.rests(name) {
                return Some(last.unwrap_or(UrlAnswer::Undecided { why }));
            }
            if attempt > 0 {
                sleep(pause).await;
                pause = pause.saturating_mul(2);
            }
            let (answer, again) = self.once(url, state).await;
            if again == Again::No {
                state.failed.store(0, Ordering::Relaxed);
                return answer;
            }
            if again == Again::Slower && attempt == self.settings.retries {
                state.wants_rest.store(true, Ordering::Relaxed);
            }
            last = answer;
        }
        state.failed.fetch_add(1, Ordering::Relaxed);
        last
    }

    /// Sends one request.
    async fn once(&self, url: &Url, state: &State) -> (Option<UrlAnswer>, Again) {
        let undecided = |why: String| Some(UrlAnswer::Undecided { why });
        let requested = requested_url(url);
        let uri = match Uri::try_from(requested.as_str()) {
            Ok(uri) => uri,
            Err(error) => return (undecided(error.to_string()), Again::No),
        };
        // lychee waits before a request for as long as the host asked, which may be a minute each time.
        let waiting = self.settings.timeout.saturating_mul(PATIENCE);
        let response = match timeout(waiting, self.client.check(uri)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return (undecided(error.to_string()), Again::No),
            Err(_) => return (undecided("the host wants a longer pause".to_owned()), Again::Slower),
        };
        let judgement = judge(url, &response);
        state.has_answered.fetch_or(judgement.has_answered, Ordering::Relaxed);
        if !self.settings.private {
            // The request is already sent, but its answer must not be reported.
            for hop in judgement.hops.iter().filter(|hop| hop.host_str() != url.host_str()) {
                if let Some(ip) = private_address(hop).await {
                    return (undecided(format!("it redirects to {ip}, which is not on the internet")), Again::No);
                }
            }
        }
        (judgement.answer, judgement.again)
    }
}

/// Returns the address to request. It drops anchors that are not in the HTML: text fragments belong to the browser, and
/// scripts make anchors with a slash and those of GitHub, except in its documents.
fn requested_url(url: &Url) -> Url {
    let mut requested = url.clone();
    let fragment = url.fragment().unwrap_or_default();
    let path = url.path().to_ascii_lowercase();
    let by_script = fragment.starts_with(['/', '!', ':'])
        || url.host_str() == Some("github.com") && !(path.contains("/blob/") && path.ends_with(".md"));
    if fragment.is_empty() || by_script {
        requested.set_fragment(None);
    }
    requested
}

/// Returns the new address with this anchor, when the page moved and kept the `first` one.
fn likewise(url: &Url, first: &Url, answer: &UrlAnswer) -> Option<UrlAnswer> {
    let UrlAnswer::Moved { to, same } = answer else { return None };
    let mut to = Url::parse(to).ok().filter(|to| to.fragment() == first.fragment())?;
    to.set_fragment(url.fragment());
    Some(UrlAnswer::Moved { to: to.into(), same: *same })
}

/// Returns the private IP address of a host, if it has one. A name that does not resolve here may resolve at a proxy.
async fn private_address(url: &Url) -> Option<IpAddr> {
    let name = url.host_str()?.trim_matches(['[', ']']);
    let addresses = tokio::net::lookup_host((name, url.port_or_known_default()?)).await.ok()?;
    addresses.map(|address| address.ip()).find(|ip| is_private(*ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeMap;
    use std::time::{Duration, Instant};

    use super::super::local::Local;

    /// Private, because the test's host is. The long timeout lets a slow machine pass.
    fn settings() -> OnlineSettings {
        let (timeout, pause) = (Duration::from_secs(60), Duration::from_millis(10));
        OnlineSettings { private: true, timeout, pause, ..OnlineSettings::default() }
    }

    /// For hosts that do not answer.
    fn impatient() -> OnlineSettings {
        OnlineSettings { timeout: Duration::from_secs(1), retries: 1, ..settings() }
    }

    /// Returns the answers by path.
    fn answers(host: &Local, paths: &[&str], settings: &OnlineSettings) -> BTreeMap<String, UrlAnswer> {
        let urls = paths.iter().map(|path| Url::parse(&host.url(path)).unwrap()).collect();
        let (answers, _) = request_all(urls, settings, &|_, _| ()).unwrap();
        let start = host.url("").len();
        answers.into_iter().map(|(url, answer)| (url[start..].to_owned(), answer)).collect()
    }

    fn answer(path: &str) -> (Local, UrlAnswer) {
        let host = Local::start();
        let answer = answers(&host, &[path], &settings()).remove(path).unwrap();
        (host, answer)
    }

    fn why(answer: &UrlAnswer) -> &str {
        match answer {
            UrlAnswer::Broken { why } | UrlAnswer::Undecided { why } => why,
            _ => "",
        }
    }

    #[test]
    fn pages_that_are_there_and_that_are_not() {
        assert_eq!(answer("/page").1, UrlAnswer::Fine);
        assert_eq!(answer("/text#x").1, UrlAnswer::Fine);
        for (path, reason) in [
            ("/nothing", "the host has no such page (404 Not Found)"),
            ("/gone", "the host has no such page (410 Gone)"),
            ("/teapot", "the host refuses it (418 I'm a teapot)"),
            ("/moved-to-nothing", "the host has no such page (410 Gone)"),
            ("/loop", "it redirects more than 10 times"),
            ("/nowhere", "its redirect leads nowhere (301 Moved Permanently)"),
        ] {
            assert_eq!(answer(path).1, UrlAnswer::Broken { why: reason.to_owned() }, "{path}");
        }
        let (host, members) = answer("/members");
        let reason = "the host refuses programs (403 Forbidden)";
        assert_eq!((members, host.requests("/members").len()), (UrlAnswer::Undecided { why: reason.to_owned() }, 1));
        assert!(matches!(answer("/linkedin").1, UrlAnswer::Undecided { .. }));
        assert_eq!(host.agents(), [concat!("mcp-kit/", env!("CARGO_PKG_VERSION"))]);
    }

    #[test]
    fn a_host_that_is_busy_is_asked_again() {
        let (host, busy_once) = answer("/busy-once");
        assert_eq!((busy_once, host.requests("/busy-once").len()), (UrlAnswer::Fine, 2));
        let (host, busy) = answer("/busy");
        assert_eq!(why(&busy), "the host has a problem of its own (503 Service Unavailable)");
        assert!(matches!(busy, UrlAnswer::Undecided { .. }));
        assert_eq!(host.requests("/busy").len(), 3);
        let (host, broken) = answer("/break");
        assert!(
            matches!(&broken, UrlAnswer::Undecided { why } if why.starts_with("the connection broke off")),
            "{broken:?}"
        );
        assert_eq!(host.requests("/break").len(), 3);
    }

    #[test]
    fn a_host_is_waited_for_as_long_as_it_says() {
        let (host, wait_once) = answer("/wait-once");
        let asked = host.requests("/wait-once");
        assert_eq!((wait_once, asked.len()), (UrlAnswer::Fine, 2));
        assert!(asked[1] - asked[0] >= Duration::from_secs(1));
    }

    #[test]
    fn a_host_that_wants_rest_gets_it() {
        let host = Local::start();
        // The other requests follow it, six at a time.
        let others: Vec<String> = (0..200).map(|number| format!("/zzz-{number}")).collect();
        let paths: Vec<&str> = [&["/wait"][..], &others.iter().map(String::as_str).collect::<Vec<_>>()].concat();
        let rest = answers(&host, &paths, &settings());
        assert_eq!(why(&rest["/wait"]), "the host wants fewer requests (429 Too Many Requests)");
        assert_eq!(host.requests("/wait").len(), 3);
        let spared = rest.values().filter(|answer| why(answer).ends_with("wants no more requests")).count();
        assert!(
            spared > 0 && others.iter().filter(|other| host.requests(other).is_empty()).count() == spared,
            "{spared}"
        );
        // An hour is too long, so no request waits.
        let host = Local::start();
        let start = Instant::now();
        let answers = answers(&host, &["/wait-long", "/wait-long?2", "/wait-long?3"], &impatient());
        assert!(answers.values().all(|answer| matches!(answer, UrlAnswer::Undecided { .. })), "{answers:?}");
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_host_that_is_down_is_not_asked_everything() {
        let host = Local::start();
        let paths: Vec<String> = (0..30).map(|number| format!("/hang?{number:02}")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let settings = OnlineSettings { timeout: Duration::from_millis(500), ..impatient() };
        let urls = paths.iter().map(|path| Url::parse(&host.url(path)).unwrap()).collect();
        let (answers, unreachable) = request_all(urls, &settings, &|_, _| ()).unwrap();
        assert!(unreachable && answers.len() == 30);
        let spared = answers.iter().filter(|(_, answer)| why(answer).ends_with("seems to be down")).count();
        assert!(spared >= 15, "{answers:?}");
        assert!(answers.iter().all(|(_, answer)| matches!(answer, UrlAnswer::Undecided { .. })));
    }

    #[test]
    fn redirects_that_stay_and_that_do_not() {
        let host = Local::start();
        let paths = ["/moved", "/moved-twice", "/moved#there", "/moved#named", "/for-now"];
        let answers = answers(&host, &paths, &settings());
        let to = |path: &str| UrlAnswer::Moved { to: host.url(path), same: true };
        assert_eq!(answers["/moved"], to("/page"));
        assert_eq!(answers["/moved-twice"], to("/page"));
        assert_eq!(answers["/moved#there"], to("/page#there"));
        assert_eq!(answers["/moved#named"], to("/page#named"));
        assert_eq!(answers["/for-now"], UrlAnswer::Fine);
    }

    #[test]
    fn anchors_of_pages() {
        let host = Local::start();
        let answers = answers(
            &host,
            &["/page", "/page#there", "/page#named", "/page#not", "/page#top", "/nothing#x"],
            &settings(),
        );
        for path in ["/page", "/page#there", "/page#named", "/page#top"] {
            assert_eq!(answers[path], UrlAnswer::Fine, "{path}");
        }
        assert_eq!(answers["/page#not"], UrlAnswer::NoAnchor);
        assert!(matches!(answers["/nothing#x"], UrlAnswer::Broken { .. }));
        assert!(host.requests("/page").len() <= 2, "a page is fetched once for all of its anchors");
        // A missing anchor is an answer too.
        let alone = vec![Url::parse(&host.url("/page#not")).unwrap()];
        assert!(!request_all(alone, &settings(), &|_, _| ()).unwrap().1);
    }

    #[test]
    fn a_host_gets_few_questions_at_a_time() {
        let host = Local::start();
        let paths: Vec<String> = (0..40).map(|number| format!("/slow?{number}")).collect();
        let answers = answers(&host, &paths.iter().map(String::as_str).collect::<Vec<_>>(), &settings());
        assert!(answers.values().all(|answer| *answer == UrlAnswer::Fine));
        assert!(host.most() <= QUESTIONS, "{}", host.most());
        assert_eq!(paths.iter().map(|path| host.requests(path).len()).sum::<usize>(), 40);
    }

    #[test]
    fn private_networks_are_left_alone() {
        let host = Local::start();
        let url = Url::parse(&host.url("/page").replace("127.0.0.1", "localhost")).unwrap();
        let settings = OnlineSettings { private: false, ..settings() };
        let (answers, unreachable) = request_all(vec![url], &settings, &|_, _| ()).unwrap();
        assert!(!unreachable && host.requests("/page").is_empty());
        assert!(why(&answers[0].1).contains("which is not on the internet"), "{answers:?}");
    }

    #[test]
    fn unreachable_hosts() {
        let host = Local::start();
        let closed = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            format!("http://{}/", listener.local_addr().unwrap())
        };
        let secure = host.url("/page").replace("http:", "https:");
        let urls = [closed.as_str(), &secure, &host.url("/page")].map(|url| Url::parse(url).unwrap());
        let (answers, unreachable) = request_all(urls.to_vec(), &impatient(), &|_, _| ()).unwrap();
        let answer_to = |url: &str| answers.iter().find(|(asked, _)| asked == url).map(|(_, answer)| answer).unwrap();
        assert!(!unreachable);
        assert!(why(answer_to(&closed)).contains("refused"), "{:?}", answer_to(&closed));
        // Plain HTTP where TLS is expected.
        assert!(
            matches!(answer_to(&secure), UrlAnswer::Broken { .. } | UrlAnswer::Undecided { .. }),
            "{:?}",
            answer_to(&secure)
        );
        // When no host answers, this machine is offline.
        let (answers, unreachable) = request_all(vec![Url::parse(&closed).unwrap()], &impatient(), &|_, _| ()).unwrap();
        assert!(
            unreachable && matches!(&answers[0].1, UrlAnswer::Undecided { why } if why.contains("refused")),
            "{answers:?}"
        );
    }

    #[test]
    fn anchors_that_scripts_make_are_not_asked_for() {
        for (url, expected) in [
            ("https://a.io/x#y", "https://a.io/x#y"),
            ("https://a.io/x#", "https://a.io/x"),
            ("https://a.io/x#/route", "https://a.io/x"),
            ("https://a.io/x#!route", "https://a.io/x"),
            ("https://a.io/x#:~:text=a", "https://a.io/x"),
            ("https://github.com/o/r#usage", "https://github.com/o/r"),
            ("https://github.com/o/r/issues/1#issuecomment-2", "https://github.com/o/r/issues/1"),
            ("https://github.com/o/r/blob/main/README.md#usage", "https://github.com/o/r/blob/main/README.md#usage"),
        ] {
            assert_eq!(requested_url(&Url::parse(url).unwrap()).as_str(), expected);
        }
    }
}
