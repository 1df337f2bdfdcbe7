/// Lists every kind in one place: what it is about, its name, and the action that it is called where
/// it was done or, after `or`, where it was not.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident: $name:literal, $done:literal $(or $not:literal)?;)+) => {
        /// What an event is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$kind),+];

            /// Names the kind, as logs have it, and the `event_type` column but for what signs in.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// Names the action, where no vendor has one of its own.
            pub(super) const fn action(self, outcome: Outcome) -> &'static str {
                match (self, outcome) {
                    $($((Self::$kind, Outcome::Refused | Outcome::Failed) => $not,)?
                    (Self::$kind, _) => $done,)+
                }
            }
        }
    };
}

kinds! {
    /// A code was asked for.
    ChallengeIssued: "identity.auth.challenge_issued", "MFA_CHALLENGE_ISSUED" or "MFA_CHALLENGE_REFUSED";
    /// A further message was asked for.
    ChallengeResent: "identity.auth.challenge_resent", "MFA_CHALLENGE_RESENT" or "MFA_RESEND_REFUSED";
    /// A code was tried.
    ValidationAttempt: "identity.auth.validation_attempt", "MFA_VERIFICATION_SUCCEEDED" or "MFA_VERIFICATION_FAILED";
    /// A challenge was ended before its time.
    ChallengeCancelled: "identity.auth.challenge_cancelled", "MFA_CHALLENGE_CANCELLED";
    /// The recipient of a link said that it was not them who asked.
    ChallengeDisowned: "identity.auth.challenge_disowned", "MFA_CHALLENGE_DISOWNED";
    /// A provider accepted a message.
    CodeSent: "identity.delivery.sent", "MFA_CODE_SENT";
    /// No provider accepted a message, or its outcome is unknown.
    CodeNotSent: "identity.delivery.failed", "MFA_CODE_NOT_SENT";
    /// A vendor reported what became of a message.
    DeliveryReported: "identity.delivery.reported", "MFA_DELIVERY_REPORTED" or "MFA_DELIVERY_FAILED";
    /// A request met a limit.
    RateLimitExceeded: "identity.ratelimit.exceeded", "RATE_LIMIT_EXCEEDED";
    /// A device was remembered.
    DeviceRemembered: "identity.auth.device_remembered", "DEVICE_REMEMBERED";
    /// Remembered devices were forgotten.
    DevicesForgotten: "identity.auth.devices_forgotten", "DEVICES_FORGOTTEN";
    /// An authenticator was enrolled, and waits for its first code.
    FactorEnrolled: "identity.auth.factor_enrolled", "FACTOR_ENROLLED";
    /// The first code of an authenticator was shown: it counts from now on.
    FactorConfirmed: "identity.auth.factor_confirmed", "FACTOR_CONFIRMED";
    /// The secret of an authenticator was given out again.
    FactorExported: "identity.auth.factor_exported", "FACTOR_EXPORTED";
    /// An authenticator was given another name.
    FactorRenamed: "identity.auth.factor_renamed", "FACTOR_RENAMED";
    /// An authenticator was taken away.
    FactorRemoved: "identity.auth.factor_removed", "FACTOR_REMOVED";
    /// Every authenticator and recovery code of a subject was taken away.
    FactorsReset: "identity.auth.factors_reset", "FACTORS_RESET";
    /// A new set of recovery codes took the place of the old one.
    RecoveryRenewed: "identity.auth.recovery_renewed", "RECOVERY_CODES_RENEWED";
    /// An operator acted.
    OperatorAction: "identity.operator.action", "OPERATOR_ACTION" or "OPERATOR_REFUSED";
    /// The toll-fraud guard had something against a message.
    TollFraudSuspected: "identity.guard.toll_fraud", "TOLL_FRAUD_SUSPECTED";
    /// The alarm for guesses at many accounts began or ended.
    FleetAlarm: "identity.guard.fleet_alarm", "FLEET_ALARM";
    /// Guesses that an instance counted by itself were added to the budget of all.
    GuessesCarriedOver: "identity.store.guesses_carried_over", "GUESSES_CARRIED_OVER";
    /// Another policy is in force.
    PolicyChanged: "identity.policy.changed", "POLICY_CHANGED";
    /// A part of the policy is overridden.
    OverrideBegan: "identity.policy.override_began", "POLICY_OVERRIDE_BEGAN";
    /// An override ended, by itself or by hand.
    OverrideEnded: "identity.policy.override_ended", "POLICY_OVERRIDE_ENDED";
    /// A session was started.
    SessionStarted: "identity.session.started", "SESSION_STARTED";
    /// A refresh token was presented.
    SessionRefreshed: "identity.session.refreshed", "SESSION_REFRESHED" or "SESSION_REFRESH_REFUSED";
    /// Sessions were ended.
    SessionEnded: "identity.session.ended", "SESSION_ENDED";
    /// A vendor reported something, over a request that it signed.
    WebhookReceived: "identity.webhook.received", "WEBHOOK_RECEIVED";
    /// A report was refused, because its signature is not right or missing.
    WebhookRefused: "identity.webhook.refused", "WEBHOOK_SIGNATURE_FAILED";
}

/// What attempts to sign in, and its failure, are called in the `event_type` column.
const LOGIN_ATTEMPT: &str = "login_attempt";
const LOGIN_FAILURE: &str = "login_failure";

/// The purposes that sign somebody in.
const SIGN_IN: [&str; 2] = ["login", "mfa"];

impl EventKind {
    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Reads back what [`Event::event_type`](super::Event::event_type) says.
    #[must_use]
    pub fn from_event_type(event_type: &str) -> Option<Self> {
        match event_type {
            LOGIN_ATTEMPT => Some(Self::ChallengeIssued),
            LOGIN_FAILURE => Some(Self::ValidationAttempt),
            name => Self::from_name(name),
        }
    }

    /// Lists all that [`Event::event_type`](super::Event::event_type) ever says.
    pub fn event_types() -> impl Iterator<Item = &'static str> {
        let kinds = Self::ALL.into_iter().map(Self::name);
        kinds.chain([LOGIN_ATTEMPT, LOGIN_FAILURE])
    }

    /// Lists the purposes for which the kind is called by another name, [`sign_in_type`](Self::sign_in_type).
    #[must_use]
    pub const fn sign_in_purposes() -> &'static [&'static str] {
        &SIGN_IN
    }

    /// Names the kind as the operators' queries of an `event_type` column do, where somebody signs
    /// in: whoever asks for a code attempts to, and whoever types a wrong one fails to. `None`
    /// where it keeps its own name.
    #[must_use]
    pub const fn sign_in_type(self, outcome: Outcome) -> Option<&'static str> {
        match (self, outcome) {
            (Self::ChallengeIssued, _) => Some(LOGIN_ATTEMPT),
            (Self::ValidationAttempt, Outcome::Refused | Outcome::Failed) => Some(LOGIN_FAILURE),
            _ => None,
        }
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
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Success, Self::Refused, Self::Failed];

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
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}
