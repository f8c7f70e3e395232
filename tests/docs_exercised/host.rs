//! What stands for the host: a rendered project, its server as a process, a database, a team.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use mcp_auth_middleware::testing::{AUDIENCE, ISSUER, TestTeam};
use regex::Regex;
use sqlx::{Connection as _, Executor as _};

use crate::common::{Place, outcome};
use crate::postgres::{self, Cluster};

const PASSWORD: &str = "the-password-of-the-role"; // pragma: allowlist secret

/// A block of shell, and the text that the page says it prints.
pub(crate) struct Block {
    pub(crate) script: String,
    shown: Option<String>,
}

pub(crate) struct Host {
    place: Place,
    pub(crate) database: &'static Cluster,
    team: TestTeam,
    page: String,
    changed: BTreeMap<String, String>,
    previous: bool,
    ports: [u16; 2],
    server: Option<Child>,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The text without what differs from run to run.
pub(crate) fn masked(text: &str) -> String {
    let time = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap();
    let text = time.replace_all(text, "2026-01-31T12:00:00Z");
    let text = Regex::new(r"\b([0-9a-f]{8})[0-9a-f]{56}\b").unwrap().replace_all(&text, "$1…");
    // The words are the system's.
    let text =
        Regex::new("is not known here: .*").unwrap().replace_all(&text, "is not known here: Name or service not known");
    let text = Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(&text, "127.0.0.1:5432").into_owned();
    Regex::new(r"\b[0-9a-f]{8}-[0-9a-f]{6}\b").unwrap().replace_all(&text, "4d130ebb-000001").into_owned()
}

impl Host {
    pub(crate) async fn start() -> Self {
        let place = Place::new();
        place.ok(&[
            "new",
            "notes",
            "--token-store",
            "postgres",
            "--auth-mode",
            "cloudflare",
            "--set",
            "public_host=notes.example.com",
        ]);
        let database = postgres::own();
        let mut connection = database.connect("postgres", "postgres").await;
        connection.execute("CREATE DATABASE mcp_auth").await.unwrap();
        connection.close().await.unwrap();
        let page = place.read("notes/docs/OAUTH_TROUBLESHOOTING.md");
        let team = TestTeam::start().await.unwrap();
        let mut host = Self {
            page,
            database,
            team,
            changed: BTreeMap::new(),
            previous: false,
            ports: [free_port(), free_port()],
            server: None,
            place,
        };
        fs::create_dir(host.place.path("shims")).unwrap();
        for name in ["docker", "kubectl", "ssh", "cloudflared"] {
            let shims = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/docs_exercised/shims.sh");
            symlink(shims, host.place.path(&format!("shims/{name}"))).unwrap();
        }
        host.secret("mcp_auth_encryption_key", crate::KEYS[0]);
        host.secret("postgres_password", PASSWORD);
        // What the service db-init does, as the owner of the tables.
        let mut init = Command::new(server_program());
        init.args(["db", "init", "--role", "mcp_auth", "--role-password"]).env_clear();
        init.env("POSTGRES_HOST", database.folder()).env("POSTGRES_PORT", database.port().to_string());
        init.env("POSTGRES_USER", "postgres").env("POSTGRES_DB", "mcp_auth");
        let output = with_input(&mut init, PASSWORD);
        assert!(output.status.success(), "{}", outcome(&output));
        host.keep_token();
        host.restart();
        host
    }

    /// A setting of `.env.production`, from the next start on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.changed.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn reset(&mut self, name: &str) {
        self.changed.remove(name);
    }

    pub(crate) fn secret(&self, name: &str, value: &str) {
        let path = format!("notes/secrets/{name}");
        let _ = fs::remove_file(self.place.path(&path));
        self.place.write(&path, value);
    }

    /// The four lines of `docker-compose.yml`.
    pub(crate) fn previous_keys(&mut self, there: bool) {
        self.previous = there;
    }

    /// What `cloudflared access token` prints.
    pub(crate) fn keep_token(&self) {
        let token = self.team.token("user@example.com");
        self.place.write("token.jwt", &token);
        self.place.write("notes/token.jwt", &token);
    }

