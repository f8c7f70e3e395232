//! Who may call which tools: the rules of `POLICY_FILE`. Pure, but for the handle that takes new rules.

use std::sync::{Arc, PoisonError, RwLock};

use mcp_auth_middleware::{User, UserKind};
use rmcp::model::Tool;
use serde::Deserialize;

/// The rules that count, shared by all who ask; a new file replaces them.
#[derive(Debug, Clone)]
pub(crate) struct Policy(Arc<RwLock<Arc<Rules>>>);

impl Policy {
    /// Reads the rules of a file.
    ///
    /// # Errors
    /// The problem, and its place.
    pub(crate) fn parse(json: &str) -> Result<Self, String> {
        Ok(Self(Arc::new(RwLock::new(Arc::new(Rules::parse(json)?)))))
    }

    /// Takes the rules of another one in all clones.
    pub(crate) fn replace(&self, other: &Self) {
        let rules = other.rules();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// The rules that count now.
    pub(crate) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The rules of a file: they add up, and what none allows is not allowed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
}

/// Who may call what. A caller is meant who is in any of the lists.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rule {
    /// For people who read the file.
    name: String,
    /// Roles or groups of the token.
    roles: Vec<String>,
    /// Scopes of the token.
    scopes: Vec<String>,
    /// Addresses of people.
    emails: Vec<String>,
    /// Mail domains of people.
    domains: Vec<String>,
    /// Programs by their names: client ids of service tokens of Access and of OAuth's client credentials.
    programs: Vec<String>,
    /// Holders of the Bearer token for development.
    developers: bool,
    /// Everybody who is let in.
    everybody: bool,
    /// Only callers with tokens of these issuers: another one may have the same roles or addresses.
    issuers: Vec<String>,
    /// The tools that they may call.
    tools: Vec<Selector>,
}

/// Tools by name or by annotation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
enum Selector {
    /// `*`
    All,
    /// `@read-only`: those that say so of themselves (`readOnlyHint`).
    ReadOnly,
    /// `@destructive`: those that may destroy something, or do not say (`destructiveHint`).
    Destructive,
    /// The tool of this name.
    Name(String),
}

impl TryFrom<String> for Selector {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "*" => Ok(Self::All),
            "@read-only" => Ok(Self::ReadOnly),
            "@destructive" => Ok(Self::Destructive),
            other if other.starts_with('@') || other.contains('*') || other.is_empty() => {
                Err(format!("{other:?} is neither the name of a tool nor *, @read-only or @destructive"))
            }
            _ => Ok(Self::Name(text)),
        }
    }
}

impl Selector {
    fn selects(&self, name: &str, tool: Option<&Tool>) -> bool {
        let annotations = tool.and_then(|tool| tool.annotations.as_ref());
        let read_only = annotations.is_some_and(|hints| hints.read_only_hint == Some(true));
        match self {
            Self::All => true,
            Self::Name(own) => own == name,
            Self::ReadOnly => read_only,
            // What does not say counts as destructive, as MCP has it. Of an unknown tool nothing is known.
            Self::Destructive => {
                let harmless = annotations.is_some_and(|hints| hints.destructive_hint == Some(false));
                tool.is_some() && !read_only && !harmless
            }
        }
    }
}

impl Rules {
    fn parse(json: &str) -> Result<Self, String> {
        let rules: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if rules.rules.is_empty() {
            return Err("it has no rules: nobody could call anything".to_owned());
        }
        for (at, rule) in rules.rules.iter().enumerate() {
            let problem = match rule {
                _ if rule.means_nobody() => {
                    "names nobody: give it roles, scopes, emails, domains, programs, developers or everybody"
                }
                _ if rule.tools.is_empty() => "names no tools",
                _ => continue,
            };
            return Err(format!("rule {} ({:?}) {problem}", at + 1, rule.name));
        }
        Ok(rules)
    }

    /// True where this caller may call this tool.
    pub(crate) fn allow(&self, user: &User, name: &str, tool: Option<&Tool>) -> bool {
        // Few rules cover a tool, and its name is compared sooner than all roles and scopes.
        self.rules.iter().any(|rule| rule.covers(name, tool) && rule.means(user))
    }

