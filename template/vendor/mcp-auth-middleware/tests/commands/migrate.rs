//! `migrate-env` from outside: attacks.md 49, and what it says and writes.

use crate::harness::{Memory, Run, SECRET, keyring};

/// A folder with files in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}

/// Migrates `API` from a compose file, with these variables around, and gives what is stored or the error without the
/// file's name.
async fn from_compose(compose: &str, dotenv: Option<&str>, environment: &[(&str, &str)]) -> Result<String, String> {
    let folder = Folder::with(&[("docker-compose.yml", compose)]);
    if let Some(content) = dotenv {
        std::fs::write(folder.path(".env"), content).unwrap();
    }
    let path = folder.path("docker-compose.yml");
    let mut run = Run::args(vec!["migrate-env", "API", "--from", &path]);
    for (name, value) in environment {
        run = run.set(name, value);
    }
    let store = Memory::default();
    let out = run.on(&store).await;
    match store.value("my-server", "API") {
        Some(value) => {
            assert!(out.clean().starts_with("API: stored\n1 tokens migrated\nverification hash: "));
            let out = run.on(&store).await.clean();
            assert!(out.starts_with("API: stored already\n0 tokens migrated\nverification hash: "), "{out}");
            Ok(value)
        }
        None => {
            assert!(store.calls().is_empty(), "the store is not asked before all values are found");
            Err(out.failed(2).replace(&path, "compose"))
        }
    }
}

/// As [`from_compose`], of one service whose `environment` is this.
async fn from_environment(lines: &str) -> Result<String, String> {
    let environment = [("HOST_API", "s3cret-host"), ("EMPTY", "")];
    let dotenv = "DOTENV_API='s3cret-dotenv'\nHOST_API=s3cret-hidden\nODD=a$b\n";
    from_compose(&format!("services:\n  web:\n    environment:\n{lines}\n"), Some(dotenv), &environment).await
}

#[tokio::test]
async fn attack_49_every_form_of_a_compose_file_gives_its_value() {
    for (lines, value) in [
        ("      API: s3cret", "s3cret"),
        ("      API: \"s3cret\"", "s3cret"),
        ("      API: 's3cret # not a comment'", "s3cret # not a comment"),
        ("      API: s3cret # a comment", "s3cret"),
        ("      API: s3cret#1", "s3cret#1"),
        ("      API: '0123'", "0123"),
        ("      API: |-\n        s3cret", "s3cret"),
        ("      API: >-\n        s3cret\n        folded", "s3cret folded"),
        ("      \"API\": \"s3cret \\u00e4\"", "s3cret ä"),
        (
            "      OTHER: 12\n      PORT: 0123\n      FLAG: yes\n      INF: .inf\n      NOTHING:\n      API: s3cret",
            "s3cret",
        ),
        ("      - API=s3cret", "s3cret"),
        ("      - \"API=s3cret=with=signs\"", "s3cret=with=signs"),
        ("      - 'API=\"s3cret\"'", "\"s3cret\""),
        ("      - OTHER\n      - API=s3cret\n      - API=s3cret", "s3cret"),
        ("      - API=0123", "0123"),
        ("      API: ${HOST_API}", "s3cret-host"),
        ("      API: \"${HOST_API}\"", "s3cret-host"),
        ("      API: $HOST_API", "s3cret-host"),
        ("      - API=${HOST_API}", "s3cret-host"),
        ("      - API=${DOTENV_API}", "s3cret-dotenv"),
        ("      API: ${UNSET_API:-s3cret-default}", "s3cret-default"),
        ("      API: ${EMPTY:-s3cret-default}", "s3cret-default"),
        ("      API: ${UNSET_API-s3cret-default}", "s3cret-default"),
        ("      API: ${HOST_API:-s3cret-default}", "s3cret-host"),
        ("      API: ${HOST_API:?must be set}", "s3cret-host"),
        ("      API: ${UNSET_API:-${DOTENV_API}}", "s3cret-dotenv"),
        ("      API: s3cret$$HOST_API", "s3cret$HOST_API"),
        ("      - API=s3cret$$", "s3cret$"),
        ("      API: s3cret\n      OTHER: ${UNSET_API:?not asked for}\n      BAD: $", "s3cret"),
    ] {
        assert_eq!(from_environment(lines).await, Ok(value.to_owned()), "{lines}");
    }
}

