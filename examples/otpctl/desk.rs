//! The server or the store that is asked, and who asks.

use std::fs;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, LINK};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::store::Store;

const SERVER: &str = "http://127.0.0.1:9090";
/// What the calls to a store are addressed to; they leave over no network.
const NO_SERVER: &str = "http://store.invalid";
/// How long a server may take that is asked something.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a server may take to take a call at all.
const CONNECTING: Duration = Duration::from_secs(10);

/// Who is asked, an operator's token, and the reason that goes on record.
pub(crate) struct Desk {
    http: Client,
    asked: Asked,
    token: Option<String>,
    reason: Option<String>,
    json: bool,
}

/// Who answers.
enum Asked {
    /// A running server, at its URL.
    Server(String),
    /// A store, where none runs.
    Store(Box<Store>),
}

/// A desk at which something is changed, or is said what would change.
pub(crate) struct Acting<'a> {
    desk: &'a Desk,
    dry_run: bool,
}

impl Desk {
    /// Reads `--server`, `--token-file`, `--reason` and `--json`. A token is no argument: every user
    /// of the machine would see it.
    pub(crate) fn of(arguments: &mut Arguments) -> Result<Self, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let server = arguments
            .flag("server")
            .or_else(|| variable("OTPCTL_SERVER"));
        let server = server.unwrap_or_else(|| SERVER.to_owned());
        let over_http = |scheme: &&str| server.starts_with(scheme);
        let asked = match ["http://", "https://"].iter().any(over_http) {
            true => Asked::Server(server.trim_end_matches('/').to_owned()),
            false => Asked::Store(Box::new(Store::at(&server)?)),
        };
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
        let http = Client::builder().connect_timeout(CONNECTING).build();
        Ok(Self {
            http: http.map_err(|_| Failure::Unavailable("there is no TLS here".to_owned()))?,
            asked,
            token,
            reason: arguments.flag("reason"),
            json: arguments.switch("json"),
        })
    }

    /// Whether a program reads the answer.
    pub(crate) fn speaks_json(&self) -> bool {
        self.json
    }

    /// Gives the store, where one is asked.
    pub(crate) fn store(&self) -> Option<&Store> {
        match &self.asked {
            Asked::Server(_) => None,
            Asked::Store(store) => Some(store),
        }
    }

    /// Refuses a store, for what only a running server has.
    pub(crate) fn served(&self, command: &str, what: &str) -> Result<(), Failure> {
        let needs = || format!("{command} needs a running server, for {what}");
        match self.store() {
            None => Ok(()),
            Some(_) => Err(Failure::Unfit(needs())),
        }
    }

    /// Reads `--dry-run`. Where a command never comes here, the flag is one that it does not have:
    /// nothing is done in earnest that was to be tried.
    pub(crate) fn acting(&self, arguments: &mut Arguments) -> Acting<'_> {
        Acting {
            desk: self,
            dry_run: arguments.switch("dry-run"),
        }
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

    /// Asks by a body without changing anything.
    pub(crate) async fn ask(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = self.request(Method::POST, path).timeout(PATIENCE);
        json(self.send(with(request, body)).await?)
    }

    /// What only asks ends after a while. What changes something is waited for as long as the
    /// connection holds: ten thousand mails take minutes, and whoever is told that it failed does it
    /// again.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let patient = method != Method::GET;
        let site = match &self.asked {
            Asked::Server(url) => url,
            Asked::Store(_) => NO_SERVER,
        };
        let mut request = self.http.request(method, format!("{site}{path}"));
        if !patient {
            request = request.timeout(PATIENCE);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        match &self.reason {
            Some(reason) => request.header("x-admin-reason", reason),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<String, Failure> {
        let answer = self.answer(request).await?;
        answer.text().await.map_err(|error| self.unheard(&error))
    }

    /// Sends a request and takes no refusal for an answer.
    async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let unheard = |error| self.unheard(&error);
        let answer = match &self.asked {
            Asked::Server(_) => request.send().await.map_err(unheard)?,
            Asked::Store(store) => store.answer(request.build().map_err(unheard)?).await?,
        };
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let line = answer.headers().get("x-line").cloned();
        let text = answer.text().await.map_err(|error| self.unheard(&error))?;
        let told = serde_json::from_str::<Value>(&text).unwrap_or_default();
        let member = |name: &str| told.get(name).and_then(Value::as_str);
        let why = member("detail").unwrap_or("it does not say why").to_owned();
        if status.is_server_error() {
            let who = self.store().map_or("server", |_| "store");
            let why = format!("the {who} says {status}: {why}");
            return Err(Failure::Unavailable(why));
        }
        let why = match status {
            StatusCode::UNAUTHORIZED if self.token.is_none() => {
                "there is no token: set OTPCTL_TOKEN or --token-file".to_owned()
            }
            // A route that is missing, and not a user or an override.
            StatusCode::NOT_FOUND if matches!(member("code"), None | Some("not_found")) => {
                format!("{why}; is this the operator's listener, and has it a token?")
            }
            _ => match line.as_ref().and_then(|line| line.to_str().ok()) {
                Some(line) => format!("{why}: {line}"),
                None => why,
            },
        };
        let status = status.as_u16();
        Err(Failure::Refused { status, why })
    }

    fn unheard(&self, error: &reqwest::Error) -> Failure {
        let how = if error.is_connect() {
            "cannot be reached"
        } else if error.is_timeout() {
            "does not answer in time"
        } else {
            "broke off before it answered: look whether it was done before you ask again"
        };
        let who = match &self.asked {
            Asked::Server(url) => url,
            Asked::Store(_) => "the store",
        };
        Failure::Unavailable(format!("{who} {how}"))
    }
}

