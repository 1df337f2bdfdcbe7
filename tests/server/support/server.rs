use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, Once};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;

use super::http::Reply;

/// Long enough for a slow machine; nothing waits for it that works.
const PATIENCE: Duration = Duration::from_secs(60);
/// Keys that a restart finds again.
pub(crate) const KEYS: &str = "test:c2VjcmV0LW9mLXRlc3RzLW9ubHktbm90aGluZy1lbHNl";

/// A running server with a folder of its own.
pub(crate) struct Server {
    child: Child,
    folder: Arc<TempDir>,
    settings: Vec<(String, String)>,
    lines: Arc<Mutex<String>>,
    heard: Mutex<Receiver<String>>,
    readers: Vec<JoinHandle<()>>,
    pub(crate) address: String,
    pub(crate) admin: String,
    pub(crate) client: reqwest::Client,
}

/// What a server that refused to start left behind.
pub(crate) struct Refusal {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts with settings on top of those that every test needs.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let settings = settings.iter().map(owned).collect();
        Self::run(Arc::new(TempDir::new().unwrap()), settings)
    }

    fn run(folder: Arc<TempDir>, settings: Vec<(String, String)>) -> Self {
        let mut child = command(folder.path())
            .envs([("OTP_KEYS", KEYS)])
            .envs(settings.iter().map(|(key, value)| (key, value)))
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(String::new()));
        let (heard, readers) = listen(&mut child, &lines);
        let mut server = Self {
            child,
            folder,
            settings,
            lines,
            heard: Mutex::new(heard),
            readers,
            address: String::new(),
            admin: String::new(),
            client: super::http::client(),
        };
        // The public listener is named first; one that is shared is named once.
        server.address = server.hears("listening on ");
        server.admin = match server.setting("ADMIN_BIND_ADDR") {
            Some(shared) if server.setting("BIND_ADDR") == Some(shared) => server.address.clone(),
            _ => server.hears("listening on "),
        };
        server
    }

    fn setting(&self, name: &str) -> Option<&str> {
        let setting = self.settings.iter().find(|(key, _)| key == name);
        setting.map(|(_, value)| value.as_str())
    }

    /// Runs a server that is expected to give up by itself.
    pub(crate) fn refused(settings: &[(&str, &str)]) -> Refusal {
        let folder = TempDir::new().unwrap();
        let child = command(folder.path())
            .envs(settings.iter().copied())
            .spawn()
            .unwrap();
        let pid = child.id().to_string();
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || drop(sender.send(child.wait_with_output())));
        let Ok(output) = ended.recv_timeout(PATIENCE) else {
            drop(Command::new("kill").args(["-KILL", &pid]).status());
            panic!("the server started");
        };
        let output = output.unwrap();
        Refusal {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Kills the process in mid-air and starts another one on the same folder.
    pub(crate) fn kill_and_restart(mut self) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Self::run(Arc::clone(&self.folder), self.settings.clone())
    }

    /// Asks the process to stop and waits until it has.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal();
        self.child.wait().unwrap()
    }

    pub(crate) fn signal(&self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Everything that was written so far.
    pub(crate) fn log(&self) -> String {
        self.lines.lock().unwrap().clone()
    }

    /// Stops the server and gives everything that it ever wrote.
    pub(crate) fn whole_log(mut self) -> String {
        assert!(self.terminate().success());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        self.log()
    }

    /// Waits for the next line with a text in it and gives the rest of the line.
    pub(crate) fn hears(&self, what: &str) -> String {
        let heard = self.heard.lock().unwrap();
        loop {
            let Ok(line) = heard.recv_timeout(PATIENCE) else {
                panic!("no {what:?} in {}", self.log());
            };
            if let Some((_, rest)) = line.split_once(what) {
                break rest.trim().to_owned();
            }
        }
    }

    /// Opens the server's database beside it.
    pub(crate) async fn database(&self) -> SqliteConnection {
        let file = self.folder.path().join("otp.db");
        let options = SqliteConnectOptions::new().filename(file);
        options.busy_timeout(PATIENCE).connect().await.unwrap()
    }

    /// The files that the server keeps, with what is in them.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.display().to_string(), std::fs::read(path).unwrap()));
                }
            }
        }
        files
    }

    /// The folder that the server runs in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client that shows a redirect instead of following it.
    pub(crate) fn client_that_stays(&self) -> reqwest::Client {
        let stays = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(stays);
        client.build().unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &serde_json::Value) -> Reply {
        Reply::of(self.client.post(self.url(path)).json(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::of(self.client.get(self.url(path))).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(beside("server"));
    command
        .env_clear()
        .env("BIND_ADDR", "127.0.0.1:0")
        .env("ADMIN_BIND_ADDR", "127.0.0.1:0")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Reads both outputs of a server to their ends, and passes the lines of standard error on.
fn listen(
    child: &mut Child,
    lines: &Arc<Mutex<String>>,
) -> (Receiver<String>, Vec<JoinHandle<()>>) {
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (sender, heard) = mpsc::channel();
    let keep = |lines: &Mutex<String>, line: &str| {
        let mut all = lines.lock().unwrap();
        all.push_str(line);
        all.push('\n');
    };
    let (from_stdout, from_stderr) = (Arc::clone(lines), Arc::clone(lines));
    let readers = vec![
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                keep(&from_stdout, &line);
            }
        }),
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                keep(&from_stderr, &line);
                drop(sender.send(line));
            }
        }),
    ];
    (heard, readers)
}

/// Finds the example beside this test, in `target/<profile>/examples`, and builds it first where
/// it is missing or older than its sources: `cargo test --test server` does not.
pub(crate) fn beside(name: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let examples = profile.join("examples");
    BUILT.call_once(|| {
        let built = |name| {
            examples
                .join(name)
                .metadata()
                .and_then(|data| data.modified())
        };
        let oldest = ["server", "otpctl"]
            .map(|name| built(name).ok())
            .into_iter()
            .min();
        if oldest
            .flatten()
            .is_some_and(|built| built >= newest_source())
        {
            return;
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args([
            "build",
            "--quiet",
            "--example",
            "server",
            "--example",
            "otpctl",
        ]);
        build
            .arg("--manifest-path")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        build.arg("--target-dir").arg(profile.parent().unwrap());
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(
            build.status().unwrap().success(),
            "the examples do not build"
        );
    });
    examples.join(name)
}

fn newest_source() -> SystemTime {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rooms = [
        "examples/otpctl",
        "examples/server",
        "src",
        "otp-axum/src",
        "otp-core/src",
        "otp-providers/src",
        "otp-store/src",
    ];
    rooms
        .iter()
        .map(|room| newest(&root.join(room)))
        .max()
        .unwrap()
}

fn newest(path: &Path) -> SystemTime {
    if path.is_dir() {
        let inside = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| newest(&entry.unwrap().path()));
        inside.max().unwrap_or(SystemTime::UNIX_EPOCH)
    } else {
        path.metadata().unwrap().modified().unwrap()
    }
}
