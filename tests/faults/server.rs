//! Servers of a test's own, which may be killed.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::engine::Engine;
use crate::port;

/// How Redis, PostgreSQL and MariaDB say that they may be asked.
const READY: [&str; 3] = [
    "Ready to accept connections",
    "ready to accept connections",
    "ready for connections",
];

const PATIENCE: Duration = Duration::from_secs(30);

/// A private server with its files, stopped when it is dropped.
pub(crate) struct Server {
    engine: Engine,
    child: Child,
    said: Receiver<String>,
    address: SocketAddr,
    home: TempDir,
}

impl Server {
    /// Installs it into a folder of its own and starts it.
    pub(crate) fn start(engine: Engine) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let home = TempDir::new().expect("a folder");
        if is_root() {
            run(Command::new("chown").arg("nobody").arg(home.path()));
        }
        prepare(engine, home.path());
        let (child, said) = spawn(engine, home.path(), address);
        let mut server = Self {
            engine,
            child,
            said,
            address,
            home,
        };
        server.wait();
        server
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it as a power cut does, whatever it was doing.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        self.child.wait().expect("it is gone");
    }

    /// Stops it in mid-step; connections stay open.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    /// Starts it again on the same port and files.
    pub(crate) fn restart(&mut self) {
        self.spawn();
        self.wait();
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        // PostgreSQL works in processes of its own for each connection.
        let _ = Command::new("pkill")
            .args([&format!("-{name}"), "-P", &pid])
            .status();
        run(Command::new("kill").args([&format!("-{name}"), &pid]));
    }

    /// Reads what it says until it says that it is ready.
    fn wait(&mut self) {
        let started = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(started.elapsed());
            match self.said.recv_timeout(left) {
                Ok(line) if READY.iter().any(|ready| line.contains(ready)) => return,
                Ok(_) => {}
                // The files of one that was killed may still be held by what it left behind.
                Err(RecvTimeoutError::Disconnected) => self.spawn(),
                Err(RecvTimeoutError::Timeout) => panic!("it does not start"),
            }
        }
    }

    fn spawn(&mut self) {
        // What has ended by itself is taken off the system's list.
        let _ = self.child.wait();
        (self.child, self.said) = spawn(self.engine, self.home.path(), self.address);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal("CONT");
        let _ = Command::new("pkill")
            .args(["-KILL", "-P", &self.child.id().to_string()])
            .status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn prepare(engine: Engine, home: &Path) {
    match engine {
        Engine::Redis => {}
        Engine::Postgres => run(unprivileged(postgres_bin().join("initdb"), home)
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(home.join("data"))),
        Engine::Mysql => run(unprivileged("mariadb-install-db", home)
            .arg("--no-defaults")
            .arg(format!("--datadir={}", home.join("data").display()))
            .args([
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
            ])),
    }
}

fn spawn(engine: Engine, home: &Path, address: SocketAddr) -> (Child, Receiver<String>) {
    let port = address.port().to_string();
    let (log, written) = io::pipe().expect("a pipe");
    let mut command = match engine {
        Engine::Redis => {
            let mut command = unprivileged("redis-server", home);
            command
                .args(["--bind", "127.0.0.1", "--save", "", "--port", &port])
                .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
                .arg(home);
            command
        }
        Engine::Postgres => {
            let mut command = unprivileged(postgres_bin().join("postgres"), home);
            command
                .arg("-D")
                .arg(home.join("data"))
                .args(["-p", &port, "-k", "", "-c", "listen_addresses=127.0.0.1"])
                .args(["-c", "fsync=off", "-c", "max_connections=100"]);
            command
        }
        Engine::Mysql => {
            let mut command = unprivileged("mariadbd", home);
            command
                .arg("--no-defaults")
                .arg(format!("--datadir={}", home.join("data").display()))
                .arg(format!("--socket={}", home.join("socket").display()))
                .arg(format!("--pid-file={}", home.join("pid").display()))
                .args([
                    "--bind-address=127.0.0.1",
                    "--skip-name-resolve",
                    "--port",
                    &port,
                ])
                .args([
                    "--character-set-server=utf8mb4",
                    "--collation-server=utf8mb4_unicode_ci",
                ])
                .args([
                    "--innodb-buffer-pool-size=64M",
                    "--innodb-log-file-size=16M",
                ]);
            command
        }
    };
    let both = written.try_clone().expect("a pipe");
    let spawned = command
        .stdin(Stdio::null())
        .stdout(written)
        .stderr(both)
        .spawn();
    // The command holds our ends of the pipe: it is gone before anybody waits for the other's end.
    drop(command);
    let (says, said) = mpsc::channel();
    // To the end, also when nobody listens any more: a full pipe would stop the server.
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let _ = says.send(line);
        }
    });
    (spawned.expect("the server is installed"), said)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout.starts_with(b"0\n")
}

/// PostgreSQL and MariaDB do not run as root.
fn unprivileged(program: impl AsRef<Path>, home: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
        command.arg(program.as_ref());
        command
    } else {
        Command::new(program.as_ref())
    };
    command
        .env("HOME", home)
        .env("LC_ALL", "C")
        .current_dir(home);
    command
}

fn postgres_bin() -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = installed
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("bin"))
        .filter(|path| path.join("postgres").exists())
        .max();
    newest.unwrap_or_default()
}

fn quiet(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
}

fn run(command: &mut Command) {
    let done = quiet(command).status().expect("it is installed");
    assert!(done.success(), "{command:?}");
}
