use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Reply;
use crate::challenge::{Code, CodeFormat};
use crate::delivery::{DeliveryErrorKind, DeliveryProvider, Message, MessageId};
use crate::destination::{Channel, Destination, DestinationKind, EmailAddress, PhoneNumber};

/// The phone number that the suite sends to; a reply that echoes the recipient names it.
pub const PHONE: &str = "+14155550123";
/// The address that the suite sends to.
pub const EMAIL: &str = "canary.person@example.org";
/// The code that the suite sends.
pub const CODE: &str = "904173";

/// What a provider is built with for one case.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// Where the vendor is.
    pub base_url: String,
    /// How long a call may take in all.
    pub deadline: Duration,
}

type Built = Result<Arc<dyn DeliveryProvider>, Box<dyn Error + Send + Sync>>;

/// A provider as the suite sees it: how it is built, and what its vendor answers.
pub struct ProviderFixture {
    build: Box<dyn Fn(&Setup) -> Built>,
    pub(super) accepted: Reply,
    pub(super) reference: Option<String>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) secrets: Vec<String>,
    pub(super) codes: Option<usize>,
}

/// A reply that the vendor documents, and how it has to be read.
pub(super) struct Refusal {
    pub(super) label: String,
    pub(super) reply: Reply,
    pub(super) kind: DeliveryErrorKind,
}

impl ProviderFixture {
    /// Starts with how the provider is built, and the vendor's documented reply to a message that
    /// it accepts. `build` must take the base URL and the deadline of the [`Setup`], and refuse
    /// what the provider refuses.
    pub fn new<P, E>(build: impl Fn(&Setup) -> Result<P, E> + 'static, accepted: Reply) -> Self
    where
        P: DeliveryProvider,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self {
            build: Box::new(move |setup| match build(setup) {
                Ok(provider) => Ok(Arc::new(provider)),
                Err(error) => Err(error.into()),
            }),
            accepted,
            reference: None,
            refusals: Vec::new(),
            secrets: Vec::new(),
            codes: None,
        }
    }

    /// Names the reference that the receipt of the accepted message must have.
    #[must_use]
    pub fn reference(mut self, reference: &str) -> Self {
        self.reference = Some(reference.to_owned());
        self
    }

    /// Adds a reply that the vendor documents, and the kind that it has to become. At least one
    /// each is needed for `Unauthorized`, `Throttled`, `Unavailable`, `Protocol`, and `Invalid` or
    /// `Unreachable`.
    #[must_use]
    pub fn refusal(mut self, label: &str, reply: Reply, kind: DeliveryErrorKind) -> Self {
        self.refusals.push(Refusal {
            label: label.to_owned(),
            reply,
            kind,
        });
        self
    }

    /// Adds a credential that must never be shown. What the `Authorization` header holds is
    /// watched for anyway.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    /// Sets how often the code is in the request's body, for vendors that need it more than once.
    /// Default: once in the text, and once in the HTML of an e-mail.
    #[must_use]
    pub fn code_appears(mut self, times: usize) -> Self {
        self.codes = Some(times);
        self
    }

    pub(super) fn build(&self, setup: &Setup) -> Built {
        (self.build)(setup)
    }
}

impl fmt::Debug for ProviderFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderFixture")
            .field("refusals", &self.refusals.len())
            .finish_non_exhaustive()
    }
}

/// Makes the message that a channel is tried with.
pub(super) fn message(
    channel: Channel,
    kind: DestinationKind,
) -> Result<Message, Box<dyn Error + Send + Sync>> {
    let destination: Destination = match kind {
        DestinationKind::Phone => PhoneNumber::parse(PHONE)?.into(),
        DestinationKind::Email => EmailAddress::parse(EMAIL)?.into(),
    };
    let code = Code::normalise(CodeFormat::SIX_DIGITS, CODE)?;
    let text = format!("{CODE} is your code.");
    let message = Message::builder(
        MessageId::new("challenge-1"),
        channel,
        destination,
        text,
        code,
    );
    Ok(match channel {
        Channel::Email => message
            .subject("Your code")
            .html(format!("<p>{CODE}</p>"))
            .build(),
        _ => message.build(),
    })
}
