//! All tunables as one checked value, swapped atomically while the service runs.

mod allow_list;
mod assurance;
mod captcha;
mod channels;
mod factors;
#[cfg(feature = "policy-file")]
mod file;
mod fleet;
mod geography;
mod in_force;
mod level;
mod limits;
mod line_types;
mod outage;
mod overrides;
mod purposes;
mod second_factor;
mod toll_fraud;
mod vips;

use std::collections::BTreeMap;
use std::time::Duration;

pub use allow_list::{AllowList, Allowed, InvalidAllowed};
pub use assurance::Assurance;
pub use captcha::{CaptchaPolicy, OnCaptchaOutage};
pub use channels::Channels;
pub use factors::FactorRules;
#[cfg(feature = "policy-file")]
pub use file::{CaptchaPlan, DatabaseKind, DatabasePlan, PolicyFile, PolicyFileError};
pub use fleet::FleetAlarm;
pub use geography::Geography;
pub(crate) use in_force::{Ended, Fallen, InForce, Shared, Step};
pub use level::{Level, PolicyError};
pub use limits::{Limits, ScopedQuota, Starts};
pub use line_types::LineTypes;
pub use outage::{InvalidOutagePolicy, OnOutage, OutagePolicy, VerifyOnOutage};
pub(crate) use overrides::OverrideList;
pub use overrides::{
    Exception, InvalidOverrideId, InvalidVip, Override, OverrideError, OverrideId, Vip,
};
pub use purposes::Purposes;
pub use second_factor::SecondFactor;
pub use toll_fraud::{GuardMode, Told, TollFraud};
pub use vips::Vips;

use crate::challenge::CodeFormat;
use crate::destination::Channel;
use crate::request::Purpose;

/// What a resend carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResendCode {
    /// A fresh code; the one before is worth nothing from then on. The default.
    #[default]
    Fresh,
    /// The same code, which is kept sealed for that: kinder where messages arrive late and out of
    /// order.
    Same,
}

/// No code lives longer (NIST SP 800-63B section 3.1.3.2, ASVS 6.5.5).
pub const MAX_LIFETIME: Duration = Duration::from_secs(600);

/// Everything that decides and can be tuned.
#[derive(Clone, Debug)]
pub struct Policy {
    limits: Limits,
    purposes: Purposes,
    lifetimes: BTreeMap<&'static str, Duration>,
    resend_code: ResendCode,
    captcha: CaptchaPolicy,
    channels: Channels,
    vips: Vips,
    allow_list: AllowList,
    second_factor: SecondFactor,
    factors: FactorRules,
    toll_fraud: TollFraud,
    fleet_alarm: FleetAlarm,
}