    /// A scope with which this tool could be called, where there is one for callers of this one's issuer.
    pub(crate) fn helpful_scope(&self, user: &User, name: &str, tool: Option<&Tool>) -> Option<&str> {
        let rules = self.rules.iter().filter(|rule| rule.of_issuer(user) && rule.covers(name, tool));
        rules.flat_map(|rule| &rule.scopes).map(String::as_str).next()
    }

    /// All scopes that rules name, each once.
    pub(crate) fn scopes(&self) -> Vec<String> {
        let mut scopes: Vec<String> = Vec::new();
        for scope in self.rules.iter().flat_map(|rule| &rule.scopes) {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        scopes
    }
}

impl Rule {
    fn means_nobody(&self) -> bool {
        let lists = [&self.roles, &self.scopes, &self.emails, &self.domains, &self.programs];
        lists.iter().all(|list| list.is_empty()) && !self.developers && !self.everybody
    }

    fn covers(&self, name: &str, tool: Option<&Tool>) -> bool {
        self.tools.iter().any(|selector| selector.selects(name, tool))
    }

    fn of_issuer(&self, user: &User) -> bool {
        self.issuers.is_empty() || user.issuer().is_some_and(|issuer| self.issuers.iter().any(|own| own == issuer))
    }

    fn means(&self, user: &User) -> bool {
        let any = |list: &[String], of: &[String]| list.iter().any(|own| of.contains(own));
        // ASCII alone: in Unicode, KELVIN SIGN is a k in lower case.
        let is = |own: &str, other: &str| own.eq_ignore_ascii_case(other);
        let address = user.address();
        let domain = address.and_then(|address| address.rsplit_once('@')).map(|(_, domain)| domain);
        let program = user.kind == UserKind::ServiceToken && self.programs.contains(&user.email);
        self.of_issuer(user)
            && (self.everybody
                || (self.developers && user.kind == UserKind::Developer)
                || program
                || any(&self.roles, user.roles())
                || any(&self.scopes, user.scopes())
                || address.is_some_and(|address| self.emails.iter().any(|own| is(own, address)))
                || domain.is_some_and(|domain| self.domains.iter().any(|own| is(own, domain))))
    }
}

#[cfg(test)]
mod tests {
    use mcp_auth_middleware::Grant;
    use rmcp::model::ToolAnnotations;

    use super::*;

    fn person(email: &str, roles: &[&str], scopes: &[&str]) -> User {
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        let grant = Grant {
            issuer: "https://a.example".to_owned(),
            roles: texts(roles),
            scopes: texts(scopes),
            without_address: !email.contains('@'),
            ..Grant::default()
        };
        User { email: email.to_owned(), user_uuid: None, kind: UserKind::Human, grant: Some(Arc::new(grant)) }
    }

    fn tool(annotations: Option<ToolAnnotations>) -> Tool {
        let mut tool = Tool::new("x", "A tool.", Arc::new(serde_json::Map::new()));
        tool.annotations = annotations;
        tool
    }

