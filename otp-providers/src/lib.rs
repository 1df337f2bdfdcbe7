//! Delivery adapters of otp-kit, one file a vendor.
//!
//! | feature | adapter | channel |
//! |---|---|---|
//! | `twilio` | `twilio::Twilio`: Twilio Programmable Messaging | SMS |
//! | `sendgrid` | `sendgrid::SendGrid`: its v3 API | e-mail |
//! | none | `preview::Preview`: keeps messages in memory, in debug builds or with `danger-preview` | all |
//!
//! An adapter talks through an [`HttpTransport`](http::HttpTransport). With the feature `reqwest`
//! each makes a client of its own unless it is given one; without it a transport must be given.
//! An adapter never pulls a client into the build.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod http;

mod classified;
mod config;
#[cfg(any(debug_assertions, feature = "danger-preview"))]
pub mod preview;
#[cfg(feature = "sendgrid")]
pub mod sendgrid;
#[cfg(feature = "twilio")]
pub mod twilio;

pub use classified::Classified;
pub use config::ConfigError;
