//! `tokens …` and `db init` from outside: what is printed, where, and the exit status.

use crate::harness::{Memory, Run, SECRET, Server};
use clap::CommandFactory;
use mcp_auth_middleware::encryption::DecryptError;
use mcp_auth_middleware::{AuditFault, AuditReport, Rotation, StoreError, UnreadableToken};

const NAMED: &str = "error: only the name of a token is taken from the command line, never its value: other users of the \
                     machine see the arguments of a process, and the shell keeps them in its history\n  hint: give the \
                     value on standard input (`tokens set NAME < FILE`) or at the prompt (`tokens set NAME`); if one was \
                     typed just now, it has been seen: have its issuer replace it\n";

#[tokio::test]
async fn a_value_from_standard_input_is_stored_without_one_line_end() {
    for (stdin, value) in [
        ("s3cret", "s3cret"),
        ("s3cret\n", "s3cret"),
        ("s3cret\r\n", "s3cret"),
        ("s3cret\n\nx", "s3cret\n\nx"),
        ("söö-s3cret", "söö-s3cret"),
    ] {
        let store = Memory::default();
        let out = Run::new("tokens set API").stdin(stdin).on(&store).await;
        assert_eq!(out.clean(), "API stored for my-server\n");
        assert_eq!(store.value("my-server", "API").as_deref(), Some(value));
        assert_eq!(store.calls(), ["set my-server API alice"]);
    }
    for (stdin, value) in [("s3cret\n\n", "s3cret\n"), (" s3cret", " s3cret"), ("s3cret\t\n", "s3cret\t")] {
        let store = Memory::default();
        let out = Run::new("tokens set API").stdin(stdin).on(&store).await;
        assert_eq!((out.status, out.stdout.as_str()), (0, "API stored for my-server\n"));
        assert_eq!(out.stderr, "warning: the value begins or ends with white space, which is kept\n");
        assert_eq!(store.value("my-server", "API").as_deref(), Some(value));
    }
}

#[tokio::test]
async fn what_is_no_value_is_refused_and_nothing_is_stored() {
    let too_long = "s3cret".repeat(400_000);
    for (stdin, error) in [
        (&b""[..], "error: the value is empty\n  hint: give it on standard input or at the prompt\n"),
        (b"\n", "error: the value is empty\n  hint: give it on standard input or at the prompt\n"),
        (b"\r\n", "error: the value is empty\n  hint: give it on standard input or at the prompt\n"),
        (b"s3cret\xff", "error: standard input is not UTF-8 text\n"),
        (too_long.as_bytes(), "error: standard input is longer than any token\n"),
    ] {
        let store = Memory::default();
        assert_eq!(Run::new("tokens set API").stdin(stdin).on(&store).await.failed(2), error);
        assert!(store.calls().is_empty());
    }
}

#[tokio::test]
async fn at_a_terminal_the_value_is_asked_for() {
    let store = Memory::default();
    let out = Run::new("tokens set API --service other --as bob@example.com").typed("s3cret").on(&store).await;
    assert_eq!(out.clean(), "API stored for other\n");
    assert_eq!(store.value("other", "API").as_deref(), Some("s3cret"));
    assert_eq!(store.calls(), ["set other API bob@example.com (alice)"]);

    let out = Run::new("tokens set API").typed("").on(&store).await;
    assert!(out.failed(2).starts_with("error: the value is empty\n"));
    assert!(store.calls().is_empty());
}

