use std::time::Duration;

/// What it means when a check says nothing: an error, a panic, no verdict in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnSilence {
    /// The request goes on. For advice.
    Allow,
    /// Whoever asks should prove to be a person.
    StepUp,
    /// Nothing is sent; the answer is that something of ours is away.
    Refuse,
}

/// How long a check may take, and what its silence means.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_core::check::{CheckTerms, OnSilence};
///
/// let terms = CheckTerms::advice();
/// assert_eq!(terms.on_silence(), OnSilence::Allow);
/// let strict = CheckTerms::required().within(Duration::from_millis(500));
/// assert_eq!(strict.on_silence(), OnSilence::Refuse);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CheckTerms {
    deadline: Duration,
    on_silence: OnSilence,
}

impl CheckTerms {
    /// The time that a check has, unless it is said otherwise.
    pub const DEADLINE: Duration = Duration::from_secs(2);

    /// Lets requests go on where there is no verdict within two seconds.
    #[must_use]
    pub const fn advice() -> Self {
        Self {
            deadline: Self::DEADLINE,
            on_silence: OnSilence::Allow,
        }
    }

    /// Refuses where there is no verdict within two seconds.
    #[must_use]
    pub const fn required() -> Self {
        Self {
            deadline: Self::DEADLINE,
            on_silence: OnSilence::Refuse,
        }
    }

    /// Sets how long the check may take. The person waits for it.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets what silence means.
    #[must_use]
    pub const fn in_silence(mut self, on_silence: OnSilence) -> Self {
        self.on_silence = on_silence;
        self
    }

    /// Says how long the check may take.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Says what silence means.
    #[must_use]
    pub const fn on_silence(&self) -> OnSilence {
        self.on_silence
    }
}
