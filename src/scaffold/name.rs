//! Checks project names. In: the name as typed, and the package names that are taken. Out: nothing, or the reason
//! against it and a valid name. It never changes a name silently.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use crate::error::Explain;
use crate::text::marks::without_marks;

/// The longest valid name. Longer names are not DNS labels (RFC 1123 §2.1), which Kubernetes requires for namespaces
/// and Services.
pub const LONGEST: usize = 63;

/// Strict, reserved and edition keywords (The Rust Reference, "Keywords").
pub(super) const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
/// Names that cargo refuses for packages or binaries, or that hide one of Rust's own crates.
const CARGO: &[&str] = &["test", "core", "std", "alloc", "proc-macro", "build", "deps", "examples", "incremental"];
/// Device names, which Windows does not accept as file names.
const WINDOWS: &[&str] = &[
    "con", "prn", "aux", "nul", "com0", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt0",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];
/// Services of the generated docker-compose.yml. The same name would mean two things there and in its comments.
const SERVICES: &[&str] = &["access", "access-emulator", "cloudflared", "db-init", "dev", "postgres", "server"];
/// Docker's official images (github.com/docker-library/official-images, `library/`), including deprecated ones. compose
/// builds and tags `NAME:latest`, so every other project on the machine would get this server instead of a database.
/// The list includes `scratch`, which Docker reserves.
const IMAGES: &str = "adminer aerospike almalinux alpine alt amazoncorretto amazonlinux api-firewall arangodb archlinux backdrop bash \
    bonita buildpack-deps busybox caddy cassandra celery centos chronograf cirros clearlinux clefos clickhouse clojure \
    composer consul convertigo couchbase couchdb crate crux dart debian django docker drupal eclipse-mosquitto \
    eclipse-temurin eggdrop elasticsearch elixir emqx erlang euleros express-gateway fedora flink fluentd friendica \
    gazebo gcc geonetwork ghost glassfish golang gradle groovy haproxy haskell haxe hello-seattle hello-world hitch \
    hola-mundo httpd hylang ibm-semeru-runtimes ibmjava influxdb iojs irssi jenkins jetty jobber joomla jruby julia \
    kaazing-gateway kapacitor kibana known kong krakend liberica-openjdk-alpine liberica-openjdk-debian lightstreamer \
    liquibase logstash mageia mariadb matomo maven mediawiki memcached mongo mongo-express monica mono mysql nats \
    nats-streaming neo4j neurodebian nextcloud nginx node notary nuxeo odoo open-liberty openjdk opensuse oraclelinux \
    orientdb owncloud percona perl photon php php-zendserver phpmyadmin piwik plone postfixadmin postgres pypy python \
    r-base rabbitmq rails rakudo-star rapidoid redis redmine registry rethinkdb rocket-chat rockylinux ros ruby rust \
    sapmachine satosa scratch sentry silverpeas sl solr sonarqube sourcemage spark spiped storm swarm swift swipl \
    teamspeak telegraf thrift tomcat tomee traefik ubuntu ubuntu-debootstrap unit unitd valkey varnish vault \
    websphere-liberty wordpress xwiki yourls znc zookeeper";

/// A fault in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is empty.
    Empty,
    /// It is longer than [`LONGEST`] bytes.
    TooLong,
    /// It begins with a digit.
    Digit,
    /// It contains characters other than lower-case letters, digits and single hyphens between them.
    Characters,
    /// It is a Rust keyword.
    Keyword,
    /// It is reserved by cargo.
    Cargo,
    /// It is a Windows device name.
    Windows,
    /// It is a service of the generated docker-compose.yml.
    Service,
    /// It is an official Docker image.
    Image,
    /// It is a namespace of Kubernetes itself.
    Namespace,
    /// It is a package that the generated project contains or depends on.
    Taken,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::TooLong => "it is longer than 63 characters, more than a namespace of Kubernetes may have",
            Self::Digit => "it begins with a digit, which cargo refuses",
            Self::Characters => "only lower-case letters, digits and single hyphens between them may be in it",
            Self::Keyword => "it is a keyword of Rust",
            Self::Cargo => "cargo keeps it for itself",
            Self::Windows => "Windows cannot have a file of that name",
            Self::Service => "docker-compose.yml has a service of that name",
            Self::Image => {
                "Docker has an official image of that name, which the project's own would replace on this machine"
            }
            Self::Namespace => "Kubernetes keeps the namespace default and names that begin with kube- for itself",
            Self::Taken => "the project depends on a package of that name",
        })
    }
}

/// A name that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} cannot be the name of the project: {flaw}")]
pub struct BadName {
    /// The name as typed.
    pub name: String,
    /// The first fault in it.
    pub flaw: Flaw,
    /// A similar name that is valid.
    pub suggestion: String,
}

/// Checks `name` against the rules of cargo and of file systems, and against the package names in `taken`.
///
/// # Errors
/// The reason and a valid name, when the name is not valid.
pub fn check(name: &str, taken: &BTreeSet<String>) -> Result<(), BadName> {
    match flaw(name, taken) {
        None => Ok(()),
        Some(flaw) => Err(BadName { name: name.to_owned(), flaw, suggestion: suggest(name, taken) }),
    }
}