/// attacks.md 48.
#[tokio::test]
async fn attack_48_a_value_on_the_command_line_is_refused_and_not_repeated() {
    for args in [
        "tokens set API s3cret",
        "tokens set API s3cret more s3cret",
        "tokens set API=s3cret",
        "tokens set API= s3cret",
        "tokens set API --value s3cret",
        "tokens set API --value=s3cret",
        "tokens set API --s3cret",
        "tokens set API -vs3cret",
        "tokens set API -- s3cret",
        "tokens set -- API s3cret",
        "tokens set --as alice API s3cret",
        "tokens set API s3cret --as alice",
        "tokens get API=s3cret",
        "tokens delete API=s3cret",
        "migrate-env API=s3cret",
    ] {
        let open = |_| -> Result<&Memory, &str> { panic!("the store is not even opened") };
        let out = Run::new(args).stdin("s3cret").with(open).await;
        assert_eq!(out.failed(2), NAMED, "{args}");
    }
    // Options before the name are clap's to refuse.
    for args in ["tokens set --value s3cret API", "tokens set --value=s3cret API", "tokens set -vs3cret API"] {
        let store = Memory::default();
        let error = Run::new(args).stdin("s3cret").on(&store).await.failed(2);
        assert!(error.starts_with("error: unexpected argument '-"), "{error}");
        assert!(store.calls().is_empty());
    }
}

#[tokio::test]
async fn other_secrets_on_the_command_line_are_not_repeated_either() {
    for (args, error) in [
        ("tokens get API s3cret", "error: `tokens get` takes a name, and no other argument or option\n"),
        ("tokens delete API s3cret", "error: `tokens delete` takes a name, and no other argument or option\n"),
        (
            "tokens list s3cret",
            "error: `tokens list` takes --service, --as and --format, and no other argument or option\n",
        ),
        (
            "tokens rotate-key s3cret s3cret",
            "error: `tokens rotate-key` takes its keys from the environment, and no other argument or option\n",
        ),
        (
            "tokens rotate-key --old=s3cret",
            "error: `tokens rotate-key` takes its keys from the environment, and no other argument or option\n",
        ),
        (
            "tokens audit verify s3cret",
            "error: `tokens audit verify` takes --expect and --format, and no other argument or option\n",
        ),
        (
            "db init postgres://u:s3cret@h/d", // pragma: allowlist secret
            "error: `db init` finds the database by the environment, and no other argument or option\n",
        ),
    ] {
        let hint = "  hint: see --help; what was given is not repeated here, for it may be a secret\n";
        let store = Memory::default();
        assert_eq!(Run::new(args).on(&store).await.failed(2), format!("{error}{hint}"), "{args}");
        assert!(store.calls().is_empty());
    }
}

#[tokio::test]
async fn a_value_goes_to_standard_output_as_it_is() {
    let store = Memory::with(&[("API", "s3cret\nline")]);
    assert_eq!(Run::new("tokens get API").on(&store).await.clean(), "s3cret\nline");
    let terminal = Run { stdout_is_terminal: true, ..Run::new("tokens get API") };
    assert_eq!(terminal.on(&store).await.clean(), "s3cret\nline\n");
    assert_eq!(store.calls(), ["get my-server API alice"; 2]);
}

#[tokio::test]
async fn what_is_not_stored_is_status_1() {
    let store = Memory::with(&[("API", SECRET)]);
    let hint = "  hint: `tokens list` shows the names; `--service` is for those of another service\n";
    let error = Run::new("tokens get OTHER").on(&store).await.failed(1);
    assert_eq!(error, format!("error: no token OTHER is stored for my-server\n{hint}"));
    let error = Run::new("tokens delete API --service other").on(&store).await.failed(1);
    assert_eq!(error, format!("error: no token API is stored for other\n{hint}"));
    let error = Run::args(vec!["tokens", "get", "a\u{1b}[31m\nb"]).on(&store).await.failed(1);
    assert_eq!(error, format!("error: no token a\\u{{1b}}[31m\\u{{a}}b is stored for my-server\n{hint}"));

    assert_eq!(Run::new("tokens delete API").on(&store).await.clean(), "API deleted from my-server\n");
    assert_eq!(store.value("my-server", "API"), None);
}