impl Policy {
    /// Starts from limits, with the recommended purposes and lifetimes.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            purposes: Purposes::recommended(),
            lifetimes: BTreeMap::new(),
            resend_code: ResendCode::default(),
            captcha: CaptchaPolicy::default(),
            channels: Channels::default(),
            vips: Vips::default(),
            allow_list: AllowList::default(),
            second_factor: SecondFactor::default(),
            factors: FactorRules::default(),
            toll_fraud: TollFraud::default(),
            fleet_alarm: FleetAlarm::default(),
        }
    }

    /// Replaces the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Registers a purpose with the shape of its codes, or changes it.
    #[must_use]
    pub fn with_purpose(mut self, purpose: Purpose, format: CodeFormat) -> Self {
        self.purposes.register(purpose, format);
        self
    }

    /// Sets how long codes of a channel live. Default: five minutes, ten for e-mail; never more
    /// than [`MAX_LIFETIME`].
    #[must_use]
    pub fn with_lifetime(mut self, channel: Channel, lifetime: Duration) -> Self {
        self.lifetimes.insert(channel.name(), lifetime);
        self
    }

    /// Sets what a resend carries. Default: [`ResendCode::Fresh`].
    #[must_use]
    pub fn with_resend_code(mut self, resend: ResendCode) -> Self {
        self.resend_code = resend;
        self
    }

    /// Sets when a start needs a captcha. Default: [`CaptchaPolicy::on_advice`].
    #[must_use]
    pub fn with_captcha(mut self, captcha: CaptchaPolicy) -> Self {
        self.captcha = captcha;
        self
    }

    /// Replaces which channels are off. Default: none is.
    #[must_use]
    pub fn with_channels(mut self, channels: Channels) -> Self {
        self.channels = channels;
        self
    }

    pub(crate) fn map_channels(self, change: impl FnOnce(Channels) -> Channels) -> Self {
        let channels = change(self.channels.clone());
        self.with_channels(channels)
    }

    pub(crate) fn with_vip(mut self, vip: Vip) -> Self {
        self.vips.add(vip);
        self
    }

    /// Replaces who meets no defence that goes by neighbours. Default: nobody.
    #[must_use]
    pub fn with_allow_list(mut self, list: AllowList) -> Self {
        self.allow_list = list;
        self
    }

    pub(crate) fn with_second_factor(mut self, second_factor: SecondFactor) -> Self {
        self.second_factor = second_factor;
        self
    }

    /// Sets the rules of second factors. Default: [`FactorRules::recommended`].
    #[must_use]
    pub fn with_factors(mut self, rules: FactorRules) -> Self {
        self.factors = rules;
        self
    }

    /// Sets the rules of the toll-fraud guard. Default: off.
    #[must_use]
    pub fn with_toll_fraud(mut self, rules: TollFraud) -> Self {
        self.toll_fraud = rules;
        self
    }

    /// Sets when wrong codes over all accounts raise what a challenge needs. Default: from 1,000
    /// a minute, see [`FleetAlarm`].
    #[must_use]
    pub fn with_fleet_alarm(mut self, alarm: FleetAlarm) -> Self {
        self.fleet_alarm = alarm;
        self
    }

    /// Gives the limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Gives the registered purposes.
    #[must_use]
    pub fn purposes(&self) -> &Purposes {
        &self.purposes
    }

    /// Says how long a code of a channel lives.
    #[must_use]
    pub fn lifetime(&self, channel: Channel) -> Duration {
        let default = match channel {
            Channel::Email => MAX_LIFETIME,
            _ => Duration::from_secs(300),
        };
        self.lifetimes
            .get(channel.name())
            .copied()
            .unwrap_or(default)
    }

    /// Says what a resend carries.
    #[must_use]
    pub fn resend_code(&self) -> ResendCode {
        self.resend_code
    }

    /// Says when a start needs a captcha.
    #[must_use]
    pub fn captcha(&self) -> &CaptchaPolicy {
        &self.captcha
    }

    /// Says which channels are off.
    #[must_use]
    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Says who may be sent more, while overrides hold.
    #[must_use]
    pub fn vips(&self) -> &Vips {
        &self.vips
    }

    /// Says who meets no defence that goes by neighbours.
    #[must_use]
    pub fn allow_list(&self) -> &AllowList {
        &self.allow_list
    }

    /// Says whether a second factor is asked for. The library obeys it nowhere by itself: a host
    /// asks before it starts a challenge for [`Purpose::MFA`].
    #[must_use]
    pub fn second_factor(&self) -> SecondFactor {
        self.second_factor
    }

    /// Gives the rules of second factors.
    #[must_use]
    pub fn factors(&self) -> &FactorRules {
        &self.factors
    }

    /// Gives the rules of the toll-fraud guard.
    #[must_use]
    pub fn toll_fraud(&self) -> &TollFraud {
        &self.toll_fraud
    }

    /// Says when wrong codes over all accounts raise what a challenge needs.
    #[must_use]
    pub fn fleet_alarm(&self) -> &FleetAlarm {
        &self.fleet_alarm
    }

    /// Bounds the probability that somebody who guesses for a year at one account, through every
    /// lane, channel and purpose, is right once.
    #[must_use]
    pub fn yearly_guess_bound(&self) -> f64 {
        self.bound_over(self.purposes.smallest_code_space())
    }

    /// Gives the probability that a year of guesses is right once, where there are so many codes.
    fn bound_over(&self, codes: f64) -> f64 {
        level::as_float(self.limits.budget().guesses_a_year()) / codes
    }

    /// Checks that codes that a vendor makes reach the declared level too: their shape is the
    /// vendor's, whatever that of their purpose is.
    ///
    /// # Errors
    /// [`PolicyError::VendorMissesLevel`].
    pub fn lets_codes_of(&self, provider: &str, format: CodeFormat) -> Result<(), PolicyError> {
        let (level, bound) = (self.limits.level(), self.bound_over(format.codes()));
        if bound > level.yearly_bound() {
            return Err(PolicyError::VendorMissesLevel {
                provider: provider.to_owned(),
                level,
                bound,
            });
        }
        Ok(())
    }

    /// Checks that the policy can be, and that it reaches its declared level.
    ///
    /// # Errors
    /// [`PolicyError`], which says what is wrong and, where the level is missed, by how much.
    pub fn validate(&self) -> Result<(), PolicyError> {
        if self.purposes.is_empty() {
            return Err(PolicyError::NoPurpose);
        }
        for lifetime in self.lifetimes.values() {
            if lifetime.is_zero() || *lifetime > MAX_LIFETIME {
                return Err(PolicyError::Lifetime);
            }
        }
        self.limits.validate()?;
        self.toll_fraud.validate()?;
        self.fleet_alarm.validate()?;
        let bound = self.yearly_guess_bound();
        let level = self.limits.level();
        if bound > level.yearly_bound() {
            return Err(PolicyError::MissesLevel { level, bound });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
