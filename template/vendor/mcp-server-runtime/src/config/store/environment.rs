//! The tokens that are kept in variables of their own name.

use mcp_auth_middleware::EnvTokenStore;
use secrecy::{ExposeSecret as _, SecretString};

use super::super::{Reader, Setting, SettingKind};

impl Reader<'_> {
    /// The tokens that are kept in variables of their own name.
    pub(super) fn env_tokens(&mut self) -> EnvTokenStore {
        let mut store = EnvTokenStore::default();
        for Setting { name, kind, .. } in self.table.tokens() {
            let SettingKind::Token { from } = kind else { continue };
            let before = self.problems.len();
            let token = self.secret(name).unwrap_or_default();
            let text = token.expose_secret();
            if text.is_empty() {
                if self.problems.len() == before {
                    self.problems.add(name, format!("is missing. Get one from {from}"));
                }
            } else if !is_sendable(&token) {
                self.problems.add(name, NOT_SENDABLE);
            } else if is_quoted(text) {
                let text =
                    "is in quotation marks, which not everything that reads such files takes away: leave them out";
                self.problems.add(name, text);
            }
            store = store.with_token(*name, token);
        }
        store
    }
}

pub(in crate::config) const NOT_SENDABLE: &str = "holds a character that cannot be sent in a header; copy it again";

/// Docker hands the quotation marks of an `--env-file` on (docker/cli#3630).
fn is_quoted(text: &str) -> bool {
    text.len() > 1 && ['"', '\''].iter().any(|mark| text.starts_with(*mark) && text.ends_with(*mark))
}

pub(in crate::config) fn is_sendable(token: &SecretString) -> bool {
    token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic())
}
