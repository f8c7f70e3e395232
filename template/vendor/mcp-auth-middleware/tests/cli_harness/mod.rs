//! The command line of a server, run in the test's own process against a store in memory.
//!
//! Every secret in these tests holds [`SECRET`], and no output but that of `tokens get` may hold it: each run is searched.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use clap::Parser;
use mcp_auth_middleware::cli::{self, CommandContext, Console, Environment, StoreCommand, TokenAdmin};
use mcp_auth_middleware::encryption::{EncryptionKey, Keyring};
use mcp_auth_middleware::{
    AuditHash, AuditReport, AuditRow, InitReport, Rotation, ServerRole, ServiceToken, StoreError, TokenInfo,
};
use secrecy::{ExposeSecret, SecretString};

/// Part of every secret.
pub const SECRET: &str = "s3cret";

/// A server with the commands of the store in it.
#[derive(Debug, Parser)]
#[command(name = "my-server")]
pub struct Server {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The server's commands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Serves
    Serve,
    #[command(flatten)]
    Store(StoreCommand),
}

/// A key that is the same each time.
pub fn key(seed: u8) -> EncryptionKey {
    let digits: String = (0..32_u8).map(|at| format!("{:02x}", at.wrapping_mul(7) ^ seed)).collect();
    EncryptionKey::parse(&digits).unwrap()
}

pub fn keyring(seed: u8) -> Keyring {
    Keyring::new(key(seed))
}

/// A store in memory, which notes what was asked of it.
pub struct Memory {
    keyring: Keyring,
    state: Mutex<State>,
}

pub struct State {
    /// Values by service and name.
    pub tokens: BTreeMap<(String, String), String>,
    /// `what service key actor`.
    pub calls: Vec<String>,
    /// What every call fails with.
    pub failure: Option<StoreError>,
    /// Whether what is read is not what was written.
    pub garbles: bool,
    pub rotation: Rotation,
    pub report: AuditReport,
    /// The role and password that `init` was given.
    pub role: Option<String>,
}

impl Default for Memory {
    fn default() -> Self {
        let report = AuditReport { intact: 3, last_hash: "ab".repeat(32), fault: None };
        Self {
            keyring: keyring(1),
            state: Mutex::new(State {
                tokens: BTreeMap::new(),
                calls: Vec::new(),
                failure: None,
                garbles: false,
                rotation: Rotation::default(),
                report,
                role: None,
            }),
        }
    }
}

impl Memory {
    pub fn with(tokens: &[(&str, &str)]) -> Self {
        let store = Self::default();
        for (key, value) in tokens {
            store.state().tokens.insert(("my-server".to_owned(), (*key).to_owned()), (*value).to_owned());
        }
        store
    }

    pub fn with_keyring(keyring: Keyring) -> Self {
        Self { keyring, ..Self::default() }
    }

    pub fn failing(error: StoreError) -> Self {
        let store = Self::default();
        store.state().failure = Some(error);
        store
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn value(&self, service: &str, key: &str) -> Option<String> {
        self.state().tokens.get(&(service.to_owned(), key.to_owned())).cloned()
    }

    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }

    fn call(&self, call: String) -> Result<MutexGuard<'_, State>, StoreError> {
        let mut state = self.state();
        state.calls.push(call);
        state.failure.clone().map_or(Ok(state), Err)
    }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

impl TokenAdmin for &Memory {
    fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    async fn get_token(&self, service: &str, key: &str, actor: &str) -> Result<Option<ServiceToken>, StoreError> {
        let state = self.call(format!("get {service} {key} {actor}"))?;
        let value = state.tokens.get(&(service.to_owned(), key.to_owned())).cloned();
        let value = if state.garbles { value.map(|value| value + "x") } else { value };
        Ok(value.map(|value| ServiceToken::new(value.into())))
    }

    async fn set_token(&self, service: &str, key: &str, value: &SecretString, actor: &str) -> Result<(), StoreError> {
        let mut state = self.call(format!("set {service} {key} {actor}"))?;
        state.tokens.insert((service.to_owned(), key.to_owned()), value.expose_secret().to_owned());
        Ok(())
    }

    async fn delete_token(&self, service: &str, key: &str, actor: &str) -> Result<bool, StoreError> {
        let mut state = self.call(format!("delete {service} {key} {actor}"))?;
        Ok(state.tokens.remove(&(service.to_owned(), key.to_owned())).is_some())
    }

    async fn list(&self, service: &str, actor: &str) -> Result<Vec<TokenInfo>, StoreError> {
        let state = self.call(format!("list {service} {actor}"))?;
        let keys = state.tokens.keys().filter(|(of, _)| of == service).map(|(_, key)| key.clone());
        Ok(keys.map(|key| TokenInfo { key, created_at: at(951_782_400), updated_at: at(1_764_045_296) }).collect())
    }

