//! The server that is asked, and who asks.

use std::fs;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, LINK};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::failure::Failure;

const SERVER: &str = "http://127.0.0.1:9090";
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, an operator's token, and whether things are done in earnest.
pub(crate) struct Desk {
    http: Client,
    server: String,
    token: Option<String>,
    reason: Option<String>,
    dry_run: bool,
    json: bool,
}

impl Desk {
    /// Reads `--server`, `--token-file`, `--reason`, `--dry-run` and `--json`. A token is no
    /// argument: every user of the machine would see it.
    pub(crate) fn of(arguments: &mut Arguments) -> Result<Self, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let server = arguments
            .flag("server")
            .or_else(|| variable("OTPCTL_SERVER"));
        let server = server.unwrap_or_else(|| SERVER.to_owned());
        let token = match arguments.flag("token-file") {
            Some(path) => {
                let text = fs::read_to_string(path)
                    .map_err(|error| Failure::usage(format!("--token-file: {}", error.kind())))?;
                Some(text.trim().to_owned())
            }
            None => variable("OTPCTL_TOKEN").or_else(|| variable("ADMIN_TOKEN")),
        };
        // The provider of TLS is chosen once; a second choice changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().timeout(PATIENCE).build();
        Ok(Self {
            http: http.map_err(|_| Failure::Unavailable("there is no TLS here".to_owned()))?,
            server: server.trim_end_matches('/').to_owned(),
            token,
            reason: arguments.flag("reason"),
            dry_run: arguments.switch("dry-run"),
            json: arguments.switch("json"),
        })
    }

    /// Whether a program reads the answer.
    pub(crate) fn speaks_json(&self) -> bool {
        self.json
    }

    /// Asks without changing anything.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        json(self.send(self.request(Method::GET, path)).await?)
    }

    /// Asks for a text.
    pub(crate) async fn text(&self, path: &str, kind: &str) -> Result<String, Failure> {
        self.send(self.request(Method::GET, path).header(ACCEPT, kind))
            .await
    }

    /// Asks for a text, and for the path of the part that follows it, where there is one.
    pub(crate) async fn page(
        &self,
        path: &str,
        kind: &str,
    ) -> Result<(String, Option<String>), Failure> {
        let request = self.request(Method::GET, path).header(ACCEPT, kind);
        let answer = self.answer(request).await?;
        let next = answer.headers().get(LINK).and_then(|link| {
            let link = link.to_str().ok()?.strip_prefix('<')?;
            let (path, relation) = link.split_once('>')?;
            relation.contains("rel=\"next\"").then(|| path.to_owned())
        });
        let text = answer.text().await.map_err(|error| self.unheard(&error))?;
        Ok((text, next))
    }

    /// Changes something, or says what would change.
    pub(crate) async fn act(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let request = self.changing(method, path);
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        json(self.send(request).await?)
    }

    /// Changes something by a text.
    pub(crate) async fn put(&self, path: &str, kind: &str, text: String) -> Result<Value, Failure> {
        let request = self.changing(Method::PUT, path);
        json(
            self.send(request.header(CONTENT_TYPE, kind).body(text))
                .await?,
        )
    }

    fn changing(&self, method: Method, path: &str) -> RequestBuilder {
        let joint = if path.contains('?') { '&' } else { '?' };
        let path = match self.dry_run {
            true => format!("{path}{joint}dry_run=true"),
            false => path.to_owned(),
        };
        let request = self.request(method, &path);
        match &self.reason {
            Some(reason) => request.header("x-admin-reason", reason),
            None => request,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.server));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<String, Failure> {
        let answer = self.answer(request).await?;
        answer.text().await.map_err(|error| self.unheard(&error))
    }

    /// Sends a request and takes no refusal for an answer.
    async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await.map_err(|error| self.unheard(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let text = answer.text().await.map_err(|error| self.unheard(&error))?;
        let why = serde_json::from_str::<Value>(&text).ok();
        let why = why.as_ref().and_then(|why| why.get("detail")?.as_str());
        let why = why.unwrap_or("it does not say why").to_owned();
        if status.is_server_error() {
            return Err(Failure::Unavailable(format!(
                "the server says {status}: {why}"
            )));
        }
        let why = match status {
            StatusCode::UNAUTHORIZED if self.token.is_none() => {
                "there is no token: set OTPCTL_TOKEN or --token-file".to_owned()
            }
            StatusCode::NOT_FOUND => {
                format!("{why}; is this the operator's listener, and has it a token?")
            }
            _ => why,
        };
        let status = status.as_u16();
        Err(Failure::Refused { status, why })
    }

    fn unheard(&self, error: &reqwest::Error) -> Failure {
        let how = if error.is_timeout() {
            "does not answer in time"
        } else {
            "cannot be reached"
        };
        Failure::Unavailable(format!("{} {how}", self.server))
    }
}

fn json(text: String) -> Result<Value, Failure> {
    serde_json::from_str(&text).map_err(|_| {
        Failure::Unavailable("the answer is no JSON: is it the right server?".to_owned())
    })
}
