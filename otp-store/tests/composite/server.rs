use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::port;

/// A Redis of a test's own, which may be killed and stopped.
pub(crate) struct Server {
    child: Child,
    port: u16,
    home: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let (port, home) = (port::free(), TempDir::new().expect("a folder"));
        let child = spawn(port, &home);
        Self { child, port, home }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is gone");
    }

    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.port, &self.home);
    }

    /// Lets it hang: connections stay and nothing answers.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.expect("kill runs").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, home: &TempDir) -> Child {
    let mut child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--port"])
        .arg(port.to_string())
        .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
        .arg(home.path())
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
