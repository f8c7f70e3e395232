use std::time::Duration;

use mcp_auth_middleware::{AuthMode, IntrospectedTokens};

use super::*;

const TOKEN: &str = "kei4ahGhee8eecu0quoh5Ohn";
const SERVICE: Service = Service { name: "a-server", version: "1.0.0" };
/// One row of each kind.
const OWN: &[Setting] = &[
    Setting::token("API_TOKEN", "https://api.example.com/tokens", "The API", "The server's own token for the API."),
    Setting::url("API_BASE", Some("https://api.example.com/v1"), "The API", "Where the API is."),
    Setting::text("API_USER", None, "The API", "As whom."),
    Setting::list("API_PATHS", "The API", "Which parts of it."),
    Setting::choice("API_STYLE", &["old", "new"], "new", "The API", "Which form of it."),
    Setting::switch("API_PROXY", "on", "The API", "Whether requests are handed on."),
    Setting::number("API_PAGES", (1, 20), "5", "The API", "Pages at the most."),
    Setting::seconds("API_SECONDS", (1, 60), "45", "The API", "Time for an answer."),
];

fn read(pairs: &[(&str, &str)]) -> Result<Config, Problems> {
    let mut all = vec![("MCP_DEV_BEARER_TOKEN", TOKEN)];
    all.push(("API_TOKEN", "api-token"));
    for (name, value) in pairs {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    Config::read(&Environment::from_pairs(all), SERVICE, OWN)
}

fn variables_with_problems(pairs: &[(&str, &str)]) -> Vec<&'static str> {
    read(pairs).err().map(|p| p.iter().map(|p| p.variable).collect()).unwrap_or_default()
}

#[test]
fn defaults_need_nothing_but_the_secrets() {
    let config = read(&[]).expect("a good configuration");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.auth.mode, AuthMode::Both);
    assert!(config.auth.cloudflare.is_none() && config.auth.bearer.is_some());
    assert_eq!(config.log_filter, default_filter());
    assert_eq!(config.tokens(), ["API_TOKEN"]);
    let own = &config.settings;
    assert_eq!(own.url("API_BASE").map(url::Url::as_str), Ok("https://api.example.com/v1"));
    assert_eq!((own.text("API_USER"), own.text("API_STYLE")), (Ok(None), Ok(Some("new"))));
    assert_eq!((own.list("API_PATHS"), own.is_on("API_PROXY")), (Ok(&[][..]), Ok(true)));
    assert_eq!((own.number("API_PAGES"), own.seconds("API_SECONDS")), (Ok(5), Ok(Duration::from_secs(45))));
    assert_eq!(
        own.number("API_BASE").map_err(|error| error.to_string()),
        Err("API_BASE is not set, or no number of the table of settings".to_owned())
    );
    assert!(config.warnings().is_empty());
}

#[test]
fn metrics_and_probes_have_a_port_of_their_own() {
    assert_eq!(read(&[]).expect("a good configuration").admin, None);
    let config = read(&[("ADMIN_ADDR", "0.0.0.0:9090")]).expect("a good configuration");
    assert_eq!(config.admin.map(|address| address.to_string()).as_deref(), Some("0.0.0.0:9090"));
    for wrong in ["localhost:9090", ":9090", "127.0.0.1", "127.0.0.1:8080"] {
        assert_eq!(variables_with_problems(&[("ADMIN_ADDR", wrong)]), ["ADMIN_ADDR"], "{wrong}");
    }
}

