//! `sms_formats`: the origin-bound last line, and the hash of Android's SMS Retriever.

use otp_kit::delivery::{OriginBoundCode, sms_retriever_hash};
use serde_json::{Value, json};

use crate::Verdict;

pub(crate) fn check_origin_bound(case: &Value) -> Verdict {
    let bound = OriginBoundCode::parse(case["message"].as_str().unwrap_or_default());
    let found = bound.map_or(Value::Null, |bound| {
        json!({"host": bound.host(), "code": bound.code(), "embedded": bound.embedded_host()})
    });
    same(found, &case["expect"])
}

pub(crate) fn check_sms_retriever(case: &Value) -> Verdict {
    let hex = case["cert_der_hex"].as_str().unwrap_or_default();
    let certificate: Option<Vec<u8>> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
        .collect();
    let package = case["package"].as_str().unwrap_or_default();
    let found = sms_retriever_hash(package, &certificate.expect("hexadecimal digits"));
    same(found.into(), &case["expect"])
}

fn same(found: Value, expected: &Value) -> Verdict {
    if found == *expected {
        Verdict::Agrees
    } else {
        Verdict::Differs(format!("{found}"))
    }
}