    /// The variables of the container, as the compose file of the project has them.
    fn environment(&self) -> BTreeMap<String, String> {
        let compose = self.place.read("notes/docker-compose.yml");
        let compose = if self.previous { compose.replace("# MCP_AUTH_PREVIOUS", "MCP_AUTH_PREVIOUS") } else { compose };
        let (_, service) = compose.split_once("\n  server:\n").unwrap();
        let (_, lines) = service.split_once("    environment:\n").unwrap();
        let variables = lines.lines().take_while(|line| line.starts_with("      "));
        let variable = |line: &str| {
            let (name, value) = line.trim().split_once(": ")?;
            let value = value.trim_matches('"');
            // `${NAME:-default}`
            let value = value
                .strip_prefix("${")
                .and_then(|rest| Some(rest.strip_suffix('}')?.split_once(":-")?.1))
                .unwrap_or(value);
            let secrets = format!("{}/", self.place.path("notes/secrets").display());
            (!name.starts_with('#')).then(|| (name.to_owned(), value.replace("/run/secrets/", &secrets)))
        };
        let mut all: BTreeMap<String, String> = variables.filter_map(variable).collect();
        assert!(all.len() > 10 && all["TOKEN_STORE"] == "postgres" && all["LOG_FORMAT"] == "json", "{all:?}");
        // `.env.production`, with a key server that is here.
        all.insert("CF_ACCESS_TEAM_DOMAIN".to_owned(), ISSUER.to_owned());
        all.insert("CF_ACCESS_AUD".to_owned(), AUDIENCE.to_owned());
        all.insert("CF_ACCESS_CERTS_URL".to_owned(), self.team.certs_url());
        // What the network of the containers would do.
        all.insert("HOST".to_owned(), "127.0.0.1".to_owned());
        all.insert("PORT".to_owned(), self.ports[0].to_string());
        all.insert("ADMIN_ADDR".to_owned(), format!("127.0.0.1:{}", self.ports[1]));
        all.insert("POSTGRES_HOST".to_owned(), "127.0.0.1".to_owned());
        all.insert("POSTGRES_PORT".to_owned(), self.database.port().to_string());
        all.extend(self.changed.clone());
        all
    }

    fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    fn launch(&mut self) {
        self.stop();
        let environment = self.environment();
        let text: String = environment.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        self.place.write("env", text);
        let log = fs::File::create(self.place.path("log")).unwrap();
        let mut command = Command::new(server_program());
        command.env_clear().envs(&environment).stdout(Stdio::null()).stderr(log);
        let server = command.spawn().unwrap();
        self.place.write("pid", server.id().to_string());
        self.server = Some(server);
    }

