/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A code was asked for.
    ChallengeIssued,
    /// A further message was asked for.
    ChallengeResent,
    /// A code was tried.
    ValidationAttempt,
    /// A challenge was ended before its time.
    ChallengeCancelled,
    /// A provider accepted a message.
    CodeSent,
    /// No provider accepted a message, or its outcome is unknown.
    CodeNotSent,
    /// A vendor reported what became of a message.
    DeliveryReported,
    /// A request met a limit.
    RateLimitExceeded,
    /// A device was remembered.
    DeviceRemembered,
    /// Remembered devices were forgotten.
    DevicesForgotten,
    /// An authenticator was enrolled, and waits for its first code.
    FactorEnrolled,
    /// The first code of an authenticator was shown: it counts from now on.
    FactorConfirmed,
    /// The secret of an authenticator was given out again.
    FactorExported,
    /// An authenticator was taken away.
    FactorRemoved,
    /// Every authenticator and recovery code of a subject was taken away.
    FactorsReset,
    /// A new set of recovery codes took the place of the old one.
    RecoveryRenewed,
    /// An operator acted.
    OperatorAction,
    /// The toll-fraud guard had something against a message.
    TollFraudSuspected,
    /// The alarm for guesses at many accounts began or ended.
    FleetAlarm,
    /// Guesses that an instance counted by itself were added to the budget of all.
    GuessesCarriedOver,
    /// Another policy is in force.
    PolicyChanged,
    /// A part of the policy is overridden.
    OverrideBegan,
    /// An override ended, by itself or by hand.
    OverrideEnded,
    /// A session was started.
    SessionStarted,
    /// A refresh token was presented.
    SessionRefreshed,
    /// Sessions were ended.
    SessionEnded,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 25] = [
        Self::ChallengeIssued,
        Self::ChallengeResent,
        Self::ValidationAttempt,
        Self::ChallengeCancelled,
        Self::CodeSent,
        Self::CodeNotSent,
        Self::DeliveryReported,
        Self::RateLimitExceeded,
        Self::DeviceRemembered,
        Self::DevicesForgotten,
        Self::FactorEnrolled,
        Self::FactorConfirmed,
        Self::FactorExported,
        Self::FactorRemoved,
        Self::FactorsReset,
        Self::RecoveryRenewed,
        Self::OperatorAction,
        Self::TollFraudSuspected,
        Self::FleetAlarm,
        Self::GuessesCarriedOver,
        Self::PolicyChanged,
        Self::OverrideBegan,
        Self::OverrideEnded,
        Self::SessionStarted,
        Self::SessionRefreshed,
        Self::SessionEnded,
    ];

    /// Names the kind, as logs and the `event_type` column have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChallengeIssued => "identity.auth.challenge_issued",
            Self::ChallengeResent => "identity.auth.challenge_resent",
            Self::ValidationAttempt => "identity.auth.validation_attempt",
            Self::ChallengeCancelled => "identity.auth.challenge_cancelled",
            Self::CodeSent => "identity.delivery.sent",
            Self::CodeNotSent => "identity.delivery.failed",
            Self::DeliveryReported => "identity.delivery.reported",
            Self::RateLimitExceeded => "identity.ratelimit.exceeded",
            Self::DeviceRemembered => "identity.auth.device_remembered",
            Self::DevicesForgotten => "identity.auth.devices_forgotten",
            Self::FactorEnrolled => "identity.auth.factor_enrolled",
            Self::FactorConfirmed => "identity.auth.factor_confirmed",
            Self::FactorExported => "identity.auth.factor_exported",
            Self::FactorRemoved => "identity.auth.factor_removed",
            Self::FactorsReset => "identity.auth.factors_reset",
            Self::RecoveryRenewed => "identity.auth.recovery_renewed",
            Self::OperatorAction => "identity.operator.action",
            Self::TollFraudSuspected => "identity.guard.toll_fraud",
            Self::FleetAlarm => "identity.guard.fleet_alarm",
            Self::GuessesCarriedOver => "identity.store.guesses_carried_over",
            Self::PolicyChanged => "identity.policy.changed",
            Self::OverrideBegan => "identity.policy.override_began",
            Self::OverrideEnded => "identity.policy.override_ended",
            Self::SessionStarted => "identity.session.started",
            Self::SessionRefreshed => "identity.session.refreshed",
            Self::SessionEnded => "identity.session.ended",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Reads back what [`Event::event_type`](super::Event::event_type) says.
    #[must_use]
    pub fn from_event_type(event_type: &str) -> Option<Self> {
        super::record::kind_of(event_type)
    }
}

/// How a decision came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused, for the reason that the event names.
    Refused,
    /// Something of ours or of a provider's failed.
    Failed,
}

impl Outcome {
    /// Names the outcome.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Success, Self::Refused, Self::Failed]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}
