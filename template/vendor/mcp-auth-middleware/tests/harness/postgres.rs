//! A real PostgreSQL, started by the test process and gone with it.
//!
//! A shell holds the server: it starts it, stops and starts it when its standard input says so, and when that ends,
//! because the test process has ended in whatever way, it stops the server and removes its folder.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use mcp_auth_middleware::encryption::{EncryptionKey, Keyring};
use mcp_auth_middleware::{PostgresConfig, PostgresTls, PostgresTokenStore};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::OnceCell;

/// PostgreSQL refuses to run as root; this is "nobody" everywhere.
const NOBODY: u32 = 65534;

const HOW_TO_INSTALL: &str = "PostgreSQL (initdb, pg_ctl) is needed for this test: install it (Debian and Ubuntu: `apt-get install \
     postgresql`; macOS: `brew install postgresql`), or name its folder of programs in MCP_TEST_POSTGRES_BIN";

const KEEPER: &str = r#"
bin=$1 folder=$2 options=$3
start() { "$bin/pg_ctl" -w -t 60 -D "$folder/data" -l "$folder/log" -o "$options" start >>"$folder/log" 2>&1; }
stop() { "$bin/pg_ctl" -w -t 60 -D "$folder/data" -m "$1" stop >>"$folder/log" 2>&1; }
said() { if [ "$1" = 0 ]; then echo done; else echo failed; fi; }
cd "$folder" && "$bin/initdb" -D data -U postgres --auth-local=trust --auth-host=scram-sha-256 -N --no-locale -E UTF8 \
    >log 2>&1 && start
said $?
while read -r command; do
    case $command in start) start ;; *) stop "$command" ;; esac
    said $?
done
stop immediate
cd / && rm -rf "$folder"
"#;

/// One server with its databases.
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    keeper: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    // Not waited for: it ends by itself, after this process.
    _process: Child,
    template: OnceCell<()>,
}

/// One database, set up or blank; it goes with its server.
pub struct Database {
    pub cluster: &'static Cluster,
    pub name: String,
}

/// The server that all tests of a process share: it listens on a socket only.
pub fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start("", 5432))
}

/// A server of the test's own, which it may stop; it listens on a free port on loopback, with passwords.
pub fn own() -> &'static Cluster {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    Box::leak(Box::new(Cluster::start("127.0.0.1", port)))
}

impl Cluster {
    fn start(listen: &str, port: u16) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let bin = programs().expect(HOW_TO_INSTALL);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("mcp-auth-postgres-{}-{count}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let mut command = unprivileged(&folder);
        let options = format!(
            "-c listen_addresses='{listen}' -c port={port} -c unix_socket_directories='{}' -c fsync=off \
             -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=200",
            folder.display()
        );
        let mut process = command
            .args(["-c", KEEPER, "keeper"])
            .args([bin.as_os_str(), folder.as_os_str()])
            .arg(options)
            .env("HOME", &folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // An interrupt from the terminal is for the tests; the keeper has to clean up after them.
            .process_group(0)
            .spawn()
            .expect("a shell, and setpriv (util-linux) when run as root");
        let keeper = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let cluster = Self { folder, port, keeper: Mutex::new(keeper), _process: process, template: OnceCell::new() };
        cluster.answer();
        cluster
    }

    fn answer(&self) {
        let mut line = String::new();
        self.keeper.lock().unwrap().1.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n", "PostgreSQL: {}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }

    fn tell(&self, command: &str) {
        writeln!(self.keeper.lock().unwrap().0, "{command}").unwrap();
        self.answer();
    }

    /// Stops the server: `fast` tells its clients, `immediate` is a crash.
    pub fn stop(&self, mode: &str) {
        self.tell(mode);
    }

    /// Starts it again.
    pub fn start_again(&self) {
        self.tell("start");
    }

    /// As the owner of everything, through the socket.
    pub fn config(&self, database: &str) -> PostgresConfig {
        PostgresConfig::new(self.folder.to_str().unwrap(), database, "postgres")
            .with_port(self.port)
            .with_tls(PostgresTls::Disable)
    }

    /// Over TCP, where passwords count.
    pub fn config_over_tcp(&self, database: &str, user: &str, password: &str) -> PostgresConfig {
        PostgresConfig::new("127.0.0.1", database, user).with_port(self.port).with_password(&password.to_owned().into())
    }

    /// Where its socket is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection past the store, as the owner of everything or as another role.
    pub async fn connect(&self, database: &str, user: &str) -> PgConnection {
        let options = PgConnectOptions::new_without_pgpass().host(self.folder.to_str().unwrap()).port(self.port);
        let options = options.options([("search_path", "mcp_auth_store,public")]);
        options.username(user).database(database).disable_statement_logging().connect().await.unwrap()
    }

    /// Its version, as `server_version_num` has it.
    pub async fn version(&self) -> i32 {
        let mut connection = self.connect("postgres", "postgres").await;
        let sql = "SELECT current_setting('server_version_num')::int";
        let version = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        version
    }

    async fn create(&'static self, template: &str) -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = self.connect("postgres", "postgres").await;
        let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        connection.close().await.unwrap();
        Database { cluster: self, name }
    }

    /// A database without tables.
    pub async fn blank(&'static self) -> Database {
        self.create("template0").await
    }

    /// A database that is set up, as a copy of one that is set up once.
    pub async fn database(&'static self) -> Database {
        self.template
            .get_or_init(|| async {
                let mut connection = self.connect("postgres", "postgres").await;
                connection.execute("CREATE DATABASE set_up TEMPLATE template0").await.unwrap();
                connection.close().await.unwrap();
                PostgresTokenStore::init(&self.config("set_up"), None).await.unwrap();
            })
            .await;
        self.create("set_up").await
    }
}

impl Database {
    pub fn config(&self) -> PostgresConfig {
        self.cluster.config(&self.name)
    }

