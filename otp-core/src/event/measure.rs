use std::time::Duration;

use crate::destination::{Channel, Region};
use crate::request::{Operation, Tenant};

use super::Outcome;

/// How a call of the verifier ended, in few words: what a latency or a ratio is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// It was done.
    Done,
    /// The code, or the challenge that was named, was refused.
    Rejected,
    /// A limit refused it.
    Throttled,
    /// The account takes no guess for a time, or none until it is bound anew.
    Locked,
    /// A gate, a check or a captcha refused it.
    Refused,
    /// The request itself cannot be: no such purpose, channel or address.
    Invalid,
    /// There was no place in a queue of this instance's.
    Busy,
    /// No provider took the message.
    NotSent,
    /// The store, or something else that decides, did not answer.
    Unavailable,
}

impl Answer {
    /// Names the answer for views and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Throttled => "throttled",
            Self::Locked => "locked",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Busy => "busy",
            Self::NotSent => "not_sent",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What was measured beside an [`Event`](super::Event): it decides nothing, is kept nowhere and
/// names nobody.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Measure<'a> {
    /// A call was answered.
    Answered {
        /// What was asked for.
        operation: Operation,
        /// How it ended.
        answer: Answer,
        /// How long it took, the provider's time included where the call waits for it.
        took: Duration,
    },
    /// A message went along its route, to its end.
    Sent {
        /// Whose.
        tenant: &'a Tenant,
        /// Over which channel.
        channel: Channel,
        /// Which provider took it, or refused it last.
        provider: Option<&'a str>,
        /// To which country, of a number that belongs to one.
        country: Option<Region>,
        /// Whether a provider took it.
        outcome: Outcome,
        /// How long the route took, all its providers together.
        took: Duration,
    },
}
