use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::port;

/// A server of a test's own, which may be killed.
pub(crate) struct Server {
    child: Child,
    port: u16,
    home: TempDir,
    arguments: Vec<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let (port, home) = (port::free(), TempDir::new().expect("a folder"));
        let child = spawn(port, &home, &arguments);
        Self {
            child,
            port,
            home,
            arguments,
        }
    }

    /// Starts a replica, and waits until it has everything.
    pub(crate) fn replica_of(primary: &Self) -> Self {
        let port = primary.port.to_string();
        let replica = Self::with(&["--replicaof", "127.0.0.1", &port]);
        replica.wait_for("INFO", &["replication"], "master_link_status:up");
        replica
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn raw(&self) -> redis::Connection {
        let client = redis::Client::open(self.url()).expect("a URL");
        client.get_connection().expect("a server")
    }

    /// Sends a command as an operator does, and answers what it said.
    pub(crate) fn tell(&self, name: &str, arguments: &[&str]) -> String {
        self.try_tell(name, arguments).expect("an answer")
    }

    fn try_tell(&self, name: &str, arguments: &[&str]) -> redis::RedisResult<String> {
        let client = redis::Client::open(self.url())?;
        let mut command = redis::cmd(name);
        command.arg(arguments);
        let told: redis::Value = command.query(&mut client.get_connection()?)?;
        Ok(redis::from_redis_value(told.clone()).unwrap_or_else(|_| format!("{told:?}")))
    }

    /// Asks until the answer says so; a server that changes its part hangs up on whoever asks.
    pub(crate) fn wait_for(&self, name: &str, arguments: &[&str], said: &str) {
        for _ in 0..2_000 {
            let told = self.try_tell(name, arguments);
            if told.is_ok_and(|told| told.contains(said)) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        panic!("{name} {arguments:?} never said {said}");
    }

    /// Reads a number that the server counts.
    pub(crate) fn counter(&self, section: &str, name: &str) -> u64 {
        let told = self.tell("INFO", &[section]);
        let line = told.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.trim_start_matches(':').parse().ok());
        number.expect("a counter")
    }

    pub(crate) fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is gone");
    }

    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.port, &self.home, &self.arguments);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, home: &TempDir, arguments: &[String]) -> Child {
    let mut child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--port"])
        .arg(port.to_string())
        .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
        .arg(home.path())
        .args(["--repl-diskless-sync-delay", "0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("redis-server starts");
    let mut log = BufReader::new(child.stdout.take().expect("its log")).lines();
    let ready = log.any(|line| line.is_ok_and(|line| line.contains("Ready to accept connections")));
    assert!(ready, "redis-server says that it is ready");
    // Whatever it says from now on must find a reader.
    std::thread::spawn(move || log.for_each(drop));
    child
}