#[test]
fn opentelemetry_is_off_without_a_collector_and_its_variables_are_checked_all_the_same() {
    assert!(read(&[]).expect("a good configuration").telemetry.is_none());
    let on = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/")];
    if cfg!(feature = "telemetry") {
        let config = read(&on).expect("a good configuration");
        let telemetry = config.telemetry.as_ref().expect("on");
        assert!(telemetry.traces && telemetry.metrics && telemetry.sampler.parent_based);
        assert!(config.warnings().is_empty());
        let exposed = read(&[on[0], ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=x")]).expect("a good configuration");
        assert!(exposed.warnings()[0].contains("clear text"), "{:?}", exposed.warnings());
        assert!(!format!("{exposed:?}").contains("api-key\": \"x"), "{exposed:?}");
    } else {
        assert_eq!(variables_with_problems(&on), ["OTEL_EXPORTER_OTLP_ENDPOINT"]);
    }
    assert!(read(&[on[0], ("OTEL_SDK_DISABLED", "TRUE")]).expect("a good configuration").telemetry.is_none());
    for (name, wrong) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:secret@collector"), // pragma: allowlist secret
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_SDK_DISABLED", "yes"),
    ] {
        let problems = read(&[(name, wrong)]).expect_err("a problem");
        assert_eq!(problems.iter().map(|problem| problem.variable).collect::<Vec<_>>(), [name], "{wrong}");
        assert!(!problems.to_string().contains("secret@"), "{problems}");
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let pairs = [
        ("HOST", "localhost"),
        ("PORT", "70000"),
        ("ADMIN_ADDR", "9090"),
        ("AUTH_MODE", "none"),
        ("MCP_DEV_BEARER_TOKEN", "changeme"),
        ("TOKEN_STORE", "redis"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "rmcp=loud"),
        ("MAX_BODY_BYTES", "12"),
        ("ALLOWED_HOSTS", "https://mcp.example.com"),
        ("ALLOWED_ORIGINS", "*"),
        ("PUBLIC_URL", "mcp.example.com"),
        ("MEMORY_BUDGET", "64M"),
        ("API_BASE", "http://api.example.com"),
        ("API_STYLE", "odd"),
        ("API_PAGES", "21"),
        ("API_SECONDS", "0"),
        ("API_PROXY", "maybe"),
    ];
    let mut found = variables_with_problems(&pairs);
    let mut expected: Vec<_> = pairs.iter().map(|(name, _)| *name).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_level_with_a_slip_of_the_pen_does_not_silence_the_log() {
    for bad in ["verbose", "inf", "info,rmcp", "rmcp=loud"] {
        assert_eq!(variables_with_problems(&[("RUST_LOG", bad)]), ["RUST_LOG"], "{bad}");
    }
    for good in ["INFO", "off", "2", "debug,hyper=off", " info , rmcp=error", "my_server=trace", "info,"] {
        assert!(variables_with_problems(&[("RUST_LOG", good)]).is_empty(), "{good}");
    }
}

#[test]
fn an_address_is_a_host_name_as_clients_write_it() {
    let hosts =
        read(&[("ALLOWED_HOSTS", "fd00:0::1,[FD00::2]:8080,[fd00::3],MCP.example.com")]).expect("good").allowed_hosts;
    assert_eq!(hosts, ["[fd00::1]", "[fd00::2]:8080", "[fd00::3]", "mcp.example.com"]);
}

#[test]
fn a_mode_without_its_method_says_what_is_missing() {
    let none = ("MCP_DEV_BEARER_TOKEN", "");
    assert_eq!(variables_with_problems(&[("AUTH_MODE", "bearer"), none]), ["MCP_DEV_BEARER_TOKEN"]);
    assert_eq!(variables_with_problems(&[("AUTH_MODE", "cloudflare")]), ["CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD"]);
    assert_eq!(
        variables_with_problems(&[("AUTH_MODE", "both"), none]),
        ["AUTH_MODE", "CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD", "MCP_DEV_BEARER_TOKEN"]
    );
    assert_eq!(variables_with_problems(&[("CF_ACCESS_AUD", "tag")]), ["CF_ACCESS_TEAM_DOMAIN"]);
    assert_eq!(variables_with_problems(&[("CF_ACCESS_TEAM_DOMAIN", "https://t.example")]), ["CF_ACCESS_AUD"]);
}

#[test]
fn each_token_store_says_what_it_misses() {
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"; // pragma: allowlist secret
    let problems = |more: &[(&str, &str)]| {
        let mut found = variables_with_problems(&[&[("TOKEN_STORE", "postgres")], more].concat());
        found.sort_unstable();
        found
    };
    assert_eq!(problems(&[]), ["MCP_AUTH_ENCRYPTION_KEY", "POSTGRES_HOST"]);
    let (host, sealed) = (("POSTGRES_HOST", "db"), ("MCP_AUTH_ENCRYPTION_KEY", key));
    assert_eq!(problems(&[host, sealed]), [""; 0]);
    assert_eq!(problems(&[host, ("MCP_AUTH_KEY_FILE", "/var/lib/key")]), [""; 0], "nothing is read yet");
    assert_eq!(problems(&[host, sealed, ("MCP_AUTH_KEY_FILE", "/var/lib/key")]), ["MCP_AUTH_KEY_FILE"]);
    assert_eq!(problems(&[host, sealed, ("DATABASE_URL", "postgres://db/x")]), ["POSTGRES_HOST"]);
    assert_eq!(problems(&[sealed, ("DATABASE_URL", "mysql://db/x")]), ["DATABASE_URL"]);
    assert_eq!(problems(&[host, ("MCP_AUTH_ENCRYPTION_KEY", &key[1..])]), ["MCP_AUTH_ENCRYPTION_KEY"]);
    assert_eq!(problems(&[host, sealed, ("MCP_AUTH_PREVIOUS_KEYS", "short")]), ["MCP_AUTH_PREVIOUS_KEYS"]);
    assert_eq!(problems(&[host, sealed, ("POSTGRES_SSLMODE", "yes")]), ["POSTGRES_SSLMODE"]);

    let problems = |more: &[(&str, &str)]| variables_with_problems(&[&[("TOKEN_STORE", "infisical")], more].concat());
    let identity = [("INFISICAL_CLIENT_ID", "machine"), ("INFISICAL_PROJECT_ID", "project")];
    let secret = ("INFISICAL_CLIENT_SECRET", "of-the-machine"); // pragma: allowlist secret
    assert_eq!(problems(&[]), ["INFISICAL_CLIENT_ID", "INFISICAL_PROJECT_ID", "INFISICAL_CLIENT_SECRET"]);
    assert_eq!(problems(&[identity[0], identity[1], secret]), [""; 0]);
    let open = ("INFISICAL_URL", "http://infisical.example");
    assert_eq!(problems(&[identity[0], identity[1], secret, open]), ["INFISICAL_URL"]);
    let by = |method| [("INFISICAL_AUTH", method), ("INFISICAL_IDENTITY_ID", "machine"), identity[1]];
    assert_eq!(problems(&by("kubernetes")), [""; 0]);
    assert_eq!(problems(&by("oidc")), ["INFISICAL_JWT_FILE"]);
    assert_eq!(problems(&[&by("oidc")[..], &[("INFISICAL_JWT_FILE", "/token")]].concat()), [""; 0]);
    assert_eq!(problems(&by("oidc")[..1]), ["INFISICAL_IDENTITY_ID", "INFISICAL_PROJECT_ID", "INFISICAL_JWT_FILE"]);
    assert_eq!(problems(&by("aws")), ["INFISICAL_AUTH"]);
}

#[test]
fn vault_says_what_each_login_misses() {
    let problems = |more: &[(&str, &str)]| variables_with_problems(&[&[("TOKEN_STORE", "vault")], more].concat());
    let address = ("VAULT_ADDR", "https://vault.example:8200");
    let secret = ("VAULT_SECRET_ID", "of-the-role"); // pragma: allowlist secret
    assert_eq!(problems(&[]), ["VAULT_ADDR", "VAULT_ROLE_ID", "VAULT_SECRET_ID"]);
    assert_eq!(problems(&[address, ("VAULT_ROLE_ID", "role"), secret]), [""; 0]);
    assert_eq!(problems(&[address, ("VAULT_ROLE_ID", "role"), ("VAULT_SECRET_ID_FILE", "/none")]), ["VAULT_SECRET_ID"]);
    assert_eq!(problems(&[address, ("VAULT_AUTH", "token")]), ["VAULT_TOKEN"]);
    assert_eq!(problems(&[address, ("VAULT_AUTH", "kubernetes")]), ["VAULT_ROLE"]);
    assert_eq!(problems(&[address, ("VAULT_AUTH", "jwt")]), ["VAULT_ROLE", "VAULT_JWT_FILE"]);
    assert_eq!(problems(&[address, ("VAULT_AUTH", "ldap")]), ["VAULT_AUTH"]);
    let good = [address, ("VAULT_AUTH", "kubernetes"), ("VAULT_ROLE", "coda")];
    for wrong in [
        ("VAULT_ADDR", "http://vault.example"),
        ("VAULT_AUTH_MOUNT", "a b"),
        ("VAULT_NAMESPACE", "söö"),
        ("VAULT_MOUNT", "a/../b"),
        ("VAULT_PATH", "a//b"),
        ("VAULT_CACERT", "/none"),
    ] {
        assert_eq!(problems(&[&good[..], &[wrong]].concat()), [wrong.0]);
    }
    let all = [
        ("VAULT_AUTH_MOUNT", "k8s/prod"),
        ("VAULT_NAMESPACE", "team"),
        ("VAULT_MOUNT", "kv"),
        ("VAULT_PATH", "mcp"),
        ("VAULT_JWT_FILE", "/token"),
    ];
    assert_eq!(problems(&[&good[..], &all].concat()), [""; 0]);
}

#[test]
fn a_key_that_transit_wraps_is_a_wrapped_one() {
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"; // pragma: allowlist secret
    let postgres = [("TOKEN_STORE", "postgres"), ("POSTGRES_HOST", "db"), ("MCP_AUTH_KEY_PROVIDER", "transit")];
    let vault = [("VAULT_ADDR", "https://vault.example"), ("VAULT_AUTH", "kubernetes"), ("VAULT_ROLE", "coda")];
    let problems = |more: &[(&str, &str)]| variables_with_problems(&[&postgres, &vault, more].concat());
    assert_eq!(problems(&[]), ["MCP_AUTH_ENCRYPTION_KEY"]);
    let wrapped = ("MCP_AUTH_ENCRYPTION_KEY", "vault:v1:abcdef==");
    assert_eq!(problems(&[wrapped]), [""; 0]);
    assert_eq!(problems(&[("MCP_AUTH_KEY_FILE", "/wrapped")]), [""; 0]);
    assert_eq!(problems(&[wrapped, ("MCP_AUTH_KEY_FILE", "/wrapped")]), ["MCP_AUTH_KEY_FILE"]);
    assert_eq!(problems(&[wrapped, ("MCP_AUTH_PREVIOUS_KEYS", "vault:v1:x, vault:v2:y")]), [""; 0]);
    assert_eq!(problems(&[("MCP_AUTH_ENCRYPTION_KEY", key)]), ["MCP_AUTH_ENCRYPTION_KEY"]);
    assert_eq!(problems(&[wrapped, ("MCP_AUTH_PREVIOUS_KEYS", key)]), ["MCP_AUTH_PREVIOUS_KEYS"]);
    assert_eq!(problems(&[wrapped, ("MCP_AUTH_TRANSIT_KEY", "a/b")]), ["MCP_AUTH_TRANSIT_KEY"]);
    let refused =
        read(&[&postgres[..], &vault, &[("MCP_AUTH_ENCRYPTION_KEY", key)]].concat()).expect_err("no wrapped key");
    assert!(!refused.to_string().contains(key), "{refused}");
    let without = variables_with_problems(&[&postgres[..], &[wrapped]].concat());
    assert_eq!(without, ["VAULT_ADDR", "VAULT_ROLE_ID", "VAULT_SECRET_ID"]);
    let other = [postgres[0], postgres[1], ("MCP_AUTH_KEY_PROVIDER", "kms"), wrapped];
    assert_eq!(variables_with_problems(&other), ["MCP_AUTH_KEY_PROVIDER"]);
}

#[test]
fn a_token_that_is_left_in_the_environment_is_warned_about() {
    let sealed = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"; // pragma: allowlist secret
    let store = [("TOKEN_STORE", "postgres"), ("POSTGRES_HOST", "db"), ("MCP_AUTH_ENCRYPTION_KEY", sealed)];
    let warned = read(&store).expect("a good configuration").warnings();
    assert!(warned.iter().any(|w| w.contains("API_TOKEN is set but not used")), "{warned:?}");
    let moved = read(&[&store[..], &[("API_TOKEN", "")]].concat()).expect("a good configuration");
    assert!(moved.warnings().is_empty());
}

#[test]
fn addresses_hold_no_secret_and_nothing_after_the_path() {
    for (address, problem) in [
        ("https://user:hush-hush@api.example.com/v1", "has a user or a password in it"), // pragma: allowlist secret
        ("https://user@api.example.com", "has a user or a password in it"),
        ("https://api.example.com/v1?key=1", "goes on with ? or #"),
        ("https://api.example.com/v1#top", "goes on with ? or #"),
    ] {
        let problems = read(&[("API_BASE", address)]).expect_err(address).to_string();
        assert!(problems.contains(problem) && !problems.contains("hush-hush"), "{problems}");
    }
}

/// From an `--env-file` of docker (docker/cli#3630).
#[test]
fn a_token_in_quotation_marks_is_told_at_the_start() {
    for token in ["\"api-token\"", "'api-token'"] {
        let problems = read(&[("API_TOKEN", token)]).expect_err(token).to_string();
        assert!(problems.contains("is in quotation marks"), "{problems}");
    }
    assert!(read(&[("API_TOKEN", "a'b\"c'")]).is_ok());
}

#[test]
fn secrets_come_from_files_too_but_not_from_both() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{TOKEN}\n")).expect("written");
    let path = file.path().to_str().expect("UTF-8");
    assert!(read(&[("MCP_DEV_BEARER_TOKEN", ""), ("MCP_DEV_BEARER_TOKEN_FILE", path)]).is_ok());
    assert_eq!(variables_with_problems(&[("MCP_DEV_BEARER_TOKEN_FILE", path)]), ["MCP_DEV_BEARER_TOKEN"]);
    let gone = [("MCP_DEV_BEARER_TOKEN", ""), ("MCP_DEV_BEARER_TOKEN_FILE", "/no/such/file")];
    assert!(variables_with_problems(&gone).contains(&"MCP_DEV_BEARER_TOKEN"));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let writer = pipe.clone();
    let writing = std::thread::spawn(move || std::fs::write(writer, "api-token\n"));
    let start = std::time::Instant::now();
    let config = read(&[("API_TOKEN", ""), ("API_TOKEN_FILE", pipe.to_str().expect("text"))]).expect("a configuration");
    writing.join().expect("joined").expect("written");
    assert!(config.files.is_empty() && start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
}

#[test]
fn no_secret_is_shown() {
    let weak = format!("{TOKEN},short");
    let problems = read(&[("MCP_DEV_BEARER_TOKEN", &weak)]).expect_err("a weak token");
    assert!(!problems.to_string().contains(TOKEN) && !format!("{problems:?}").contains(TOKEN));
    let config = read(&[]).expect("a good configuration");
    assert!(!format!("{config:?}").contains(TOKEN));
    assert!(!format!("{config:?}").contains("api-token"));
}

#[test]
fn a_bearer_token_in_the_open_is_warned_about() {
    let config = read(&[("HOST", "0.0.0.0")]).expect("a good configuration");
    assert!(config.warnings().iter().any(|w| w.contains("not loopback")));
}

#[test]
fn origins_of_every_scheme_and_nothing_else() {
    let good = "https://claude.ai,http://a.example:8080,chrome-extension://abcdefghijklmnop,vscode-webview://x1,tauri://localhost";
    assert_eq!(read(&[("ALLOWED_ORIGINS", good)]).expect("good origins").allowed_origins.len(), 5);
    for bad in
        ["null", "*", "https://*.example", "file://", "https://a/b", "claude.ai", "://a", "https://a?b", "1x://a"]
    {
        assert_eq!(variables_with_problems(&[("ALLOWED_ORIGINS", bad)]), ["ALLOWED_ORIGINS"], "{bad}");
    }
}

#[test]
fn the_public_url_is_the_address_of_the_server_or_of_its_endpoint() {
    let base = |url: &str| Some(read(&[("PUBLIC_URL", url)]).ok()?.public_url?.base);
    for (url, expected) in [
        ("https://mcp.example.com", "https://mcp.example.com"),
        ("https://MCP.example.com:443/mcp", "https://mcp.example.com"),
        ("https://example.com/coda/mcp/", "https://example.com/coda"),
        ("http://host.docker.internal:8080/", "http://host.docker.internal:8080"),
    ] {
        assert_eq!(base(url).as_deref(), Some(expected), "{url}");
    }
    for bad in ["mcp.example.com", "ftp://a", "https://", "https://a?b", "https://u:p@a", "/mcp", "https://*.a"] {
        assert_eq!(variables_with_problems(&[("PUBLIC_URL", bad)]), ["PUBLIC_URL"], "{bad}");
    }
    let warned = read(&[("PUBLIC_URL", "https://mcp.example.com")]).expect("a good configuration").warnings();
    assert!(warned.iter().any(|w| w.contains("accepted under mcp.example.com")), "{warned:?}");
    let warned = read(&[("ALLOWED_HOSTS", "other.example")]).expect("a good configuration").warnings();
    assert!(warned.iter().any(|w| w.contains("accepted under other.example")), "{warned:?}");
}

#[test]
fn attack_52_limits_that_do_not_fit_into_the_memory_are_refused() {
    let megabytes = |n: usize| (n << 20).to_string();
    let (small, large) = (megabytes(64), megabytes(1024));
    let limits = read(&[("MEMORY_BUDGET", &small)]).expect("defaults that fit").limits;
    assert!(limits.connections * limits.header_bytes <= 16 << 20 && limits.body_bytes < 1 << 20);
    let body = ("MAX_BODY_BYTES", "8000000");
    assert_eq!(variables_with_problems(&[("MEMORY_BUDGET", &small), body]), ["MAX_BODY_BYTES"]);
    assert!(read(&[("MEMORY_BUDGET", &large), body]).is_ok());
    let connections = ("MAX_CONNECTIONS", "5000");
    assert_eq!(variables_with_problems(&[("MEMORY_BUDGET", &small), connections]), ["MAX_CONNECTIONS"]);
    assert!(read(&[("MEMORY_BUDGET", &large), connections]).is_ok());
}

#[test]
fn every_row_is_whole_and_every_default_is_a_value() {
    let table = Table::with(OWN);
    let mut names: Vec<_> = table.rows().map(|row| row.name).collect();
    for row in table.rows() {
        assert!(row.help.lines().next().is_some_and(|first| first.len() > 5), "{row:?}");
        assert!(row.name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{row:?}");
        assert!(!(row.is_secret() && row.default.is_some()), "{row:?}");
        let Some(default) = row.default else { continue };
        match row.kind {
            SettingKind::Choice(words) => assert!(words.contains(&default), "{row:?}"),
            SettingKind::Switch => assert!(matches!(default, "on" | "off"), "{row:?}"),
            SettingKind::Number { least, most } | SettingKind::Seconds { least, most } => {
                assert!((least..=most).contains(&default.parse().expect("a number")), "{row:?}");
            }
            _ => {}
        }
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    // What stands in the table as the default is what counts when nothing is set.
    let defaults = table.rows().filter_map(|row| Some((row.name, row.default?)));
    let pairs = [("MCP_DEV_BEARER_TOKEN", TOKEN), ("API_TOKEN", "api-token")].into_iter().chain(defaults);
    let written = Config::read(&Environment::from_pairs(pairs), SERVICE, OWN).expect("a good configuration");
    assert_eq!(format!("{written:?}"), format!("{:?}", read(&[]).expect("a good configuration")));
}

#[test]
fn what_is_exported_can_be_read_again_and_has_no_secret() {
    let set = [("MCP_DEV_BEARER_TOKEN", TOKEN), ("API_TOKEN", "api-token"), ("PORT", "9000"), ("API_PAGES", "7")];
    let env = Environment::from_pairs(set);
    for format in [Format::Env, Format::Json, Format::Markdown] {
        let text = export(&env, OWN, format);
        assert!(!text.contains(TOKEN) && !text.contains("api-token"), "{text}");
        for row in Table::with(OWN).rows() {
            assert!(text.contains(row.name) && text.contains(row.group), "{} in {text}", row.name);
        }
    }
    let lines = export(&env, OWN, Format::Env);
    let value = |name: &str| lines.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    assert_eq!((value("PORT"), value("API_PAGES"), value("API_SECONDS")), (Some("9000"), Some("7"), Some("45")));
    assert_eq!((value("API_TOKEN"), value("POSTGRES_PASSWORD")), (Some("********"), Some("")));
    assert!(lines.contains("# Get from: https://api.example.com/tokens\nAPI_TOKEN="), "{lines}");
    let rows: serde_json::Value = serde_json::from_str(&export(&env, OWN, Format::Json)).expect("JSON");
    let row = rows.as_array().into_iter().flatten().find(|row| row["name"] == "API_PAGES").expect("a row");
    assert_eq!((&row["value"], &row["default"], &row["type"]), (&"7".into(), &"5".into(), &"number".into()));
}

#[test]
fn an_issuer_needs_an_audience_which_may_be_the_servers_own_address() {
    let oidc = ("AUTH_MODE", "oidc");
    let issuer = ("OIDC_ISSUER", "https://login.example.com/realms/staff");
    let public = ("PUBLIC_URL", "https://mcp.example.com/mcp");
    assert_eq!(variables_with_problems(&[oidc]), ["OIDC_ISSUER"]);
    assert_eq!(variables_with_problems(&[oidc, issuer]), ["OIDC_AUDIENCE"]);
    let config = read(&[oidc, issuer, public]).expect("a good configuration");
    let [only] = &config.auth.oidc[..] else { panic!("one issuer: {:?}", config.auth.oidc) };
    assert_eq!((only.issuer(), only.audiences()), (issuer.1, &["https://mcp.example.com/mcp".to_owned()][..]));
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());

    let scopes = ("OIDC_REQUIRED_SCOPES", "mcp, docs:read rows:read");
    let config = read(&[oidc, issuer, ("OIDC_AUDIENCE", "api://a, b"), scopes]).expect("a good configuration");
    assert_eq!(config.auth.oidc[0].audiences(), ["api://a", "b"]);
    assert_eq!(config.auth.oidc[0].required_scopes(), ["mcp", "docs:read", "rows:read"]);
    assert!(config.warnings()[0].contains("ALLOWED_HOSTS"), "{:?}", config.warnings());

    for (name, wrong) in [
        ("OIDC_ISSUER", "login.example.com"),
        ("OIDC_ISSUER", "http://login.example.com"),
        ("OIDC_ALGORITHMS", "HS256"),
        ("OIDC_ALGORITHMS", "RS256,none"),
        ("OIDC_ISSUERS_FILE", "/does/not/exist"),
    ] {
        let problems = read(&[oidc, issuer, public, (name, wrong)]).expect_err("a problem");
        assert_eq!(problems.iter().map(|problem| problem.variable).collect::<Vec<_>>(), [name], "{wrong}");
    }
    let hmac = read(&[oidc, issuer, public, ("OIDC_ALGORITHMS", "HS256")]).expect_err("a problem").to_string();
    assert!(hmac.contains("\"HS256\" is never accepted"), "{hmac}");
}

#[test]
fn a_list_needs_each_of_its_methods_and_both_one_of_two() {
    let none = ("MCP_DEV_BEARER_TOKEN", "");
    assert_eq!(variables_with_problems(&[("AUTH_MODE", "oidc,bearer"), none]), ["OIDC_ISSUER", "MCP_DEV_BEARER_TOKEN"]);
    let missing = ["CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD", "OIDC_ISSUER"];
    assert_eq!(variables_with_problems(&[("AUTH_MODE", "cloudflare,oidc,bearer")]), missing);
    assert_eq!(variables_with_problems(&[("AUTH_MODE", "both,oidc")]), ["AUTH_MODE"]);
    let unused = read(&[("OIDC_ISSUER", "https://login.example.com")]).expect("a good configuration");
    assert_eq!(unused.warnings(), ["OIDC_ISSUER is set but not used, as AUTH_MODE is both: add oidc to it"]);
}

#[test]
fn issuers_of_a_file_are_asked_with_secrets_of_files_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, secret) = (folder.path().join("issuers.json"), folder.path().join("secret"));
    let file = path.display().to_string();
    let pairs = [("AUTH_MODE", "oidc"), ("PUBLIC_URL", "https://mcp.example.com"), ("OIDC_ISSUERS_FILE", &file)];
    let asked = |issuer: &str, introspect: &str| {
        serde_json::json!({
            "issuer": issuer, "introspect": introspect, "introspection_client_id": "mcp",
            "introspection_client_secret_file": secret.display().to_string(),
        })
    };
    let write = |issuers: serde_json::Value| {
        let json = serde_json::json!({"issuers": issuers}).to_string();
        std::fs::write(&path, json).expect("a file");
    };
    let problem = || read(&pairs).expect_err("a problem").to_string();
    write(serde_json::json!([asked("https://a.example", "all"), asked("https://b.example", "jwt")]));
    assert!(problem().contains("introspection_client_secret_file"), "{}", problem());
    std::fs::write(&secret, "the-secret-of-the-client\n").expect("a file");
    let config = read(&pairs).expect("a good configuration");
    let tokens: Vec<_> =
        config.auth.oidc.iter().filter_map(|issuer| issuer.introspection()).map(|asking| asking.tokens()).collect();
    assert_eq!(tokens, [IntrospectedTokens::All, IntrospectedTokens::Jwt]);
    assert!(!format!("{config:?}").contains("the-secret-of-the-client"));
    // A secret that changes is taken by the issuer whose it is.
    assert_eq!(config.auth.issuer_secrets.len(), 2);
    write(serde_json::json!([asked("https://a.example", "all"), asked("https://b.example", "opaque")]));
    assert!(problem().contains("does not say which of them"), "{}", problem());
}

#[test]
fn an_issuer_is_asked_about_opaque_tokens_by_a_client_with_a_secret() {
    let oidc = ("AUTH_MODE", "oidc");
    let issuer = ("OIDC_ISSUER", "https://login.example.com/realms/staff");
    let public = ("PUBLIC_URL", "https://mcp.example.com/mcp");
    let id = ("OIDC_INTROSPECTION_CLIENT_ID", "mcp");
    let secret = ("OIDC_INTROSPECTION_CLIENT_SECRET", "the-secret-of-the-client"); // pragma: allowlist secret
    let url = ("OIDC_INTROSPECTION_URL", "https://login.example.com/introspect");
    let config = read(&[oidc, issuer, public, id, secret, url]).expect("a good configuration");
    let asking = config.auth.oidc[0].introspection().expect("introspection");
    assert_eq!((asking.client_id(), asking.url()), ("mcp", Some(url.1)));
    assert!(!format!("{config:?}").contains(secret.1));
    assert_eq!(asking.tokens(), IntrospectedTokens::Opaque);
    let all = read(&[oidc, issuer, public, id, secret, ("OIDC_INTROSPECT", "all")]).expect("a good configuration");
    assert_eq!(all.auth.oidc[0].introspection().map(|asking| asking.tokens()), Some(IntrospectedTokens::All));
    assert!(read(&[oidc, issuer, public]).expect("a good configuration").auth.oidc[0].introspection().is_none());
    for (pairs, variable) in [
        (&[issuer, id][..], "OIDC_INTROSPECTION_CLIENT_SECRET"),
        (&[issuer, secret], "OIDC_INTROSPECTION_CLIENT_ID"),
        (&[issuer, url], "OIDC_INTROSPECTION_CLIENT_ID"),
        (&[issuer, id, secret, (url.0, "http://login.example.com/introspect")], "OIDC_INTROSPECTION_URL"),
        (&[issuer, id, secret, ("OIDC_INTROSPECT", "everything")], "OIDC_INTROSPECT"),
        (&[issuer, ("OIDC_INTROSPECT", "jwt")], "OIDC_INTROSPECTION_CLIENT_ID"),
        (&[id, secret], "OIDC_INTROSPECTION_CLIENT_ID"),
    ] {
        let problems = read(&[&[oidc, public], pairs].concat()).expect_err("a problem");
        assert_eq!(problems.iter().next().map(|problem| problem.variable), Some(variable), "{pairs:?}");
    }
}

#[test]
fn several_issuers_come_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("issuers.json");
    let path = file.display().to_string();
    let pairs =
        [("AUTH_MODE", "oidc"), ("PUBLIC_URL", "https://mcp.example.com"), ("OIDC_ISSUERS_FILE", path.as_str())];
    std::fs::write(
        &file,
        r#"{"issuers": [{"issuer": "https://a.example"}, {"issuer": "https://b.example", "audience": ["b"]}]}"#,
    )
    .expect("written");
    let issuers = read(&pairs).expect("a good configuration").auth.oidc;
    let audiences: Vec<_> = issuers.iter().map(|issuer| issuer.audiences().join(" ")).collect();
    assert_eq!(audiences, ["https://mcp.example.com/mcp", "b"]);
    let twice = [("OIDC_ISSUER", "https://a.example"), pairs[0], pairs[1], pairs[2]];
    assert_eq!(variables_with_problems(&twice), ["OIDC_ISSUERS_FILE"]);
    std::fs::write(&file, r#"{"issuers": [{"issuer": "https://a.example", "algorithms": ["HS256"]}]}"#)
        .expect("written");
    assert_eq!(variables_with_problems(&pairs), ["OIDC_ISSUERS_FILE"]);
}

#[test]
fn an_emulated_team_is_warned_about() {
    let with = |team| {
        let pairs = [("AUTH_MODE", "cloudflare"), ("CF_ACCESS_TEAM_DOMAIN", team), ("CF_ACCESS_AUD", "tag")];
        read(&pairs).expect("a good configuration").warnings()
    };
    let emulator = |warnings: &[String]| warnings.iter().any(|warning| warning.contains("an emulator"));
    assert!(emulator(&with("http://127.0.0.1:8788")));
    assert!(!emulator(&with("https://team.cloudflareaccess.com")));
}
