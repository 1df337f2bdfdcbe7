use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryErrorKind, DeliveryState, ReplayKey, Report};

use super::form::{self, Pair};
use super::url_text::UrlText;
use super::{
    Answer, Notice, Topic, Webhook, WebhookError, WebhookRequest, WebhookSecret, async_trait,
    event, mac,
};
use crate::plivo::classify_status;

const NAME: &str = "plivo";
const FORM: &str = "application/x-www-form-urlencoded";
const LONGEST_NONCE: usize = 128;

/// Reads Plivo's delivery callbacks, signed with `X-Plivo-Signature-V3`.
///
/// The signature covers the URL, its query, the fields and a nonce. Plivo signs some callbacks of
/// its messaging product with V2 only, see [`accept_v2`](Self::accept_v2). There is no signed time:
/// the replay key is the nonce with the message and its status.
///
/// Source: Plivo's pages on signature validation and the message object.
#[derive(Clone, Debug)]
pub struct PlivoWebhook {
    auth_tokens: Vec<WebhookSecret>,
    v2: V2,
}

/// A request that was signed, and what its signature covers.
struct Signed<'a> {
    nonce: &'a str,
    fields: Vec<Pair>,
    covers: Covers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Covers {
    Fields,
    Path,
}

impl Signed<'_> {
    /// Gives what tells a repetition. Where the fields are not covered, they may be anybody's: then
    /// the nonce is taken once, whatever they say.
    fn told<'t>(&'t self, id: &'t str, status: &'t str) -> Vec<&'t str> {
        match self.covers {
            Covers::Fields => vec![id, status, self.nonce],
            Covers::Path => vec![self.nonce],
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum V2 {
    Refused,
    Accepted,
}

impl PlivoWebhook {
    /// Takes the auth token of the account, or of the subaccount that sends.
    #[must_use]
    pub fn new(auth_token: WebhookSecret) -> Self {
        Self {
            auth_tokens: vec![auth_token],
            v2: V2::Refused,
        }
    }

    /// Takes another auth token: the next one of a rotation, the main account's.
    #[must_use]
    pub fn or_auth_token(mut self, auth_token: WebhookSecret) -> Self {
        self.auth_tokens.push(auth_token);
        self
    }

    /// Accepts signature V2 too, where a request has no V3.
    ///
    /// # Security
    /// V2 covers neither the query nor the fields. A nonce is taken once, whatever the fields say, so
    /// that whoever sees a callback afterwards can do nothing with its signature; who keeps one from
    /// arriving can send another status in its place. Where that matters, use a callback URL whose
    /// path holds a secret, and ask the API before acting on a status.
    #[must_use]
    pub fn accept_v2(mut self) -> Self {
        self.v2 = V2::Accepted;
        self
    }

    /// Checks the signature and reads nothing else.
    ///
    /// # Errors
    /// [`WebhookError`] where the request cannot be believed.
    pub fn verify(&self, request: &WebhookRequest<'_>) -> Result<(), WebhookError> {
        self.believed(request).map(drop)
    }

    fn believed<'a>(&self, request: &WebhookRequest<'a>) -> Result<Signed<'a>, WebhookError> {
        let url = UrlText::split(request.url).ok_or(WebhookError::BadSignature)?;
        let query = form::pairs(url.query().unwrap_or_default().as_bytes())?;
        let fields = if request.method == Method::POST {
            if !request.body.is_empty() {
                request.is_of_type(FORM)?;
            }
            form::pairs(request.body)?
        } else if request.method == Method::GET {
            Vec::new()
        } else {
            return Err(WebhookError::Malformed("method"));
        };
        let v3 = signatures(request, ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"])?;
        let (nonce, signed, given, covers) = match self.v2 {
            V2::Accepted if v3.is_empty() => {
                let v2 = signatures(request, ["x-plivo-signature-v2", "x-plivo-signature-ma-v2"])?;
                let nonce = nonce(request, "x-plivo-signature-v2-nonce")?;
                (nonce, url.base().into_bytes(), v2, Covers::Path)
            }
            _ => {
                let nonce = nonce(request, "x-plivo-signature-v3-nonce")?;
                let mut signed = url.base().into_bytes();
                write_v3(&mut signed, &query, &fields);
                signed.push(b'.');
                (nonce, signed, v3, Covers::Fields)
            }
        };
        if given.is_empty() {
            return Err(WebhookError::Unsigned);
        }
        mac::any_fits(&self.auth_tokens, &given, |key| {
            let made = mac::hmac_sha256(key, &[&signed, nonce.as_bytes()])?;
            Ok(vec![STANDARD.encode(made)])
        })?;
        let fields = if request.method == Method::GET {
            query
        } else {
            fields
        };
        Ok(Signed {
            nonce,
            fields,
            covers,
        })
    }
}

