//! One good request of each vendor, and how the vendor would sign another body.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use sha1::Sha1;

use super::super::mac::{hex, hmac_sha256, sha256};
use super::super::{
    EventPublicKey, MailgunWebhook, PlivoWebhook, ResendWebhook, SendGridWebhook, SvixSecret,
    TelegramGatewayWebhook, TwilioWebhook, VonageSignatureMethod, VonageSmsWebhook, VonageWebhook,
    Webhook, WhatsAppWebhook,
};
use super::support::{Sent, secret};

pub(super) const URL: &str = "https://hooks.example.com/in?tenant=7";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const SECONDS: &str = "1700000000";

/// What a signature covers beside its own headers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Covers {
    Body,
    Fields,
    Nothing,
}

/// Signs a body as the vendor would.
type Sign = dyn Fn(&[u8]) -> Sent;

pub(super) struct Vendor {
    pub(super) webhook: Box<dyn Webhook>,
    /// Knows another secret only.
    pub(super) other: Box<dyn Webhook>,
    /// Knows another secret first and the right one second.
    pub(super) rotated: Box<dyn Webhook>,
    /// The header of the signature, or none where it is in the body.
    pub(super) signature: Option<&'static str>,
    pub(super) covers: Covers,
    pub(super) timed: bool,
    pub(super) url_signed: bool,
    pub(super) body: Vec<u8>,
    pub(super) sign: Box<Sign>,
}

impl Vendor {
    pub(super) fn good(&self) -> Sent {
        (self.sign)(&self.body)
    }
}

fn mac256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    hmac_sha256(key, parts).expect("any key")
}

pub(super) fn all() -> Vec<Vendor> {
    vec![
        twilio(),
        sendgrid(),
        plivo(),
        vonage(),
        vonage_sms(),
        whatsapp(),
        telegram(),
        resend(),
        mailgun(),
    ]
}

pub(super) fn sign_twilio(token: &str, url: &str, fields: &[u8]) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("any key");
    STANDARD.encode(
        mac.chain_update(url)
            .chain_update(fields)
            .finalize()
            .into_bytes(),
    )
}

/// Writes the fields of a form whose keys are in order and which has nothing to decode but `%xx`.
fn plain(form: &[u8]) -> Vec<u8> {
    let pairs = super::super::form::pairs(form).expect("a form");
    pairs
        .into_iter()
        .flat_map(|pair| [pair.key, pair.value].concat())
        .collect()
}

fn twilio() -> Vendor {
    let reader = || TwilioWebhook::new(secret("token"));
    Vendor {
        webhook: Box::new(reader()),
        other: Box::new(TwilioWebhook::new(secret("other"))),
        rotated: Box::new(TwilioWebhook::new(secret("other")).or_auth_token(secret("token"))),
        signature: Some("x-twilio-signature"),
        covers: Covers::Fields,
        timed: false,
        url_signed: true,
        body: format!("MessageSid=SM{}&MessageStatus=delivered", "0a".repeat(16)).into_bytes(),
        sign: Box::new(|body| {
            let signature = sign_twilio("token", URL, &plain(body));
            let headers = vec![
                ("content-type", FORM.to_owned()),
                ("x-twilio-signature", signature),
            ];
            Sent::post(URL, headers, body)
        }),
    }
}

