use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryErrorKind, DeliveryState, Report};
use sha1::Sha1;

use super::form::{self, Pair};
use super::url_text::UrlText;
use super::{
    Answer, Notice, Topic, Webhook, WebhookError, WebhookRequest, WebhookSecret, async_trait,
    event, mac,
};
use crate::twilio::classify_status;

const NAME: &str = "twilio";
const SIGNATURE: &str = "x-twilio-signature";
const SETTINGS: &str = "x-twilio-webhooks-signature-settings";
const FORM: &str = "application/x-www-form-urlencoded";
const BODY_HASH: &[u8] = b"bodySHA256";

/// Reads Twilio's status callbacks, signed with `X-Twilio-Signature`.
///
/// The signature covers the URL with its query and, of a form, every field; of any other body it
/// covers the `bodySHA256` in the URL, without which such a body is refused. A URL is tried with
/// and without its port, for Twilio writes it either way. There is no signed time: what protects
/// from replays is the replay key, `MessageSid` and `MessageStatus`.
///
/// Source: Twilio's usage pages on webhook security and outbound message status.
#[derive(Clone, Debug)]
pub struct TwilioWebhook {
    auth_tokens: Vec<WebhookSecret>,
    shared_keys: Vec<(String, WebhookSecret)>,
}

#[derive(Clone, Copy)]
enum Algorithm {
    Sha1,
    Sha256,
}

impl TwilioWebhook {
    /// Takes the auth token of the account that owns the messages; a subaccount has its own. The
    /// secret of an API key signs nothing.
    #[must_use]
    pub fn new(auth_token: WebhookSecret) -> Self {
        Self {
            auth_tokens: vec![auth_token],
            shared_keys: Vec::new(),
        }
    }

    /// Takes another auth token: the secondary one before it is promoted, a subaccount's.
    #[must_use]
    pub fn or_auth_token(mut self, auth_token: WebhookSecret) -> Self {
        self.auth_tokens.push(auth_token);
        self
    }

    /// Takes a shared key (`webhooks_sharedkey_...`, public beta) under its id. A request that
    /// names a key in `X-Twilio-Webhooks-Signature-Settings` is checked with that key only.
    #[must_use]
    pub fn or_shared_key(mut self, id: impl Into<String>, key: WebhookSecret) -> Self {
        self.shared_keys.push((id.into(), key));
        self
    }

    /// Checks the signature and reads nothing else.
    ///
    /// # Errors
    /// [`WebhookError`] where the request cannot be believed.
    pub fn verify(&self, request: &WebhookRequest<'_>) -> Result<(), WebhookError> {
        self.believed(request).map(drop)
    }

    /// Gives the fields that the signature covers.
    fn believed(&self, request: &WebhookRequest<'_>) -> Result<Vec<Pair>, WebhookError> {
        let presented = request.signed_header(SIGNATURE)?;
        let (algorithm, keys) = self.keys(request)?;
        let url = UrlText::split(request.url).ok_or(WebhookError::BadSignature)?;
        let query = form::pairs(url.query().unwrap_or_default().as_bytes())?;
        let (signed, fields, hash) = if request.method == Method::GET {
            (Vec::new(), query, None)
        } else if request.method != Method::POST {
            return Err(WebhookError::Malformed("method"));
        } else if request.body.is_empty() || request.is_of_type(FORM).is_ok() {
            let fields = form::pairs(request.body)?;
            (written(&fields), fields, None)
        } else {
            (Vec::new(), Vec::new(), Some(body_hash(&query)?))
        };
        let urls = url.with_and_without_port();
        mac::any_fits(keys, &[presented], |key| {
            urls.iter()
                .map(|url| sign(algorithm, key, url.as_bytes(), &signed))
                .collect()
        })?;
        if let Some(hash) = hash {
            mac::same(&mac::hex(&mac::sha256(request.body)), &hash)?;
        }
        Ok(fields)
    }