/// Gathers the signatures of the account and of its main account; a header may hold several.
fn signatures<'a>(
    request: &WebhookRequest<'a>,
    names: [&'static str; 2],
) -> Result<Vec<&'a str>, WebhookError> {
    let mut found = Vec::new();
    for name in names {
        if let Some(values) = request.header(name)? {
            found.extend(values.split(','));
        }
    }
    Ok(found)
}

fn nonce<'a>(request: &WebhookRequest<'a>, name: &'static str) -> Result<&'a str, WebhookError> {
    let nonce = request.signed_header(name)?;
    if (1..=LONGEST_NONCE).contains(&nonce.len()) {
        Ok(nonce)
    } else {
        Err(WebhookError::Unsigned)
    }
}

/// Writes what V3 signs behind the path: `?`, the sorted query, and the sorted fields after a dot.
fn write_v3(out: &mut Vec<u8>, query: &[Pair], fields: &[Pair]) {
    let mut query: Vec<&Pair> = query.iter().collect();
    query.sort_unstable();
    let mut fields: Vec<&Pair> = fields.iter().collect();
    fields.sort_unstable();
    if !query.is_empty() || !fields.is_empty() {
        out.push(b'?');
    }
    let query: Vec<Vec<u8>> = query
        .iter()
        .map(|pair| [pair.key.as_slice(), b"=", &pair.value].concat())
        .collect();
    out.extend(query.join(&b'&'));
    if !query.is_empty() && !fields.is_empty() {
        out.push(b'.');
    }
    for field in fields {
        out.extend(&field.key);
        out.extend(&field.value);
    }
}

#[async_trait]
impl Webhook for PlivoWebhook {
    fn name(&self) -> &str {
        NAME
    }

    async fn read(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Answer, WebhookError> {
        let signed = self.believed(request)?;
        let id = form::required(&signed.fields, "MessageUUID")?;
        let status = form::required(&signed.fields, "Status")?;
        let code = form::text(&signed.fields, "ErrorCode")?;
        let code = code.filter(|code| !code.is_empty() && !code.trim_start_matches('0').is_empty());
        let state = match status {
            "queued" => DeliveryState::Queued,
            "sent" => DeliveryState::Sent,
            "delivered" => DeliveryState::Delivered,
            "read" => DeliveryState::Read,
            "failed" | "undelivered" | "rejected" => DeliveryState::Failed(match code {
                Some(code) => {
                    let code = code
                        .parse()
                        .map_err(|_| WebhookError::Malformed("ErrorCode"))?;
                    classify_status(code)
                }
                None => DeliveryErrorKind::Unavailable,
            }),
            other => {
                let notice = Notice::new(NAME, other, now, Topic::Other, &signed.told(id, other));
                return Ok(notice.into_answer());
            }
        };
        let report = Report::new(NAME, id, status, state, now)
            .with_replay(ReplayKey::new(NAME, &signed.told(id, status)));
        Ok(event::report(match code {
            Some(code) => report.with_code(code),
            None => report,
        }))
    }
}
