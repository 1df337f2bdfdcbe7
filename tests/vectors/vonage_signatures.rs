//! `vonage_signatures`: the token of the Messages API, and the field `sig` of the SMS API.

use otp_kit::providers::webhook::{
    VonageSignatureMethod, VonageSmsWebhook, VonageWebhook, WebhookError,
};
use serde_json::Value;

use crate::Verdict;
use crate::webhook::{ANY_AGE, Parts, age, now, secret, verdict};

pub(crate) fn check_jwt(case: &Value) -> Verdict {
    let parts = Parts::of(case);
    let reader =
        VonageWebhook::new(secret(case, "signature_secret")).tolerance(age(case, "max_age_s"));
    let found = parts
        .request()
        .and_then(|request| reader.verify(&request, now(case, "")));
    verdict(case, found)
}

pub(crate) fn check_sms(case: &Value) -> Verdict {
    let method = match case["method"].as_str() {
        Some("md5hash") => VonageSignatureMethod::Md5Hash,
        Some("md5") => VonageSignatureMethod::HmacMd5,
        Some("sha1") => VonageSignatureMethod::HmacSha1,
        Some("sha256") => VonageSignatureMethod::HmacSha256,
        Some("sha512") => VonageSignatureMethod::HmacSha512,
        _ => return Verdict::Unread("no such method".to_owned()),
    };
    let mut fields = case["params"].clone();
    fields["sig"] = case["sig"].clone();
    let parts =
        Parts::of(&Value::Null).with_body(fields.to_string().into_bytes(), "application/json");
    let reader = VonageSmsWebhook::new(secret(case, "signature_secret"), method).tolerance(ANY_AGE);
    let found = parts
        .request()
        .and_then(|request| reader.verify(&request, now(case, "")));
    // Cases are about the signature; one without a time is refused after it was found right.
    let found = match found {
        Err(WebhookError::Malformed("timestamp")) => Ok(()),
        found => found,
    };
    verdict(case, found)
}
