use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use otp_core::clock::Timestamp;
use serde_json::Value;

use super::super::{WebhookError, WebhookSecret, freshness, json, mac};

/// What a token says, of what is used.
pub(super) struct Claims {
    pub(super) id: Option<String>,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) payload_hash: String,
}

/// Opens a compact JWS (RFC 7515 section 7.1) that is signed with HS256 and nothing else.
pub(super) fn open(token: &str, secrets: &[WebhookSecret]) -> Result<Claims, WebhookError> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(WebhookError::Unsigned);
    };
    mac::any_fits(secrets, &[signature], |secret| {
        let made = mac::hmac_sha256(secret, &[header.as_bytes(), b".", payload.as_bytes()])?;
        Ok(vec![URL_SAFE_NO_PAD.encode(made)])
    })?;
    let header = part(header)?;
    let plain = json::text(&header, "alg")? == Some("HS256") && header.get("crit").is_none();
    if !plain {
        return Err(WebhookError::BadSignature);
    }
    let claims = part(payload)?;
    Ok(Claims {
        id: json::text(&claims, "jti")?.map(str::to_owned),
        issued_at: time(&claims, "iat")?.ok_or(WebhookError::Malformed("iat"))?,
        expires_at: time(&claims, "exp")?,
        payload_hash: json::required(&claims, "payload_hash")?.to_owned(),
    })
}

fn part(text: &str) -> Result<Value, WebhookError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| WebhookError::Malformed("token"))?;
    json::parse(&bytes, "token")
}

fn time(claims: &Value, key: &'static str) -> Result<Option<Timestamp>, WebhookError> {
    match claims.get(key) {
        None => Ok(None),
        Some(seconds) => seconds
            .as_u64()
            .and_then(freshness::from_seconds)
            .map(Some)
            .ok_or(WebhookError::Malformed(key)),
    }
}