fn flaw(name: &str, taken: &BTreeSet<String>) -> Option<Flaw> {
    let well_formed = name
        .split('-')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
    if name.is_empty() {
        Some(Flaw::Empty)
    } else if name.len() > LONGEST {
        Some(Flaw::TooLong)
    } else if !well_formed {
        Some(Flaw::Characters)
    } else if name.starts_with(|first: char| first.is_ascii_digit()) {
        Some(Flaw::Digit)
    } else if KEYWORDS.contains(&name) {
        Some(Flaw::Keyword)
    } else if CARGO.contains(&name) {
        Some(Flaw::Cargo)
    } else if WINDOWS.contains(&name) {
        Some(Flaw::Windows)
    } else if SERVICES.contains(&name) {
        Some(Flaw::Service)
    } else if IMAGES.split(' ').any(|image| image == name) {
        Some(Flaw::Image)
    } else if name == "default" || name.starts_with("kube-") {
        Some(Flaw::Namespace)
    } else if taken.contains(name) || taken.contains(&name.replace('-', "_")) {
        // cargo distinguishes `a-b` and `a_b` in a lock file, but rustc uses one name for both crates.
        Some(Flaw::Taken)
    } else {
        None
    }
}

/// Returns a similar valid name. It lower-cases letters, drops their marks, turns everything else into single hyphens, and adds a word
/// where that is not enough.
fn suggest(name: &str, taken: &BTreeSet<String>) -> String {
    // Leave room for the words added below.
    let base = slugify(&without_marks(name)).chars().take(LONGEST - 16).collect::<String>();
    let base = base.trim_matches('-');
    let base = if base.is_empty() { "my-server" } else { base };
    // Avoid `server-server`.
    let base = if base == "server" { "my-server" } else { base };
    let candidates = [base.to_owned(), format!("{base}-server"), format!("server-{base}")];
    let numbered = (2..).map(|number| format!("{base}-server-{number}"));
    candidates
        .into_iter()
        .chain(numbered.take(1000))
        .find(|candidate| flaw(candidate, taken).is_none())
        .unwrap_or_else(|| format!("server-{base}-new"))
}

/// `My Server` → `my-server`, `myServer` → `my-server`, `../a/b` → `a-b`.
fn slugify(name: &str) -> String {
    let mut slug = String::new();
    let mut previous = ' ';
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            if character.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit()) {
                slug.push('-');
            }
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        previous = character;
    }
    slug.trim_matches('-').to_owned()
}

impl Explain for BadName {
    fn hint(&self) -> Option<Cow<'_, str>> {
        Some(format!("try {}", self.suggestion).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn suggestion(name: &str) -> String {
        check(name, &BTreeSet::from(["http".to_owned()])).expect_err("not a valid name").suggestion
    }

    #[test]
    fn suggests_what_was_probably_meant() {
        for (typed, expected) in [
            ("My Server", "my-server"),
            ("myServer", "my-server"),
            ("my_server", "my-server"),
            ("../evil", "evil"),
            ("a/b", "a-b"),
            ("1abc", "server-1abc"),
            ("fn", "fn-server"),
            ("test", "test-server"),
            ("con", "con-server"),
            ("http", "http-server"),
            ("postgres", "postgres-server"),
            ("server", "my-server"),
            ("default", "default-server"),
            ("kube-system", "server-kube-system"),
            ("-x-", "x"),
            ("a--b", "a-b"),
            ("", "my-server"),
            ("日本", "my-server"),
            ("Über Server", "uber-server"),
            ("Café", "cafe"),
        ] {
            assert_eq!(suggestion(typed), expected, "{typed}");
        }
    }

    #[test]
    fn accepts_names_that_cargo_accepts() {
        for name in ["a", "my-server", "a1-b2", "coda-mcp", "fn-server", "z".repeat(63).as_str()] {
            assert_eq!(check(name, &BTreeSet::new()), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_that_mean_something_else_to_docker_or_kubernetes_are_refused() {
        let flaw = |name| check(name, &BTreeSet::new()).err().map(|bad| bad.flaw);
        for (name, expected) in [
            ("postgres", Flaw::Service),
            ("cloudflared", Flaw::Service),
            ("server", Flaw::Service),
            ("nginx", Flaw::Image),
            ("scratch", Flaw::Image),
            ("default", Flaw::Namespace),
            ("kube-system", Flaw::Namespace),
            ("kube-anything", Flaw::Namespace),
        ] {
            assert_eq!(flaw(name), Some(expected), "{name}");
        }
        for name in ["postgres-mcp", "my-server", "kubernetes", "kube", "defaults", "nginx-server"] {
            assert_eq!(flaw(name), None, "{name}");
        }
        assert_eq!(flaw("z".repeat(64).as_str()), Some(Flaw::TooLong));
    }

    #[test]
    fn the_services_are_those_of_the_template() {
        let compose = include_str!("../../template/docker-compose.yml");
        let services = compose.split_once("\nservices:\n").and_then(|(_, rest)| rest.split_once("\nnetworks:\n"));
        let mut found: Vec<&str> = services
            .expect("services")
            .0
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
            .filter(|name| !name.starts_with([' ', '#']))
            .collect();
        found.sort_unstable();
        assert_eq!(found, SERVICES);
    }

    proptest! {
        #[test]
        fn a_suggestion_is_always_valid(name in "\\PC{0,100}", taken in proptest::collection::btree_set("[a-z-]{1,6}", 0..20)) {
            if let Err(bad) = check(&name, &taken) {
                prop_assert_eq!(check(&bad.suggestion, &taken), Ok(()));
            }
        }

        #[test]
        fn also_near_reserved_ones(name in "(fn|test|con|com1|1abc|std|http|nginx|kube|kube-|default|server)[-_ ]{0,2}(server)?") {
            let taken = BTreeSet::from(["http".to_owned(), "http-server".to_owned()]);
            if let Err(bad) = check(&name, &taken) {
                prop_assert_eq!(check(&bad.suggestion, &taken), Ok(()));
            }
        }
    }
}