#[tokio::test]
async fn attack_49_anchors_and_merges_are_followed() {
    let map =
        "x-common: &common\n  API: s3cret-common\n  OTHER: x\nservices:\n  web:\n    environment:\n      <<: *common\n";
    assert_eq!(from_compose(map, None, &[]).await.unwrap(), "s3cret-common");
    let own = format!("{map}      API: s3cret-own\n");
    assert_eq!(from_compose(&own, None, &[]).await.unwrap(), "s3cret-own");
    let several =
        "x-a: &a {API: s3cret-a}\nx-b: &b {API: s3cret-b}\nservices:\n  web:\n    environment:\n      <<: [*a, *b]\n";
    assert_eq!(from_compose(several, None, &[]).await.unwrap(), "s3cret-a");
    let service = "x-server: &server\n  image: x\n  environment: &env\n    - API=${DOTENV_API}\nservices:\n  web:\n    <<: *server\n  \
                   worker:\n    environment: *env\n  db:\n    image: y\n  empty:\n";
    assert_eq!(from_compose(service, Some("DOTENV_API=s3cret"), &[]).await.unwrap(), "s3cret");
    let value = "services:\n  web:\n    environment:\n      FIRST: &token s3cret\n      API: *token\n";
    assert_eq!(from_compose(value, None, &[]).await.unwrap(), "s3cret");
}

#[tokio::test]
async fn attack_49_what_a_service_passes_on_comes_from_around_the_file() {
    for lines in ["      API:", "      - API", "      API: null"] {
        let compose = format!("services:\n  web:\n    environment:\n{lines}\n");
        assert_eq!(from_compose(&compose, None, &[("API", "s3cret-host")]).await.unwrap(), "s3cret-host");
        assert_eq!(from_compose(&compose, Some("API=s3cret-dotenv"), &[]).await.unwrap(), "s3cret-dotenv");
        assert_eq!(
            from_compose(&compose, None, &[]).await.unwrap_err(),
            "error: compose: API in service web is passed on from the environment, where it is not set, and not in .env \
             either\n"
        );
    }
}

