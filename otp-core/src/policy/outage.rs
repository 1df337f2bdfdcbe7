use thiserror::Error;

/// What a request for a message does while the shared store is away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnOutage {
    /// It is unavailable. The default.
    #[default]
    Closed,
    /// It is decided in this instance's memory, by this instance's share of every limit.
    Degraded,
    /// It is decided in memory, and no quota refuses it; the guess budget and known blocks do.
    ///
    /// Whoever can cause an outage can then have any number of messages sent, at your cost. For
    /// channels that cost nothing.
    Open,
}

/// What a try at a code does while the shared store is away. There is no `Open`: no outage lets
/// anybody guess without a count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VerifyOnOutage {
    /// It is unavailable. The default.
    #[default]
    Closed,
    /// Codes that this instance issued during the outage are checked in its memory, by its share
    /// of the guess budget. Every other code is unavailable.
    Degraded,
}

/// What each operation does while the shared store is away. The default closes everything.
///
/// Writes of an operator (blocks, unlocking, disabling), replay memory and whatever else is not
/// named here are always closed.
///
/// # Examples
/// ```
/// use otp_core::policy::{OnOutage, OutagePolicy, VerifyOnOutage};
///
/// let policy = OutagePolicy::new(OnOutage::Open, OnOutage::Closed, VerifyOnOutage::Degraded)?;
/// assert_eq!(policy.resend(), OnOutage::Closed);
/// assert_eq!(OutagePolicy::default(), OutagePolicy::closed());
///
/// let nobody_could_check_them =
///     OutagePolicy::new(OnOutage::Open, OnOutage::Open, VerifyOnOutage::Closed);
/// assert!(nobody_could_check_them.is_err());
/// # Ok::<(), otp_core::policy::InvalidOutagePolicy>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OutagePolicy {
    issue: OnOutage,
    resend: OnOutage,
    verify: VerifyOnOutage,
}

/// Says why operations do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidOutagePolicy {
    /// Codes would be sent that nobody can check.
    #[error("messages are sent in an outage and their codes are not checked: degrade verify")]
    NobodyChecks,
    /// In an outage only what was issued in it is known, and nothing would be issued.
    #[error("nothing is issued in an outage, so there is nothing to resend or verify: close both")]
    NothingIssued,
}

impl OutagePolicy {
    /// Says what each operation does.
    ///
    /// # Errors
    /// [`InvalidOutagePolicy`] where codes would be sent that nobody checks, or where an operation
    /// is kept up that has nothing to work on.
    pub const fn new(
        issue: OnOutage,
        resend: OnOutage,
        verify: VerifyOnOutage,
    ) -> Result<Self, InvalidOutagePolicy> {
        match (issue, resend, verify) {
            (OnOutage::Closed, OnOutage::Closed, VerifyOnOutage::Closed)
            | (OnOutage::Degraded | OnOutage::Open, _, VerifyOnOutage::Degraded) => Ok(Self {
                issue,
                resend,
                verify,
            }),
            (OnOutage::Closed, _, _) => Err(InvalidOutagePolicy::NothingIssued),
            (_, _, VerifyOnOutage::Closed) => Err(InvalidOutagePolicy::NobodyChecks),
        }
    }

    /// Closes everything: an outage of the store is one of the service. The default.
    #[must_use]
    pub const fn closed() -> Self {
        Self {
            issue: OnOutage::Closed,
            resend: OnOutage::Closed,
            verify: VerifyOnOutage::Closed,
        }
    }

    /// Keeps everything up in memory, with tighter limits.
    #[must_use]
    pub const fn memory() -> Self {
        Self {
            issue: OnOutage::Degraded,
            resend: OnOutage::Degraded,
            verify: VerifyOnOutage::Degraded,
        }
    }

    /// Lets messages out whatever the quotas say, and checks their codes in memory.
    #[must_use]
    pub const fn open_sends() -> Self {
        Self {
            issue: OnOutage::Open,
            resend: OnOutage::Open,
            verify: VerifyOnOutage::Degraded,
        }
    }

    /// Says what a start does.
    #[must_use]
    pub const fn issue(&self) -> OnOutage {
        self.issue
    }

    /// Says what a resend does.
    #[must_use]
    pub const fn resend(&self) -> OnOutage {
        self.resend
    }

    /// Says what a try does.
    #[must_use]
    pub const fn verify(&self) -> VerifyOnOutage {
        self.verify
    }
}

impl OnOutage {
    const ALL: [Self; 3] = [Self::Closed, Self::Degraded, Self::Open];

    /// Names the behaviour, as configuration has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Degraded => "degraded",
            Self::Open => "open",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

impl VerifyOnOutage {
    const ALL: [Self; 2] = [Self::Closed, Self::Degraded];

    /// Names the behaviour, as configuration has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Degraded => "degraded",
        }
    }

    /// Reads a name back; `open` is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_sent_in_an_outage_is_checked_in_it_and_nothing_is_kept_up_for_nothing() {
        for issue in OnOutage::ALL {
            for resend in OnOutage::ALL {
                for verify in VerifyOnOutage::ALL {
                    let sends = issue != OnOutage::Closed;
                    let checks = verify == VerifyOnOutage::Degraded;
                    let expected = match (sends, checks, resend) {
                        (true, true, _) | (false, false, OnOutage::Closed) => None,
                        (true, false, _) => Some(InvalidOutagePolicy::NobodyChecks),
                        (false, ..) => Some(InvalidOutagePolicy::NothingIssued),
                    };
                    let made = OutagePolicy::new(issue, resend, verify);
                    assert_eq!(made.err(), expected, "{issue:?} {resend:?} {verify:?}");
                }
            }
        }
    }

    #[test]
    fn the_named_policies_are_ones_that_can_be_made_and_the_default_is_closed() {
        for policy in [
            OutagePolicy::closed(),
            OutagePolicy::memory(),
            OutagePolicy::open_sends(),
        ] {
            let made = OutagePolicy::new(policy.issue(), policy.resend(), policy.verify());
            assert_eq!(made, Ok(policy));
        }
        assert_eq!(OutagePolicy::default(), OutagePolicy::closed());
    }

    #[test]
    fn configuration_cannot_open_a_verify() {
        assert_eq!(OnOutage::from_name("open"), Some(OnOutage::Open));
        assert_eq!(VerifyOnOutage::from_name("open"), None);
        for one in OnOutage::ALL {
            assert_eq!(OnOutage::from_name(one.name()), Some(one));
        }
        for one in VerifyOnOutage::ALL {
            assert_eq!(VerifyOnOutage::from_name(one.name()), Some(one));
        }
    }
}
