//! Faults that a click turns on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::oauth::form;
use super::pages::PANEL;
use super::team::Team;

/// The fault of the assertions that the server gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Expired,
    WrongAudience,
    OtherTeam,
    UnknownKey,
    WrongSignature,
    NoAssertion,
}

impl Fault {
    /// Each with its name in forms, what it is, and what the server says to it.
    pub(super) const ALL: [(Self, &'static str, &'static str, &'static str); 7] = [
        (Self::None, "none", "good assertions", "lets the caller in"),
        (Self::Expired, "expired", "they ended an hour ago", "MCP-AUTH-010 jwt expired"),
        (Self::WrongAudience, "wrong-audience", "they are for another application", "MCP-AUTH-013 audience mismatch"),
        (Self::OtherTeam, "other-team", "they are of another team", "MCP-AUTH-012 issuer mismatch"),
        (Self::UnknownKey, "unknown-key", "their key is not published", "MCP-AUTH-008 unknown key id"),
        (Self::WrongSignature, "wrong-signature", "another key has signed them", "MCP-AUTH-009 invalid signature"),
        (Self::NoAssertion, "no-assertion", "there are none, as behind a Bypass policy", "MCP-AUTH-001 no credentials"),
    ];

    /// The name in forms.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(fault, ..)| *fault == self).map_or("none", |(_, name, ..)| name)
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name, ..)| *name == text).map(|(fault, ..)| *fault)
    }
}

/// The state of all switches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Faults {
    pub(super) fault: Fault,
    /// The key server answers.
    pub(super) key_server: bool,
    /// Clients that are no browsers get a challenge, and not the way to a login page.
    pub(super) managed_oauth: bool,
    /// AI bots are let through.
    pub(super) ai_bots: bool,
    /// The tunnel is connected.
    pub(super) tunnel: bool,
}

impl Default for Faults {
    fn default() -> Self {
        Self { fault: Fault::None, key_server: true, managed_oauth: true, ai_bots: true, tunnel: true }
    }
}

impl Faults {
    /// The switches: the name in forms, what it is, whether it is on.
    pub(super) fn switches(&self) -> [(&'static str, &'static str, bool); 4] {
        [
            ("key-server", "The key server answers", self.key_server),
            ("managed-oauth", "Managed OAuth is on", self.managed_oauth),
            ("ai-bots", "AI bots are let through (Claude-User)", self.ai_bots),
            ("tunnel", "The tunnel is connected", self.tunnel),
        ]
    }

    fn switch(&mut self, name: &str, on: bool) -> bool {
        let place = match name {
            "key-server" => &mut self.key_server,
            "managed-oauth" => &mut self.managed_oauth,
            "ai-bots" => &mut self.ai_bots,
            "tunnel" => &mut self.tunnel,
            _ => return false,
        };
        *place = on;
        true
    }
}

/// `POST /cdn-cgi/access/emulator`: `fault=NAME`, `keys=rotate`, `keys=retire`, or a switch, `NAME=on` or `NAME=off`.
pub(super) async fn change(State(team): State<Arc<Team>>, body: String) -> Response {
    for (name, value) in form(&body) {
        let known = match (name.as_str(), value.as_str()) {
            ("fault", value) => Fault::parse(value).map(|fault| team.changing().faults.fault = fault).is_some(),
            ("keys", "rotate") => {
                team.rotate_keys();
                true
            }
            ("keys", "retire") => {
                team.retire_key();
                true
            }
            (name, "on") => team.changing().faults.switch(name, true),
            (name, "off") => team.changing().faults.switch(name, false),
            _ => false,
        };
        if !known {
            return (StatusCode::BAD_REQUEST, "there is no such switch\n").into_response();
        }
        eprintln!("Access emulator: {name} is now {value}");
    }
    (StatusCode::SEE_OTHER, [(header::LOCATION, PANEL)]).into_response()
}