#[tokio::test]
async fn attack_49_what_has_no_right_value_is_a_clear_error() {
    for (lines, error) in [
        (
            "      API: 0123",
            "API in service web is a number to YAML and not text; put it into quotes if it is meant as it stands",
        ),
        (
            "      API: 1e5",
            "API in service web is a number to YAML and not text; put it into quotes if it is meant as it stands",
        ),
        (
            "      API: .inf",
            "API in service web is a number to YAML and not text; put it into quotes if it is meant as it stands",
        ),
        (
            "      API: 123456789012345678901234567890",
            "API in service web is a number to YAML and not text; put it into quotes if it is meant as it stands",
        ),
        (
            "      API: true",
            "API in service web is a truth value to YAML and not text; put it into quotes if it is meant as it stands",
        ),
        (
            "      API: [s3cret]",
            "API in service web is a list to YAML and not text; put it into quotes if it is meant as it stands",
        ),
        (
            "      API: {s3cret: s3cret}",
            "API in service web is a map to YAML and not text; put it into quotes if it is meant as it stands",
        ),
        ("      API: ''", "API is empty"),
        ("      - API=", "API is empty"),
        ("      API: ${EMPTY}", "API is empty"),
        ("      API: ${UNSET_API:-}", "API is empty"),
        (
            "      API: ${UNSET_API}",
            "API in service web takes it from ${UNSET_API}, which is set neither in the environment nor in .env beside the file",
        ),
        (
            "      API: s3cret-$UNSET_API",
            "API in service web takes it from ${UNSET_API}, which is set neither in the environment nor in .env beside the file",
        ),
        ("      API: ${UNSET_API:?s3cret}", "API in service web requires ${UNSET_API}, which is not set or empty"),
        (
            "      API: ${ODD}",
            "API in service web takes it from ${ODD}, which (line 3 of .env beside the file) holds `$`, which some programs expand; put the value into single quotes if it is meant as it stands",
        ),
        (
            "      API: s3cret$",
            "API in service web holds `$` with something behind it that docker compose does not expand; `$$` stands for `$`",
        ),
        (
            "      API: ${s3cret!}",
            "API in service web holds `$` with something behind it that docker compose does not expand; `$$` stands for `$`",
        ),
        ("      - API=s3cret\n      - API=s3cret-2", "API in service web stands there twice, with different values"),
        (
            "      - API: s3cret",
            "service web: `environment` is neither a map of names to values nor a list of NAME=value",
        ),
        (
            "      - 12\n      - API=s3cret",
            "service web: `environment` is neither a map of names to values nor a list of NAME=value",
        ),
        ("      API=s3cret", "service web: `environment` is neither a map of names to values nor a list of NAME=value"),
        (
            "      - API=s3cret\n    env_file: x\n  odd:\n    environment: true",
            "service odd: `environment` is neither a map of names to values nor a list of NAME=value",
        ),
        (
            "      - API=s3cret\n  odd:\n    environment: -1",
            "service odd: `environment` is neither a map of names to values nor a list of NAME=value",
        ),
        (
            "      - API=s3cret\n  odd:\n    environment: 1.5",
            "service odd: `environment` is neither a map of names to values nor a list of NAME=value",
        ),
        (
            "      API: -5",
            "API in service web is a number to YAML and not text; put it into quotes if it is meant as it stands",
        ),
        ("      12", "service web: `environment` is neither a map of names to values nor a list of NAME=value"),
        ("      API: s3cret\n      API: s3cret", "the same key stands twice in a map (line 5, column 7)"),
        ("      OTHER: x\n      PORT: 1", "compose has no API; it has OTHER, PORT"),
        ("      {}", "compose has no API; it sets no variables"),
    ] {
        let expected = format!("error: compose: {error}\n").replace("compose: compose", "compose");
        assert_eq!(from_environment(lines).await, Err(expected), "{lines}");
    }
}

#[tokio::test]
async fn attack_49_an_env_file_beside_counts_where_it_is_asked() {
    let compose = "services:\n  web:\n    environment:\n      API: ${HOST_API}\n";
    let broken = Some("this is s3cret\n");
    assert_eq!(from_compose(compose, broken, &[("HOST_API", "s3cret-host")]).await.unwrap(), "s3cret-host");
    assert_eq!(
        from_compose(compose, broken, &[]).await.unwrap_err(),
        "error: compose: API in service web takes it from ${HOST_API}, which is not in the environment, and .env beside \
         the file: line 1 is not NAME=value\n"
    );
}

#[tokio::test]
async fn attack_49_files_of_secrets_and_other_files_are_pointed_at() {
    let as_file = "services:\n  web:\n    environment:\n      API_FILE: /run/secrets/s3cret\n";
    assert_eq!(
        from_compose(as_file, None, &[]).await.unwrap_err(),
        "error: compose: API is given as a file (API_FILE), and files of secrets are not read here\n  \
         hint: give that file to `tokens set API < FILE`\n"
    );
    let elsewhere = "services:\n  web:\n    env_file: web.env\n  worker:\n    extends: {file: s3cret.yml, service: x}\n    \
                     env_file: [{path: a.env, required: false}]\n";
    assert_eq!(
        from_compose(elsewhere, None, &[]).await.unwrap_err(),
        "error: compose has no API; it sets no variables\n  \
         hint: not followed: env_file of web, env_file of worker, extends of worker; `--from` reads an env_file by itself, \
         too\n"
    );
}

#[tokio::test]
async fn attack_49_two_services_with_different_values_are_both_named() {
    let compose = "services:\n  web:\n    environment:\n      - API=s3cret-1\n  worker:\n    environment:\n      API: ";
    assert_eq!(from_compose(&format!("{compose}s3cret-1\n"), None, &[]).await.unwrap(), "s3cret-1");
    assert_eq!(
        from_compose(&format!("{compose}s3cret-2\n"), None, &[]).await.unwrap_err(),
        "error: compose: API has one value in service web and another in service worker\n"
    );
}

