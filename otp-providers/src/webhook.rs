//! Delivery webhooks: what a vendor reports about messages, read without trusting a byte of it.
//!
//! A [`Webhook`] takes the raw request and the time, checks the signature over the bytes as they
//! came, then how old it is, and only then reads what they say. No web framework is involved: the
//! host hands over method, public URL, headers and body, and answers with
//! [`WebhookError::status`] or any 2xx.
//!
//! | feature | reader | what is signed |
//! |---|---|---|
//! | `twilio-webhook` | `TwilioWebhook` | URL and form fields, or URL and body hash; no time |
//! | `sendgrid-webhook` | `SendGridWebhook` | time and body |
//! | `plivo-webhook` | `PlivoWebhook` | URL, fields and nonce; V2, by opt-in, leaves the fields out |
//! | `vonage-webhook` | `VonageWebhook`, `VonageSmsWebhook` | token with time and body hash; fields |
//! | `ses-webhook` | `SesWebhook` | the message of Amazon SNS that carries the event |
//! | `whatsapp-webhook` | `WhatsAppWebhook` | body; no time |
//! | `telegram-webhook` | `TelegramGatewayWebhook` | time and body |
//! | `resend-webhook` | `ResendWebhook` | id, time and body (Svix) |
//! | `mailgun-webhook` | `MailgunWebhook` | time and token only |
//!
//! What the host does with the answer, in this order: hand each event's
//! [`ReplayKey`](otp_core::delivery::ReplayKey) to `SeenStore::first_seen`, skip what was seen, and
//! move the message's state by `DeliveryState::advance`. An event about a message that nobody knows
//! is answered with 200 all the same.
//!
//! With the feature `telegram-login` there is `TelegramBot` beside them: it reads what Telegram signs
//! in the same way, a login instead of a report.
#![cfg_attr(
    not(feature = "webhooks"),
    allow(dead_code, reason = "some readers use some of what all of them share")
)]

mod error;
mod event;
mod form;
mod freshness;
mod json;
mod mac;
mod request;
mod secret;
mod url_text;

#[cfg(feature = "mailgun-webhook")]
mod mailgun;
#[cfg(feature = "plivo-webhook")]
mod plivo;
#[cfg(feature = "resend-webhook")]
mod resend;
#[cfg(feature = "sendgrid-webhook")]
mod sendgrid;
#[cfg(feature = "ses-webhook")]
mod ses;
#[cfg(feature = "telegram-webhook")]
mod telegram;
#[cfg(feature = "telegram-login")]
mod telegram_login;
#[cfg(feature = "twilio-webhook")]
mod twilio;
#[cfg(feature = "vonage-webhook")]
mod vonage;
#[cfg(feature = "whatsapp-webhook")]
mod whatsapp;

#[cfg(test)]
mod tests;

use std::fmt::Debug;

/// Lets a trait's methods be `async` behind `dyn`; put it on an `impl` of [`Webhook`].
pub use ::async_trait::async_trait;
use otp_core::clock::Timestamp;

pub use self::error::WebhookError;
pub use self::event::{Answer, Event, Notice, TemplateUpdate, Topic};
#[cfg(feature = "mailgun-webhook")]
pub use self::mailgun::{MailgunSignature, MailgunWebhook};
#[cfg(feature = "plivo-webhook")]
pub use self::plivo::PlivoWebhook;
pub use self::request::{InvalidPublicUrl, PublicUrl, WebhookRequest};
#[cfg(feature = "resend-webhook")]
pub use self::resend::{ResendWebhook, SvixSecret};
pub use self::secret::{InvalidSecret, WebhookSecret};
#[cfg(feature = "sendgrid-webhook")]
pub use self::sendgrid::{EventPublicKey, InvalidPublicKey, SendGridWebhook};
#[cfg(feature = "ses-webhook")]
pub use self::ses::{
    CertificateSource, CertificateUnavailable, CertificateUrl, HttpCertificates,
    InvalidCertificateUrl, SesWebhook,
};
#[cfg(feature = "telegram-webhook")]
pub use self::telegram::TelegramGatewayWebhook;
#[cfg(feature = "telegram-login")]
pub use self::telegram_login::{
    TelegramBot, TelegramKey, TelegramLogin, TelegramPerson, TelegramRefusal,
};
#[cfg(feature = "twilio-webhook")]
pub use self::twilio::TwilioWebhook;
#[cfg(feature = "vonage-webhook")]
pub use self::vonage::{VonageSignatureMethod, VonageSmsWebhook, VonageWebhook};
#[cfg(feature = "whatsapp-webhook")]
pub use self::whatsapp::WhatsAppWebhook;

/// Reads one vendor's webhooks.
///
/// # Contract
/// - Nothing is believed, parsed into values or fetched for a request before what its signature
///   covers was compared in constant time, except what is needed to find the signature.
/// - Every one of several secrets is tried, so that a rotation loses no event.
/// - A signed time further from `now` than the reader's tolerance is [`WebhookError::Stale`].
///   Where the vendor signs no time, only the replay keys of the events protect from replays.
/// - Reading changes nothing and remembers nothing about the request: the same request is read the
///   same way twice. Replays are for the host's `SeenStore` to tell.
/// - No error and no `Debug` holds a secret, the URL or any of the body.
#[async_trait]
pub trait Webhook: Debug + Send + Sync + 'static {
    /// Names the vendor as its reports do, for example `twilio`.
    fn name(&self) -> &str;

    /// Checks and reads one request.
    ///
    /// # Errors
    /// [`WebhookError`] by what to answer, see [`WebhookError::status`].
    async fn read(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Answer, WebhookError>;
}
