//! The policy of a verifier, replaced and overridden while it runs.

mod audit;
#[cfg(feature = "policy-file")]
mod fleet;
mod shelf;

use std::sync::Arc;
use std::time::SystemTime;

use thiserror::Error;

#[cfg(feature = "policy-file")]
pub use fleet::{FleetPolicy, FleetTrouble, PolicyText, PublishError};
pub(super) use shelf::Shelf;

use super::{Unavailable, Verifier, checked_by};
use crate::event::{Act, Event, EventKind};
use crate::policy::{
    Exception, InForce, Override, OverrideError, OverrideId, Policy, PolicyError, Step,
};
use crate::random::RandomError;
use crate::request::SubjectId;
use crate::store::StoreError;

/// The policy of a running [`Verifier`]: what is changed here holds for every request that starts
/// afterwards, on this instance. Requests under way end under the one that they began with.
///
/// Every change is checked as a whole before it is made, and recorded before it is made: where the
/// record cannot be kept, nothing changes. Racing changes are made one after the other.
///
/// # Examples
/// ```
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use otp_core::testing::{Outbox, store::ReferenceStore};
/// # let store = ReferenceStore::new(std::sync::Arc::new(otp_core::clock::SystemClock));
/// # let outbox = Outbox::new();
/// use std::time::{Duration, SystemTime};
/// use otp_core::event::Act;
/// use otp_core::policy::{Exception, Vip};
/// use otp_core::prelude::*;
///
/// let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom)?)
///     .route(Channel::Sms, Route::primary(outbox))
///     .limits(Limits::recommended())
///     .build()?;
///
/// let vip = Vip::subject(&SubjectId::new("the-ceo")?, 3)?;
/// # #[expect(clippy::disallowed_methods, reason = "an example")]
/// let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
/// let act = Act::new("alice", "on stage with a broken phone")?;
/// let policies = verifier.policies();
/// let id = policies.override_until(Exception::Vip(vip), tomorrow, act).await?;
/// assert_eq!(policies.overrides()[0].id(), id);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Policies(Verifier);

/// The policy in force, with its version and what overrides it, all of one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PolicyStatus {
    /// The policy, overrides included.
    pub policy: Arc<Policy>,
    /// The policy, overrides aside.
    pub standing: Arc<Policy>,
    /// Its version: 1 for the one that the verifier was built with.
    pub version: u64,
    /// The overrides that hold, oldest first.
    pub overrides: Vec<Override>,
}

