//! `twilio_verify_checks`: the answer of Twilio Verify to a check, and what it decides.

use std::sync::Arc;

use otp_kit::challenge::{Code, CodeFormat};
use otp_kit::delivery::{
    Checked, DeliveryErrorKind, Reference, VerificationCheck, VerificationProvider,
};
use otp_kit::destination::{Destination, PhoneNumber};
use otp_kit::providers::http::ScriptedTransport;
use otp_kit::providers::twilio::TwilioAuth;
use otp_kit::providers::twilio_verify::TwilioVerify;
use serde_json::Value;

use crate::Verdict;

const ACCOUNT: &str = "ACcccccccccccccccccccccccccccccccc";
const SERVICE: &str = "VAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const VERIFICATION: &str = "VEaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// The vendor's test numbers belong to nobody, so the adapter never meets one.
const TEST_NUMBERS: &str = "+1500555";
const OURS: &str = "+1415555";

pub(crate) fn check(case: &Value) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let word = match runtime {
        Ok(runtime) => runtime.block_on(word(case)),
        Err(_) => None,
    };
    let accepted = case["accept"].as_array().into_iter().flatten();
    let accepted: Vec<&str> = accepted.filter_map(Value::as_str).collect();
    match word {
        Some(word) if accepted.contains(&word) => Verdict::Agrees,
        Some(word) => Verdict::Differs(format!("{word}, not one of {accepted:?}")),
        None => Verdict::Unread("the adapter cannot be asked this".to_owned()),
    }
}

/// Has the adapter ask, with the case's answer on the wire, and names what it makes of it.
async fn word(case: &Value) -> Option<&'static str> {
    let asked = &case["request"];
    let http = u16::try_from(case["http"].as_u64()?).ok()?;
    let body = case["body"].as_str()?.replace(TEST_NUMBERS, OURS);
    let to = asked["To"].as_str().unwrap_or("+15005550010");
    let to: Destination = PhoneNumber::parse(&to.replace(TEST_NUMBERS, OURS))
        .ok()?
        .into();
    let reference = asked["VerificationSid"].as_str().unwrap_or(VERIFICATION);
    let reference = Reference::new(reference).ok()?;
    let service = asked["ServiceSid"].as_str().unwrap_or(SERVICE);
    let typed = asked["Code"].as_str().unwrap_or("123456");
    let code = Code::normalise(CodeFormat::SIX_DIGITS, typed).ok()?;
    let verify = TwilioVerify::builder(ACCOUNT, TwilioAuth::token("token"), service)
        .transport(Arc::new(ScriptedTransport::new().then(http, &body)))
        .build()
        .ok()?;
    let check = VerificationCheck::new(&reference, &to, &code);
    Some(match verify.check(&check).await {
        Ok(Checked::Approved) => "approved",
        Ok(Checked::Wrong) => "rejected",
        Ok(Checked::Gone) => "gone",
        Err(error) => match error.kind() {
            DeliveryErrorKind::Protected => "blocked",
            DeliveryErrorKind::Protocol => "error",
            _ if error.is_transient() => "retryable",
            _ => "permanent",
        },
    })
}