    /// For another process.
    pub fn url(&self) -> String {
        let (folder, port) = (self.cluster.folder.display(), self.cluster.port);
        format!("postgres://postgres@localhost/{}?host={folder}&port={port}&sslmode=disable", self.name)
    }

    pub fn config_as(&self, user: &str) -> PostgresConfig {
        PostgresConfig::new(self.cluster.folder.to_str().unwrap(), &self.name, user)
            .with_port(self.cluster.port)
            .with_tls(PostgresTls::Disable)
    }

    pub fn store(&self, keyring: &Keyring) -> PostgresTokenStore {
        PostgresTokenStore::connect_lazy(&self.config(), keyring.clone()).unwrap()
    }

    pub async fn connect(&self) -> PgConnection {
        self.cluster.connect(&self.name, "postgres").await
    }

    /// Runs statements past the store.
    pub async fn run(&self, sql: &str) {
        let mut connection = self.connect().await;
        connection.execute(AssertSqlSafe(sql)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.unwrap();
    }

    /// One number.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.connect().await;
        let number = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        number
    }
}

/// A shell for programs that refuse to run as root: as somebody else where we are, who then owns the folder.
pub fn unprivileged(folder: &Path) -> Command {
    // std knows no effective user id, but what we make is ours.
    let probe = folder.join("whose");
    fs::write(&probe, "").unwrap();
    if fs::metadata(&probe).unwrap().uid() != 0 {
        return Command::new("sh");
    }
    chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={NOBODY}")).arg(format!("--regid={NOBODY}")).arg("--clear-groups").arg("sh");
    command
}

/// A key that is the same each time.
pub fn key(seed: u8) -> EncryptionKey {
    let text: String = (0..32).map(|at| format!("{:02x}", seed ^ at)).collect();
    EncryptionKey::parse(&text).unwrap()
}

pub fn keyring(seed: u8) -> Keyring {
    Keyring::new(key(seed))
}

/// Waits until something holds; fails after 30 seconds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "not in 30 seconds: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The folder that initdb and pg_ctl are in.
fn programs() -> Option<PathBuf> {
    let complete = |folder: &Path| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file();
    if let Some(named) = std::env::var_os("MCP_TEST_POSTGRES_BIN") {
        return Some(PathBuf::from(named)).filter(|folder| complete(folder));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(folder) = std::env::split_paths(&path).find(|folder| complete(folder)) {
        return Some(folder);
    }
    // Debian keeps them out of PATH, by version.
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path().join("bin")).filter(|f| complete(f)).collect();
    folders.sort();
    folders.pop()
}
