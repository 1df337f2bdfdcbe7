use std::sync::Arc;
use std::time::Duration;

use super::{Override, OverrideError, OverrideId, OverrideList, Policy, PolicyError};
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
    reach: Reach,
    /// Its end by the clock here, which need not be the one that its own time is of.
    until: Timestamp,
    since: Stopwatch,
    life: Duration,
}

/// Whose an override is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// This instance's: it ends by the clock here.
    Here,
    /// The fleet's: it ends by the store's clock, and the one here only tells when to ask.
    Fleet,
}

/// What is no longer laid on the policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fallen {
    /// What has ended by itself.
    pub(crate) ended: Vec<Ended>,
    /// Whether something of the fleet's is due: the store knows whether it has ended.
    pub(crate) asks: bool,
}

/// What became of the fleet's overrides here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    /// What has ended by itself, and was not known to have.
    pub(crate) ended: Vec<Ended>,
    /// What cannot be laid on the policy that this instance has.
    pub(crate) left_out: Vec<OverrideId>,
}

/// One that ended by itself just now.
pub(crate) type Ended = Override;

/// One change of what is in force.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Another standing policy.
    Replace(Box<Policy>),
    /// One override more, on this instance.
    Begin(Override),
    /// One less.
    End(OverrideId),
}

impl Held {
    fn here(this: Override, now: Timestamp) -> Self {
        Self {
            reach: Reach::Here,
            until: this.expires_at(),
            since: Stopwatch::start(),
            life: this.expires_at().since(now),
            this,
        }
    }

    /// Takes one of the fleet's: `read` is the store's time of this moment.
    fn of_fleet(this: Override, read: Timestamp, now: Timestamp) -> Self {
        let life = this.expires_at().since(read).min(Override::LONGEST);
        Self {
            reach: Reach::Fleet,
            until: now.saturating_add(life),
            since: Stopwatch::start(),
            life,
            this,
        }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until || self.since.elapsed() >= self.life
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

    /// Finds an override that is this instance's alone.
    pub(crate) fn here(&self, id: OverrideId) -> Option<&Override> {
        let mut here = self.held.iter().filter(|held| held.reach == Reach::Here);
        here.find(|held| held.this.id() == id)
            .map(|held| &held.this)
    }

    /// Says whether an override has ended that is still laid on.
    pub(crate) fn is_due(&self, now: impl Fn() -> Timestamp) -> bool {
        if self.held.is_empty() {
            return false;
        }
        let now = now();
        self.held.iter().any(|held| held.is_over(now))
    }

    /// Takes away what has ended.
    pub(crate) fn settle(&mut self, now: Timestamp) -> Fallen {
        let (over, held): (Vec<_>, Vec<_>) =
            self.held.drain(..).partition(|held| held.is_over(now));
        self.held = held;
        let mut fallen = Fallen::default();
        if over.is_empty() {
            return fallen;
        }
        for one in over {
            match one.reach {
                Reach::Fleet => fallen.asks = true,
                Reach::Here => {
                    self.remember(one.this.id());
                    fallen.ended.push(one.this);
                }
            }
        }
        // What is left was in force beside it; where it cannot be alone, nothing is overridden.
        self.effective = match laid_on(&self.standing, &self.held) {
            Ok(effective) => effective,
            Err(_) => Arc::clone(&self.standing),
        };
        fallen
    }

    /// Lays on what the fleet has, as it was read at a time of the store's, in place of what it had.
    /// What does not fit with what stands here, and with what is older, is left out.
    pub(crate) fn share(
        &mut self,
        list: &OverrideList,
        read: Timestamp,
        now: Timestamp,
        fits: impl Fn(&Policy) -> bool,
    ) -> Shared {
        let mut shared = Shared::default();
        let before: Vec<OverrideId> = self.overrides().map(Override::id).collect();
        let (here, fleet): (Vec<_>, Vec<_>) = self
            .held
            .drain(..)
            .partition(|held| held.reach == Reach::Here);
        // What is gone from the list has ended; no list that an engine has lost and found revives it.
        for gone in fleet.iter().filter(|held| !list.has(held.this.id())) {
            self.remember(gone.this.id());
        }
        let mut held = here;
        for one in list.iter() {
            if self.ended.contains(&one.id()) {
                continue;
            }
            if one.expires_at() <= read {
                self.remember(one.id());
                shared.ended.push(one.clone());
            } else {
                held.push(Held::of_fleet(one.clone(), read, now));
            }
        }
        let after: Vec<OverrideId> = held.iter().map(|held| held.this.id()).collect();
        if before == after {
            self.held = held;
            return shared;
        }
        let laid = laid_on(&self.standing, &held).ok();
        if let Some(effective) = laid.filter(|policy| fits(policy)) {
            (self.held, self.effective) = (held, effective);
            return shared;
        }
        self.effective = Arc::clone(&self.standing);
        for one in held {
            let policy = one.this.exception().apply(Policy::clone(&self.effective));
            if policy.validate().is_ok() && fits(&policy) {
                self.effective = Arc::new(policy);
                self.held.push(one);
            } else {
                shared.left_out.push(one.this.id());
            }
        }
        shared
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
        self.held.push(Held::here(new.clone(), now));
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
