//! `mail_webhooks`: Svix, as Resend uses it, and Mailgun.

use otp_kit::providers::webhook::{
    MailgunSignature, MailgunWebhook, ResendWebhook, SvixSecret, WebhookError,
};
use serde_json::Value;

use crate::Verdict;
use crate::webhook::{Parts, age, now, secret, verdict};

pub(crate) fn check_svix(case: &Value) -> Verdict {
    let parts = Parts::of(case);
    let secret = SvixSecret::parse(case["secret"].as_str().unwrap_or_default());
    let Ok(secret) = secret else {
        return verdict::<(), _>(case, Err(WebhookError::BadSignature));
    };
    let reader = ResendWebhook::new(secret).tolerance(age(case, "tolerance_s"));
    let names = ["svix-timestamp", "webhook-timestamp"];
    let signed = names.map(|name| parts.header(name)).concat();
    let now = now(case, &signed);
    verdict(
        case,
        parts
            .request()
            .and_then(|request| reader.verify(&request, now)),
    )
}

pub(crate) fn check_mailgun(case: &Value) -> Verdict {
    let reader =
        MailgunWebhook::new(secret(case, "signing_key")).tolerance(age(case, "tolerance_s"));
    let text = |key: &str| case["signature"][key].as_str().unwrap_or_default();
    let signature = MailgunSignature {
        timestamp: text("timestamp"),
        token: text("token"),
        signature: text("signature"),
    };
    verdict(
        case,
        reader.verify(&signature, now(case, signature.timestamp)),
    )
}
