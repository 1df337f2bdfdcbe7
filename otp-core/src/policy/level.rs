use thiserror::Error;

/// How hard guessing must be: the probability a year, for one account, that the policy promises
/// not to exceed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// At most one in a hundred.
    Basic,
    /// At most one in a thousand. The default.
    #[default]
    Standard,
    /// At most one in ten thousand; needs eight digits.
    High,
}

impl Level {
    /// Gives the probability that is promised not to be exceeded in a year.
    #[must_use]
    pub const fn yearly_bound(self) -> f64 {
        match self {
            Self::Basic => 1e-2,
            Self::Standard => 1e-3,
            Self::High => 1e-4,
        }
    }

    /// Names the level.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Standard => "standard",
            Self::High => "high",
        }
    }
}

/// Says why a policy cannot be.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Nothing could ever be issued.
    #[error("no purpose is registered")]
    NoPurpose,
    /// A code's life must be more than nothing and at most ten minutes.
    #[error("a code lives more than 0 and at most 600 seconds")]
    Lifetime,
    /// A challenge takes one to ten guesses.
    #[error("a challenge takes 1 to 10 guesses")]
    Attempts,
    /// A challenge sends one to ten messages, with a wait after each.
    #[error("a challenge sends 1 to 10 messages, with a wait of at least 10 seconds after each")]
    Sends,
    /// A budget needs windows, room in the public lane, and at most 100 failures in a row.
    #[error("a guess budget needs a window, room in it, and 1 to 100 failures in a row")]
    Budget,
    /// An operation must be limited by the client's address.
    #[error("{0} has no limit by client address")]
    NoAddressLimit(&'static str),
    /// Every country that is allowed is denied as well.
    #[error("the geography allows no country")]
    NowhereToSend,
    /// A budget of the toll-fraud guard is nothing, or a share is more than all.
    #[error(
        "the toll-fraud guard needs budgets of at least 1 and a conversion of 0 to 100 percent"
    )]
    TollFraud,
    /// The alarm would always stand, or codes would get too long to type.
    #[error(
        "the fleet alarm needs 1 or more wrong codes, 0 to 100 percent, and codes longer by 0 to 4"
    )]
    FleetAlarm,
    /// A quota would never be charged: what its scope counts by is not known to the operation.
    #[error("a quota on {operation} by {scope} would never count")]
    NeverCounts {
        /// The operation.
        operation: &'static str,
        /// The scope.
        scope: &'static str,
    },
    /// Two quotas would share one count.
    #[error("two quotas on {operation} by {scope} have the same kind and period")]
    SameCount {
        /// The operation.
        operation: &'static str,
        /// The scope.
        scope: &'static str,
    },
    /// Starts would need a captcha, and the verifier has nobody who checks one.
    #[error("a captcha is asked for and nobody checks one: give the verifier a captcha")]
    NoCaptcha,
    /// Guessing would be easier than the declared level allows.
    #[error(
        "guessing succeeds with probability {bound:.1e} a year, {:.1} times what level {} allows \
         ({:.0e}): use longer codes or a smaller budget",
        bound / level.yearly_bound(), level.name(), level.yearly_bound()
    )]
    MissesLevel {
        /// What was declared.
        level: Level,
        /// What the policy reaches.
        bound: f64,
    },
    /// Codes that a vendor makes would be easier to guess than the declared level allows.
    #[error(
        "codes that {provider} makes are guessed with probability {bound:.1e} a year, {:.1} times what \
         level {} allows ({:.0e}): have longer ones made, or use a smaller budget",
        bound / level.yearly_bound(), level.name(), level.yearly_bound()
    )]
    VendorMissesLevel {
        /// The vendor.
        provider: String,
        /// What was declared.
        level: Level,
        /// What its codes reach.
        bound: f64,
    },
}

/// Turns a count into a float for a probability; exact far beyond any count of guesses.
pub(super) fn as_float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
