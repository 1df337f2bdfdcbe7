#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod browser;
pub mod client;
pub mod cookie;
pub mod cors;
pub mod edge;
pub mod error;
pub mod factors;
pub mod idempotency;
pub mod json;
pub mod language;
mod limits;
pub mod link;
pub mod member;
pub mod openapi;
pub mod operators;
mod page;
mod path;
pub mod quota;
pub mod refusal;
pub mod sessions;
pub mod sign_in;
pub mod status;
pub mod time;
pub mod webhooks;

pub use browser::Browser;
pub use client::Client;
pub use edge::Edge;
pub use error::ApiError;
pub use idempotency::IdempotencyKey;
pub use json::StrictJson;
pub use language::AcceptLanguage;
pub use page::{OperatorPage, WebhookCounts};
pub use path::PathPart;
pub use quota::QuotaLayer;
pub use refusal::Refusal;
