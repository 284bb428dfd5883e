//! The real binary in a directory of its own.

#![allow(dead_code, unreachable_pub, reason = "a module of several test binaries, each of which uses a part of it")]

#[path = "../../src/http.rs"]
pub mod http;

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// A data directory and commands on it.
pub struct Home {
    directory: PathBuf,
    _temporary: Option<TempDir>,
}

impl Home {
    pub fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        Self { directory: temporary.path().join("data"), _temporary: Some(temporary) }
    }

    /// A data directory somewhere else, for example on a disk that will fail.
    pub fn at(directory: PathBuf) -> Self {
        Self { directory, _temporary: None }
    }

    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Returns a command on this directory, in an environment without settings of its own.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_medici"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MEDICI_") {
                command.env_remove(name);
            }
        }
        command.args(args).arg("--data").arg(&self.directory);
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that must succeed and returns what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "medici {args:?}: {}\n{stdout}{stderr}", output.status);
        stdout
    }

    /// Runs a command that must succeed and returns the JSON it printed.
    pub fn json(&self, args: &[&str]) -> Value {
        let printed = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("medici {args:?}: {error}: {printed}"))
    }

    /// Runs a command that must fail with this exit code and returns its one line on stderr.
    pub fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "medici {args:?}: {}{stderr}", text(&output.stdout));
        stderr
    }

    /// Starts a server on a free port.
    pub fn serve(&self, args: &[&str]) -> Server {
        let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        Server::start(self.command(&args))
    }

    /// Opens an account with that many promotional credits and nothing monthly.
    pub fn account(&self, name: &str, credits: &str) -> String {
        let account = self.json(&["account", "create", name, "--plan", "none"]);
        if credits != "0" {
            self.json(&["grant", name, credits, "--class", "promo", "--reason", "bonus"]);
        }
        account["id"].as_str().unwrap().to_owned()
    }

    /// Makes an API key; `whose` is `--service`, `--admin`, or `--account` and a name.
    pub fn key(&self, whose: &[&str]) -> String {
        let key = self.json(&[&["key", "create"], whose].concat());
        key["secret"].as_str().unwrap().to_owned()
    }

    /// Proves the ledger, and fails the test with every finding.
    pub fn verify(&self) -> Value {
        let output = self.run(&["ledger", "verify", "--json"]);
        let printed = text(&output.stdout);
        assert!(output.status.success(), "ledger verify: {printed}{}", text(&output.stderr));
        serde_json::from_str(&printed).unwrap()
    }
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// What it printed before it was ready.
    pub printed: String,
}

impl Server {
    /// Starts a server and reads what it prints until it is ready.
    pub fn start(command: Command) -> Self {
        Self::start_logging_to(command, Stdio::inherit())
    }

    /// Starts a server whose log goes somewhere else.
    pub fn start_logging_to(mut command: Command, log: Stdio) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut printed = String::new();
        while !printed.contains("ready") {
            let before = printed.len();
            lines.read_line(&mut printed).unwrap();
            assert!(printed.len() > before, "the server ended before it was ready: {:?}\n{printed}", child.wait());
        }
        let url = printed.lines().find_map(|line| line.trim().strip_prefix("http://")).unwrap();
        let address = url.split('/').next().unwrap().parse().unwrap();
        Self { child, address, printed }
    }

    pub fn url(&self) -> &str {
        self.printed.lines().map(str::trim).find(|line| line.starts_with("http://")).unwrap()
    }

    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Kills it as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM and waits for its end.
    pub fn stop(&mut self) -> ExitStatus {
        let status = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
        self.wait(Duration::from_secs(20))
    }

    /// Waits for its end.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < patience, "the server did not end within {patience:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One client of a server, on the thread that calls it.
pub struct Client {
    runtime: tokio::runtime::Runtime,
    address: SocketAddr,
    connection: Option<http::Connection>,
}

/// A request in short.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub key: &'a str,
    pub idempotency: Option<&'a str>,
    pub body: Option<&'a Value>,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, address, connection: None }
    }

    /// Asks once; an error says that the answer, if there was one, is not known.
    pub fn ask(&mut self, ask: Ask<'_>) -> std::io::Result<(u16, Value)> {
        let bearer = format!("Bearer {}", ask.key);
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(ask.idempotency.map(|key| ("idempotency-key", key)));
        let body = ask.body.map(|body| body.to_string().into_bytes());
        let request = http::request(ask.method, ask.path, &headers, body.as_deref());
        let (address, connection) = (self.address, self.connection.take());
        let (connection, answer) = self.runtime.block_on(async {
            let mut connection = match connection {
                Some(connection) => connection,
                None => http::Connection::open(address).await?,
            };
            let answer = tokio::time::timeout(Duration::from_secs(60), connection.send(&request)).await??;
            std::io::Result::Ok((connection, answer))
        })?;
        self.connection = Some(connection);
        let value = serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&answer.body).into_owned()));
        Ok((answer.status, value))
    }

    pub fn get(&mut self, path: &str, key: &str) -> (u16, Value) {
        self.ask(Ask { method: "GET", path, key, idempotency: None, body: None }).unwrap()
    }

    /// Charges one operation of an account with a service's key.
    pub fn charge(&mut self, account: &str, key: &str, idempotency: &str) -> std::io::Result<(u16, Value)> {
        let body = serde_json::json!({ "account": account, "operation": "generate", "count": 4 });
        let (method, path) = ("POST", "/api/charges");
        self.ask(Ask { method, path, key, idempotency: Some(idempotency), body: Some(&body) })
    }

    /// Asks for one picture with an account's key.
    pub fn picture(&mut self, key: &str, idempotency: &str) -> std::io::Result<(u16, Value)> {
        let body = serde_json::json!({ "prompt": "a red fox", "n": 1, "size": "256x256" });
        let (method, path) = ("POST", "/v1/images/generations");
        self.ask(Ask { method, path, key, idempotency: Some(idempotency), body: Some(&body) })
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns a number from the environment, for runs longer than the suite's.
pub fn rounds(variable: &str, usual: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, found {text:?}")),
        Err(_) => usual,
    }
}
