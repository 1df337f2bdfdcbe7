//! `captcha_outcomes`: a reply of `siteverify`, and what it decides under a policy.

use std::time::Duration;

use otp_kit::check::CaptchaVerdict;
use otp_kit::clock::Timestamp;
use otp_kit::providers::captcha::{Expected, Outcome, Vendor, classify_siteverify};
use serde_json::Value;

use crate::Verdict;

/// 2025-06-01 12:00:30 UTC, half a minute after the cases' challenges.
const NOW: Timestamp = Timestamp::from_millis(1_748_779_230_000);

pub(crate) fn check(case: &Value) -> Verdict {
    let Some(vendor) = case["vendor"].as_str().and_then(vendor) else {
        return Verdict::Unread("nothing reads this vendor's replies yet".to_owned());
    };
    let http = case["http"].as_u64();
    let http = http.and_then(|http| u16::try_from(http).ok());
    let body = case["body"].as_str().unwrap_or_default();
    let word = match classify_siteverify(
        vendor,
        http.unwrap_or_default(),
        body.as_bytes(),
        &expected(&case["policy"]),
        NOW,
    ) {
        Outcome::Verdict(CaptchaVerdict::Passed) => "pass",
        Outcome::Verdict(CaptchaVerdict::Failed(_)) => "fail",
        Outcome::Misconfigured => "misconfigured",
        Outcome::Unavailable => "unavailable",
    };
    let accepted = case["accept"].as_array().into_iter().flatten();
    let accepted: Vec<&str> = accepted.filter_map(Value::as_str).collect();
    if accepted.contains(&word) {
        Verdict::Agrees
    } else {
        Verdict::Differs(format!("{word}, not one of {accepted:?}"))
    }
}

fn vendor(name: &str) -> Option<Vendor> {
    match name {
        "recaptcha" => Some(Vendor::ReCaptchaV2),
        name => Vendor::from_name(name),
    }
}

fn expected(policy: &Value) -> Expected {
    let hostnames = policy["hostnames"].as_array().into_iter().flatten();
    let mut expected = Expected::on(hostnames.filter_map(Value::as_str));
    if let Some(action) = policy["action"].as_str() {
        expected = expected.action(action);
    }
    if let Some(score) = policy["min_score"].as_f64() {
        expected = expected.min_score(score);
    }
    match policy["max_age_s"].as_u64() {
        Some(seconds) => expected.longest_age(Duration::from_secs(seconds)),
        None => expected,
    }
}
