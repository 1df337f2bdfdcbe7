use std::fmt;

use super::{Reference, Started};

/// A vendor's word that it took the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    provider: String,
    reference: Option<String>,
    keeper: Keeper,
}

/// Who knows the code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Keeper {
    #[default]
    Library,
    Vendor(Reference),
}

/// The longest vendor reference that is kept; longer ones are cut.
const MAX_REFERENCE: usize = 128;

impl Receipt {
    /// Records that `provider` accepted the message.
    #[must_use]
    pub fn accepted(provider: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            reference: None,
            keeper: Keeper::Library,
        }
    }

    /// Records that `provider` made a code of its own and sent it.
    pub(crate) fn managed(provider: &str, started: &Started) -> Self {
        Self {
            keeper: Keeper::Vendor(started.reference().clone()),
            ..Self::accepted(provider).with_reference(started.reference().as_str())
        }
    }

    /// Adds the vendor's id of the message (`MessageSid`, `X-Message-Id`), which later status
    /// events name. Control characters are dropped and the rest is cut at 128 characters.
    #[must_use]
    pub fn with_reference(mut self, reference: &str) -> Self {
        let clean: String = reference
            .chars()
            .filter(|c| c.is_ascii_graphic())
            .take(MAX_REFERENCE)
            .collect();
        self.reference = (!clean.is_empty()).then_some(clean);
        self
    }

    /// Gives the vendor's verification, where the vendor made the code.
    #[must_use]
    pub fn verification(&self) -> Option<&Reference> {
        match &self.keeper {
            Keeper::Library => None,
            Keeper::Vendor(reference) => Some(reference),
        }
    }

    /// Names the provider that accepted it.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Gives the vendor's id of the message, where it sent one.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "accepted by {}", self.provider)
    }
}
