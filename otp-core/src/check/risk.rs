use std::borrow::Cow;

use super::CheckVerdict;

/// How bad something looks, from 0 (nothing known against it) to 100 (surely bad).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Risk(u8);

impl Risk {
    /// Nothing is known against it.
    pub const NONE: Self = Self(0);
    /// It is surely bad.
    pub const CERTAIN: Self = Self(100);

    /// Makes a risk of a percentage; more than 100 is 100.
    #[must_use]
    pub const fn percent(percent: u8) -> Self {
        if percent > 100 {
            Self::CERTAIN
        } else {
            Self(percent)
        }
    }

    /// Gives the percentage.
    #[must_use]
    pub const fn as_percent(self) -> u8 {
        self.0
    }
}

/// What is done at which risk. Default: a step-up from 60, nothing denied: reputations are wrong
/// about people behind shared addresses, and a captcha lets those go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiskRule {
    step_up: Risk,
    deny: Option<Risk>,
}

impl Default for RiskRule {
    fn default() -> Self {
        Self {
            step_up: Risk::percent(60),
            deny: None,
        }
    }
}

impl RiskRule {
    /// Asks for a step-up from this risk on.
    #[must_use]
    pub const fn step_up_from(mut self, risk: Risk) -> Self {
        self.step_up = risk;
        self
    }

    /// Denies from this risk on.
    #[must_use]
    pub const fn deny_from(mut self, risk: Risk) -> Self {
        self.deny = Some(risk);
        self
    }

    pub(super) fn judge(self, risk: Risk, reason: &'static str) -> CheckVerdict {
        let reason = Cow::Borrowed(reason);
        if self.deny.is_some_and(|deny| risk >= deny) {
            CheckVerdict::Deny(reason)
        } else if risk >= self.step_up {
            CheckVerdict::StepUp(reason)
        } else {
            CheckVerdict::Allow
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_risk_is_judged_by_the_sharper_rule_first() {
        let rule = RiskRule::default().deny_from(Risk::percent(90));
        let judged = |percent| rule.judge(Risk::percent(percent), "bad");
        assert_eq!(judged(59), CheckVerdict::Allow);
        assert_eq!(judged(60), CheckVerdict::StepUp("bad".into()));
        assert_eq!(judged(89), CheckVerdict::StepUp("bad".into()));
        assert_eq!(judged(90), CheckVerdict::Deny("bad".into()));
        assert_eq!(judged(255), CheckVerdict::Deny("bad".into()));
    }

    #[test]
    fn nothing_is_denied_unless_it_is_said() {
        let judged = RiskRule::default().judge(Risk::CERTAIN, "bad");
        assert_eq!(judged, CheckVerdict::StepUp("bad".into()));
    }
}
