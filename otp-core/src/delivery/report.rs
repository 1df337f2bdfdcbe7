mod replay;
mod state;

use std::fmt;

use crate::clock::Timestamp;

pub use self::replay::ReplayKey;
pub use self::state::DeliveryState;

/// The longest vendor text that is kept; longer ones are cut.
const MAX_TEXT: usize = 128;

/// A vendor's report about one message, read from a webhook whose signature was right.
///
/// It holds no address and no text of the message. It says nothing about who has the code, and it
/// must never touch a challenge: it only moves the [`DeliveryState`] of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    provider: String,
    reference: String,
    state: DeliveryState,
    at: Timestamp,
    event: String,
    code: Option<String>,
    replay: ReplayKey,
}

impl Report {
    /// Records that `provider` said `state` of the message that it calls `reference`, at a time.
    ///
    /// `event` is the vendor's own word for it. Texts lose what is not visible ASCII and are cut
    /// at 128 characters, as [`Receipt::reference`](super::Receipt::reference) is.
    #[must_use]
    pub fn new(
        provider: &str,
        reference: &str,
        event: &str,
        state: DeliveryState,
        at: Timestamp,
    ) -> Self {
        Self {
            replay: ReplayKey::new(provider, &[reference, event]),
            provider: provider.to_owned(),
            reference: clean(reference),
            state,
            at,
            event: clean(event),
            code: None,
        }
    }

    /// Adds the vendor's code of a failure.
    #[must_use]
    pub fn with_code(mut self, code: &str) -> Self {
        let code = clean(code);
        self.code = (!code.is_empty()).then_some(code);
        self
    }

    /// Sets what tells a replay. Default: the reference and the vendor's word, for 24 hours.
    #[must_use]
    pub fn with_replay(mut self, replay: ReplayKey) -> Self {
        self.replay = replay;
        self
    }

    /// Names the provider.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Gives the vendor's id of the message, which its receipt named.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// Gives the state that is reported.
    #[must_use]
    pub fn state(&self) -> DeliveryState {
        self.state
    }

    /// Gives the time that the vendor named, or the time of reading where it named none.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Gives the vendor's own word for what happened.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// Gives the vendor's code of a failure, where it sent one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Gives what tells a replay.
    #[must_use]
    pub fn replay(&self) -> &ReplayKey {
        &self.replay
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.state.name(), self.provider)
    }
}

fn clean(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_graphic)
        .take(MAX_TEXT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_a_vendor_sends_is_cleaned_but_its_replay_key_stays_unique() {
        let at = Timestamp::from_millis(5);
        let long = "x".repeat(200);
        let report = |tail: &str| {
            Report::new(
                "acme",
                &format!("{long}{tail}"),
                "sent\r\n",
                DeliveryState::Sent,
                at,
            )
            .with_code(" 30 003\u{7}")
        };
        assert_eq!(report("a").reference().len(), 128);
        assert_eq!(
            (report("a").event(), report("a").code()),
            ("sent", Some("30003"))
        );
        assert_ne!(report("a").replay(), report("b").replay());
        assert!(report("a").replay().as_str().starts_with("acme/sha256-"));
        let plain = Report::new("acme", "id-1", "sent", DeliveryState::Sent, at);
        assert_eq!(plain.replay().as_str(), "acme/id-1/sent");
        assert_eq!(plain.replay().life(), Duration::from_secs(86_400));
        assert_eq!(plain.to_string(), "sent by acme");
    }
}
