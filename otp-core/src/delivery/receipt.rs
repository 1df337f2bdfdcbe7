use std::fmt;

/// A vendor's word that it took the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    provider: String,
    reference: Option<String>,
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
