use std::sync::Arc;
use std::time::Duration;

use super::{Override, OverrideError, OverrideId, Policy, PolicyError};
use crate::clock::{Stopwatch, Timestamp};

/// The policy in force: the standing one with the overrides that hold laid on it.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    #[cfg(feature = "policy-file")]
    built: Arc<Policy>,
    standing: Arc<Policy>,
    effective: Arc<Policy>,
    version: u64,
    held: Vec<Held>,
    /// Overrides that ended, the latest last: whatever a clock says, none of them holds again.
    ended: Vec<OverrideId>,
}

/// An override, and how long it may still hold whatever becomes of the wall clock.
#[derive(Clone, Debug)]
struct Held {
    this: Override,
    since: Stopwatch,
    life: Duration,
}

/// One that ended by itself just now.
pub(crate) type Ended = Override;

/// One change of what is in force.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Another standing policy.
    Replace(Box<Policy>),
    /// One override more.
    Begin(Override),
    /// One less.
    End(OverrideId),
}

impl Held {
    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.this.expires_at() || self.since.elapsed() >= self.life
    }
}

impl InForce {
    /// Starts from a checked policy, as version 1.
    pub(crate) fn new(policy: Policy) -> Self {
        let standing = Arc::new(policy);
        Self {
            #[cfg(feature = "policy-file")]
            built: Arc::clone(&standing),
            effective: Arc::clone(&standing),
            standing,
            version: 1,
            held: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// Gives the policy that documents are laid over.
    #[cfg(feature = "policy-file")]
    pub(crate) fn built(&self) -> &Policy {
        &self.built
    }

    /// Gives the policy with its overrides.
    pub(crate) fn effective(&self) -> &Arc<Policy> {
        &self.effective
    }

    /// Gives the policy without them.
    pub(crate) fn standing(&self) -> &Arc<Policy> {
        &self.standing
    }

    /// Counts the standing policies.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Lists the overrides that hold, oldest first.
    pub(crate) fn overrides(&self) -> impl Iterator<Item = &Override> {
        self.held.iter().map(|held| &held.this)
    }

    /// Says whether an override has ended that is still laid on.
    pub(crate) fn is_due(&self, now: impl Fn() -> Timestamp) -> bool {
        if self.held.is_empty() {
            return false;
        }
        let now = now();
        self.held.iter().any(|held| held.is_over(now))
    }

    /// Takes away what has ended, and lists it.
    pub(crate) fn settle(&mut self, now: Timestamp) -> Vec<Ended> {
        let (over, held): (Vec<_>, Vec<_>) =
            self.held.drain(..).partition(|held| held.is_over(now));
        self.held = held;
        let over: Vec<Ended> = over.into_iter().map(|held| held.this).collect();
        if !over.is_empty() {
            for one in &over {
                self.remember(one.id());
            }
            // What is left was in force beside it; where it cannot be alone, nothing is overridden.
            self.effective = match laid_on(&self.standing, &self.held) {
                Ok(effective) => effective,
                Err(_) => Arc::clone(&self.standing),
            };
        }
        over
    }

    /// Makes one change, checked as a whole; where it is refused, nothing changes.
    pub(crate) fn take(&mut self, step: &Step, now: Timestamp) -> Result<(), OverrideError> {
        let mut next = self.clone();
        match step {
            Step::Replace(policy) => {
                policy.validate().map_err(OverrideError::Policy)?;
                next.standing = Arc::new(Policy::clone(policy));
                next.version = next.version.saturating_add(1);
            }
            Step::Begin(new) => next.begin(new, now)?,
            Step::End(id) => next.end(*id)?,
        }
        next.effective = laid_on(&next.standing, &next.held).map_err(OverrideError::Policy)?;
        *self = next;
        Ok(())
    }

    fn begin(&mut self, new: &Override, now: Timestamp) -> Result<(), OverrideError> {
        new.check(now)?;
        if self.ended.contains(&new.id()) {
            return Err(OverrideError::Over);
        }
        if self.held.len() >= Override::MOST {
            return Err(OverrideError::TooMany);
        }
        self.held.push(Held {
            this: new.clone(),
            since: Stopwatch::start(),
            life: new.expires_at().since(now),
        });
        Ok(())
    }

    fn end(&mut self, id: OverrideId) -> Result<(), OverrideError> {
        let before = self.held.len();
        self.held.retain(|held| held.this.id() != id);
        if self.held.len() == before {
            return Err(OverrideError::Unknown);
        }
        self.remember(id);
        Ok(())
    }

    fn remember(&mut self, id: OverrideId) {
        if self.ended.len() >= Override::MOST {
            self.ended.remove(0);
        }
        self.ended.push(id);
    }
}

fn laid_on(standing: &Arc<Policy>, held: &[Held]) -> Result<Arc<Policy>, PolicyError> {
    if held.is_empty() {
        return Ok(Arc::clone(standing));
    }
    let policy = held.iter().fold(Policy::clone(standing), |policy, held| {
        held.this.exception().apply(policy)
    });
    policy.validate()?;
    Ok(Arc::new(policy))
}

#[cfg(test)]
mod tests;