fn sendgrid() -> Vendor {
    let pair = |random: &SystemRandom| {
        let how = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(how, random).expect("a key");
        EcdsaKeyPair::from_pkcs8(how, document.as_ref(), random).expect("a key")
    };
    let public = |pair: &EcdsaKeyPair| {
        let head = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let head = (0..head.len()).step_by(2);
        let text = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let mut der: Vec<u8> = head
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
            .collect();
        der.extend(pair.public_key().as_ref());
        EventPublicKey::parse(&STANDARD.encode(der)).expect("a key")
    };
    let random = SystemRandom::new();
    let (right, wrong) = (pair(&random), pair(&random));
    let (right_key, wrong_key) = (public(&right), public(&wrong));
    Vendor {
        webhook: Box::new(SendGridWebhook::new(right_key.clone())),
        other: Box::new(SendGridWebhook::new(wrong_key.clone())),
        rotated: Box::new(SendGridWebhook::new(wrong_key).or_key(right_key)),
        signature: Some("x-twilio-email-event-webhook-signature"),
        covers: Covers::Body,
        timed: true,
        url_signed: false,
        body: br#"[{"event":"delivered","timestamp":1700000000,"sg_event_id":"e","sg_message_id":"m.recv"}]"#.to_vec(),
        sign: Box::new(move |body| {
            let message = [SECONDS.as_bytes(), body].concat();
            let signature = right.sign(&random, &message).expect("a signature");
            let headers = vec![
                ("x-twilio-email-event-webhook-timestamp", SECONDS.to_owned()),
                ("x-twilio-email-event-webhook-signature", STANDARD.encode(signature)),
            ];
            Sent::post(URL, headers, body)
        }),
    }
}

fn plivo() -> Vendor {
    Vendor {
        webhook: Box::new(PlivoWebhook::new(secret("token"))),
        other: Box::new(PlivoWebhook::new(secret("other"))),
        rotated: Box::new(PlivoWebhook::new(secret("other")).or_auth_token(secret("token"))),
        signature: Some("x-plivo-signature-v3"),
        covers: Covers::Fields,
        timed: false,
        url_signed: true,
        body: b"MessageUUID=u&Status=delivered".to_vec(),
        sign: Box::new(|body| {
            let mut signed = b"https://hooks.example.com/in?tenant=7.".to_vec();
            signed.extend(plain(body));
            signed.extend(b".nonce");
            let headers = vec![
                ("content-type", FORM.to_owned()),
                (
                    "x-plivo-signature-v3",
                    STANDARD.encode(mac256(b"token", &[&signed])),
                ),
                ("x-plivo-signature-v3-nonce", "nonce".to_owned()),
            ];
            Sent::post(URL, headers, body)
        }),
    }
}

pub(super) fn token(header: &str, claims: &str, key: &[u8]) -> String {
    let head = [header, claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".");
    let mac = URL_SAFE_NO_PAD.encode(mac256(key, &[head.as_bytes()]));
    format!("{head}.{mac}")
}

