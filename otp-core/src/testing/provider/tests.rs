//! The suite on a provider that keeps every promise, and on ones that break one each.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::delivery::{DeliveryError, DeliveryErrorKind, DeliveryProvider, Message, Receipt};
use crate::destination::Channel;

const KEY: &str = "acme-key";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    TakesAnyUrl,
    CallsRefusedConnectionsUnknown,
    CallsSilenceUnsent,
    CallsBrokenRepliesUnsent,
    RepeatsServerErrors,
    IgnoresRetryAfter,
    FollowsRedirects,
    ReadsWithoutEnd,
    PutsTheCodeIntoTheQuery,
    SendsToAnyAddress,
    LogsTheText,
    ShowsItsKey,
    QuotesTheVendor,
    DropsReferences,
    ReadsEveryRefusalAlike,
}

struct Acme {
    authority: String,
    deadline: Duration,
    flaw: Flaw,
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flaw {
            Flaw::ShowsItsKey => write!(f, "Acme({KEY})"),
            _ => f.write_str("Acme"),
        }
    }
}

fn build(setup: &Setup, flaw: Flaw) -> Result<Acme, &'static str> {
    let loopback = |url: &str| {
        url.strip_prefix("http://127.0.0.1:")
            .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let url = setup.base_url.as_str();
    let fits = loopback(url) || (url.starts_with("https://") && !url.contains('@'));
    if !fits && flaw != Flaw::TakesAnyUrl {
        return Err("not a base url");
    }
    Ok(Acme {
        authority: url.rsplit('/').next().unwrap_or_default().to_owned(),
        deadline: setup.deadline,
        flaw,
    })
}

fn error(kind: DeliveryErrorKind) -> DeliveryError {
    DeliveryError::new(kind, "acme")
}

impl Acme {
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    async fn attempt(&self, authority: &str, message: &Message) -> Result<Receipt, DeliveryError> {
        let connection = TcpStream::connect(authority).await;
        let mut stream = connection.map_err(|_| {
            let down = error(DeliveryErrorKind::Unavailable);
            if self.is(Flaw::CallsRefusedConnectionsUnknown) {
                down
            } else {
                down.not_sent()
            }
        })?;
        let target = match self.flaw {
            Flaw::PutsTheCodeIntoTheQuery => format!("/send?code={}", message.code().expose()),
            _ => "/send".to_owned(),
        };
        let body = format!("{} {}", message.destination().expose(), message.text());
        if self.is(Flaw::LogsTheText) {
            tracing::trace!(body, "sending");
        }
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: acme\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let broken = |_: io::Error| {
            let cut = error(DeliveryErrorKind::Unavailable);
            if self.is(Flaw::CallsBrokenRepliesUnsent) {
                cut.not_sent()
            } else {
                cut
            }
        };
        stream.write_all(request.as_bytes()).await.map_err(broken)?;
        let reply = self.read(&mut stream).await.map_err(broken)?;
        self.judge(&reply, message).await
    }

    async fn read(&self, stream: &mut TcpStream) -> io::Result<String> {
        let mut reply = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&reply);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = header(head, "Content-Length").and_then(|length| length.parse().ok());
                if length.is_some_and(|length: usize| body.len() >= length) {
                    return Ok(text.into_owned());
                }
            }
            let most = if self.is(Flaw::ReadsWithoutEnd) {
                usize::MAX
            } else {
                65_536
            };
            if reply.len() > most || stream.read_buf(&mut reply).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn judge(&self, reply: &str, message: &Message) -> Result<Receipt, DeliveryError> {
        let status = reply
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0);
        let refusal = match status {
            202 => {
                let receipt = Receipt::accepted("acme");
                let id = header(reply, "X-Id").filter(|_| !self.is(Flaw::DropsReferences));
                return Ok(id.map_or(receipt.clone(), |id| receipt.with_reference(id)));
            }
            300..=399 if self.is(Flaw::FollowsRedirects) => {
                let to = header(reply, "Location").unwrap_or_default();
                let authority = to.trim_start_matches("http://");
                return Box::pin(self.attempt(authority, message)).await;
            }
            _ if self.is(Flaw::ReadsEveryRefusalAlike) => error(DeliveryErrorKind::Unavailable),
            400 => error(DeliveryErrorKind::Invalid),
            401 => error(DeliveryErrorKind::Unauthorized),
            429 => error(DeliveryErrorKind::Throttled),
            500..=599 if self.is(Flaw::RepeatsServerErrors) => {
                let again = Self {
                    flaw: Flaw::None,
                    authority: self.authority.clone(),
                    ..*self
                };
                return Box::pin(again.attempt(&self.authority, message)).await;
            }
            500..=599 => error(DeliveryErrorKind::Unavailable),
            _ => error(DeliveryErrorKind::Protocol),
        };
        let refusal = match wait(reply) {
            Some(wait) if !self.is(Flaw::IgnoresRetryAfter) => refusal.with_retry_after(wait),
            _ => refusal,
        };
        Err(match self.flaw {
            Flaw::QuotesTheVendor => refusal.with_source(reply.to_owned()),
            _ => refusal,
        })
    }
}

