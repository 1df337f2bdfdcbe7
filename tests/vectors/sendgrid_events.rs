//! `sendgrid_events`: ECDSA over time and body, then the events of the batch.

use otp_kit::clock::Timestamp;
use otp_kit::providers::webhook::{Event, EventPublicKey, SendGridWebhook, Webhook, WebhookError};
use serde_json::Value;

use crate::Verdict;
use crate::webhook::{Parts, at_once, events, now};

pub(crate) fn check(case: &Value) -> Verdict {
    let parts = Parts::of(case);
    let now = now(case, parts.header("x-twilio-email-event-webhook-timestamp"));
    let found = read(case, &parts, now);
    let accept = case["expect_accept"].as_bool().unwrap_or_default();
    let signed = case["expect_signature_valid"].as_bool().unwrap_or_default();
    match found {
        Ok(_) if !accept => Verdict::Differs("accepted".to_owned()),
        Err(error) if accept => Verdict::Differs(format!("refused: {error:?}")),
        Err(Some(WebhookError::Malformed(what))) if !signed => {
            Verdict::Differs(format!("the signature fits, and only {what} is refused"))
        }
        Err(_) => Verdict::Agrees,
        Ok(found) => match expected(case) {
            Some(expected) if expected != found => {
                Verdict::Differs(format!("{found:?}, not {expected:?}"))
            }
            _ => Verdict::Agrees,
        },
    }
}

fn read(
    case: &Value,
    parts: &Parts,
    now: Timestamp,
) -> Result<Vec<(String, String)>, Option<WebhookError>> {
    let key = case["public_key"].as_str().unwrap_or_default();
    let reader = SendGridWebhook::new(EventPublicKey::parse(key).map_err(|_| None)?);
    let request = parts.request().map_err(Some)?;
    let answer = at_once(reader.read(&request, now)).map_err(Some)?;
    Ok(events(answer).iter().map(pair).collect())
}

fn pair(event: &Event) -> (String, String) {
    let id = event.replay().as_str().split_once('/').expect("a key").1;
    (event.word().to_owned(), id.to_owned())
}

fn expected(case: &Value) -> Option<Vec<(String, String)>> {
    let mut once: Vec<(String, String)> = Vec::new();
    for event in case["expect_events"].as_array()? {
        let text = |at: usize| event[at].as_str().unwrap_or_default().to_owned();
        let pair = (text(0), text(1));
        if !once.contains(&pair) {
            once.push(pair);
        }
    }
    Some(once)
}