#[tokio::test]
async fn attack_49_what_is_no_compose_file_is_told_by_line_and_column() {
    for (compose, error) in [
        ("", "has no services"),
        ("services:\n", "has no services"),
        ("version: s3cret\n", "has no services"),
        ("services:\n  web: {image: s3cret\n", "not valid YAML (line 2, column 8)"),
        ("services:\n\tweb: s3cret\n", "not valid YAML (line 2, column 2)"),
        ("services:\n  web:\n    environment:\n      API: \"s3cret\n", "not valid YAML (line 4, column 12)"),
        ("services: s3cret\n", "not the form of a compose file (line 1, column 11)"),
        ("services:\n  web: s3cret\n", "not the form of a compose file (line 2, column 8)"),
        ("- s3cret\n", "not the form of a compose file (line 1, column 1)"),
        ("services:\n  web:\n    environment: *s3cret\n", "an alias has no anchor (line 3, column 18)"),
        (
            "services:\n  web:\n    environment:\n      <<: s3cret\n",
            "`<<` merges something that is not a map (line 4, column 11)",
        ),
        ("services: {}\n---\nservices: {}\n", "more than one YAML document (line 3, column 1)"),
    ] {
        let got = from_compose(compose, None, &[]).await.unwrap_err();
        assert_eq!(got, format!("error: compose: {error}\n"), "{compose}");
    }
    // A billion of them, if they were expanded.
    let mut bomb = "x-0: &a0 [s3cret, s3cret]\n".to_owned();
    for level in 1..30 {
        bomb += &format!("x-{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "));
    }
    let error =
        from_compose(&format!("{bomb}services:\n  web:\n    environment: *a29\n"), None, &[]).await.unwrap_err();
    assert!(error.starts_with("error: compose: more aliases or nesting than a compose file has (line "), "{error}");
    let nested = format!("services: {}\n", "[".repeat(100_000));
    assert!(from_compose(&nested, None, &[]).await.unwrap_err().starts_with("error: compose: "));
}

#[tokio::test]
async fn attack_49_an_env_file_is_read_as_data() {
    let folder = Folder::with(&[
        (".env", "# s3cret\nexport CODA_API_TOKEN=\"s3cret-1\" # s3cret\nOTHER='s3cret-2'\nODD=s3cret$x\nEMPTY=\n"),
        ("broken.env", "A=1\nthis is s3cret\n"),
        ("open.env", "A='s3cret\n"),
        ("binary.env", "A=1\n"),
        ("services.env", "services:\n"),
    ]);
    std::fs::write(folder.path("binary.env"), b"A=s3cret\xff\n").unwrap();
    let store = Memory::default();
    let path = folder.path(".env");
    let run = Run::args(vec!["migrate-env", "--from", &path, "CODA_API_TOKEN", "OTHER", "OTHER"]);
    let first = run.on(&store).await.clean();
    let second = run.on(&store).await.clean();
    assert!(
        first.starts_with("CODA_API_TOKEN: stored\nOTHER: stored\n2 tokens migrated\nverification hash: "),
        "{first}"
    );
    assert!(
        second.starts_with("CODA_API_TOKEN: stored already\nOTHER: stored already\n0 tokens migrated\n"),
        "{second}"
    );
    assert_eq!(first.lines().last(), second.lines().last(), "equal sets have equal hashes");
    assert_eq!(store.value("my-server", "CODA_API_TOKEN").unwrap(), "s3cret-1");
    assert_eq!(store.value("my-server", "OTHER").unwrap(), "s3cret-2");

    let hint = "  hint: a compose file ends in .yml or .yaml; other files hold NAME=value lines\n";
    for (file, names, error) in [
        (".env", "ODD", "FILE: ODD (line 4) holds `$`, which some programs expand; put the value into single quotes if it is meant as it stands\n".to_owned()),
        (".env", "EMPTY", "FILE: EMPTY is empty\n".to_owned()),
        (".env", "MISSING", "FILE has no MISSING; it has CODA_API_TOKEN, EMPTY, ODD, OTHER\n".to_owned()),
        ("broken.env", "A", format!("FILE: line 2 is not NAME=value\n{hint}")),
        ("open.env", "A", format!("FILE: the quote that opens on line 1 is not closed\n{hint}")),
        ("services.env", "A", format!("FILE: line 1 is not NAME=value\n{hint}")),
        ("binary.env", "A", "FILE: is not UTF-8 text\n".to_owned()),
        ("absent.env", "A", "FILE: cannot be read: entity not found\n".to_owned()),
        (".", "A", "FILE: cannot be read: is a directory\n".to_owned()),
    ] {
        let path = folder.path(file);
        let store = Memory::default();
        let out = Run::args(vec!["migrate-env", names, "--from", &path]).on(&store).await;
        assert_eq!(out.failed(2).replace(&path, "FILE"), format!("error: {error}"));
        assert!(store.calls().is_empty());
    }
    let large = folder.path("large.env");
    std::fs::write(&large, "A=s3cret\n".repeat(200_000)).unwrap();
    let out = Run::args(vec!["migrate-env", "A", "--from", &large]).on(&Memory::default()).await;
    assert_eq!(out.failed(2).replace(&large, "FILE"), "error: FILE: is larger than 1 MiB\n");
}

