use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Says why a message was not accepted, by what the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeliveryErrorKind {
    /// The request, sender or content is at fault; the same request will fail again here.
    Invalid,
    /// This address cannot get messages on this channel; another channel may work.
    Unreachable,
    /// The person asked the vendor to stop; going round it is not done.
    OptedOut,
    /// A protection of the vendor's (fraud guard, send limit) refused; going round it defeats it.
    Protected,
    /// The credentials, the account or its permissions are at fault; page someone.
    Unauthorized,
    /// Too many requests, none processed; see [`DeliveryError::retry_after`].
    Throttled,
    /// The vendor is down or failing.
    Unavailable,
    /// No answer within the deadline.
    Timeout,
    /// The vendor answered something that it never should.
    Protocol,
}

impl DeliveryErrorKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Invalid,
        Self::Unreachable,
        Self::OptedOut,
        Self::Protected,
        Self::Unauthorized,
        Self::Throttled,
        Self::Unavailable,
        Self::Timeout,
        Self::Protocol,
    ];

    /// Names the kind for events and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unreachable => "unreachable",
            Self::OptedOut => "opted_out",
            Self::Protected => "protected",
            Self::Unauthorized => "unauthorized",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
        }
    }

    /// Folds the kinds into the four things that one can do about them.
    #[must_use]
    pub const fn class(self) -> ErrorClass {
        match self {
            Self::Throttled | Self::Unavailable | Self::Timeout => ErrorClass::Retryable,
            Self::Invalid | Self::Unauthorized | Self::Protocol => ErrorClass::Permanent,
            Self::Unreachable | Self::OptedOut => ErrorClass::Recipient,
            Self::Protected => ErrorClass::Blocked,
        }
    }

    /// Says whether a refusal of this kind forbids trying another provider of the channel.
    #[must_use]
    pub const fn ends_route(self) -> bool {
        matches!(self, Self::OptedOut | Self::Protected)
    }
}

/// What can be done about a delivery error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorClass {
    /// Later with the same provider, or at once with another.
    Retryable,
    /// The request, sender, account or content must change; another provider may work.
    Permanent,
    /// This address on this channel will not work; another channel may.
    Recipient,
    /// A limit or guard on this recipient: wait, and do not route around it.
    Blocked,
}

impl ErrorClass {
    /// Names the class.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::Permanent => "permanent",
            Self::Recipient => "recipient",
            Self::Blocked => "blocked",
        }
    }
}

/// Says whether a message that failed may reach the person all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DispatchCertainty {
    /// The vendor surely did nothing with it; sending it elsewhere cannot double it.
    NotSent,
    /// The request may have been carried out; sending it again may double it.
    Unknown,
}

/// A provider's refusal or failure, without secret, address or URL.
///
/// `Display` says the kind and the provider. The cause is in `source()`, and providers strip it of
/// URLs before they attach it.
#[derive(Debug)]
pub struct DeliveryError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: DeliveryErrorKind,
    certainty: DispatchCertainty,
    provider: String,
    code: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl DeliveryError {
    /// Makes an error of a kind. Certainty starts as the kind's safest reading: timeouts,
    /// unavailability and protocol errors are [`DispatchCertainty::Unknown`], refusals are
    /// [`DispatchCertainty::NotSent`].
    #[must_use]
    pub fn new(kind: DeliveryErrorKind, provider: &str) -> Self {
        let certainty = match kind {
            DeliveryErrorKind::Timeout
            | DeliveryErrorKind::Unavailable
            | DeliveryErrorKind::Protocol => DispatchCertainty::Unknown,
            _ => DispatchCertainty::NotSent,
        };
        Self(Box::new(Inner {
            kind,
            certainty,
            provider: provider.to_owned(),
            code: None,
            retry_after: None,
            source: None,
        }))
    }

    /// States that the vendor surely did nothing with the message (a refused connection, say).
    #[must_use]
    pub fn not_sent(mut self) -> Self {
        self.0.certainty = DispatchCertainty::NotSent;
        self
    }

    /// States that the message may have been sent.
    #[must_use]
    pub fn maybe_sent(mut self) -> Self {
        self.0.certainty = DispatchCertainty::Unknown;
        self
    }

    /// Adds the vendor's own error code, for the operator. Only `[A-Za-z0-9._-]` is kept, 32
    /// characters at most: a vendor that echoes our request cannot smuggle it into a log.
    #[must_use]
    pub fn with_code(mut self, code: &str) -> Self {
        let clean: String = code
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
            .take(32)
            .collect();
        self.0.code = (!clean.is_empty()).then_some(clean);
        self
    }

    /// Adds the vendor's hint of when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Adds the cause. It must hold no URL, token, code or address.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says why, by what to do next.
    #[must_use]
    pub fn kind(&self) -> DeliveryErrorKind {
        self.0.kind
    }

    /// Says whether the message may be on its way all the same.
    #[must_use]
    pub fn certainty(&self) -> DispatchCertainty {
        self.0.certainty
    }

    /// Names the provider. For operators; never for the claimant.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.0.provider
    }

    /// Gives the vendor's own error code, where it sent one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Gives the vendor's hint of when to try again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Says whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.kind.class() == ErrorClass::Retryable
    }
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.0.kind.name(), self.0.provider)?;
        match &self.0.code {
            Some(code) => write!(f, " (code {code})"),
            None => Ok(()),
        }
    }
}

impl Error for DeliveryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| {
            let source: &(dyn Error + 'static) = source;
            source
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_to_be_unsent_and_a_timeout_is_not() {
        let refused = DeliveryError::new(DeliveryErrorKind::Invalid, "acme");
        let silent = DeliveryError::new(DeliveryErrorKind::Timeout, "acme");
        assert_eq!(refused.certainty(), DispatchCertainty::NotSent);
        assert_eq!(silent.certainty(), DispatchCertainty::Unknown);
    }

    #[test]
    fn a_vendor_code_cannot_carry_an_echo_of_the_request() {
        let error = DeliveryError::new(DeliveryErrorKind::Invalid, "acme")
            .with_code("21211 To=+14155550100\r\nBody: 123456 is your code and more and more");
        let code = error.code().unwrap_or_default();
        assert!(code.len() <= 32 && !code.contains(['+', ' ', '\n', ':']));
    }
}
