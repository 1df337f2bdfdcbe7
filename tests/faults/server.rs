//! Servers of a test's own, which may be killed.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::engine::Engine;

/// A private server with its files, stopped when it is dropped.
pub(crate) struct Server {
    engine: Engine,
    child: Child,
    address: SocketAddr,
    home: TempDir,
}

impl Server {
    /// Installs it into a folder of its own and starts it.
    pub(crate) fn start(engine: Engine) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let home = TempDir::new().expect("a folder");
        if is_root() {
            run(Command::new("chown").arg("nobody").arg(home.path()));
        }
        prepare(engine, home.path());
        let child = spawn(engine, home.path(), address);
        let mut server = Self {
            engine,
            child,
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
        self.child = spawn(self.engine, self.home.path(), self.address);
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

    fn wait(&mut self) {
        let started = Instant::now();
        while !is_ready(self.engine, self.address) {
            let ended = self.child.try_wait().expect("a child");
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "it does not start"
            );
            if ended.is_some() {
                // The files of one that was killed may still be held by what it left behind.
                self.child = spawn(self.engine, self.home.path(), self.address);
            }
            thread::sleep(Duration::from_millis(30));
        }
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

fn is_ready(engine: Engine, address: SocketAddr) -> bool {
    let port = address.port().to_string();
    let mut asked = match engine {
        Engine::Redis => {
            let mut asked = Command::new("redis-cli");
            asked.args(["-p", &port, "ping"]);
            asked
        }
        Engine::Postgres => {
            let mut asked = Command::new(postgres_bin().join("pg_isready"));
            asked.args(["-q", "-h", "127.0.0.1", "-p", &port]);
            asked
        }
        Engine::Mysql => {
            let mut asked = Command::new("mariadb-admin");
            asked.args([
                "--no-defaults",
                "-h",
                "127.0.0.1",
                "-u",
                "root",
                "-P",
                &port,
                "ping",
            ]);
            asked
        }
    };
    TcpStream::connect(address).is_ok() && quiet(&mut asked).status().is_ok_and(|s| s.success())
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

fn spawn(engine: Engine, home: &Path, address: SocketAddr) -> Child {
    let port = address.port().to_string();
    let log = fs::File::create(home.join("log")).expect("a log");
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
    let both = log.try_clone().expect("a log");
    let spawned = command
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(both)
        .spawn();
    spawned.expect("the server is installed")
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
