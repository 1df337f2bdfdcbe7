//! When to come back, in headers: `Retry-After` (RFC 9110 section 10.2.3), and the fields of
//! draft-ietf-httpapi-ratelimit-headers.

use std::time::Duration;

use axum::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use otp_core::quota::{QuotaReading, Scope};
use otp_core::verifier::Throttled;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What is said where nobody knows how long a fault lasts.
pub(crate) const SOON: Duration = Duration::from_secs(5);

/// Writes the wait, and the limits that caused it; where it was none, the refusal's own code.
pub(crate) fn write(headers: &mut HeaderMap, throttled: &Throttled, code: &str) {
    retry_after(headers, throttled.retry_after());
    let shown: Vec<_> = throttled
        .readings()
        .iter()
        .filter(|reading| is_shown(reading))
        .collect();
    let policies = shown.iter().map(|reading| {
        let window = reading.window().as_secs();
        format!("\"{}\";q={};w={window}", name(reading), reading.limit())
    });
    list(headers, &RATE_LIMIT_POLICY, policies);
    let states = shown.iter().map(|reading| {
        let wait = reading
            .retry_after()
            .unwrap_or_else(|| reading.reset_after());
        format!(
            "\"{}\";r={};t={}",
            name(reading),
            reading.remaining(),
            whole(wait)
        )
    });
    list(headers, &RATE_LIMIT, states);
    if shown.is_empty() {
        // No bucket of requests is full: a lock, which is one policy of its own.
        let wait = whole(throttled.retry_after()).max(1);
        list(
            headers,
            &RATE_LIMIT_POLICY,
            std::iter::once(format!("\"{code}\";q=1;w={wait}")),
        );
        list(
            headers,
            &RATE_LIMIT,
            std::iter::once(format!("\"{code}\";r=0;t={wait}")),
        );
    }
}

pub(crate) fn retry_after(headers: &mut HeaderMap, wait: Duration) {
    headers.insert(RETRY_AFTER, HeaderValue::from(whole(wait).max(1)));
}

/// The limit that refused is no secret any more, and the client's own never was. How much of
/// another bucket is left would tell about somebody else.
fn is_shown(reading: &QuotaReading) -> bool {
    reading.retry_after().is_some() || reading.scope() == Scope::Address
}

/// Names a policy: its scope, and its window, because a scope may have several.
fn name(reading: &QuotaReading) -> String {
    format!("{}-{}", reading.scope().name(), reading.window().as_secs())
}

fn list(headers: &mut HeaderMap, name: &HeaderName, items: impl Iterator<Item = String>) {
    let items: Vec<_> = items.collect();
    if items.is_empty() {
        return;
    }
    if let Ok(value) = HeaderValue::from_str(&items.join(", ")) {
        headers.insert(name, value);
    }
}

/// Rounds up: who comes back after so many seconds must not be too early.
fn whole(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
}