    async fn rotate(&self, actor: &str) -> Result<Rotation, StoreError> {
        Ok(self.call(format!("rotate {actor}"))?.rotation.clone())
    }

    async fn audit_rows(&self, after: i64) -> Result<Vec<AuditRow>, StoreError> {
        self.call(format!("audit_rows {after}")).map(|_| Vec::new())
    }

    async fn audit_verify(&self, kept: Option<&AuditHash>) -> Result<AuditReport, StoreError> {
        let kept = kept.map(|kept| format!(" {kept}")).unwrap_or_default();
        Ok(self.call(format!("audit_verify{kept}"))?.report.clone())
    }

    async fn init(&self, role: Option<&ServerRole>) -> Result<InitReport, StoreError> {
        let mut state = self.call("init".to_owned())?;
        state.role = role.map(|role| format!("{role:?}"));
        Ok(InitReport {
            applied: 1,
            version: 1,
            role_created: role.is_some(),
            former_servers: false,
            keeper_remains: false,
        })
    }

    async fn finish_upgrade(&self) -> Result<bool, StoreError> {
        self.call("finish_upgrade".to_owned()).map(|_| true)
    }

    async fn expire(&self, days: u32, actor: &str) -> Result<u64, StoreError> {
        self.call(format!("expire {days} {actor}")).map(|_| 3)
    }
}

/// What a command said and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Output {
    pub status: u8,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Of a command that did what it was asked for, without a word beside the answer.
    pub fn clean(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    /// Of a command that failed with this status and answered nothing.
    pub fn failed(self, status: u8) -> String {
        assert_eq!((self.status, self.stdout.as_str()), (status, ""), "{}", self.stderr);
        self.stderr
    }
}

/// One run of the server.
pub struct Run<'a> {
    pub args: Vec<&'a str>,
    pub stdin: &'a [u8],
    /// What is typed at the prompt; standard input is a terminal then.
    pub typed: Option<&'a str>,
    pub stdout_is_terminal: bool,
    pub environment: Vec<(&'a str, &'a str)>,
}

impl<'a> Run<'a> {
    /// With arguments that are separated by blanks.
    pub fn new(args: &'a str) -> Self {
        Self::args(args.split(' ').collect())
    }

    pub fn args(args: Vec<&'a str>) -> Self {
        Self { args, stdin: b"", typed: None, stdout_is_terminal: false, environment: Vec::new() }
    }

    pub fn stdin(self, stdin: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { stdin: stdin.as_ref(), ..self }
    }

    pub fn typed(self, typed: &'a str) -> Self {
        Self { typed: Some(typed), ..self }
    }

    pub fn set(mut self, name: &'a str, value: &'a str) -> Self {
        self.environment.push((name, value));
        self
    }

    pub async fn on(&self, store: &Memory) -> Output {
        self.with(|_| Ok::<_, String>(store)).await
    }

    pub async fn with<S: TokenAdmin, E: std::fmt::Display>(&self, open: impl FnOnce(bool) -> Result<S, E>) -> Output {
        let command = match Server::try_parse_from(std::iter::once("my-server").chain(self.args.iter().copied())) {
            Ok(Server { command: Command::Store(command) }) => command,
            Ok(Server { command: Command::Serve }) => panic!("not a command of the store"),
            Err(error) => {
                let status = u8::try_from(error.exit_code()).unwrap();
                let output = Output { status, stdout: String::new(), stderr: error.render().to_string() };
                return self.searched(output);
            }
        };
        let shown = format!("{command:?}");
        assert!(!shown.contains(SECRET), "{shown}");
        let (mut stdin, mut stdout, mut stderr) = (self.stdin, Vec::new(), Vec::new());
        let mut prompt = |question: &str| {
            assert!(question.ends_with(" (not shown): "), "{question}");
            match self.typed {
                Some(typed) => Ok(typed.to_owned().into()),
                None => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        };
        let console = Console {
            stdin: &mut stdin,
            stdin_is_terminal: self.typed.is_some(),
            stdout: &mut stdout,
            stdout_is_terminal: self.stdout_is_terminal,
            stderr: &mut stderr,
            prompt: &mut prompt,
        };
        let environment: Environment = self.environment.iter().copied().collect();
        let context = CommandContext { service: "my-server", user: "alice", open, environment, console };
        let status = cli::run(command, context).await;
        let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        self.searched(Output { status, stdout, stderr })
    }

    fn searched(&self, output: Output) -> Output {
        let prints = self.args.starts_with(&["tokens", "get"]) && output.status == 0;
        assert!(!output.stderr.contains(SECRET), "{:?}: {}", self.args, output.stderr);
        assert!(prints || !output.stdout.contains(SECRET), "{:?}: {}", self.args, output.stdout);
        output
    }
}
