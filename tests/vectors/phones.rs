//! `phones`: `input`, `region` of the lenient parse, and what Google's number plans say of it.

use otp_kit::destination::{PhoneNumber, Region};
use serde_json::Value;

use crate::Verdict;

pub(crate) fn check(case: &Value) -> Verdict {
    let input = case["input"].as_str().unwrap_or_default();
    let region = case["region"]
        .as_str()
        .and_then(|code| Region::parse(code).ok());
    let expected = &case["expect"];
    let valid = expected["valid"].as_bool().unwrap_or(false);
    let number = match (PhoneNumber::parse_lenient(input, region), valid) {
        (Err(_), false) => return Verdict::Agrees,
        (Err(error), true) => return Verdict::Differs(format!("refused: {error}")),
        (Ok(_), false) => return Verdict::Differs("accepted".to_owned()),
        (Ok(number), true) => number,
    };
    let country = number.country();
    let country = country.as_ref().map_or("001", Region::code);
    let strict = PhoneNumber::parse(number.e164());
    if number.e164() != expected["e164"].as_str().unwrap_or_default() {
        return Verdict::Differs("another E.164".to_owned());
    }
    if country != expected["country"].as_str().unwrap_or("001") {
        return Verdict::Differs(format!("country {country}"));
    }
    if number.line_type().name() != expected["type"].as_str().unwrap_or_default() {
        return Verdict::Differs(format!("type {}", number.line_type().name()));
    }
    match strict {
        Ok(strict) if strict == number => Verdict::Agrees,
        _ => Verdict::Differs("its E.164 is not read strictly".to_owned()),
    }
}