#[tokio::test]
async fn a_list_has_names_and_times() {
    let store = Memory::with(&[("API", SECRET), ("A_LONGER_NAME", SECRET), ("e\u{1b}vil", SECRET)]);
    assert_eq!(
        Run::new("tokens list").on(&store).await.clean(),
        "NAME           CREATED               UPDATED\n\
         API            2000-02-29T00:00:00Z  2025-11-25T04:34:56Z\n\
         A_LONGER_NAME  2000-02-29T00:00:00Z  2025-11-25T04:34:56Z\n\
         e\\u{1b}vil     2000-02-29T00:00:00Z  2025-11-25T04:34:56Z\n"
    );
    let store = Memory::with(&[("API", SECRET)]);
    assert_eq!(
        Run::new("tokens list --format json").on(&store).await.clean(),
        r#"{"service":"my-server","tokens":[{"created_at":"2000-02-29T00:00:00Z","key":"API","updated_at":"2025-11-25T04:34:56Z"}]}"#.to_owned()
            + "\n"
    );
    let out = Run::new("tokens list --service other").on(&store).await;
    assert_eq!((out.status, out.stdout.as_str(), out.stderr.as_str()), (0, "", "no tokens are stored for other\n"));
    let out = Run::new("tokens list --service other --format json").on(&store).await;
    assert_eq!(out.clean(), "{\"service\":\"other\",\"tokens\":[]}\n");
    assert_eq!(store.calls()[0], "list my-server alice");
}

#[tokio::test]
async fn a_rotation_is_counted_and_what_is_left_is_status_1() {
    let store = Memory::default();
    store.state().rotation.rotated = 3;
    assert_eq!(Run::new("tokens rotate-key --as bob").on(&store).await.clean(), "3 tokens rotated\n");
    assert_eq!(store.calls(), ["rotate bob (alice)"]);
    let json = Run::new("tokens rotate-key --format json").on(&store).await.clean();
    assert_eq!(json, "{\"remaining\":0,\"rotated\":3,\"unreadable\":[]}\n");

    let unreadable =
        UnreadableToken { service: "other".to_owned(), key: "API".to_owned(), error: DecryptError::Corrupted };
    let reason = DecryptError::Corrupted.to_string();
    store.state().rotation = Rotation { rotated: 2, unreadable: vec![unreadable], remaining: 1 };
    let out = Run::new("tokens rotate-key").on(&store).await;
    assert_eq!((out.status, out.stdout.as_str()), (1, "2 tokens rotated\n"));
    assert_eq!(
        out.stderr,
        format!(
            "error: token API of other was left as it is: {reason}\n\
             error: 1 tokens were stored with another key meanwhile\n  \
             hint: rotate again once every server has the new key\n"
        )
    );
}

#[tokio::test]
async fn a_broken_audit_log_is_status_1_and_its_first_row_is_named() {
    let store = Memory::default();
    let hash = "ab".repeat(32);
    let out = Run::new("tokens audit verify").on(&store).await;
    assert_eq!(out.clean(), format!("3 audit rows are intact; last hash {hash}\n"));
    let out = Run::new("tokens audit verify --format json").on(&store).await;
    assert_eq!(out.clean(), format!("{{\"fault\":null,\"intact\":3,\"last_hash\":\"{hash}\",\"ok\":true}}\n"));

    for (fault, row, text) in [
        (AuditFault::Removed { id: 4 }, "4", "audit row 4 was removed"),
        (AuditFault::Changed { id: 4 }, "4", "audit row 4 was changed"),
        (AuditFault::OutOfOrder { id: 4 }, "4", "audit row 4 does not follow row 3: rows were reordered or replaced"),
        (AuditFault::TailRemoved { id: 4, count: 9 }, "4", "audit rows 4 to 9 were removed from the end"),
        (AuditFault::Foreign { id: 4 }, "4", "audit row 4 was added behind the end of the chain"),
        (AuditFault::Head, "null", "the head of the audit chain is missing or was changed"),
    ] {
        store.state().report = AuditReport { intact: 3, last_hash: hash.clone(), fault: Some(fault) };
        let out = Run::new("tokens audit verify").on(&store).await;
        assert_eq!((out.status, out.stderr.as_str()), (1, ""));
        assert_eq!(out.stdout, format!("{text}\n3 rows before it are intact; last hash {hash}\n"));
        let out = Run::new("tokens audit verify --format json").on(&store).await;
        let fault = format!("{{\"message\":\"{text}\",\"row\":{row}}}");
        let json = format!("{{\"fault\":{fault},\"intact\":3,\"last_hash\":\"{hash}\",\"ok\":false}}\n");
        assert_eq!((out.status, out.stdout), (1, json));
    }
    assert_eq!(Run::new("tokens audit --format json").on(&store).await.clean(), "");
}

