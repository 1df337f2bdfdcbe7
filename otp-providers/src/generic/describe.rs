use std::collections::BTreeMap;

use otp_core::delivery::{DeliveryErrorKind, DispatchCertainty};
use serde::Deserialize;

/// A vendor in data: what is sent to it, and how its replies are read.
///
/// It holds names of secrets, never secrets. Unknown keys are refused when it is loaded; the rest
/// is checked when the provider is built.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VendorDescription {
    /// Names the vendor in events: 1 to 32 of `a-z 0-9 - _`.
    pub name: String,
    /// The channels that it serves: `sms`, `whatsapp`, `telegram`, `voice`, `email`.
    pub channels: Vec<String>,
    /// Where the API is: `https`, or `http` on loopback.
    pub base_url: String,
    /// The path below it. It may hold `{id}` and `{secret:name}`, each within one segment.
    pub path: String,
    /// How the host shows who it is. Default: by nothing but the headers.
    #[serde(default)]
    pub auth: Option<AuthDescription>,
    /// Further headers; values may hold `{id}`, `{locale}` and `{secret:name}`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What is sent.
    pub body: BodyDescription,
    /// The statuses of a message that was accepted, all of them 2xx.
    pub accepted: Vec<u16>,
    /// What the reply must say besides, for vendors that answer 200 to everything.
    #[serde(default)]
    pub accepted_when: Option<ReplyMatch>,
    /// Where the vendor's id of the message is. Where it is named, a reply without one is no
    /// acceptance.
    #[serde(default)]
    pub reference: Option<ReferenceDescription>,
    /// What refusals mean; the first that fits holds. What fits none is read by its status.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
}

/// How the host shows who it is; every text names a secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum AuthDescription {
    /// `Authorization: Bearer` and the secret (RFC 6750).
    Bearer(String),
    /// HTTP Basic (RFC 7617).
    Basic {
        /// Names the secret that is the user.
        user: String,
        /// Names the secret that is the password.
        password: String,
    },
}

/// What is sent. Every text in it is a template.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum BodyDescription {
    /// A JSON value. A member whose whole text is a placeholder without a value for this message
    /// (`{html}`, `{subject}`) is left out; `{expires_in}` alone is a number.
    Json(serde_json::Value),
    /// Form fields. A field whose whole text is a placeholder without a value is left out.
    Form(BTreeMap<String, String>),
}

/// Where the vendor's id of the message is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ReferenceDescription {
    /// In the JSON reply, by JSON pointer (RFC 6901).
    Pointer(String),
    /// In a header of the reply.
    Header(String),
}

/// A place in a JSON reply and the values that are looked for there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReplyMatch {
    /// The JSON pointer (RFC 6901).
    pub pointer: String,
    /// The values that fit; numbers and booleans are compared as they are written.
    pub equals: Vec<String>,
}

/// What a refusal means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ErrorRule {
    /// The status that it comes with. Default: any.
    #[serde(default)]
    pub status: Option<u16>,
    /// Where in the reply its code is, by JSON pointer. Default: the status is enough.
    #[serde(default)]
    pub pointer: Option<String>,
    /// The codes, where a pointer is set.
    #[serde(default)]
    pub equals: Vec<String>,
    /// What it means.
    pub kind: KindName,
    /// Whether the message may be on its way. Default: `not_sent` for a 4xx other than 408,
    /// `unknown` for all else.
    #[serde(default)]
    pub certainty: Option<CertaintyName>,
}

/// A kind of error, as descriptions name it; see [`DeliveryErrorKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KindName {
    /// [`DeliveryErrorKind::Invalid`]
    Invalid,
    /// [`DeliveryErrorKind::Unreachable`]
    Unreachable,
    /// [`DeliveryErrorKind::OptedOut`]
    OptedOut,
    /// [`DeliveryErrorKind::Protected`]
    Protected,
    /// [`DeliveryErrorKind::Unauthorized`]
    Unauthorized,
    /// [`DeliveryErrorKind::Throttled`]
    Throttled,
    /// [`DeliveryErrorKind::Unavailable`]
    Unavailable,
    /// [`DeliveryErrorKind::Timeout`]
    Timeout,
    /// [`DeliveryErrorKind::Protocol`]
    Protocol,
}

impl From<KindName> for DeliveryErrorKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Invalid => Self::Invalid,
            KindName::Unreachable => Self::Unreachable,
            KindName::OptedOut => Self::OptedOut,
            KindName::Protected => Self::Protected,
            KindName::Unauthorized => Self::Unauthorized,
            KindName::Throttled => Self::Throttled,
            KindName::Unavailable => Self::Unavailable,
            KindName::Timeout => Self::Timeout,
            KindName::Protocol => Self::Protocol,
        }
    }
}

/// A certainty, as descriptions name it; see [`DispatchCertainty`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertaintyName {
    /// [`DispatchCertainty::NotSent`]
    NotSent,
    /// [`DispatchCertainty::Unknown`]
    Unknown,
}

impl From<CertaintyName> for DispatchCertainty {
    fn from(name: CertaintyName) -> Self {
        match name {
            CertaintyName::NotSent => Self::NotSent,
            CertaintyName::Unknown => Self::Unknown,
        }
    }
}