    fn keys(
        &self,
        request: &WebhookRequest<'_>,
    ) -> Result<(Algorithm, Vec<&WebhookSecret>), WebhookError> {
        let Some(settings) = request.header(SETTINGS)? else {
            return Ok((Algorithm::Sha1, self.auth_tokens.iter().collect()));
        };
        let (mut id, mut algorithm) = (None, None);
        for setting in settings.split(',') {
            let (name, value) = setting.split_once('=').ok_or(WebhookError::Unsigned)?;
            let slot = match name.trim() {
                "key" => &mut id,
                "algorithm" => &mut algorithm,
                _ => continue,
            };
            if slot.replace(value.trim()).is_some() {
                return Err(WebhookError::Unsigned);
            }
        }
        let algorithm = match algorithm {
            Some("HMAC_SHA256") => Algorithm::Sha256,
            Some("HMAC_SHA1") => Algorithm::Sha1,
            _ => return Err(WebhookError::BadSignature),
        };
        let named = |key: &&(String, WebhookSecret)| id == Some(key.0.as_str());
        let keys = self.shared_keys.iter().filter(named).map(|(_, key)| key);
        Ok((algorithm, keys.collect()))
    }
}

/// Writes the fields as they are signed: keys in byte order, each value of a key once and sorted.
fn written(fields: &[Pair]) -> Vec<u8> {
    let mut sorted: Vec<&Pair> = fields.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
        .iter()
        .flat_map(|pair| pair.key.iter().chain(&pair.value))
        .copied()
        .collect()
}

fn body_hash(query: &[Pair]) -> Result<String, WebhookError> {
    let mut hashes = query.iter().filter(|pair| pair.key == BODY_HASH);
    match (hashes.next(), hashes.next()) {
        (Some(hash), None) => {
            String::from_utf8(hash.value.clone()).map_err(|_| WebhookError::Unsigned)
        }
        _ => Err(WebhookError::Unsigned),
    }
}

fn sign(
    algorithm: Algorithm,
    key: &[u8],
    url: &[u8],
    fields: &[u8],
) -> Result<String, WebhookError> {
    Ok(match algorithm {
        Algorithm::Sha256 => STANDARD.encode(mac::hmac_sha256(key, &[url, fields])?),
        Algorithm::Sha1 => {
            let mac = Hmac::<Sha1>::new_from_slice(key).map_err(|_| WebhookError::BadSignature)?;
            let mac = mac.chain_update(url).chain_update(fields);
            STANDARD.encode(mac.finalize().into_bytes())
        }
    })
}

#[async_trait]
impl Webhook for TwilioWebhook {
    fn name(&self) -> &str {
        NAME
    }

    async fn read(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Answer, WebhookError> {
        let fields = self.believed(request)?;
        let sid = match form::text(&fields, "MessageSid")? {
            Some(sid) => sid,
            None => form::required(&fields, "SmsSid")?,
        };
        if !is_message(sid) {
            return Err(WebhookError::Malformed("MessageSid"));
        }
        let status = match form::text(&fields, "MessageStatus")? {
            Some(status) => status,
            None => form::required(&fields, "SmsStatus")?,
        };
        let code =
            form::text(&fields, "ErrorCode")?.filter(|code| !code.is_empty() && *code != "0");
        let Some(state) = state(status, code)? else {
            let notice = Notice::new(NAME, status, now, Topic::Other, &[sid, status]);
            return Ok(notice.into_answer());
        };
        let report = Report::new(NAME, sid, status, state, now);
        Ok(event::report(match code {
            Some(code) => report.with_code(code),
            None => report,
        }))
    }
}

fn is_message(sid: &str) -> bool {
    let hex = sid.strip_prefix("SM").or_else(|| sid.strip_prefix("MM"));
    hex.is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn state(status: &str, code: Option<&str>) -> Result<Option<DeliveryState>, WebhookError> {
    Ok(Some(match status {
        "accepted" | "scheduled" | "queued" | "sending" => DeliveryState::Queued,
        "sent" | "partially_delivered" => DeliveryState::Sent,
        "delivered" => DeliveryState::Delivered,
        "read" => DeliveryState::Read,
        "canceled" => DeliveryState::Cancelled,
        "undelivered" | "failed" => DeliveryState::Failed(match code {
            Some(code) => {
                let code = code
                    .parse()
                    .map_err(|_| WebhookError::Malformed("ErrorCode"))?;
                classify_status(code)
            }
            None => DeliveryErrorKind::Unavailable,
        }),
        _ => return Ok(None),
    }))
}
