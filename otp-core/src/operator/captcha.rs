use std::fmt;
use std::time::Duration;

use super::{Operator, Whom};
use crate::challenge::Lane;
use crate::event::{Event, EventKind};
use crate::quota::{QuotaClaim, QuotaKey, Scope};
use crate::verifier::Unavailable;

/// The refused tries that are counted of somebody, and from how many on a start needs a captcha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaptchaCount {
    /// Through which door.
    pub lane: Lane,
    /// Counted by what.
    pub scope: Scope,
    /// How many there were within the window.
    pub failures: u32,
    /// How many ask for a captcha.
    pub asks_from: u32,
    /// The window.
    pub window: Duration,
}

impl CaptchaCount {
    /// Says whether a start needs a captcha by it.
    #[must_use]
    pub const fn is_reached(&self) -> bool {
        self.failures >= self.asks_from
    }
}

impl fmt::Display for CaptchaCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "captcha by {} through {}: {} refused tries in {} s, asked for from {}",
            self.scope.name(),
            self.lane.name(),
            self.failures,
            self.window.as_secs(),
            self.asks_from
        )
    }
}

impl Operator {
    /// Reads the counts that ask them for a captcha, those that hold anything.
    pub(super) async fn captcha_counts(
        &self,
        whom: &Whom,
    ) -> Result<Vec<(QuotaKey, CaptchaCount)>, Unavailable> {
        let policy = self.verifier.policy();
        let Some((subject, address, window)) = policy.captcha().thresholds() else {
            return Ok(Vec::new());
        };
        let claims = self.captcha_claims(whom);
        let asked: Vec<QuotaClaim> = claims.iter().map(|(_, claim)| claim.clone()).collect();
        let readings = self.store().peek(&asked).await?;
        let counts = claims.into_iter().zip(readings).map(|((lane, claim), it)| {
            let scope = it.scope();
            let count = CaptchaCount {
                lane,
                scope,
                failures: it.limit().saturating_sub(it.remaining()),
                asks_from: if scope == Scope::Address {
                    address
                } else {
                    subject
                },
                window,
            };
            (claim.key, count)
        });
        Ok(counts.filter(|(_, count)| count.failures > 0).collect())
    }

    fn captcha_claims(&self, whom: &Whom) -> Vec<(Lane, QuotaClaim)> {
        let mut claims: Vec<(Lane, QuotaClaim)> = Vec::new();
        let (subject, address, scope) = match whom {
            Whom::Address(address) => (None, Some(*address), Scope::Address),
            _ => (whom.subject_key(), None, Scope::Subject),
        };
        for lane in [Lane::Public, Lane::KnownDevice] {
            let mut tried = Event::new(EventKind::ValidationAttempt, &self.tenant);
            tried.subject = subject.clone();
            tried.address = address;
            tried.lane = Some(lane);
            for claim in self.verifier.policy().captcha().counts(&tried) {
                let known = claims.iter().any(|(_, other)| other.key == claim.key);
                if claim.key.scope() == scope && !known {
                    claims.push((lane, claim));
                }
            }
        }
        claims
    }
}
