use std::time::Duration;

use otp_core::check::{CaptchaFailure, CaptchaVerdict};
use otp_core::clock::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Expected, Vendor};
use crate::rfc3339;

/// What a reply of `siteverify` comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The vendor has decided, and so have we.
    Verdict(CaptchaVerdict),
    /// Our secret or our request is refused: an operator's matter.
    Misconfigured,
    /// There is no verdict.
    Unavailable,
}

/// How far a vendor's clock may be ahead of ours.
const SKEW: Duration = Duration::from_secs(120);

/// The reply; a repeated member makes it none.
#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    success: Value,
    hostname: Option<String>,
    action: Option<String>,
    score: Option<f64>,
    challenge_ts: Option<String>,
    #[serde(default, rename = "error-codes")]
    errors: Option<Vec<String>>,
}

/// Reads a reply of `siteverify` against what is expected of the token.
///
/// A pass is HTTP 200 with `success` being `true` and nothing else, no error codes, an expected
/// hostname, the expected action, a score that is high enough and a challenge that is recent.
/// HTTP 200 alone is no success. A status of 4xx is a refusal, but for 408 and 429 and where the
/// vendor's words blame us: a client could otherwise bring about an outage by what it sends.
///
/// Sources: hCaptcha's developer guide, Cloudflare's page on server-side validation, Google's page
/// on verifying the response.
///
/// # Examples
/// ```
/// use otp_core::check::{CaptchaFailure, CaptchaVerdict};
/// use otp_core::clock::Timestamp;
/// use otp_providers::captcha::{Expected, Outcome, Vendor, classify_siteverify};
///
/// let body = br#"{"success":true,"hostname":"evil.example.net"}"#;
/// let expected = Expected::on(["login.example.com"]);
/// let now = Timestamp::from_millis(1_748_779_200_000);
/// assert_eq!(
///     classify_siteverify(Vendor::HCaptcha, 200, body, &expected, now),
///     Outcome::Verdict(CaptchaVerdict::Failed(CaptchaFailure::OtherHost)),
/// );
/// ```
#[must_use]
pub fn classify_siteverify(
    vendor: Vendor,
    http_status: u16,
    body: &[u8],
    expected: &Expected,
    now: Timestamp,
) -> Outcome {
    let reply = match http_status {
        200 | 400..=499 => serde_json::from_slice::<Reply>(body).ok(),
        _ => None,
    };
    let outcome = match reply {
        None => Outcome::Unavailable,
        Some(reply) => reply.outcome(vendor, http_status, expected, now),
    };
    match (outcome, http_status) {
        (outcome, 408 | 429) => outcome,
        // What the client sent may have brought it about, so it is never an outage.
        (Outcome::Unavailable, 400..=499) => failed(CaptchaFailure::Refused),
        (outcome, _) => outcome,
    }
}

impl Reply {
    fn outcome(
        &self,
        vendor: Vendor,
        http_status: u16,
        expected: &Expected,
        now: Timestamp,
    ) -> Outcome {
        let errors = self.errors.as_deref().unwrap_or_default();
        match (errors.is_empty(), http_status) {
            (false, _) => refusal(errors),
            (true, 200) if self.success == Value::Bool(true) => {
                Outcome::Verdict(self.judged(vendor, expected, now))
            }
            (true, 200) => failed(CaptchaFailure::Refused),
            (true, _) => Outcome::Unavailable,
        }
    }

    fn judged(&self, vendor: Vendor, expected: &Expected, now: Timestamp) -> CaptchaVerdict {
        let failure = if !expected.is_on(self.hostname.as_deref()) {
            CaptchaFailure::OtherHost
        } else if !expected.is_for(vendor, self.action.as_deref()) {
            CaptchaFailure::OtherAction
        } else if !expected.is_high_enough(vendor, self.score) {
            CaptchaFailure::LowScore
        } else if !self.is_recent(expected, now) {
            CaptchaFailure::Stale
        } else {
            return CaptchaVerdict::Passed;
        };
        CaptchaVerdict::Failed(failure)
    }

