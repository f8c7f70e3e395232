//! lychee's response → the answer for a reader. No network here.

use lychee_lib::{ErrorKind, Response, Status};
use url::Url;

use super::UrlAnswer;
use super::vendor_output::{chain, deepest, is_passing, status_text};

/// The maximum number of redirects.
pub(super) const REDIRECTS: usize = 10;

/// The result of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) answer: Option<UrlAnswer>,
    /// `true` when the host answered.
    pub(super) has_answered: bool,
    /// The advice on a retry.
    pub(super) again: Again,
    /// The addresses of the redirects, in order.
    pub(super) hops: Vec<Url>,
}

/// The advice on a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// The answer is final.
    No,
    /// The host may recover soon.
    Later,
    /// The host asked for fewer requests (RFC 6585 §4).
    Slower,
}

/// Judges the response to a request for `url`.
pub(super) fn judge(url: &Url, response: &Response) -> Judgement {
    let chain = chain(response);
    let hops: Vec<Url> = chain.iter().map(|(_, to)| to.clone()).collect();
    let has_answered = !matches!(response.status(), Status::Error(ErrorKind::NetworkRequest(_)) | Status::Timeout(_));
    let judgement = |answer, again| Judgement { answer, has_answered, again, hops: hops.clone() };
    let undecided = |why: String, again| judgement(Some(UrlAnswer::Undecided { why }), again);
    let broken = |why: String| judgement(Some(UrlAnswer::Broken { why }), Again::No);
    match response.status() {
        Status::Ok(_) => judgement(Some(moved(url, &chain).unwrap_or(UrlAnswer::Fine)), Again::No),
        Status::Error(ErrorKind::InvalidFragment(_)) => judgement(Some(UrlAnswer::NoAnchor), Again::No),
        Status::Error(ErrorKind::RejectedStatusCode(code)) | Status::UnknownStatusCode(code) => {
            let (number, code) = (code.as_u16(), status_text(code));
            match number {
                300..=399 if chain.len() >= REDIRECTS => broken(format!("it redirects more than {REDIRECTS} times")),
                300..=399 => broken(format!("its redirect leads nowhere ({code})")),
                429 => undecided(format!("the host wants fewer requests ({code})"), Again::Slower),
                408 | 425 | 500.. => undecided(format!("the host has a problem of its own ({code})"), Again::Later),
                // A host that refuses programs, or wants a login, still has the page.
                401 | 402 | 403 | 405 | 406 | 407 | 451 => {
                    undecided(format!("the host refuses programs ({code})"), Again::No)
                }
                404 | 410 => broken(format!("the host has no such page ({code})")),
                _ => broken(format!("the host refuses it ({code})")),
            }
        }
        Status::Error(ErrorKind::NetworkRequest(error)) => {
            let why = deepest(error);
            if error.is_connect() && !is_passing(&why) {
                broken(format!("the host cannot be reached: {why}"))
            } else {
                undecided(format!("the connection broke off: {why}"), Again::Later)
            }
        }
        Status::Timeout(_) => undecided("the host did not answer in time".to_owned(), Again::Later),
        Status::Excluded => judgement(None, Again::No),
        other => undecided(other.details(), Again::No),
    }
}

/// Returns the permanent new address: the end of the leading permanent redirects. It keeps the old anchor when the new
/// address has none of its own (RFC 9110 §10.2.2).
fn moved(from: &Url, chain: &[(u16, Url)]) -> Option<UrlAnswer> {
    let permanent = chain.iter().take_while(|(code, _)| matches!(code, 301 | 308)).count();
    let mut to = chain.get(permanent.checked_sub(1)?)?.1.clone();
    if to.fragment().is_none() {
        to.set_fragment(from.fragment());
    }
    if to == *from {
        return None;
    }
    // A missing page often redirects to the front page, or to a login page with the old address in its query.
    let to_front = matches!(to.path(), "/" | "") && !matches!(from.path(), "/" | "");
    let same = permanent == chain.len() && !to_front && (to.query().is_none() || to.query() == from.query());
    Some(UrlAnswer::Moved { to: to.into(), same })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(hops: &[(u16, &str)]) -> Vec<(u16, Url)> {
        hops.iter().map(|(code, to)| (*code, Url::parse(to).unwrap())).collect()
    }

    fn moved_to(from: &str, hops: &[(u16, &str)]) -> Option<(String, bool)> {
        match moved(&Url::parse(from).unwrap(), &chain(hops)) {
            Some(UrlAnswer::Moved { to, same }) => Some((to, same)),
            _ => None,
        }
    }

    #[test]
    fn permanent_redirects() {
        let moved = |to: &str, same| Some((to.to_owned(), same));
        assert_eq!(moved_to("http://a.io/x", &[]), None);
        assert_eq!(moved_to("http://a.io/x", &[(302, "http://b.io/x")]), None);
        assert_eq!(moved_to("http://a.io/x", &[(301, "https://a.io/x")]), moved("https://a.io/x", true));
        assert_eq!(
            moved_to("http://a.io/x", &[(301, "https://a.io/x"), (308, "https://a.io/y")]),
            moved("https://a.io/y", true)
        );
        assert_eq!(
            moved_to("http://a.io/x", &[(301, "https://a.io/x"), (302, "https://a.io/y")]),
            moved("https://a.io/x", false)
        );
        assert_eq!(moved_to("http://a.io/x#b", &[(301, "https://a.io/x")]), moved("https://a.io/x#b", true));
        assert_eq!(moved_to("http://a.io/x#b", &[(301, "https://a.io/x#c")]), moved("https://a.io/x#c", true));
        assert_eq!(moved_to("http://a.io/x", &[(301, "https://a.io/")]), moved("https://a.io/", false));
        assert_eq!(moved_to("http://a.io/", &[(301, "https://a.io/")]), moved("https://a.io/", true));
        assert_eq!(
            moved_to("http://a.io/x", &[(301, "https://a.io/login?next=/x")]),
            moved("https://a.io/login?next=/x", false)
        );
        assert_eq!(moved_to("http://a.io/x?a", &[(301, "https://a.io/x?a")]), moved("https://a.io/x?a", true));
        assert_eq!(moved_to("http://a.io/x", &[(301, "http://a.io/x")]), None);
    }
}
