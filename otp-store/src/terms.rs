//! How long SQL stores wait and keep things.

use std::time::Duration;

/// The longest that anybody waits: more is no time that an engine or a timer can count.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// How long things are kept after their time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    pub(crate) challenges: Duration,
    pub(crate) audit: Option<Duration>,
}

impl Retention {
    /// A day for challenges, for ever for what was acknowledged.
    pub(crate) const USUAL: Self = Self {
        challenges: Duration::from_secs(86_400),
        audit: None,
    };
}
