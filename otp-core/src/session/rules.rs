use std::time::Duration;

use thiserror::Error;

use super::TokenAlgorithm;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// How long tokens live, and whose they are.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_core::session::SessionRules;
///
/// let rules = SessionRules::new("https://login.example.org")?
///     .access_life(Duration::from_secs(300))?;
/// assert!(rules.access_life(Duration::ZERO).is_err());
/// # Ok::<(), otp_core::session::InvalidRules>(())
/// ```
#[derive(Clone, Debug)]
pub struct SessionRules {
    pub(super) issuer: String,
    pub(super) audience: Option<String>,
    pub(super) access_life: Duration,
    pub(super) life: Duration,
    pub(super) idle: Duration,
    pub(super) grace: Duration,
    pub(super) leeway: Duration,
    pub(super) freshness: Duration,
    pub(super) algorithm: TokenAlgorithm,
    also: Option<TokenAlgorithm>,
}

/// Says which rule is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidRules {
    /// The issuer is empty, too long, or would not stay on its line.
    #[error("an issuer must be 1 to 128 visible ascii characters")]
    Issuer,
    /// The audience is empty, too long, or would not stay on its line.
    #[error("an audience must be 1 to 128 visible ascii characters")]
    Audience,
    /// A time is outside its bounds.
    #[error("{0}")]
    Time(&'static str),
}

impl SessionRules {
    /// Starts with the usual times, for tokens that this issuer signs (`iss`).
    ///
    /// # Errors
    /// [`InvalidRules::Issuer`].
    pub fn new(issuer: &str) -> Result<Self, InvalidRules> {
        let issuer = named(issuer).ok_or(InvalidRules::Issuer)?;
        Ok(Self {
            issuer,
            audience: None,
            access_life: MINUTE.saturating_mul(15),
            life: DAY.saturating_mul(30),
            idle: DAY.saturating_mul(14),
            grace: Duration::from_secs(10),
            leeway: Duration::from_secs(5),
            freshness: Duration::from_secs(1),
            algorithm: TokenAlgorithm::Hs256,
            also: None,
        })
    }

    /// Says whom access tokens are for (`aud`, RFC 7519 section 4.1.3): the service that checks them.
    /// Then no other token is accepted, and neither is one of before; its client refreshes it.
    /// Default: they say nothing of it.
    ///
    /// # Errors
    /// [`InvalidRules::Audience`].
    pub fn audience(mut self, audience: &str) -> Result<Self, InvalidRules> {
        self.audience = Some(named(audience).ok_or(InvalidRules::Audience)?);
        Ok(self)
    }

    /// Sets how access tokens are signed; no other way is accepted. Default:
    /// [`Hs256`](TokenAlgorithm::Hs256).
    #[must_use]
    pub fn algorithm(mut self, algorithm: TokenAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Accepts tokens that were signed another way as well, for the minutes that those of before a
    /// change of [`algorithm`](Self::algorithm) still live. Default: none.
    #[must_use]
    pub fn accepting(mut self, other: TokenAlgorithm) -> Self {
        self.also = Some(other);
        self
    }

    /// Says how long an access token may be accepted after the last moment at which it was made.
    pub(super) fn overlap(&self) -> Duration {
        let leeway = self.leeway.saturating_mul(2);
        self.access_life.saturating_add(leeway).max(self.grace)
    }

    pub(super) fn accepts(&self, algorithm: TokenAlgorithm) -> bool {
        algorithm == self.algorithm || Some(algorithm) == self.also
    }

    /// Sets how long an access token lives, a second to a day. Default: 15 minutes.
    ///
    /// # Errors
    /// [`InvalidRules::Time`].
    pub fn access_life(mut self, life: Duration) -> Result<Self, InvalidRules> {
        let problem = "an access token lives a second to a day";
        self.access_life = within(life, Duration::from_secs(1), DAY, problem)?;
        Ok(self)
    }

    /// Sets how long a session lives, however often it is refreshed, a minute to a year. Default:
    /// 30 days (NIST SP 800-63B section 2.1.3).
    ///
    /// # Errors
    /// [`InvalidRules::Time`].
    pub fn life(mut self, life: Duration) -> Result<Self, InvalidRules> {
        let problem = "a session lives a minute to a year";
        self.life = within(life, MINUTE, DAY.saturating_mul(366), problem)?;
        Ok(self)
    }

    /// Sets how long a session lives that nobody refreshes, a minute to a year. Default: 14 days.
    ///
    /// # Errors
    /// [`InvalidRules::Time`].
    pub fn idle(mut self, idle: Duration) -> Result<Self, InvalidRules> {
        let problem = "a session is idle for a minute to a year";
        self.idle = within(idle, MINUTE, DAY.saturating_mul(366), problem)?;
        Ok(self)
    }

    /// Sets how long a refresh token that was spent is answered again with the same successor, for
    /// callers that race and answers that were lost, up to a minute. Default: 10 seconds. After it,
    /// whoever presents a spent token ends the session.
    ///
    /// # Errors
    /// [`InvalidRules::Time`].
    pub fn grace(mut self, grace: Duration) -> Result<Self, InvalidRules> {
        let problem = "a spent refresh token is answered again for a minute at the most";
        self.grace = within(grace, Duration::ZERO, MINUTE, problem)?;
        Ok(self)
    }

    /// Sets how far clocks of instances may be apart, up to a minute. Default: 5 seconds.
    ///
    /// # Errors
    /// [`InvalidRules::Time`].
    pub fn leeway(mut self, leeway: Duration) -> Result<Self, InvalidRules> {
        let problem = "clocks are a minute apart at the most";
        self.leeway = within(leeway, Duration::ZERO, MINUTE, problem)?;
        Ok(self)
    }

    /// Sets how long a session that was seen alive counts as alive, up to a second. Default: a
    /// second; zero asks the store at every check.
    ///
    /// # Errors
    /// [`InvalidRules::Time`].
    pub fn freshness(mut self, freshness: Duration) -> Result<Self, InvalidRules> {
        let problem = "an ended session is seen within a second";
        self.freshness = within(freshness, Duration::ZERO, Duration::from_secs(1), problem)?;
        Ok(self)
    }
}

/// Takes a name that a claim may hold.
fn named(text: &str) -> Option<String> {
    let fits = (1..=128).contains(&text.len());
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    (fits && visible).then(|| text.to_owned())
}

fn within(
    time: Duration,
    least: Duration,
    most: Duration,
    problem: &'static str,
) -> Result<Duration, InvalidRules> {
    if (least..=most).contains(&time) {
        Ok(time)
    } else {
        Err(InvalidRules::Time(problem))
    }
}
