//! Lists of people who may call, beside what their issuer says.

use std::collections::BTreeSet;

/// Addresses and mail domains. Empty, it lets everybody in.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllowedPeople {
    emails: BTreeSet<String>,
    domains: BTreeSet<String>,
}

impl AllowedPeople {
    pub(crate) fn add_emails<S: AsRef<str>>(&mut self, emails: impl IntoIterator<Item = S>) {
        self.emails.extend(emails.into_iter().map(|email| email.as_ref().trim().to_ascii_lowercase()));
    }

    pub(crate) fn add_domains<S: AsRef<str>>(&mut self, domains: impl IntoIterator<Item = S>) {
        let lower = |domain: S| domain.as_ref().trim().trim_start_matches('@').to_ascii_lowercase();
        self.domains.extend(domains.into_iter().map(lower));
    }

    /// Without lists, every user whom the issuer lets in is allowed; with lists, the users on any of them.
    pub(crate) fn allow(&self, email: Option<&str>) -> bool {
        if self.emails.is_empty() && self.domains.is_empty() {
            return true;
        }
        // ASCII alone: in Unicode, KELVIN SIGN is a k in lower case (CVE-2019-19844 is the same mistake).
        let Some(email) = email.map(str::to_ascii_lowercase) else { return false };
        let domain = email.rsplit_once('@').map(|(_, domain)| domain);
        self.emails.contains(&email) || domain.is_some_and(|domain| self.domains.contains(domain))
    }
}
