//! `twilio_verify_checks`: the answer of Twilio Verify to a check, and what it decides.

use otp_kit::providers::twilio::{CheckAsked, CheckVerdict, classify_check};
use serde_json::Value;

use crate::Verdict;

pub(crate) fn check(case: &Value) -> Verdict {
    let asked = &case["request"];
    let asked = CheckAsked {
        to: asked["To"].as_str(),
        verification_sid: asked["VerificationSid"].as_str(),
        service_sid: asked["ServiceSid"].as_str(),
    };
    let http = case["http"]
        .as_u64()
        .and_then(|http| u16::try_from(http).ok());
    let body = case["body"].as_str().unwrap_or_default();
    let word = match classify_check(http.unwrap_or_default(), body.as_bytes(), &asked) {
        CheckVerdict::Approved => "approved",
        CheckVerdict::Rejected => "rejected",
        CheckVerdict::Gone => "gone",
        CheckVerdict::Blocked => "blocked",
        CheckVerdict::Retryable => "retryable",
        CheckVerdict::Permanent => "permanent",
        _ => "error",
    };
    let accepted = case["accept"].as_array().into_iter().flatten();
    let accepted: Vec<&str> = accepted.filter_map(Value::as_str).collect();
    if accepted.contains(&word) {
        Verdict::Agrees
    } else {
        Verdict::Differs(format!("{word}, not one of {accepted:?}"))
    }
}
