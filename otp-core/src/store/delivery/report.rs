use std::time::Duration;

use crate::clock::Timestamp;
use crate::delivery::{DeliveryState, Report};

use super::{Climb, Delivery};

/// What a report changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// The message went from a state to a higher one.
    Moved {
        /// From where.
        from: DeliveryState,
        /// The message as it is now.
        delivery: Box<Delivery>,
    },
    /// The message was there already, or higher.
    Unchanged,
    /// No message of that name is known yet; the report is kept.
    Unknown,
}

/// What a vendor reported of a message before it was known by the vendor's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptReport {
    /// The highest state of those that were reported.
    pub state: DeliveryState,
    /// The vendor's code of a failure, where it sent one.
    pub reason: Option<String>,
    /// When it is forgotten.
    pub until: Timestamp,
}

impl KeptReport {
    /// How long a report waits for its message: 24 hours.
    pub const LIFE: Duration = Duration::from_secs(86_400);

    /// Keeps a report.
    #[must_use]
    pub fn new(report: &Report, now: Timestamp) -> Self {
        Self {
            state: report.state(),
            reason: report.code().map(str::to_owned),
            until: now.saturating_add(Self::LIFE),
        }
    }

    /// Adds a further report of the same message.
    pub fn add(&mut self, report: &Report, now: Timestamp) {
        if self.until <= now || self.state.advance(report.state()) != self.state {
            *self = Self::new(report, now);
        }
    }
}

impl Delivery {
    /// Takes a report about this message.
    pub fn take(&mut self, report: &Report, now: Timestamp) -> Advanced {
        let from = self.state;
        match self.climb(report.state(), report.code(), now) {
            Climb::Stayed => Advanced::Unchanged,
            Climb::Moved => Advanced::Moved {
                from,
                delivery: Box::new(self.clone()),
            },
        }
    }

    /// Takes what was reported of this message before it was known.
    pub fn take_kept(&mut self, kept: &KeptReport, now: Timestamp) {
        if now < kept.until {
            self.climb(kept.state, kept.reason.as_deref(), now);
        }
    }
}