#[tokio::test]
async fn a_kept_hash_is_looked_for() {
    let store = Memory::default();
    let (hash, kept) = ("ab".repeat(32), "0123456789abcdef".repeat(4));
    let args = format!("tokens audit verify --expect {kept}");
    let text = format!("3 audit rows are intact; last hash {hash}; the expected hash is among them\n");
    assert_eq!(Run::new(&args).on(&store).await.clean(), text);
    assert_eq!(store.calls(), [format!("audit_verify {kept}")]);

    store.state().report.fault = Some(AuditFault::Rewritten);
    let out = Run::new(&args).on(&store).await;
    let text = "no audit row has the expected hash: the log was cut off before it, or rewritten";
    let rest = format!("3 rows are in order among themselves; last hash {hash}");
    assert_eq!((out.status, out.stdout, out.stderr), (1, format!("{text}\n{rest}\n"), String::new()));

    let error = Run::new("tokens audit verify --expect abc").on(&Memory::default()).await.failed(2);
    assert!(error.contains("a hash of the audit log has 64 hexadecimal digits"), "{error}");
}

#[tokio::test]
async fn a_store_that_fails_is_status_3() {
    let unavailable = || StoreError::Unavailable("the database cannot be reached (db:5432)".to_owned());
    for args in [
        "tokens set API",
        "tokens get API",
        "tokens delete API",
        "tokens list",
        "tokens rotate-key",
        "tokens audit",
        "tokens audit verify",
        "db init",
        "migrate-env",
        "migrate-env --dry-run",
    ] {
        let store = Memory::failing(unavailable());
        let error = Run::new(args).stdin(SECRET).set("CODA_API_TOKEN", SECRET).on(&store).await.failed(3);
        assert_eq!(error, "error: token store unavailable: the database cannot be reached (db:5432)\n", "{args}");
        assert_eq!(store.calls().len(), 1);
    }
    let store = Memory::failing(StoreError::Invalid("the name of a token is empty".to_owned()));
    let error = Run::args(vec!["tokens", "get", ""]).on(&store).await.failed(2);
    assert_eq!(error, "error: the name of a token is empty\n");
    let store = Memory::failing(DecryptError::Corrupted.into());
    let error = Run::new("tokens get API").on(&store).await.failed(3);
    assert!(
        error.starts_with(&format!("error: {}\n  hint: MCP_AUTH_ENCRYPTION_KEY", DecryptError::Corrupted)),
        "{error}"
    );

    let open = |_| Err::<&Memory, _>("POSTGRES_HOST is missing");
    let error = Run::new("tokens list").with(open).await.failed(2);
    assert_eq!(error, "error: no token store: POSTGRES_HOST is missing\n");
}

#[tokio::test]
async fn only_commands_that_seal_or_open_need_a_key() {
    for (args, needed) in [
        ("tokens set API", true),
        ("tokens get API", true),
        ("tokens rotate-key", true),
        ("migrate-env", true),
        ("tokens delete API", false),
        ("tokens list", false),
        ("tokens audit", false),
        ("tokens audit verify", false),
        ("db init", false),
    ] {
        let store = Memory::with(&[("API", SECRET)]);
        let mut asked = None;
        let open = |needs_key| {
            asked = Some(needs_key);
            Ok::<_, String>(&store)
        };
        let out = Run::new(args).stdin(SECRET).set("CODA_API_TOKEN", SECRET).with(open).await;
        assert_eq!((out.status, asked), (0, Some(needed)), "{args}");
    }
}

