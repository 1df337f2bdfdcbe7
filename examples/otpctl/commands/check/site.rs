//! The public listener, spoken to as anybody may.

use std::time::Duration;

use reqwest::Client;
use serde_json::Value;

use crate::failure::Failure;

const SITE: &str = "http://127.0.0.1:8080";

/// Where people sign in.
#[derive(Debug)]
pub(in crate::commands) struct Site {
    http: Client,
    url: String,
}

impl Site {
    /// Takes `--site`, else `OTPCTL_SITE`.
    pub(in crate::commands) fn new(named: Option<String>) -> Result<Self, Failure> {
        let variable = || std::env::var("OTPCTL_SITE").ok();
        let url = named.or_else(variable).unwrap_or_else(|| SITE.to_owned());
        let http = Client::builder().timeout(Duration::from_secs(30)).build();
        Ok(Self {
            http: http.map_err(|_| Failure::Unavailable("there is no TLS here".to_owned()))?,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// Gives the status and the answer; `None` where there is none.
    pub(super) async fn get(&self, path: &str) -> Option<(u16, Value)> {
        let request = self.http.get(format!("{}{path}", self.url));
        answer(request).await
    }

    /// As [`get`](Self::get), with a body.
    pub(in crate::commands) async fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        answer(request).await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.json().await.unwrap_or_default()))
}
