//! `aws_sigv4`: requests signed with AWS Signature Version 4, with their canonical form.

use otp_kit::clock::Timestamp;
use otp_kit::providers::aws::{AwsCredentials, SigningInput, sign};
use serde_json::Value;

use crate::Verdict;

pub(crate) fn check(case: &Value) -> Verdict {
    let text = |key: &str| case[key].as_str().unwrap_or_default();
    let url = text("url").parse().expect("a url");
    let headers: Vec<(&str, &str)> = case["signed_input_headers"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect();
    let input = SigningInput {
        method: text("method"),
        url: &url,
        headers: &headers,
        body: text("body").as_bytes(),
        region: text("region"),
        service: text("service"),
    };
    let credentials = AwsCredentials::new(text("access_key_id"), text("secret_access_key"));
    let credentials = match case["session_token"].as_str() {
        Some(token) => credentials.and_then(|credentials| credentials.with_session_token(token)),
        None => credentials,
    };
    let credentials = credentials.expect("credentials");
    let signed = sign(&input, &credentials, time(text("time")));
    for (what, found, expected) in [
        (
            "canonical request",
            signed.canonical_request().expose(),
            &case["canonical_request"],
        ),
        (
            "string to sign",
            signed.string_to_sign(),
            &case["string_to_sign"],
        ),
        ("date", signed.date(), &case["headers"]["X-Amz-Date"]),
        (
            "authorization",
            signed.authorization().expose(),
            &case["headers"]["Authorization"],
        ),
    ] {
        if expected.as_str().is_some_and(|expected| expected != found) {
            return Verdict::Differs(format!("another {what}: {found}"));
        }
    }
    Verdict::Agrees
}

/// Reads `20250101T000000Z`, counting days from the first of March (Gregorian calendar).
fn time(text: &str) -> Timestamp {
    let number = |from: usize, to: usize| -> i64 { text[from..to].parse().expect("digits") };
    let (year, month, day) = (number(0, 4), number(4, 6), number(6, 8));
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469;
    let seconds = number(9, 11) * 3600 + number(11, 13) * 60 + number(13, 15);
    Timestamp::from_millis((days * 86_400 + seconds) * 1000)
}
