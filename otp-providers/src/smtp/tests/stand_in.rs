//! A mail server on loopback that answers as a case wants it.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What the server does at a command.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Say(&'static str),
    Hang,
    Close,
}

type Script = Vec<(&'static str, Act)>;

#[derive(Default)]
struct State {
    script: Script,
    seen: Vec<String>,
    connections: usize,
}

pub(super) struct Server {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts a server that accepts all, but for the commands of the script. `greeting` stands for
    /// the first word, `.` for the end of the mail.
    pub(super) async fn start(script: &[(&'static str, Act)]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State {
            script: script.to_vec(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let mut talks = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().expect("whole").connections += 1;
                talks.spawn(talk(stream, Arc::clone(&shared)));
            }
        });
        Self { url, state, task }
    }

    pub(super) fn behave(&self, script: &[(&'static str, Act)]) {
        self.state.lock().expect("whole").script = script.to_vec();
    }

    /// Gives what was said to it, lines of mail after `| `.
    pub(super) fn seen(&self) -> Vec<String> {
        self.state.lock().expect("whole").seen.clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.state.lock().expect("whole").connections
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Gives an address on which nobody listens.
pub(super) async fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    format!("smtp://{}", listener.local_addr().expect("an address"))
}

async fn talk(stream: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut verb = "greeting".to_owned();
    loop {
        let scripted = {
            let state = state.lock().expect("whole");
            state
                .script
                .iter()
                .find(|(at, _)| *at == verb)
                .map(|(_, act)| *act)
        };
        let usual = match verb.as_str() {
            "greeting" => "220 stand-in",
            "EHLO" => "250-stand-in\r\n250 AUTH PLAIN LOGIN",
            "AUTH" => "235 2.7.0 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 2.0.0 fine",
        };
        let in_mail = verb == "DATA" && scripted.is_none();
        let mut said = match scripted.unwrap_or(Act::Say(usual)) {
            Act::Say(words) => words.to_owned(),
            Act::Close => return None,
            Act::Hang => std::future::pending().await,
        };
        said.push_str("\r\n");
        stream.get_mut().write_all(said.as_bytes()).await.ok()?;
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line).await.ok()? == 0 {
                return None;
            }
            let line = String::from_utf8_lossy(&line)
                .trim_end_matches(['\r', '\n'])
                .to_owned();
            let seen = if in_mail {
                format!("| {line}")
            } else {
                line.clone()
            };
            state.lock().expect("whole").seen.push(seen);
            if !in_mail {
                verb = line.split(' ').next().unwrap_or_default().to_owned();
                break;
            }
            if line == "." {
                verb = ".".to_owned();
                break;
            }
        }
    }
}
