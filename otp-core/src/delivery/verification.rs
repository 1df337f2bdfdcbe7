use std::fmt::{self, Debug};
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use super::{DeliveryError, Locale, MessageId};
use crate::challenge::{Code, CodeFormat};
use crate::destination::{Channel, Destination};

/// Has one vendor make, send and check codes of its own.
///
/// The challenge, its guesses, budgets, binding and records stay the library's: a guess is
/// reserved before the vendor is asked, and what the vendor approves is taken once.
///
/// # Contract
/// - An error of `start` says in [`DeliveryError::certainty`] whether a message may be on its way.
/// - A start that continues nothing makes a verification of its own: no code that was sent for
///   another one is right for it. A vendor that keeps one verification an address ends those of
///   [`VerificationStart::replaces`] first, and any other that it finds in the way. Then the
///   person may get a second message, and never a third.
/// - `check` asks about the one verification that its reference names, and approves nothing on an
///   answer that is about another one, another address, or is not as documented.
/// - Nothing that a call logs, returns or prints holds the code, the vendor's token, or the full
///   address.
/// - The futures may be dropped at any point, and end by themselves: the provider bounds connect,
///   read and total time, and the size of the reply that it reads.
#[async_trait]
pub trait VerificationProvider: Debug + Send + Sync + 'static {
    /// Names the vendor in events and status, for example `twilio-verify`. 1 to 32 characters of
    /// `[a-z0-9_-]`; a challenge finds its vendor again by it. Never shown to the claimant.
    fn name(&self) -> &str;

    /// Lists the channels that it can serve; a route for another channel does not build.
    fn channels(&self) -> &[Channel];

    /// Says what the vendor's codes look like. Challenges of a route with this provider have
    /// codes of this shape, whatever shape their purpose has.
    fn format(&self) -> CodeFormat;

    /// Starts a verification, or sends its code again.
    ///
    /// # Errors
    /// [`DeliveryError`] by what the caller does next; see the contract above. A vendor's limit of
    /// sends is [`Protected`](super::DeliveryErrorKind::Protected).
    async fn start(&self, start: &VerificationStart<'_>) -> Result<Started, DeliveryError>;

    /// Asks whether a code is right.
    ///
    /// # Errors
    /// [`DeliveryError`] where there is no verdict. Of its kinds
    /// [`Protected`](super::DeliveryErrorKind::Protected) says that the vendor takes no more codes
    /// for this verification.
    async fn check(&self, check: &VerificationCheck<'_>) -> Result<Checked, DeliveryError>;

    /// Ends a verification, so that its code is worth nothing. One that is over is no error.
    ///
    /// # Errors
    /// [`DeliveryError`] where it may still live at the vendor. Here it does not: the challenge
    /// ended first.
    async fn cancel(&self, reference: &Reference) -> Result<(), DeliveryError>;
}

/// What a vendor is asked to start.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct VerificationStart<'a> {
    /// The idempotency key of this send.
    pub id: &'a MessageId,
    /// How the code is to be sent.
    pub channel: Channel,
    /// The full address; for the vendor's request only.
    pub to: &'a Destination,
    /// The language of the message.
    pub locale: &'a Locale,
    /// How long the challenge lives from now.
    pub expires_in: Duration,
    /// The verification whose code is to be sent again; `None` for a new one.
    pub continues: Option<&'a Reference>,
    /// Live verifications of the same person to the same address. A vendor that keeps one an
    /// address ends them first; another may leave them alone. Those of other people are not
    /// named.
    pub replaces: &'a [Reference],
}

impl<'a> VerificationStart<'a> {
    /// Asks for a new verification that takes nothing's place, for five minutes.
    #[must_use]
    pub fn new(
        id: &'a MessageId,
        channel: Channel,
        to: &'a Destination,
        locale: &'a Locale,
    ) -> Self {
        Self {
            id,
            channel,
            to,
            locale,
            expires_in: Duration::from_secs(300),
            continues: None,
            replaces: &[],
        }
    }

    /// Sets how long the challenge lives from now.
    #[must_use]
    pub fn expires_in(mut self, life: Duration) -> Self {
        self.expires_in = life;
        self
    }

    /// Asks for the code of a verification once more.
    #[must_use]
    pub fn continuing(mut self, reference: Option<&'a Reference>) -> Self {
        self.continues = reference;
        self
    }

    /// Names the live verifications of the same person to the same address.
    #[must_use]
    pub fn replacing(mut self, references: &'a [Reference]) -> Self {
        self.replaces = references;
        self
    }
}

/// What a vendor is asked to check.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct VerificationCheck<'a> {
    /// The verification.
    pub reference: &'a Reference,
    /// The full address that its code was sent to; for the vendor's request only.
    pub to: &'a Destination,
    /// The code as it was typed; for the vendor's request only.
    pub code: &'a Code,
}

impl<'a> VerificationCheck<'a> {
    /// Asks whether a code is the one of a verification.
    #[must_use]
    pub fn new(reference: &'a Reference, to: &'a Destination, code: &'a Code) -> Self {
        Self {
            reference,
            to,
            code,
        }
    }
}

/// A vendor's word that it took a verification on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    reference: Reference,
}

impl Started {
    /// Records under which reference the vendor keeps the verification.
    #[must_use]
    pub fn new(reference: Reference) -> Self {
        Self { reference }
    }

    /// Gives the vendor's reference.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }
}

/// What a vendor says of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checked {
    /// It is right.
    Approved,
    /// It is wrong.
    Wrong,
    /// The verification is over at the vendor: expired, used, used up, or never made.
    Gone,
}

/// A vendor's name of a verification: 1 to 128 characters of `[A-Za-z0-9._~+/=-]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference(String);

/// The text is no reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a reference is 1 to 128 characters of a url")]
pub struct InvalidReference;

/// The longest reference.
const MAX_REFERENCE: usize = 128;

impl Reference {
    /// Takes a reference as the vendor wrote it.
    ///
    /// # Errors
    /// [`InvalidReference`] where it is empty, too long, or has other characters.
    pub fn new(text: &str) -> Result<Self, InvalidReference> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~+/=-".contains(&byte);
        let fits = (1..=MAX_REFERENCE).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned())).ok_or(InvalidReference)
    }

    /// Gives the reference as the vendor wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_cannot_leave_its_place_in_a_stored_form_or_a_path() {
        let long = "x".repeat(129);
        for bad in ["", "a$b", "a b", "a?b", "a#b", "a%2fb", "é", "a\n", &long] {
            assert_eq!(Reference::new(bad), Err(InvalidReference), "{bad:?}");
        }
        let fine = "VE0123456789abcdef0123456789abcdef";
        assert_eq!(Reference::new(fine).map(|r| r.to_string()), Ok(fine.into()));
    }
}
