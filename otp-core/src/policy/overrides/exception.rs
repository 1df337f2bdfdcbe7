use std::fmt;
use std::num::NonZeroU32;

use thiserror::Error;

use crate::destination::{Channel, Destination, Region};
use crate::policy::{Allowed, CaptchaPolicy, Policy, SecondFactor};
use crate::quota::{Quota, Scope};
use crate::request::{Operation, SubjectId, SubjectKey, Tenant};

/// What an override changes while it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exception {
    /// The quota of a scope on an operation, in place of the one of the same kind and period, or
    /// beside the others where there is none.
    Quota {
        /// What is limited.
        operation: Operation,
        /// By what it is counted.
        scope: Scope,
        /// How many.
        quota: Quota,
    },
    /// One person's sends.
    Vip(Vip),
    /// Somebody whom defences that go by neighbours must not meet.
    Allowed(Allowed),
    /// The channel takes no messages.
    ChannelOff(Channel),
    /// The channel takes messages, though the policy has it off.
    ChannelOn(Channel),
    /// No message goes to phones of this country.
    CountryDenied(Region),
    /// Every start needs a captcha.
    CaptchaRequired,
    /// Whether the host asks for a second factor: not while this holds.
    SecondFactorWaived,
}

/// Somebody who may be sent more: the quotas on starts by subject and by destination are that
/// many times as much. The guess budget stays as it is for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vip {
    tenant: Tenant,
    whom: SubjectKey,
    times: NonZeroU32,
}

/// Says why a factor is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a VIP is sent 2 to 10 times as much")]
pub struct InvalidVip;

impl Vip {
    /// Names a user of the host's, of the default tenant.
    ///
    /// # Errors
    /// [`InvalidVip`] where the factor is below two or above ten.
    pub fn subject(subject: &SubjectId, times: u32) -> Result<Self, InvalidVip> {
        Self::of(SubjectKey::of_subject(subject), times)
    }

    /// Names an address, for those who have no account yet, of the default tenant.
    ///
    /// # Errors
    /// [`InvalidVip`] where the factor is below two or above ten.
    pub fn destination(destination: &Destination, times: u32) -> Result<Self, InvalidVip> {
        Self::of(SubjectKey::of_destination(destination), times)
    }

    pub(crate) fn of(whom: SubjectKey, times: u32) -> Result<Self, InvalidVip> {
        let fits = (2..=10).contains(&times);
        let times = NonZeroU32::new(times).filter(|_| fits).ok_or(InvalidVip)?;
        Ok(Self {
            tenant: Tenant::default(),
            whom,
            times,
        })
    }

    /// Sets the tenant.
    #[must_use]
    pub fn in_tenant(mut self, tenant: Tenant) -> Self {
        self.tenant = tenant;
        self
    }

    /// Gives the tenant.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Gives the subject, or the pseudonym of the address.
    #[must_use]
    pub fn whom(&self) -> &SubjectKey {
        &self.whom
    }

    pub(crate) fn is_about(&self, subject: &SubjectId) -> bool {
        self.tenant == Tenant::default() && self.whom == SubjectKey::of_subject(subject)
    }

    /// Gives the factor.
    #[must_use]
    pub fn times(&self) -> NonZeroU32 {
        self.times
    }
}

impl Exception {
    /// Names the kind, as the status has it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Quota { .. } => "quota",
            Self::Vip(_) => "vip",
            Self::Allowed(_) => "allowed",
            Self::ChannelOff(_) => "channel_off",
            Self::ChannelOn(_) => "channel_on",
            Self::CountryDenied(_) => "country_denied",
            Self::CaptchaRequired => "captcha_required",
            Self::SecondFactorWaived => "second_factor_waived",
        }
    }

    /// Makes the policy what it is while this holds.
    pub(crate) fn apply(&self, policy: Policy) -> Policy {
        match self {
            Self::Quota {
                operation,
                scope,
                quota,
            } => {
                let limits = policy.limits().clone();
                policy.with_limits(limits.with_quota(*operation, *scope, *quota))
            }
            Self::Vip(vip) => policy.with_vip(vip.clone()),
            Self::Allowed(allowed) => {
                let list = policy.allow_list().clone().with(allowed.clone());
                policy.with_allow_list(list)
            }
            Self::ChannelOff(channel) => policy.map_channels(|all| all.without(*channel)),
            Self::ChannelOn(channel) => policy.map_channels(|all| all.with(*channel)),
            Self::CountryDenied(country) => {
                let limits = policy.limits().clone();
                let geography = limits.geography().clone().deny(*country);
                policy.with_limits(limits.with_geography(geography))
            }
            Self::CaptchaRequired => {
                let on_outage = policy.captcha().in_outage();
                policy.with_captcha(CaptchaPolicy::always().on_outage(on_outage))
            }
            Self::SecondFactorWaived => policy.with_second_factor(SecondFactor::Waived),
        }
    }
}

/// Says what changes, in one line of the audit log.
impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Quota {
                operation,
                scope,
                quota,
            } => write!(
                f,
                " {} {} {}/{}s",
                operation.name(),
                scope.name(),
                quota.max(),
                quota.period().as_secs()
            ),
            Self::Vip(vip) => write!(f, " {} times", vip.times),
            Self::Allowed(allowed) => write!(f, " {allowed}"),
            Self::ChannelOff(channel) | Self::ChannelOn(channel) => {
                write!(f, " {}", channel.name())
            }
            Self::CountryDenied(country) => write!(f, " {}", country.code()),
            Self::CaptchaRequired | Self::SecondFactorWaived => Ok(()),
        }
    }
}