impl Acting<'_> {
    /// Changes something, or says what would change.
    pub(crate) async fn act(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let request = self.request(method, path);
        json(self.desk.send(with(request, body)).await?)
    }

    /// Changes something by a text.
    pub(crate) async fn put(&self, path: &str, kind: &str, text: String) -> Result<Value, Failure> {
        let request = self.request(Method::PUT, path);
        let request = request.header(CONTENT_TYPE, kind).body(text);
        json(self.desk.send(request).await?)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let joint = if path.contains('?') { '&' } else { '?' };
        match self.dry_run {
            true => self
                .desk
                .request(method, &format!("{path}{joint}dry_run=true")),
            false => self.desk.request(method, path),
        }
    }
}

fn with(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header(CONTENT_TYPE, "application/json")
        .body(body.to_string())
}

fn json(text: String) -> Result<Value, Failure> {
    serde_json::from_str(&text).map_err(|_| {
        Failure::Unavailable("the answer is no JSON: is it the right server?".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::Method;
    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::Desk;
    use crate::arguments::Arguments;
    use crate::failure::Failure;

    /// A server that answers one call after ten minutes, by the clock of the test.
    async fn slow() -> Desk {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let line = format!("--server http://{}", door.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut guest, _) = door.accept().await.unwrap();
            let mut asked = [0; 4_096];
            assert_ne!(guest.read(&mut asked).await.unwrap(), 0);
            tokio::time::pause();
            tokio::time::sleep(Duration::from_secs(600)).await;
            tokio::time::resume();
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"count\":1}";
            // Whoever asked may be gone by now.
            drop(guest.write_all(answer.as_bytes()).await);
        });
        let typed = line.split_whitespace().map(str::to_owned);
        Desk::of(&mut Arguments::parse(typed).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn what_takes_ten_minutes_is_waited_for_and_not_said_to_have_failed() {
        let desk = slow().await;
        let acting = desk.acting(&mut Arguments::default());
        let notice = json!({ "users": ["ann"] });
        let told = acting.act(Method::POST, "/admin/otp/notify", &notice);
        assert_eq!(told.await.unwrap(), json!({ "count": 1 }));
    }

    #[tokio::test]
    async fn a_question_is_given_up_after_a_minute() {
        let asked = slow().await.get("/admin/otp/dashboard").await;
        let Err(Failure::Unavailable(why)) = asked else {
            panic!("{asked:?}");
        };
        assert!(why.ends_with("does not answer in time"), "{why}");
    }
}