#[tokio::test]
async fn attack_49_the_environment_is_the_default_and_a_missing_name_is_told() {
    let store = Memory::default();
    let out = Run::new("migrate-env --service other --as bob").set("CODA_API_TOKEN", "s3cret").on(&store).await.clean();
    assert!(out.starts_with("CODA_API_TOKEN: stored\n1 tokens migrated\nverification hash: "), "{out}");
    assert_eq!(store.value("other", "CODA_API_TOKEN").as_deref(), Some("s3cret"));
    let (get, set) = ("get other CODA_API_TOKEN bob (alice)", "set other CODA_API_TOKEN bob (alice)");
    assert_eq!(store.calls(), [get, set, get]);

    let hint = "  hint: `--from .env` or `--from docker-compose.yml` reads a file\n";
    let error = Run::new("migrate-env").set("PATH", "/bin").set("CODA_TOKEN", SECRET).on(&store).await.failed(2);
    assert_eq!(error, format!("error: the environment has no CODA_API_TOKEN; similar names there: CODA_TOKEN\n{hint}"));
    let error = Run::new("migrate-env").set("PATH", "/bin").on(&store).await.failed(2);
    assert_eq!(error, format!("error: the environment has no CODA_API_TOKEN; it has no similar name either\n{hint}"));
    let error = Run::new("migrate-env").set("CODA_API_TOKEN", "").on(&store).await.failed(2);
    assert_eq!(error, "error: the environment: CODA_API_TOKEN is empty\n");
    let error = Run::new("migrate-env").set("CODA_API_TOKEN_FILE", "/run/secrets/x").on(&store).await.failed(2);
    assert!(error.starts_with("error: the environment: CODA_API_TOKEN is given as a file (CODA_API_TOKEN_FILE)"));
    let error = Run::new("migrate-env A B").set("A", SECRET).on(&store).await.failed(2);
    assert!(error.starts_with("error: the environment has no B;"), "{error}");
    assert!(store.calls().is_empty(), "all names are found before the store is asked");
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_writes_nothing() {
    let store = Memory::with(&[("KEPT", "s3cret-1"), ("CHANGED", "s3cret-old")]);
    let run = Run::new("migrate-env KEPT NEW --dry-run").set("KEPT", "s3cret-1").set("NEW", "s3cret-2");
    let out = run.on(&store).await.clean();
    let (summary, hash) = out.split_once("verification hash: ").unwrap();
    assert_eq!(
        summary,
        "KEPT: stored already\nNEW: would be stored\n\
         1 tokens would be migrated from the environment; no token was written\n"
    );
    assert!(store.calls().iter().all(|call| call.starts_with("get ")));
    assert_eq!(store.value("my-server", "NEW"), None);
    let run = Run::new("migrate-env KEPT NEW").set("KEPT", "s3cret-1").set("NEW", "s3cret-2");
    assert!(run.on(&store).await.clean().ends_with(hash), "a dry run tells the hash that will be");

    let run = Run::new("migrate-env CHANGED --dry-run --replace").set("CHANGED", "s3cret-new");
    assert!(run.on(&store).await.clean().starts_with("CHANGED: would be replaced\n1 tokens would be migrated"));
    assert_eq!(store.value("my-server", "CHANGED").as_deref(), Some("s3cret-old"));
}

#[tokio::test]
async fn a_token_that_is_stored_with_another_value_is_replaced_on_demand_only() {
    let store = Memory::with(&[("API", "s3cret-newer")]);
    let plain = Run::new("migrate-env API OTHER").set("API", "s3cret-old").set("OTHER", "s3cret");
    assert_eq!(
        plain.on(&store).await.failed(1),
        "error: stored for my-server with another value than in the environment: API; nothing was written\n  \
         hint: the stored one may be newer; `--replace` overwrites it\n"
    );
    assert_eq!(
        (store.value("my-server", "API").as_deref(), store.value("my-server", "OTHER")),
        (Some("s3cret-newer"), None)
    );
    let replace = Run::new("migrate-env API OTHER --replace").set("API", "s3cret-old").set("OTHER", "s3cret");
    let out = replace.on(&store).await.clean();
    assert!(out.starts_with("API: replaced\nOTHER: stored\n2 tokens migrated\n"), "{out}");
    assert_eq!(store.value("my-server", "API").as_deref(), Some("s3cret-old"));
}

#[tokio::test]
async fn what_is_read_back_differently_is_an_error() {
    let store = Memory::default();
    store.state().garbles = true;
    let error = Run::new("migrate-env API").set("API", "s3cret").on(&store).await.failed(3);
    assert_eq!(
        error,
        "error: API was written, and something else was read back\n  \
         hint: somebody else may have changed it at the same time; run it again\n"
    );
}

#[tokio::test]
async fn the_answer_can_be_read_by_a_program() {
    let store = Memory::with(&[("KEPT", "s3cret-1")]);
    let args = "migrate-env KEPT NEW --format json";
    let json = Run::new(args).set("KEPT", "s3cret-1").set("NEW", "s3cret-2").on(&store).await.clean();
    let (summary, hash) = json.split_once("\"verification_hash\":\"").unwrap();
    assert_eq!(
        summary,
        "{\"dry_run\":false,\"migrated\":1,\"service\":\"my-server\",\"source\":\"the environment\",\
         \"tokens\":[{\"key\":\"KEPT\",\"step\":\"keep\"},{\"key\":\"NEW\",\"step\":\"store\"}],"
    );
    let hash = hash.strip_suffix("\"}\n").unwrap();
    assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");
}

#[tokio::test]
async fn the_verification_hash_stands_for_names_values_and_key() {
    async fn hash(seed: u8, tokens: &[(&'static str, &'static str)]) -> String {
        let mut run = Run::args(vec!["migrate-env"]);
        for (name, value) in tokens {
            run.args.push(name);
            run = run.set(name, value);
        }
        let out = run.on(&Memory::with_keyring(keyring(seed))).await.clean();
        out.lines().last().unwrap().to_owned()
    }
    let all = [
        hash(1, &[("A", "s3cret"), ("B", "s3cret2")]).await,
        hash(1, &[("A", "s3cret")]).await,
        hash(1, &[("B", "s3cret")]).await,
        hash(1, &[("A", "s3cret2")]).await,
        hash(1, &[("A", "s3cret2"), ("B", "s3cret")]).await,
        hash(1, &[("AB", "s3cret"), ("C", "s3cret2")]).await,
        hash(2, &[("A", "s3cret"), ("B", "s3cret2")]).await,
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(!all[at + 1..].contains(one), "{at}");
    }
    assert_eq!(hash(1, &[("B", "s3cret2"), ("A", "s3cret")]).await, all[0], "the order does not count");
    // The same for another service, and after a restart.
    let run = Run::new("migrate-env A --service other").set("A", "s3cret");
    assert!(run.on(&Memory::with_keyring(keyring(1))).await.clean().ends_with(&format!("{}\n", all[1])));
}
