use std::time::Duration;

use crate::challenge::Lane;
use crate::event::Event;
use crate::quota::{ClientAddress, InvalidQuota, Quota, QuotaClaim, QuotaKey, QuotaReading, Scope};
use crate::request::Tenant;

/// What a start that needs a captcha does while nobody can check one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnCaptchaOutage {
    /// It is unavailable. The default.
    #[default]
    Refuse,
    /// It goes on as if the captcha were solved; limits, blocks and locks stay. Whoever can keep
    /// us from the vendor can then start without one.
    Allow,
}

impl OnCaptchaOutage {
    /// Names the behaviour, as configuration has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Allow => "allow",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Refuse, Self::Allow]
            .into_iter()
            .find(|one| one.name() == name)
    }
}

/// When a start needs a captcha. Whatever this says, a gate or a check may ask for one too.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_core::policy::CaptchaPolicy;
///
/// let policy = CaptchaPolicy::after(3, Duration::from_secs(15 * 60))?.from_address(10)?;
/// assert!(CaptchaPolicy::after(0, Duration::from_secs(60)).is_err());
/// assert_eq!(CaptchaPolicy::default(), CaptchaPolicy::on_advice());
/// # Ok::<(), otp_core::quota::InvalidQuota>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptchaPolicy {
    rule: Rule,
    on_outage: OnCaptchaOutage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rule {
    #[default]
    OnAdvice,
    After(Failures),
    Always,
}

/// Refused tries are kept in a window each of a subject's door and of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Failures {
    subject: u32,
    address: u32,
    window: Duration,
}

/// How many failures beyond the threshold are kept: while they go on, the captcha stays.
const KEPT: u32 = 4;

impl CaptchaPolicy {
    /// The most failures that a threshold may be.
    pub const MOST: u32 = Quota::MOST_IN_WINDOW / KEPT;

    /// Asks only where a gate or a check advises it. The default.
    #[must_use]
    pub const fn on_advice() -> Self {
        Self {
            rule: Rule::OnAdvice,
            on_outage: OnCaptchaOutage::Refuse,
        }
    }

    /// Asks at every start.
    #[must_use]
    pub const fn always() -> Self {
        Self {
            rule: Rule::Always,
            on_outage: OnCaptchaOutage::Refuse,
        }
    }

    /// Asks once so many tries within the window were refused for a subject, through the same
    /// door (a known device is not asked for what strangers typed), or from one client address.
    /// Expired, unknown and malformed codes count like wrong ones: they look alike.
    ///
    /// It costs a round trip to the store at each start and one after each refused try.
    ///
    /// # Errors
    /// [`InvalidQuota`] where `failures` is zero or over [`MOST`](Self::MOST), or the window is
    /// not one of [`Quota::window`].
    pub fn after(failures: u32, window: Duration) -> Result<Self, InvalidQuota> {
        let rule = Rule::After(Failures {
            subject: checked(failures, window)?,
            address: failures,
            window,
        });
        Ok(Self {
            rule,
            on_outage: OnCaptchaOutage::Refuse,
        })
    }

    /// Sets another threshold for one client address: an office is one. Default: the same. Means
    /// nothing where nothing is counted.
    ///
    /// # Errors
    /// [`InvalidQuota`] as of [`after`](Self::after).
    pub fn from_address(mut self, failures: u32) -> Result<Self, InvalidQuota> {
        if let Rule::After(rule) = &mut self.rule {
            rule.address = checked(failures, rule.window)?;
        }
        Ok(self)
    }

    /// Sets what happens where nobody can check. Default: [`OnCaptchaOutage::Refuse`].
    #[must_use]
    pub const fn on_outage(mut self, on_outage: OnCaptchaOutage) -> Self {
        self.on_outage = on_outage;
        self
    }

    /// Says what happens where nobody can check.
    #[must_use]
    pub const fn in_outage(&self) -> OnCaptchaOutage {
        self.on_outage
    }

    /// Says whether some starts need a captcha whatever gates and checks say.
    #[must_use]
    pub const fn asks_by_itself(&self) -> bool {
        !matches!(self.rule, Rule::OnAdvice)
    }

    /// Gives the failures of a subject and of an address after which it asks, and the window that
    /// they are counted in; `None` where none are counted.
    #[must_use]
    pub const fn thresholds(&self) -> Option<(u32, u32, Duration)> {
        match self.rule {
            Rule::After(rule) => Some((rule.subject, rule.address, rule.window)),
            _ => None,
        }
    }

