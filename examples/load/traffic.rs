//! Visits, as people and attackers make them.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::people;
use crate::report::{Kind, Sample, Verdict};
use crate::vendors::Inbox;

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";
const PATIENCE: Duration = Duration::from_secs(30);
/// Attackers share a few addresses, and try so many codes a visit.
const ATTACKERS: u32 = 5;
const GUESSES: u32 = 3;

/// A site that is visited.
#[derive(Debug)]
pub(crate) struct Traffic {
    http: Client,
    site: String,
    /// Where messages arrive; else the answers hold the codes.
    inbox: Option<Arc<Inbox>>,
}

impl Traffic {
    pub(crate) fn new(site: &str, inbox: Option<Arc<Inbox>>) -> Self {
        // An error says that there is a provider already, which serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = Client::builder().timeout(PATIENCE).no_proxy().build();
        Self {
            http: http.unwrap_or_default(),
            site: site.to_owned(),
            inbox,
        }
    }

    /// Somebody asks for a code and types it.
    pub(crate) async fn signs_in(&self, number: u32, due: Instant) -> Vec<Sample> {
        let (phone, from) = (people::phone(number), people::address(number));
        let body = json!({ "phone": phone });
        let (start, answer) = self.ask(Kind::Start, START, &from, &body, due).await;
        let shown = answer.get("preview_code").and_then(Value::as_str);
        let code = match &self.inbox {
            Some(inbox) => inbox.take(&phone),
            None => shown.map(str::to_owned),
        };
        let Some(code) = code else {
            return vec![start];
        };
        let body = json!({ "phone": phone, "otp": code });
        let now = Instant::now();
        let (check, _) = self.ask(Kind::Check, VERIFY, &from, &body, now).await;
        vec![start, check]
    }

    /// Somebody tries codes of another person.
    pub(crate) async fn guesses(&self, number: u32, due: Instant) -> Vec<Sample> {
        let from = people::address(64_000 + number % ATTACKERS);
        let phone = people::phone(number / 2);
        let mut samples = Vec::new();
        let mut due = due;
        for guess in 0..GUESSES {
            let code = (number.wrapping_mul(7_919) + guess) % 1_000_000;
            let body = json!({ "phone": phone, "otp": format!("{code:06}") });
            let (sample, _) = self.ask(Kind::Guess, VERIFY, &from, &body, due).await;
            samples.push(sample);
            due = Instant::now();
        }
        samples
    }

    async fn ask(
        &self,
        kind: Kind,
        path: &str,
        from: &str,
        body: &Value,
        due: Instant,
    ) -> (Sample, Value) {
        let request = self.http.post(format!("{}{path}", self.site)).json(body);
        let answer = request.header("x-forwarded-for", from).send().await;
        let (verdict, body) = match answer {
            Err(_) => (Verdict::Failed, Value::Null),
            Ok(answer) => {
                let verdict = Verdict::of(answer.status().as_u16());
                (verdict, answer.json().await.unwrap_or_default())
            }
        };
        let took = due.elapsed();
        (
            Sample {
                kind,
                verdict,
                took,
            },
            body,
        )
    }
}
