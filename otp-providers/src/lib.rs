//! Delivery adapters of otp-kit, one file a vendor.
//!
//! | feature | adapter | channel |
//! |---|---|---|
//! | `twilio` | `twilio::Twilio`: Twilio Programmable Messaging | SMS, or WhatsApp |
//! | `twilio` | `twilio_verify::TwilioVerify`: Twilio Verify, which makes and checks codes itself | SMS, voice, WhatsApp, e-mail |
//! | `plivo` | `plivo::Plivo`: its message API | SMS |
//! | `vonage` | `vonage::Vonage`: its SMS API | SMS |
//! | `sns` | `sns::Sns`: Amazon SNS | SMS |
//! | `whatsapp` | `whatsapp::WhatsApp`: Meta's Cloud API | WhatsApp |
//! | `telegram` | `telegram::TelegramGateway`: the Gateway API, with our codes, or with its own by `TelegramVerify` | Telegram |
//! | `sendgrid` | `sendgrid::SendGrid`: its v3 API | e-mail |
//! | `ses` | `ses::Ses`: Amazon SES v2 | e-mail |
//! | `smtp` | `smtp::Smtp`: any submission server | e-mail |
//! | `generic` | `generic::HttpProvider`: any vendor that takes one POST, described by data | any |
//! | none | `preview::Preview`: keeps messages in memory, in debug builds or with `danger-preview` | all |
//!
//! The modules `captcha` and `status_page`, behind features of their names, check captchas with their
//! vendors and read what vendors say of themselves.
//!
//! An adapter talks through an [`HttpTransport`](http::HttpTransport). With the feature `reqwest`
//! each makes a client of its own unless it is given one; without it a transport must be given.
//! An adapter never pulls a client into the build.
//!
//! With a feature such as `twilio-webhook` the module `webhook` reads what a vendor reports back.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod http;

#[cfg(any(feature = "ses", feature = "sns"))]
pub mod aws;
#[cfg(feature = "captcha")]
pub mod captcha;
mod classified;
mod config;
#[cfg(feature = "generic")]
pub mod generic;
#[cfg(test)]
#[cfg(any(feature = "_wire", feature = "smtp"))]
mod kit;
#[cfg(feature = "plivo")]
pub mod plivo;
#[cfg(any(debug_assertions, feature = "danger-preview"))]
pub mod preview;
#[cfg(any(
    feature = "captcha",
    feature = "resend-webhook",
    feature = "ses-webhook",
    feature = "vonage-webhook"
))]
mod rfc3339;
#[cfg(any(
    feature = "plivo",
    feature = "sns",
    feature = "twilio",
    feature = "vonage"
))]
mod sender;
#[cfg(feature = "sendgrid")]
pub mod sendgrid;
#[cfg(feature = "ses")]
pub mod ses;
#[cfg(feature = "smtp")]
pub mod smtp;
#[cfg(feature = "sns")]
pub mod sns;
#[cfg(feature = "status-page")]
pub mod status_page;
#[cfg(feature = "telegram")]
pub mod telegram;
#[cfg(feature = "twilio")]
pub mod twilio;
#[cfg(feature = "twilio")]
pub mod twilio_verify;
#[cfg(feature = "vonage")]
pub mod vonage;
#[cfg(feature = "_webhook")]
pub mod webhook;
#[cfg(feature = "whatsapp")]
pub mod whatsapp;
#[cfg(feature = "_wire")]
mod wire;

pub use classified::Classified;
pub use config::ConfigError;