    pub(crate) const fn asks_always(&self) -> bool {
        matches!(self.rule, Rule::Always)
    }

    /// Names the counts of failures that a request or a try belongs to; none where none is kept.
    pub(crate) fn counts(&self, event: &Event) -> Vec<QuotaClaim> {
        let Rule::After(rule) = self.rule else {
            return Vec::new();
        };
        let subject = event.subject.as_ref().map(|subject| {
            let door = match event.lane {
                Some(Lane::KnownDevice) => "k",
                _ => "p",
            };
            rule.claim(door, Scope::Subject, &event.tenant, subject.as_str())
        });
        let bucket = ClientAddress::from(event.address).bucket();
        let address = rule.claim("p", Scope::Address, &event.tenant, &bucket);
        subject.into_iter().chain([address]).flatten().collect()
    }

    /// Says whether counts that were read reach a threshold.
    pub(crate) fn reached(&self, readings: &[QuotaReading]) -> bool {
        let Rule::After(rule) = self.rule else {
            return false;
        };
        readings.iter().any(|reading| {
            let failures = reading.limit().saturating_sub(reading.remaining());
            failures >= rule.threshold(reading.scope())
        })
    }
}

impl Failures {
    const fn threshold(&self, scope: Scope) -> u32 {
        match scope {
            Scope::Address => self.address,
            _ => self.subject,
        }
    }

    fn claim(&self, door: &str, scope: Scope, tenant: &Tenant, value: &str) -> Option<QuotaClaim> {
        let kept = self.threshold(scope).saturating_mul(KEPT);
        let quota = Quota::window(kept, self.window).ok()?;
        let action = format!("captcha.{door}{}", self.window.as_secs());
        let key = QuotaKey::new(&action, scope, tenant.as_str(), value);
        Some(QuotaClaim::new(key, quota))
    }
}

fn checked(failures: u32, window: Duration) -> Result<u32, InvalidQuota> {
    Quota::window(failures.saturating_mul(KEPT), window)?;
    Ok(failures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;
    use crate::quota::Level;
    use crate::request::SubjectKey;

    const WINDOW: Duration = Duration::from_secs(900);

    fn event(lane: Option<Lane>) -> Event {
        let event = Event::new(EventKind::ValidationAttempt, &Tenant::default());
        Event {
            lane,
            ..event.about(&SubjectKey::of_claim("somebody"))
        }
    }

    fn reading(claim: &QuotaClaim, failures: u32) -> QuotaReading {
        let level = Level {
            remaining: claim.quota.max() - failures,
            reset_after: WINDOW,
            retry_after: None,
        };
        QuotaReading::new(claim, level)
    }

    #[test]
    fn the_threshold_of_a_subject_and_of_an_address_are_reached_apart() {
        let policy = CaptchaPolicy::after(3, WINDOW)
            .and_then(|policy| policy.from_address(10))
            .unwrap();
        let counts = policy.counts(&event(None));
        let reached = |subject, address| {
            policy.reached(&[reading(&counts[0], subject), reading(&counts[1], address)])
        };
        assert!(!reached(2, 9));
        assert!(reached(3, 0));
        assert!(reached(0, 10));
    }

    #[test]
    fn failures_through_the_public_door_are_not_a_known_devices() {
        let policy = CaptchaPolicy::after(3, WINDOW).unwrap();
        let public = policy.counts(&event(Some(Lane::Public)));
        let known = policy.counts(&event(Some(Lane::KnownDevice)));
        assert_ne!(public[0].key, known[0].key);
        assert_eq!(public[1].key, known[1].key);
        assert_eq!(public, policy.counts(&event(None)));
    }

    #[test]
    fn nothing_is_counted_where_the_count_decides_nothing() {
        for policy in [CaptchaPolicy::always(), CaptchaPolicy::on_advice()] {
            assert!(policy.counts(&event(None)).is_empty());
        }
    }

    #[test]
    fn a_threshold_that_cannot_be_counted_is_refused() {
        assert!(CaptchaPolicy::after(CaptchaPolicy::MOST, WINDOW).is_ok());
        assert!(CaptchaPolicy::after(CaptchaPolicy::MOST + 1, WINDOW).is_err());
        assert!(CaptchaPolicy::after(3, Duration::ZERO).is_err());
    }
}