    /// What a deployment ends with: the container is new, and healthy.
    pub(crate) fn restart(&mut self) {
        self.launch();
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", self.ports[0])).is_err() {
            assert!(Instant::now() < deadline, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn restart_failing(&mut self) {
        self.launch();
        let status = self.server.take().unwrap().wait().unwrap();
        assert_eq!(status.code(), Some(2));
        let _ = fs::remove_file(self.place.path("pid"));
    }

    pub(crate) fn log(&self) -> String {
        self.place.read("log")
    }

    /// The line of the log with this text, which may be on its way.
    pub(crate) fn logged(&self, text: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(line) = self.log().lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            assert!(Instant::now() < deadline, "no {text:?} in:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Status and body of a request that Access has let through.
    pub(crate) fn call(&self) -> (u16, String) {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let mut stream = TcpStream::connect(("127.0.0.1", self.ports[0])).unwrap();
        write!(
            stream,
            "POST /mcp HTTP/1.1\r\nHost: notes.example.com\r\nCf-Access-Jwt-Assertion: {}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.team.token("user@example.com"),
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer[9..12].parse().unwrap(), answer)
    }

    pub(crate) fn eventually_answers(&self, status: u16) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.call().0 != status {
            assert!(Instant::now() < deadline, "{:?}", self.call());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn doctor(&self) -> String {
        outcome(&self.bash("docker compose exec server /usr/local/bin/notes doctor", ""))
    }

    /// Whether the page shows this line, but for what differs from run to run.
    pub(crate) fn page_has(&self, line: &str) -> bool {
        masked(&self.page).contains(&masked(line))
    }

    fn bash(&self, script: &str, input: &str) -> Output {
        let project = self.place.path("notes");
        // The folder of the release on the host is the project here.
        let script = script.replace("/opt/notes/current", project.to_str().unwrap());
        let mut command = Command::new("bash");
        let path = format!("{}:{}", self.place.path("shims").display(), std::env::var("PATH").unwrap());
        command.args(["-c", &script]).current_dir(&project).env("PATH", path).env("HOME", self.place.root());
        command.env("EXERCISE", self.place.root()).env("EXERCISE_SERVER", server_program());
        command.env("EXERCISE_POSTGRES", self.database.port().to_string());
        command.env("EXERCISE_ADMIN", format!("127.0.0.1:{}", self.ports[1]));
        with_input(&mut command, input)
    }

    fn block(&self, section: &str, number: usize) -> Block {
        let mut blocks = blocks(&self.page, section);
        assert!(number < blocks.len(), "{section} has {} blocks", blocks.len());
        blocks.swap_remove(number)
    }

    fn run(&self, section: &str, number: usize, input: &str) -> (Option<i32>, String, Block) {
        let block = self.block(section, number);
        let output = self.bash(&block.script, input);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        println!("== {section}, block {number}, {:?}\n{}{printed}", output.status.code(), block.script);
        assert!(
            !matches!(output.status.code(), None | Some(125..=127)),
            "{section} {number}:\n{}{printed}",
            block.script
        );
        (output.status.code(), printed, block)
    }

    /// Runs a block of the section, which succeeds; what it printed.
    pub(crate) fn runs(&self, section: &str, number: usize, input: &str) -> String {
        let (status, printed, block) = self.run(section, number, input);
        assert_eq!(status, Some(0), "{section} {number}:\n{}{printed}", block.script);
        printed
    }

    /// The same for a report with a `fail`.
    pub(crate) fn runs_failing(&self, section: &str, number: usize, input: &str) -> String {
        let (status, printed, block) = self.run(section, number, input);
        assert_eq!(status, Some(1), "{section} {number}:\n{}{printed}", block.script);
        printed
    }

    /// The same for a block with several commands.
    pub(crate) fn runs_whatever(&self, section: &str, number: usize, input: &str) -> String {
        self.run(section, number, input).1
    }

    /// Runs a block, which succeeds and prints the lines that the page shows below it, in their order.
    pub(crate) fn shows(&self, section: &str, number: usize, input: &str) {
        let printed = self.runs(section, number, input);
        self.compare(section, number, &printed);
    }

    pub(crate) fn shows_whatever(&self, section: &str, number: usize, input: &str) {
        let printed = self.runs_whatever(section, number, input);
        self.compare(section, number, &printed);
    }

    fn compare(&self, section: &str, number: usize, printed: &str) {
        let shown = self.block(section, number).shown.unwrap_or_else(|| panic!("{section} {number} shows nothing"));
        // The page may have the text of another day.
        if std::env::var_os("UPDATE_EXERCISED").is_some() {
            return;
        }
        let printed = masked(printed);
        let mut lines = printed.lines();
        for line in masked(&shown).lines() {
            assert!(lines.any(|other| other == line), "{section} {number} shows {line:?}, and it printed:\n{printed}");
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop();
    }
}

/// `examples/notes_server.rs`, which is built with the tests.
fn server_program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().with_file_name("examples").join("notes_server");
    assert!(program.is_file(), "run `cargo test` without --test, or `cargo build --example notes_server` first");
    program
}

fn with_input(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The blocks of shell of a section of level two, with the text below each that the line before it announces.
pub(crate) fn blocks(page: &str, section: &str) -> Vec<Block> {
    let slug = |title: &str| title.to_lowercase().replace(' ', "-");
    let text = page.split("\n## ").find(|text| slug(text.lines().next().unwrap()) == section);
    let text = text.unwrap_or_else(|| panic!("no section {section}"));
    let (mut blocks, mut before, mut lines) = (Vec::<Block>::new(), "", text.lines());
    while let Some(line) = lines.next() {
        let inside = |lines: &mut std::str::Lines<'_>| {
            lines.take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect::<String>()
        };
        match line {
            "```sh" => blocks.push(Block { script: inside(&mut lines), shown: None }),
            "```text" => {
                let shown = inside(&mut lines);
                if let Some(block) = blocks.last_mut()
                    && before.ends_with(':')
                {
                    block.shown.get_or_insert(shown);
                }
            }
            _ if line.starts_with("```") => drop(inside(&mut lines)),
            "" => {}
            _ => before = line,
        }
    }
    blocks
}