    fn rules(json: &str) -> Rules {
        Rules::parse(&format!(r#"{{"rules": {json}}}"#)).expect("rules")
    }

    #[test]
    fn each_list_means_its_callers_and_nobody_else() {
        let ann = person("ann@example.com", &["reader"], &["rows:read"]);
        for (who, means) in [
            (r#""roles": ["x", "reader"]"#, true),
            (r#""roles": ["Reader"]"#, false),
            (r#""scopes": ["rows:read"]"#, true),
            (r#""scopes": ["rows"]"#, false),
            (r#""emails": ["Ann@Example.com"]"#, true),
            (r#""emails": ["nn@example.com"]"#, false),
            (r#""domains": ["EXAMPLE.com"]"#, true),
            (r#""domains": ["xample.com", "com"]"#, false),
            (r#""everybody": true"#, true),
            (r#""developers": true"#, false),
            (r#""programs": ["ann@example.com"]"#, false),
            (r#""everybody": true, "issuers": ["https://a.example"]"#, true),
            (r#""everybody": true, "issuers": ["https://a.example/"]"#, false),
        ] {
            let rules = rules(&format!(r#"[{{{who}, "tools": ["x"]}}]"#));
            assert_eq!(rules.allow(&ann, "x", None), means, "{who}");
            assert!(!rules.allow(&ann, "y", None), "{who}");
        }
        let developers = rules(r#"[{"developers": true, "tools": ["*"]}]"#);
        assert!(developers.allow(&User::developer(), "x", None));
        let lists = rules(r#"[{"emails": ["developer@localhost"], "domains": ["localhost"], "tools": ["*"]}]"#);
        assert!(!lists.allow(&User::developer(), "x", None), "a developer has no address");
        let robot = User { kind: UserKind::ServiceToken, ..person("robot", &[], &[]) };
        assert!(rules(r#"[{"programs": ["robot"], "tools": ["*"]}]"#).allow(&robot, "x", None));
    }

    #[test]
    fn attack_64_letters_of_other_scripts_in_an_address_of_the_policy() {
        let rules = rules(r#"[{"emails": ["kim@example.com"], "domains": ["kim.example"], "tools": ["*"]}]"#);
        for other in ["\u{212a}im@example.com", "a@\u{212a}im.example", "kim@example.com "] {
            assert!(!rules.allow(&person(other, &[], &[]), "x", None), "{other}");
        }
        // A subject that looks like an address is none.
        let mut subject = person("kim@example.com", &[], &[]);
        let grant = Grant { without_address: true, ..Grant::default() };
        subject.grant = Some(Arc::new(grant));
        assert!(!rules.allow(&subject, "x", None));
    }

    #[test]
    fn tools_are_selected_by_what_they_say_of_themselves() {
        let hints = |read_only, destructive| {
            let mut hints = ToolAnnotations::default();
            (hints.read_only_hint, hints.destructive_hint) = (read_only, destructive);
            tool(Some(hints))
        };
        let ann = person("ann@example.com", &[], &[]);
        let reads = rules(r#"[{"everybody": true, "tools": ["@read-only"]}]"#);
        let destroys = rules(r#"[{"everybody": true, "tools": ["@destructive"]}]"#);
        for (tool, read_only, destructive) in [
            (Some(hints(Some(true), None)), true, false),
            (Some(hints(Some(true), Some(true))), true, false),
            (Some(hints(Some(false), Some(false))), false, false),
            (Some(hints(None, None)), false, true),
            (Some(hints(None, Some(true))), false, true),
            (Some(tool(None)), false, true),
            (None, false, false),
        ] {
            assert_eq!(reads.allow(&ann, "x", tool.as_ref()), read_only, "{tool:?}");
            assert_eq!(destroys.allow(&ann, "x", tool.as_ref()), destructive, "{tool:?}");
        }
    }

    #[test]
    fn a_scope_that_would_help_is_named() {
        let rules = rules(
            r#"[{"roles": ["reader"], "tools": ["get"]},
                {"scopes": ["rows:read", "rows"], "tools": ["list"]},
                {"scopes": ["admin"], "issuers": ["https://b.example"], "tools": ["*"]}]"#,
        );
        let ann = person("ann@example.com", &[], &[]);
        assert_eq!(rules.helpful_scope(&ann, "list", None), Some("rows:read"));
        assert_eq!(rules.helpful_scope(&ann, "get", None), None);
        assert_eq!(rules.scopes(), ["rows:read", "rows", "admin"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (json, problem) in [
            ("", "EOF"),
            (r#"{"rules": []}"#, "no rules"),
            (r#"{"rules": [{"name": "a", "tools": ["*"]}]}"#, r#"rule 1 ("a") names nobody"#),
            (r#"{"rules": [{"everybody": true}]}"#, "names no tools"),
            (r#"{"rules": [{"everybody": true, "tools": ["@readonly"]}]}"#, "@readonly"),
            (r#"{"rules": [{"everybody": true, "tools": ["list_*"]}]}"#, "list_*"),
            (r#"{"rules": [{"groups": ["x"], "tools": ["*"]}]}"#, "unknown field `groups`"),
        ] {
            let error = Policy::parse(json).map(|_| ()).expect_err(json);
            assert!(error.contains(problem), "{json}: {error}");
        }
        let policy = Policy::parse(r#"{"rules": [{"everybody": true, "tools": ["*"]}]}"#).expect("rules");
        let clone = policy.clone();
        policy.replace(&Policy::parse(r#"{"rules": [{"developers": true, "tools": ["*"]}]}"#).expect("rules"));
        assert!(!clone.rules().allow(&person("ann@example.com", &[], &[]), "x", None));
    }
}