pub(super) fn claims(body: &[u8]) -> String {
    let hash = hex(&sha256(body));
    format!(r#"{{"iat":{SECONDS},"jti":"j","payload_hash":"{hash}"}}"#)
}

fn vonage() -> Vendor {
    Vendor {
        webhook: Box::new(VonageWebhook::new(secret("secret"))),
        other: Box::new(VonageWebhook::new(secret("other"))),
        rotated: Box::new(VonageWebhook::new(secret("other")).or_secret(secret("secret"))),
        signature: Some("authorization"),
        covers: Covers::Body,
        timed: true,
        url_signed: false,
        body: br#"{"message_uuid":"u","status":"delivered"}"#.to_vec(),
        sign: Box::new(|body| {
            let token = token(r#"{"alg":"HS256","typ":"JWT"}"#, &claims(body), b"secret");
            Sent::post(
                URL,
                vec![("authorization", format!("Bearer {token}"))],
                body,
            )
        }),
    }
}

fn vonage_sms() -> Vendor {
    let reader = |key| VonageSmsWebhook::new(secret(key), VonageSignatureMethod::HmacSha256);
    Vendor {
        webhook: Box::new(reader("secret")),
        other: Box::new(reader("other")),
        rotated: Box::new(reader("other").or_secret(secret("secret"))),
        signature: None,
        covers: Covers::Fields,
        timed: true,
        url_signed: false,
        body: b"messageId=m&status=delivered&timestamp=1700000000".to_vec(),
        sign: Box::new(|body| {
            let pairs = super::super::form::pairs(body).expect("a form");
            let mut signed = Vec::new();
            for pair in pairs {
                signed.extend([b"&", pair.key.as_slice(), b"=", &pair.value].concat());
            }
            let sig = hex(&mac256(b"secret", &[&signed]));
            let body = [body, b"&sig=", sig.as_bytes()].concat();
            Sent::post(URL, vec![("content-type", FORM.to_owned())], &body)
        }),
    }
}

fn whatsapp() -> Vendor {
    let reader = |key| WhatsAppWebhook::new(secret(key), secret("verify"));
    Vendor {
        webhook: Box::new(reader("secret")),
        other: Box::new(reader("other")),
        rotated: Box::new(reader("other").or_app_secret(secret("secret"))),
        signature: Some("x-hub-signature-256"),
        covers: Covers::Body,
        timed: false,
        url_signed: false,
        body: br#"{"entry":[{"changes":[{"field":"messages","value":{"statuses":[{"id":"w","status":"delivered","timestamp":"1700000000"}]}}]}]}"#.to_vec(),
        sign: Box::new(|body| {
            let signature = format!("sha256={}", hex(&mac256(b"secret", &[body])));
            Sent::post(URL, vec![("x-hub-signature-256", signature)], body)
        }),
    }
}

fn telegram() -> Vendor {
    let reader = |key| TelegramGatewayWebhook::new(secret(key));
    Vendor {
        webhook: Box::new(reader("token")),
        other: Box::new(reader("other")),
        rotated: Box::new(reader("other").or_token(secret("token"))),
        signature: Some("x-request-signature"),
        covers: Covers::Body,
        timed: true,
        url_signed: false,
        body: br#"{"request_id":"r","delivery_status":{"status":"delivered","updated_at":1700000000}}"#.to_vec(),
        sign: Box::new(|body| {
            let mac = mac256(&sha256(b"token"), &[SECONDS.as_bytes(), b"\n", body]);
            let headers = vec![
                ("x-request-timestamp", SECONDS.to_owned()),
                ("x-request-signature", hex(&mac)),
            ];
            Sent::post(URL, headers, body)
        }),
    }
}

fn resend() -> Vendor {
    let key = |key: &str| SvixSecret::parse(&STANDARD.encode(key)).expect("a secret");
    Vendor {
        webhook: Box::new(ResendWebhook::new(key("secret"))),
        other: Box::new(ResendWebhook::new(key("other"))),
        rotated: Box::new(ResendWebhook::new(key("other")).or_secret(key("secret"))),
        signature: Some("svix-signature"),
        covers: Covers::Body,
        timed: true,
        url_signed: false,
        body: br#"{"type":"email.delivered","data":{"email_id":"m"}}"#.to_vec(),
        sign: Box::new(|body| {
            let mac = mac256(b"secret", &[b"msg_1.", SECONDS.as_bytes(), b".", body]);
            let headers = vec![
                ("svix-id", "msg_1".to_owned()),
                ("svix-timestamp", SECONDS.to_owned()),
                ("svix-signature", format!("v1,{}", STANDARD.encode(mac))),
            ];
            Sent::post(URL, headers, body)
        }),
    }
}

/// The body that is given is the event; the signature covers none of it.
fn mailgun() -> Vendor {
    let reader = |key| MailgunWebhook::new(secret(key));
    Vendor {
        webhook: Box::new(reader("key")),
        other: Box::new(reader("other")),
        rotated: Box::new(reader("other").or_signing_key(secret("key"))),
        signature: None,
        covers: Covers::Nothing,
        timed: true,
        url_signed: false,
        body: br#"{"event":"delivered","message":{"headers":{"message-id":"m"}}}"#.to_vec(),
        sign: Box::new(|event| {
            let token = "a1".repeat(25);
            let mac = hex(&mac256(b"key", &[SECONDS.as_bytes(), token.as_bytes()]));
            let head = format!(
                r#"{{"signature":{{"timestamp":"{SECONDS}","token":"{token}","signature":"{mac}"}},"event-data":"#
            );
            let body = [head.as_bytes(), event, b"}"].concat();
            let mut sent = Sent::post(URL, Vec::new(), &body);
            sent.method = Method::POST;
            sent
        }),
    }
}