    /// A vendor that names no time has looked at the token's age itself.
    fn is_recent(&self, expected: &Expected, now: Timestamp) -> bool {
        let Some(text) = &self.challenge_ts else {
            return true;
        };
        rfc3339::parse(text).is_some_and(|solved| {
            now.since(solved) <= expected.oldest() && solved.since(now) <= SKEW
        })
    }
}

/// Reads the vendor's words: what is ours to mend comes first, then what is theirs.
fn refusal(errors: &[String]) -> Outcome {
    let ours = |code: &String| {
        matches!(
            code.as_str(),
            "missing-input-secret"
                | "invalid-input-secret"
                | "sitekey-secret-mismatch"
                | "bad-request"
        ) || code.starts_with("not-using-dummy-")
    };
    if errors.iter().any(ours) {
        Outcome::Misconfigured
    } else if errors.iter().any(|code| code == "internal-error") {
        Outcome::Unavailable
    } else {
        failed(CaptchaFailure::Refused)
    }
}

const fn failed(failure: CaptchaFailure) -> Outcome {
    Outcome::Verdict(CaptchaVerdict::Failed(failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_748_779_260_000);
    const PASSED: Outcome = Outcome::Verdict(CaptchaVerdict::Passed);

    fn read(vendor: Vendor, status: u16, body: &str) -> Outcome {
        let expected = Expected::on(["Login.example.com"]).action("send_otp");
        classify_siteverify(vendor, status, body.as_bytes(), &expected, NOW)
    }

    fn answer(members: &str) -> String {
        format!(r#"{{"hostname":"login.example.com"{members}}}"#)
    }

    #[test]
    fn only_true_and_nothing_like_it_is_success() {
        let good = answer(r#","success":true"#);
        assert_eq!(read(Vendor::HCaptcha, 200, &good), PASSED);
        for success in [
            "false",
            "\"true\"",
            "1",
            "null",
            "[true]",
            "{}",
            "\"True\"",
            "{\"a\":true}",
        ] {
            let body = answer(&format!(r#","success":{success}"#));
            let outcome = read(Vendor::HCaptcha, 200, &body);
            assert_eq!(outcome, failed(CaptchaFailure::Refused), "{success}");
        }
        let missing = read(Vendor::HCaptcha, 200, &answer(""));
        assert_eq!(missing, failed(CaptchaFailure::Refused));
    }

    #[test]
    fn what_is_no_reply_of_the_vendors_is_no_verdict() {
        let good = answer(r#","success":true"#);
        for (status, body) in [
            (200, ""),
            (200, "<html>"),
            (200, "[]"),
            (200, "true"),
            (200, &good[..good.len() - 1]),
            (
                200,
                r#"{"success":false,"success":true,"hostname":"login.example.com"}"#,
            ),
            (200, r#"{"success":true,"hostname":["login.example.com"]}"#),
            (201, good.as_str()),
            (302, good.as_str()),
            (408, ""),
            (429, ""),
            (429, good.as_str()),
            (500, good.as_str()),
            (
                503,
                r#"{"success":false,"error-codes":["timeout-or-duplicate"]}"#,
            ),
        ] {
            let outcome = read(Vendor::HCaptcha, status, body);
            assert_eq!(outcome, Outcome::Unavailable, "{status} {body}");
        }
    }

    #[test]
    fn no_token_brings_about_an_outage() {
        let good = answer(r#","success":true"#);
        let busy = r#"{"success":false,"error-codes":["internal-error"]}"#;
        for status in [400, 403, 404, 413, 414, 422, 431, 499] {
            for body in ["", "<html>request too large</html>", &good, busy] {
                let outcome = read(Vendor::HCaptcha, status, body);
                assert_eq!(outcome, failed(CaptchaFailure::Refused), "{status} {body}");
            }
        }
    }

    #[test]
    fn the_vendors_words_are_a_refusal_an_alarm_or_no_verdict() {
        let codes = |list: &str| format!(r#"{{"success":false,"error-codes":[{list}]}}"#);
        for refused in [
            r#""invalid-input-response""#,
            r#""missing-input-response""#,
            r#""expired-input-response""#,
            r#""already-seen-response""#,
            r#""timeout-or-duplicate""#,
            r#""something-new""#,
            "",
        ] {
            let outcome = read(Vendor::Turnstile, 200, &codes(refused));
            assert_eq!(outcome, failed(CaptchaFailure::Refused), "{refused}");
        }
        for alarm in [
            r#""missing-input-secret""#,
            r#""invalid-input-response","invalid-input-secret""#,
            r#""sitekey-secret-mismatch""#,
            r#""bad-request""#,
            r#""not-using-dummy-passcode""#,
            r#""internal-error","invalid-input-secret""#,
        ] {
            for status in [200, 400] {
                let outcome = read(Vendor::HCaptcha, status, &codes(alarm));
                assert_eq!(outcome, Outcome::Misconfigured, "{alarm}");
            }
        }
        let outcome = read(Vendor::Turnstile, 200, &codes(r#""internal-error""#));
        assert_eq!(outcome, Outcome::Unavailable);
        let both = r#","success":true,"error-codes":["timeout-or-duplicate"]"#;
        let outcome = read(Vendor::Turnstile, 200, &answer(both));
        assert_eq!(outcome, failed(CaptchaFailure::Refused));
    }

    #[test]
    fn a_token_of_another_host_action_score_or_time_is_worth_nothing() {
        let v3 = |members: &str| {
            let body = answer(&format!(r#","success":true{members}"#));
            read(Vendor::ReCaptchaV3, 200, &body)
        };
        assert_eq!(v3(r#","action":"send_otp","score":0.5"#), PASSED);
        assert_eq!(v3(r#","action":"send_otp","score":1"#), PASSED);
        for (members, failure) in [
            (
                r#","action":"send_otp","score":0.49"#,
                CaptchaFailure::LowScore,
            ),
            (
                r#","action":"send_otp","score":1.1"#,
                CaptchaFailure::LowScore,
            ),
            (r#","action":"send_otp""#, CaptchaFailure::LowScore),
            (
                r#","action":"login","score":0.9"#,
                CaptchaFailure::OtherAction,
            ),
            (
                r#","action":"SEND_OTP","score":0.9"#,
                CaptchaFailure::OtherAction,
            ),
            (r#","score":0.9"#, CaptchaFailure::OtherAction),
        ] {
            assert_eq!(v3(members), failed(failure), "{members}");
        }
        for host in [
            r#""hostname":"evil.example.net""#,
            r#""hostname":"login.example.com.evil.example""#,
            r#""hostname":"example.com""#,
            r#""hostname":"""#,
            r#""hostname":null"#,
            r#""apk_package_name":"login.example.com""#,
        ] {
            let body = format!(r#"{{"success":true,{host}}}"#);
            let outcome = read(Vendor::ReCaptchaV2, 200, &body);
            assert_eq!(outcome, failed(CaptchaFailure::OtherHost), "{host}");
        }
        for (time, outcome) in [
            ("2025-06-01T12:00:00Z", PASSED),
            ("2025-06-01T11:51:00.000Z", PASSED),
            ("2025-06-01T11:50:59Z", failed(CaptchaFailure::Stale)),
            ("2025-06-01T12:03:00Z", PASSED),
            ("2025-06-01T12:03:01Z", failed(CaptchaFailure::Stale)),
            ("yesterday", failed(CaptchaFailure::Stale)),
        ] {
            let body = answer(&format!(r#","success":true,"challenge_ts":"{time}""#));
            assert_eq!(read(Vendor::HCaptcha, 200, &body), outcome, "{time}");
        }
    }
}