/// Says why a policy was not changed; then the old one stays.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PolicyChangeError {
    /// The policy cannot be, or misses its level.
    #[error("the policy is refused")]
    Policy(#[source] PolicyError),
    /// The override cannot be, or there is none.
    #[error("the override is refused")]
    Override(#[source] OverrideError),
    /// The change cannot be recorded.
    #[error("unavailable")]
    Unavailable(#[source] Unavailable),
}

impl Verifier {
    /// Gives the policy in force, overrides included.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.in_force(|in_force| Arc::clone(in_force.effective()))
    }

    /// Gives the policies, to look at and to change while the verifier runs.
    #[must_use]
    pub fn policies(&self) -> Policies {
        Policies(self.clone())
    }

    /// Looks at what is in force once what has ended is taken away.
    fn in_force<T>(&self, look: impl FnOnce(&InForce) -> T) -> T {
        let shelf = &self.inner.policies;
        let ended = shelf.settle(|| self.inner.clock.now());
        if !ended.is_empty() {
            self.announce(ended);
        }
        shelf.look(look)
    }

    /// Says what is in force before a change and would be after it, checked as a whole.
    fn tried(&self, step: &Step) -> Result<(InForce, InForce), PolicyChangeError> {
        let before = self.in_force(InForce::clone);
        let mut after = before.clone();
        after.take(step, self.inner.clock.now())?;
        for policy in [after.standing(), after.effective()] {
            let checked = checked_by(policy, self.inner.captcha.as_ref());
            checked.map_err(PolicyChangeError::Policy)?;
        }
        Ok((before, after))
    }
}

impl Policies {
    /// Gives what is in force.
    #[must_use]
    pub fn status(&self) -> PolicyStatus {
        self.0.in_force(|in_force| PolicyStatus {
            policy: Arc::clone(in_force.effective()),
            standing: Arc::clone(in_force.standing()),
            version: in_force.version(),
            overrides: in_force.overrides().cloned().collect(),
        })
    }

    /// Lists the overrides that hold, oldest first.
    #[must_use]
    pub fn overrides(&self) -> Vec<Override> {
        self.status().overrides
    }

    /// Puts another policy in force and gives its version. Overrides stay laid on it.
    ///
    /// # Errors
    /// [`PolicyChangeError`] where the policy cannot be, alone or with the overrides that hold.
    ///
    /// # Cancellation
    /// A dropped call may have been recorded and not made.
    pub async fn replace(
        &self,
        policy: Policy,
        act: impl Into<Arc<Act>>,
    ) -> Result<u64, PolicyChangeError> {
        let step = Step::Replace(Box::new(policy));
        self.change(step, |before, after| {
            let versions = format!("version {} to {}", before.version(), after.version());
            audit::event(EventKind::PolicyChanged, versions, &act.into())
        })
        .await?;
        Ok(self.status().version)
    }

    /// Overrides a part of the policy until a time, and names the override. It ends by itself, by
    /// the verifier's clock, and no clock that is set back revives it.
    ///
    /// # Errors
    /// [`PolicyChangeError`] where the time has passed or is more than [`Override::LONGEST`] away,
    /// where the policy could not be so, or where too many overrides hold.
    ///
    /// # Cancellation
    /// As [`replace`](Self::replace).
    pub async fn override_until(
        &self,
        exception: Exception,
        expires_at: SystemTime,
        act: impl Into<Arc<Act>>,
    ) -> Result<OverrideId, PolicyChangeError> {
        let id = OverrideId::generate(self.0.random())?;
        let new = Override::new(id, exception, act.into(), expires_at.into());
        let event = audit::of_override(EventKind::OverrideBegan, &new, new.act());
        self.change(Step::Begin(new), |_, _| event).await?;
        Ok(id)
    }

    /// Checks an override as [`override_until`](Self::override_until) would. Nothing changes.
    ///
    /// # Errors
    /// [`PolicyChangeError::Policy`], [`PolicyChangeError::Override`]; and
    /// [`PolicyChangeError::Unavailable`] where there is no randomness.
    pub fn check_override(
        &self,
        exception: Exception,
        expires_at: SystemTime,
        act: impl Into<Arc<Act>>,
    ) -> Result<(), PolicyChangeError> {
        let id = OverrideId::generate(self.0.random())?;
        let new = Override::new(id, exception, act.into(), expires_at.into());
        self.0.tried(&Step::Begin(new)).map(drop)
    }

    /// Ends an override before its time.
    ///
    /// # Errors
    /// [`PolicyChangeError`]; [`OverrideError::Unknown`] where none in force has the id.
    ///
    /// # Cancellation
    /// As [`replace`](Self::replace).
    pub async fn end_override(
        &self,
        id: OverrideId,
        act: impl Into<Arc<Act>>,
    ) -> Result<(), PolicyChangeError> {
        let held = self.overrides().into_iter().find(|one| one.id() == id);
        let held = held.ok_or(OverrideError::Unknown)?;
        let event = audit::of_override(EventKind::OverrideEnded, &held, &act.into());
        self.change(Step::End(id), |_, _| event).await
    }

    /// Ends every override that is about one user of the default tenant, and counts them.
    ///
    /// # Errors
    /// [`PolicyChangeError`]; then some may have ended.
    pub async fn end_overrides_of(
        &self,
        subject: &SubjectId,
        act: impl Into<Arc<Act>>,
    ) -> Result<usize, PolicyChangeError> {
        let about = |one: &Override| match one.exception() {
            Exception::Vip(vip) => vip.is_about(subject),
            _ => false,
        };
        let act = act.into();
        let mut ended = 0;
        for one in self.overrides().iter().filter(|one| about(one)) {
            self.end_override(one.id(), Arc::clone(&act)).await?;
            ended += 1;
        }
        Ok(ended)
    }

    /// Checks a change, records it and makes it.
    async fn change(
        &self,
        step: Step,
        event: impl FnOnce(&InForce, &InForce) -> Event,
    ) -> Result<(), PolicyChangeError> {
        let inner = &self.0.inner;
        let _turn = inner.policies.turn().await;
        self.0.record_ends().await;
        let (before, after) = self.0.tried(&step)?;
        self.0.record(event(&before, &after)).await?;
        inner.policies.take(&step, inner.clock.now())?;
        Ok(())
    }
}

impl From<OverrideError> for PolicyChangeError {
    fn from(error: OverrideError) -> Self {
        match error {
            OverrideError::Policy(error) => Self::Policy(error),
            error => Self::Override(error),
        }
    }
}

impl From<StoreError> for PolicyChangeError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<RandomError> for PolicyChangeError {
    fn from(error: RandomError) -> Self {
        Self::Unavailable(Unavailable::because(error))
    }
}
