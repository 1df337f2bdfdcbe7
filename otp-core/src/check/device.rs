use std::fmt::Debug;

use async_trait::async_trait;

use super::{Check, CheckError, CheckRequest, CheckVerdict, Risk, RiskRule};

/// Knows devices by the fingerprint that the host's page or app takes.
#[async_trait]
pub trait DeviceReputation: Debug + Send + Sync + 'static {
    /// Says how bad a device looks.
    ///
    /// # Errors
    /// [`CheckError`] where nobody can say.
    async fn risk(&self, fingerprint: &str) -> Result<Risk, CheckError>;
}

/// Judges a request by the [fingerprint](crate::request::RequestContext::fingerprint) of its
/// device. Fingerprints are the client's own words: one that is good proves nothing, so without
/// one the request is a step-up unless it is said otherwise.
///
/// # Examples
/// ```
/// use otp_core::async_trait;
/// use otp_core::check::{CheckError, DeviceCheck, DeviceReputation, Risk};
///
/// #[derive(Debug)]
/// struct Emulators;
///
/// #[async_trait]
/// impl DeviceReputation for Emulators {
///     async fn risk(&self, fingerprint: &str) -> Result<Risk, CheckError> {
///         Ok(if fingerprint.starts_with("emulator-") { Risk::CERTAIN } else { Risk::NONE })
///     }
/// }
///
/// let check = DeviceCheck::new(Emulators);
/// ```
#[derive(Debug)]
pub struct DeviceCheck<R> {
    reputation: R,
    rule: RiskRule,
    unknown: Risk,
}

impl<R: DeviceReputation> DeviceCheck<R> {
    /// Asks a reputation, by the default [`RiskRule`].
    #[must_use]
    pub fn new(reputation: R) -> Self {
        Self {
            reputation,
            rule: RiskRule::default(),
            unknown: RISK_OF_NONE,
        }
    }

    /// Sets what is done at which risk.
    #[must_use]
    pub fn rule(mut self, rule: RiskRule) -> Self {
        self.rule = rule;
        self
    }

    /// Sets how bad a request without a fingerprint looks. Default: 60.
    #[must_use]
    pub fn without_fingerprint(mut self, risk: Risk) -> Self {
        self.unknown = risk;
        self
    }
}

const RISK_OF_NONE: Risk = Risk::percent(60);

#[async_trait]
impl<R: DeviceReputation> Check for DeviceCheck<R> {
    fn name(&self) -> &str {
        "device_reputation"
    }

    async fn judge(&self, request: &CheckRequest<'_>) -> Result<CheckVerdict, CheckError> {
        match request.context.device_fingerprint() {
            Some(fingerprint) => {
                let risk = self.reputation.risk(fingerprint).await?;
                Ok(self.rule.judge(risk, "bad_device"))
            }
            None => Ok(self.rule.judge(self.unknown, "no_device")),
        }
    }
}