fn header<'a>(reply: &'a str, name: &str) -> Option<&'a str> {
    let line = reply.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(": ")?.1)
}

/// Enough of RFC 9110 for the suite's dates, which are all of one hour.
fn wait(reply: &str) -> Option<Duration> {
    let hint = header(reply, "Retry-After")?;
    if hint.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(hint.parse().unwrap_or(60)));
    }
    let seconds = |date: &str| -> Option<u64> {
        let minute: u64 = date.get(20..22)?.parse().ok()?;
        let second: u64 = date.get(23..25)?.parse().ok()?;
        Some(minute * 60 + second)
    };
    let now = seconds(header(reply, "Date")?)?;
    Some(Duration::from_secs(seconds(hint)?.saturating_sub(now)))
}

#[async_trait]
impl DeliveryProvider for Acme {
    fn name(&self) -> &str {
        "acme"
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Sms]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        if message.destination().as_phone().is_none() && !self.is(Flaw::SendsToAnyAddress) {
            return Err(error(DeliveryErrorKind::Invalid));
        }
        let attempt = self.attempt(&self.authority, message);
        match tokio::time::timeout(self.deadline, attempt).await {
            Ok(outcome) => outcome,
            Err(_) if self.is(Flaw::CallsSilenceUnsent) => {
                Err(error(DeliveryErrorKind::Timeout).not_sent())
            }
            Err(_) => Err(error(DeliveryErrorKind::Timeout)),
        }
    }
}

fn with(flaw: Flaw) -> ProviderFixture {
    ProviderFixture::new(
        move |setup| build(setup, flaw),
        Reply::new(202).header("X-Id", "m-1"),
    )
    .reference("m-1")
    .secret(KEY)
    .refusal("a bad request", Reply::new(400), DeliveryErrorKind::Invalid)
    .refusal(
        "a bad key",
        Reply::new(401),
        DeliveryErrorKind::Unauthorized,
    )
    .refusal("too fast", Reply::new(429), DeliveryErrorKind::Throttled)
    .refusal("down", Reply::new(503), DeliveryErrorKind::Unavailable)
    .refusal("nonsense", Reply::new(200), DeliveryErrorKind::Protocol)
}

fn sound() -> ProviderFixture {
    with(Flaw::None)
}

mod a_sound_provider_passes {
    crate::provider_conformance!(super::sound);
}

#[test]
fn each_flaw_fails_the_case_that_is_about_it() {
    type Case = fn(&ProviderFixture);
    let cases: [(Flaw, Case); 15] = [
        (
            Flaw::TakesAnyUrl,
            plain_http_to_another_machine_does_not_build,
        ),
        (
            Flaw::CallsRefusedConnectionsUnknown,
            a_refused_connection_is_surely_not_sent,
        ),
        (
            Flaw::CallsSilenceUnsent,
            a_silent_vendor_times_out_as_unknown,
        ),
        (
            Flaw::CallsBrokenRepliesUnsent,
            a_reply_cut_short_is_never_surely_unsent,
        ),
        (
            Flaw::CallsBrokenRepliesUnsent,
            a_connection_closed_after_the_request_is_unknown,
        ),
        (
            Flaw::RepeatsServerErrors,
            every_documented_refusal_maps_to_its_kind,
        ),
        (
            Flaw::IgnoresRetryAfter,
            a_hint_of_when_to_try_again_is_honoured,
        ),
        (Flaw::FollowsRedirects, a_redirect_is_not_followed),
        (
            Flaw::PutsTheCodeIntoTheQuery,
            the_body_carries_the_code_and_nothing_else_does,
        ),
        (
            Flaw::SendsToAnyAddress,
            a_message_for_another_channel_is_not_sent,
        ),
        (Flaw::LogsTheText, nothing_shown_holds_a_secret),
        (Flaw::ShowsItsKey, nothing_shown_holds_a_secret),
        (Flaw::QuotesTheVendor, nothing_shown_holds_a_secret),
        (Flaw::DropsReferences, an_accepted_message_gives_a_receipt),
        (
            Flaw::ReadsEveryRefusalAlike,
            every_documented_refusal_maps_to_its_kind,
        ),
    ];
    for (flaw, case) in cases {
        let passed = catch_unwind(AssertUnwindSafe(|| case(&with(flaw)))).is_ok();
        assert!(!passed, "{flaw:?} went unnoticed");
    }
}

#[test]
fn a_reader_without_bound_fails() {
    let flawed = with(Flaw::ReadsWithoutEnd);
    let passed = catch_unwind(AssertUnwindSafe(|| a_reply_without_end_is_bounded(&flawed))).is_ok();
    assert!(!passed);
}

#[test]
fn a_fixture_that_documents_too_little_fails() {
    let bare = ProviderFixture::new(|setup: &Setup| build(setup, Flaw::None), Reply::new(202));
    let judged = || every_documented_refusal_maps_to_its_kind(&bare);
    assert!(catch_unwind(AssertUnwindSafe(judged)).is_err());
}