#[tokio::test]
async fn the_database_is_set_up_with_or_without_a_role() {
    let store = Memory::default();
    let text = "the database has version 1 of the tables; 1 migrations applied\n";
    assert_eq!(Run::new("db init").on(&store).await.clean(), text);
    assert_eq!(store.state().role, None);
    let json = Run::new("db init --format json").on(&store).await.clean();
    assert_eq!(
        json,
        "{\"applied\":1,\"former_servers\":false,\"keeper_remains\":false,\"role_created\":false,\"version\":1}\n"
    );
    let out = Run::new("db init --role server --role-password").stdin("s3cret\n").on(&store).await;
    assert_eq!(out.clean(), format!("{text}the role server was created and has its rights\n"));
    let role = store.state().role.clone().unwrap();
    assert_eq!(role, "ServerRole { name: \"server\", password: Some(\"[REDACTED]\") }");
    let ended = Run::new("db init --finish").on(&store).await.clean();
    assert_eq!(ended, "servers of the version before have no access to the tables any more\n");
    assert_eq!(Run::new("db init --finish --role server").on(&store).await.status, 2);
    let error = Run::new("db init --role-password").on(&store).await.failed(2);
    assert!(error.contains("--role <ROLE>"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let args = format!("db init --role server --role-password-file {}", file.display());
    let error = Run::new(&args).on(&store).await.failed(2);
    assert!(error.contains("password cannot be read: entity not found"), "{error}");
    std::fs::write(&file, "").unwrap();
    let error = Run::new(&args).on(&store).await.failed(2);
    assert!(error.contains("the value is empty") && error.contains("hint: write it into"), "{error}");
    std::fs::write(&file, "s3cret\n").unwrap();
    let store = Memory::default();
    Run::new(&args).on(&store).await.clean();
    let role = store.state().role.clone().unwrap();
    assert_eq!(role, "ServerRole { name: \"server\", password: Some(\"[REDACTED]\") }");
    let error = Run::new(&format!("{args} --role-password")).on(&store).await.failed(2);
    assert!(error.contains("cannot be used with"), "{error}");
}

#[test]
fn every_command_has_an_example_and_no_hidden_argument_shows() {
    fn check(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        if command.get_name() == "help" || path == "my-server my-server serve" {
            return;
        }
        let help = command.clone().render_long_help().to_string();
        assert!(!help.contains("NOTHING"), "{help}");
        let leaf = !command.has_subcommands() || path.ends_with("audit");
        assert!(!leaf || help.contains("Example"), "{path}: {help}");
        assert!(!leaf || help.contains(path.trim_start_matches("my-server my-server ")), "{path}: {help}");
        for command in command.get_subcommands() {
            check(command, &path);
        }
    }
    let mut server = Server::command();
    server.build();
    check(&server, "my-server");

    // Not wrapped, whatever features of clap the rest of a workspace asks for.
    let unwrapped = Server::command().term_width(0);
    let error = unwrapped.try_get_matches_from(["my-server", "tokens", "set", "--help"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Store a token; the value comes from standard input or a prompt\n\n\
         One line end at the end of standard input is not part of the value. At a terminal, the value is asked for and not \
         shown. It is never taken from the command line, where others can read it.\n\n\
         Usage: my-server tokens set [OPTIONS] <NAME>\n\n\
         Arguments:\n  <NAME>\n          Name of the token\n\n\
         Options:\n      --service <NAME>\n          The service whose tokens are meant [default: this project]\n\n      \
         --as <EMAIL>\n          Who acts, for the audit log, where the system's user stands beside it [default: the system's user \
         alone]\n\n  \
         -h, --help\n          Print help (see a summary with '-h')\n\n\
         Examples:\n  my-server tokens set CODA_API_TOKEN\n  my-server tokens set CODA_API_TOKEN < token.txt\n"
    );
}

#[tokio::test]
async fn old_rows_of_the_audit_log_are_removed_on_demand() {
    let store = Memory::default();
    let out = Run::new("tokens audit expire --older-than 365 --as bob").on(&store).await.clean();
    assert_eq!(out, "3 rows older than 365 days were removed\n");
    assert_eq!(store.calls(), ["expire 365 bob (alice)"]);
    for wrong in ["", " --older-than 0", " --older-than forever", " --older-than 36501"] {
        let run = format!("tokens audit expire{wrong}");
        assert_eq!(Run::new(&run).on(&Memory::default()).await.status, 2, "{wrong}");
    }
}
