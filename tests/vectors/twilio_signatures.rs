//! `twilio_signatures`: `X-Twilio-Signature` over URL and fields, or URL and body hash.

use otp_kit::providers::webhook::TwilioWebhook;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::Verdict;
use crate::webhook::{Parts, secret, verdict};

const SETTINGS: &str = "x-twilio-webhooks-signature-settings";

pub(crate) fn check(case: &Value) -> Verdict {
    let mut parts = Parts::of(case);
    if case["body"].is_null() && case["params"].is_array() {
        let mut form = Serializer::new(String::new());
        for pair in case["params"].as_array().into_iter().flatten() {
            let text = |at: usize| pair[at].as_str().unwrap_or_default();
            form.append_pair(text(0), text(1));
        }
        let form = form.finish().into_bytes();
        parts = parts.with_body(form, "application/x-www-form-urlencoded");
    }
    let secret = secret(case, "secret");
    // The secret is the shared key where the settings name one, and the auth token elsewhere.
    let named = parts.header(SETTINGS).split(',').find_map(|setting| {
        let (name, value) = setting.split_once('=')?;
        (name.trim() == "key").then(|| value.trim().to_owned())
    });
    let reader = match named {
        Some(id) => {
            let other = otp_kit::providers::webhook::WebhookSecret::new("another-token");
            TwilioWebhook::new(other.expect("a secret")).or_shared_key(id, secret)
        }
        None => TwilioWebhook::new(secret),
    };
    verdict(
        case,
        parts.request().and_then(|request| reader.verify(&request)),
    )
}
