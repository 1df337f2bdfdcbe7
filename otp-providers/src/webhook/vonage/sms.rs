use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use md5::Md5;
use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryErrorKind, DeliveryState, ReplayKey, Report};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::super::form::{self, Pair};
use super::super::freshness::{self, Tolerance};
use super::super::url_text::UrlText;
use super::super::{
    Answer, Notice, Topic, Webhook, WebhookError, WebhookRequest, WebhookSecret, async_trait,
    event, json, mac,
};
use super::NAME;
use crate::vonage::classify_status;

/// How the field `sig` is made: what the account's settings say. Prefer SHA-256 or SHA-512.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VonageSignatureMethod {
    /// MD5 over the fields and then the secret. It is no MAC; kept for accounts that cannot change.
    Md5Hash,
    /// HMAC with MD5.
    HmacMd5,
    /// HMAC with SHA-1.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
}

/// Reads delivery receipts of Vonage's older SMS API, signed by the field `sig`.
///
/// Fields come in the query, a form or a JSON object. The signature covers all of them, with `&`
/// and `=` in values written as `_`, so two texts that differ in those only share a signature:
/// nothing is read from a field that could hold one. The signed `timestamp` must be near now.
///
/// Source: Vonage's pages on signing SMS and on delivery receipts.
#[derive(Clone, Debug)]
pub struct VonageSmsWebhook {
    secrets: Vec<WebhookSecret>,
    method: VonageSignatureMethod,
    tolerance: Tolerance,
}

impl VonageSmsWebhook {
    /// Takes the account's signature secret and its method.
    #[must_use]
    pub fn new(secret: WebhookSecret, method: VonageSignatureMethod) -> Self {
        Self {
            secrets: vec![secret],
            method,
            tolerance: Tolerance::DEFAULT,
        }
    }

    /// Takes another secret, the next one of a rotation.
    #[must_use]
    pub fn or_secret(mut self, secret: WebhookSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Sets how far the signed time may be from now. Default: 5 minutes.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Tolerance::new(tolerance);
        self
    }

    /// Checks the signature and its time and reads nothing else.
    ///
    /// # Errors
    /// [`WebhookError`] where the request cannot be believed.
    pub fn verify(&self, request: &WebhookRequest<'_>, now: Timestamp) -> Result<(), WebhookError> {
        self.believed(request, now).map(drop)
    }

    fn believed(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Vec<Pair>, WebhookError> {
        let fields = fields(request)?;
        let sig = form::text(&fields, "sig")
            .ok()
            .flatten()
            .ok_or(WebhookError::Unsigned)?
            .to_ascii_lowercase();
        let signed = written(&fields)?;
        mac::any_fits(&self.secrets, &[&sig], |secret| {
            Ok(vec![mac::hex(&made(self.method, secret, &signed)?)])
        })?;
        let time = form::required(&fields, "timestamp")?;
        let time = freshness::seconds(time).ok_or(WebhookError::Malformed("timestamp"))?;
        self.tolerance.check(time, now)?;
        Ok(fields)
    }
}

fn fields(request: &WebhookRequest<'_>) -> Result<Vec<Pair>, WebhookError> {
    if request.method == Method::GET {
        let url = UrlText::split(request.url).ok_or(WebhookError::Unsigned)?;
        return form::pairs(url.query().unwrap_or_default().as_bytes());
    }
    if request.is_of_type("application/json").is_err() {
        return form::pairs(request.body);
    }
    let Value::Object(fields) = json::parse(request.body, "body")? else {
        return Err(WebhookError::Malformed("body"));
    };
    fields
        .into_iter()
        .map(|(key, value)| {
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                _ => return Err(WebhookError::Malformed("body")),
            };
            Ok(Pair {
                key: key.into_bytes(),
                value: value.into_bytes(),
            })
        })
        .collect()
}

/// Writes `&key=value` of every field but `sig`, in the order of the keys.
fn written(fields: &[Pair]) -> Result<Vec<u8>, WebhookError> {
    let mut sorted: Vec<&Pair> = fields.iter().filter(|pair| pair.key != b"sig").collect();
    sorted.sort_unstable();
    let twice = |pair: &[&Pair]| matches!(pair, [one, other] if one.key == other.key);
    if sorted.windows(2).any(twice) {
        return Err(WebhookError::Unsigned);
    }
    let mut out = Vec::new();
    for pair in sorted {
        out.push(b'&');
        out.extend(&pair.key);
        out.push(b'=');
        out.extend(pair.value.iter().map(|byte| match byte {
            b'&' | b'=' => b'_',
            other => *other,
        }));
    }
    Ok(out)
}

fn made(
    method: VonageSignatureMethod,
    secret: &[u8],
    signed: &[u8],
) -> Result<Vec<u8>, WebhookError> {
    fn hmac<M: Mac + KeyInit>(secret: &[u8], signed: &[u8]) -> Result<Vec<u8>, WebhookError> {
        let mac = <M as KeyInit>::new_from_slice(secret).map_err(|_| WebhookError::BadSignature)?;
        Ok(mac.chain_update(signed).finalize().into_bytes().to_vec())
    }
    match method {
        VonageSignatureMethod::Md5Hash => {
            let hash = Md5::new().chain_update(signed).chain_update(secret);
            Ok(hash.finalize().to_vec())
        }
        VonageSignatureMethod::HmacMd5 => hmac::<Hmac<Md5>>(secret, signed),
        VonageSignatureMethod::HmacSha1 => hmac::<Hmac<Sha1>>(secret, signed),
        VonageSignatureMethod::HmacSha256 => hmac::<Hmac<Sha256>>(secret, signed),
        VonageSignatureMethod::HmacSha512 => hmac::<Hmac<Sha512>>(secret, signed),
    }
}

#[async_trait]
impl Webhook for VonageSmsWebhook {
    fn name(&self) -> &str {
        NAME
    }

    async fn read(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Answer, WebhookError> {
        let fields = self.believed(request, now)?;
        let id = form::required(&fields, "messageId")?;
        let status = form::required(&fields, "status")?;
        let code = form::text(&fields, "err-code")?.filter(|code| !code.is_empty() && *code != "0");
        let state = match status {
            "accepted" | "buffered" => DeliveryState::Sent,
            "delivered" => DeliveryState::Delivered,
            "expired" => DeliveryState::Failed(DeliveryErrorKind::Timeout),
            "failed" | "rejected" => DeliveryState::Failed(match code {
                Some(code) => {
                    let code = code
                        .parse()
                        .map_err(|_| WebhookError::Malformed("err-code"))?;
                    classify_status(code)
                }
                None => DeliveryErrorKind::Unavailable,
            }),
            other => {
                let notice = Notice::new(NAME, other, now, Topic::Other, &[id, other]);
                return Ok(notice.into_answer());
            }
        };
        let report = Report::new(NAME, id, status, state, now)
            .with_replay(ReplayKey::new(NAME, &[id, status]));
        Ok(event::report(match code {
            Some(code) => report.with_code(code),
            None => report,
        }))
    }
}
