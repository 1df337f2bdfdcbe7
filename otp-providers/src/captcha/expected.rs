use std::time::Duration;

use super::Vendor;

/// What a token must have been solved for. The vendor says that somebody solved something
/// somewhere; this says that it was here and for this.
///
/// Nothing is accepted from no host: without a hostname every token fails.
///
/// # Examples
/// ```
/// use otp_providers::captcha::Expected;
///
/// let expected = Expected::on(["login.example.com"]).action("send_otp").min_score(0.5);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    hostnames: Vec<String>,
    action: Option<String>,
    min_score: Option<f64>,
    longest_age: Option<Duration>,
}

impl Expected {
    /// The least score of reCAPTCHA v3, unless it is said otherwise: what Google proposes.
    pub const MIN_SCORE: f64 = 0.5;

    /// The oldest challenge, unless it is said otherwise. Vendors' tokens live five minutes at
    /// most, but some count from when the page was loaded.
    pub const LONGEST_AGE: Duration = Duration::from_secs(600);

    /// Expects one of these hosts. A host is compared as a whole, and case makes no difference.
    #[must_use]
    pub fn on(hostnames: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let lower = |host: &str| host.to_ascii_lowercase();
        Self {
            hostnames: hostnames.into_iter().map(|h| lower(h.as_ref())).collect(),
            ..Self::default()
        }
    }

    /// Expects an action, where the vendor has any. Default: none is looked at.
    #[must_use]
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// Sets the least score, from 0 to 1. Default: [`MIN_SCORE`](Self::MIN_SCORE).
    #[must_use]
    pub fn min_score(mut self, score: f64) -> Self {
        self.min_score = Some(score);
        self
    }

    /// Sets how old the challenge may be. Default: [`LONGEST_AGE`](Self::LONGEST_AGE).
    #[must_use]
    pub fn longest_age(mut self, age: Duration) -> Self {
        self.longest_age = Some(age);
        self
    }

    pub(super) fn also_on(&mut self, hostname: &str) {
        self.hostnames.push(hostname.to_ascii_lowercase());
    }

    pub(super) fn hostnames(&self) -> &[String] {
        &self.hostnames
    }

    pub(super) fn is_on(&self, hostname: Option<&str>) -> bool {
        let expected = |host: &str| {
            let mut names = self.hostnames.iter();
            names.any(|name| name.eq_ignore_ascii_case(host))
        };
        hostname.is_some_and(expected)
    }

    pub(super) fn is_for(&self, vendor: Vendor, action: Option<&str>) -> bool {
        match &self.action {
            Some(expected) if vendor.has_actions() => action == Some(expected),
            _ => true,
        }
    }

    pub(super) fn is_high_enough(&self, vendor: Vendor, score: Option<f64>) -> bool {
        let floor = self.min_score.unwrap_or(Self::MIN_SCORE);
        !vendor.scores() || score.is_some_and(|score| (floor..=1.0).contains(&score))
    }

    pub(super) fn names_action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    pub(super) fn floor(&self) -> Option<f64> {
        self.min_score
    }

    pub(super) fn oldest(&self) -> Duration {
        self.longest_age.unwrap_or(Self::LONGEST_AGE)
    }
}
