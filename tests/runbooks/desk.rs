//! What an operator has in an incident: the routes, the command, a shell, the metrics.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use reqwest::Method;
use serde_json::Value;

use crate::support::{Reply, Server, beside};

pub(crate) const START: &str = "/api/auth/otp/request";
pub(crate) const VERIFY: &str = "/api/auth/verify-otp";
pub(crate) const MIKE: &str = "token-of-mike-0123456789";
pub(crate) const TOKENS: (&str, &str) = ("ADMIN_TOKENS", "mike:token-of-mike-0123456789");

/// A server in development with one operator, who has nothing to fear from its limits.
pub(crate) fn server() -> Server {
    with(&[])
}

/// The same with settings of the incident's own.
pub(crate) fn with(settings: &[(&str, &str)]) -> Server {
    let usual = [TOKENS, ("RATE_LIMIT_REQUESTS", "10000")];
    Server::with(&[&usual, settings].concat())
}

async fn call(server: &Server, method: Method, path: &str, body: Option<&Value>) -> Reply {
    let url = format!("http://{}{path}", server.admin);
    let mut request = server.client.request(method, url);
    request = request.header("x-admin-token", MIKE);
    if let Some(body) = body {
        request = request.json(body);
    }
    Reply::of(request).await
}

pub(crate) async fn get(server: &Server, path: &str) -> Reply {
    call(server, Method::GET, path, None).await
}

pub(crate) async fn post(server: &Server, path: &str, body: &Value) -> Reply {
    call(server, Method::POST, path, Some(body)).await
}

/// Runs the operator's command, and gives what it printed where it ended well.
#[track_caller]
pub(crate) fn otpctl(server: &Server, line: &str) -> String {
    let ended = otpctl_ends(server, line);
    assert_eq!(ended.status.code(), Some(0), "{line}: {ended:?}");
    String::from_utf8(ended.stdout).unwrap()
}

/// Runs the operator's command, however it ends.
pub(crate) fn otpctl_ends(server: &Server, line: &str) -> Output {
    let mut command = Command::new(beside("otpctl"));
    command
        .args(line.split_whitespace())
        .env("OTPCTL_SERVER", format!("http://{}", server.admin))
        .env("OTPCTL_TOKEN", MIKE);
    tokio::task::block_in_place(|| command.output()).unwrap()
}

/// Runs a line of a runbook on a text that stands for the log, and gives what it printed.
#[track_caller]
pub(crate) fn shell(line: &str, log: &str) -> String {
    let mut child = Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // A line that ends early reads no more.
    drop(child.stdin.take().unwrap().write_all(log.as_bytes()));
    let ended = child.wait_with_output().unwrap();
    String::from_utf8(ended.stdout).unwrap()
}

/// What `GET /metrics` says.
pub(crate) struct Metrics(String);

impl Metrics {
    pub(crate) async fn of(server: &Server) -> Self {
        let reply = get(server, "/metrics").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        Self(reply.body)
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Adds up the series of a family that have these labels; nothing is zero.
    #[track_caller]
    pub(crate) fn sum(&self, family: &str, labels: &[&str]) -> f64 {
        let starts = [format!("{family}{{"), format!("{family} ")];
        let series = self.0.lines().filter(|line| {
            starts.iter().any(|start| line.starts_with(start))
                && labels.iter().all(|label| line.contains(label))
        });
        series
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
            .sum()
    }
}

/// The dashboard.
pub(crate) async fn dashboard(server: &Server) -> Value {
    let reply = get(server, "/admin/otp/dashboard").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

/// The records, a line each.
pub(crate) async fn records(server: &Server) -> Vec<Value> {
    let export = get(server, "/admin/otp/audit").await;
    assert_eq!(export.status, 200, "{export:?}");
    let lines = export.body.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Puts a document of the policy in force, as the runbooks write it.
#[track_caller]
pub(crate) fn set_policy(server: &Server, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, text).unwrap();
    otpctl(server, &format!("policy set {}", file.display()));
}

/// Sends a request as a client behind the proxy does.
pub(crate) async fn post_from(server: &Server, ip: &str, path: &str, body: &Value) -> Reply {
    let request = server.client.post(server.url(path)).json(body);
    Reply::of(request.header("x-forwarded-for", ip)).await
}

/// The log, as soon as there are so many lines with a text in it: what was answered is written, and
/// read a moment later.
pub(crate) async fn log_with(server: &Server, text: &str, times: usize) -> String {
    let reads = async {
        loop {
            let log = server.log();
            if log.lines().filter(|line| line.contains(text)).count() >= times {
                break log;
            }
            tokio::task::yield_now().await;
        }
    };
    let read = tokio::time::timeout(std::time::Duration::from_secs(60), reads).await;
    read.unwrap_or_else(|_| panic!("{times} of {text:?} in {}", server.log()))
}

/// The variables that the lines of the runbooks use.
pub(crate) fn variables(server: &Server) -> String {
    let (public, admin) = (&server.address, &server.admin);
    format!("BACKEND_URL=http://{public}; ADMIN_URL=http://{admin}; ADMIN_TOKEN={MIKE}; ")
}

/// Runs a line that asks the server something.
#[track_caller]
pub(crate) fn asks(server: &Server, line: &str) -> String {
    let line = format!("{}{line}", variables(server));
    tokio::task::block_in_place(|| shell(&line, ""))
}

/// Signs in by a code that the server shows.
pub(crate) async fn sign_in(server: &Server, phone: &str) -> Reply {
    let started = server
        .post(START, &serde_json::json!({ "phone": phone }))
        .await;
    let code = started.text("preview_code");
    let body = serde_json::json!({ "phone": phone, "otp": code });
    let signed_in = server.post(VERIFY, &body).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    signed_in
}

/// Says what a protected route answers to a token.
pub(crate) async fn me(server: &Server, tokens: &Reply) -> u16 {
    let request = server.client.get(server.url("/api/me"));
    let bearer = request.bearer_auth(tokens.text("access_token"));
    Reply::of(bearer).await.status
}
