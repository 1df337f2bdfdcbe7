use std::fmt::Debug;
use std::net::IpAddr;

use async_trait::async_trait;

use super::{Check, CheckError, CheckRequest, CheckVerdict, Risk, RiskRule};

/// Knows how client addresses behave: a vendor's score, a list of proxies, the host's own log.
#[async_trait]
pub trait AddressReputation: Debug + Send + Sync + 'static {
    /// Says how bad an address looks.
    ///
    /// # Errors
    /// [`CheckError`] where nobody can say.
    async fn risk(&self, address: IpAddr) -> Result<Risk, CheckError>;
}

/// Judges a request by the reputation of its client address. A request without an address is a
/// step-up: nobody vouches for it.
///
/// # Examples
/// ```
/// use std::net::IpAddr;
/// use otp_core::async_trait;
/// use otp_core::check::{AddressCheck, AddressReputation, CheckError, Risk, RiskRule};
///
/// #[derive(Debug)]
/// struct KnownProxies(Vec<IpAddr>);
///
/// #[async_trait]
/// impl AddressReputation for KnownProxies {
///     async fn risk(&self, address: IpAddr) -> Result<Risk, CheckError> {
///         Ok(if self.0.contains(&address) { Risk::percent(80) } else { Risk::NONE })
///     }
/// }
///
/// let check = AddressCheck::new(KnownProxies(vec!["203.0.113.9".parse()?]))
///     .rule(RiskRule::default().deny_from(Risk::CERTAIN));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug)]
pub struct AddressCheck<R> {
    reputation: R,
    rule: RiskRule,
}

impl<R: AddressReputation> AddressCheck<R> {
    /// Asks a reputation, by the default [`RiskRule`].
    #[must_use]
    pub fn new(reputation: R) -> Self {
        Self {
            reputation,
            rule: RiskRule::default(),
        }
    }

    /// Sets what is done at which risk.
    #[must_use]
    pub fn rule(mut self, rule: RiskRule) -> Self {
        self.rule = rule;
        self
    }
}

#[async_trait]
impl<R: AddressReputation> Check for AddressCheck<R> {
    fn name(&self) -> &str {
        "address_reputation"
    }

    async fn judge(&self, request: &CheckRequest<'_>) -> Result<CheckVerdict, CheckError> {
        match request.context.address() {
            Some(address) => {
                let risk = self.reputation.risk(address).await?;
                Ok(self.rule.judge(risk, "bad_address"))
            }
            None => Ok(CheckVerdict::StepUp("no_address".into())),
        }
    }
}
