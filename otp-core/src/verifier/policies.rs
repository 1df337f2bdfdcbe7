//! The policy of a verifier, replaced and overridden while it runs.

mod audit;
#[cfg(feature = "policy-file")]
mod fleet;
mod follow;
mod laid;
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
/// afterwards. Requests under way end under the one that they began with.
///
/// What is overridden is overridden on every instance that keeps its state in the same store and
/// follows ([`Verifier::follow_policy`]), within a poll or two; here it is at once. It outlives a
/// restart.
///
/// Every change is checked as a whole before it is made, and recorded in the step that makes it or
/// before: where the record cannot be kept, nothing changes. Racing changes, of other instances
/// too, are made one after the other, and none of them is lost.
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
        let fallen = shelf.settle(|| self.inner.clock.now());
        if fallen.asks || !fallen.ended.is_empty() {
            self.announce(&fallen);
        }
        shelf.look(look)
    }

    /// Says what is in force before a change and would be after it, checked as a whole.
    fn tried(&self, step: &Step) -> Result<(InForce, InForce), PolicyChangeError> {
        self.tried_all(std::slice::from_ref(step))
    }

    fn tried_all(&self, steps: &[Step]) -> Result<(InForce, InForce), PolicyChangeError> {
        let before = self.in_force(InForce::clone);
        let mut after = before.clone();
        for step in steps {
            after.take(step, self.inner.clock.now())?;
        }
        for policy in [after.standing(), after.effective()] {
            let checked = checked_by(policy, self.inner.captcha.as_ref());
            checked.map_err(PolicyChangeError::Policy)?;
            let reached = self.inner.routes.reach(policy);
            reached.map_err(PolicyChangeError::Policy)?;
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

    /// Overrides a part of the policy until a time, on the whole fleet, and names the override. The
    /// time is by the verifier's clock; as long as that is away, it lasts by the store's, by which it
    /// ends by itself everywhere, and no clock that is set back revives it.
    ///
    /// An instance where the policy could not be so (another build, no captcha) leaves it out and
    /// says so in its log.
    ///
    /// # Errors
    /// [`PolicyChangeError`] where the time has passed or is more than [`Override::LONGEST`] away,
    /// where the policy could not be so, or where too many overrides hold. With
    /// [`PolicyChangeError::Unavailable`] it holds nowhere or, where an answer was lost, everywhere
    /// within a poll: look before another try.
    ///
    /// # Cancellation
    /// A dropped call has overridden it everywhere or nowhere.
    pub async fn override_until(
        &self,
        exception: Exception,
        expires_at: SystemTime,
        act: impl Into<Arc<Act>>,
    ) -> Result<OverrideId, PolicyChangeError> {
        let act = act.into();
        let id = OverrideId::generate(self.0.random())?;
        let wanted = Override::new(id, exception, act, expires_at.into());
        self.begin(&[wanted]).await?;
        Ok(id)
    }

    /// Overrides several parts of the policy as [`override_until`](Self::override_until) does one,
    /// all of them in one step, and names the overrides in their order.
    ///
    /// # Errors
    /// As [`override_until`](Self::override_until); then none of them holds.
    ///
    /// # Cancellation
    /// As [`override_until`](Self::override_until).
    pub async fn override_all_until(
        &self,
        exceptions: Vec<Exception>,
        expires_at: SystemTime,
        act: impl Into<Arc<Act>>,
    ) -> Result<Vec<OverrideId>, PolicyChangeError> {
        let act = act.into();
        let new = exceptions.into_iter().map(|exception| {
            let id = OverrideId::generate(self.0.random())?;
            let act = Arc::clone(&act);
            Ok(Override::new(id, exception, act, expires_at.into()))
        });
        let wanted: Vec<Override> = new.collect::<Result<_, RandomError>>()?;
        self.begin(&wanted).await?;
        Ok(wanted.iter().map(Override::id).collect())
    }

    async fn begin(&self, wanted: &[Override]) -> Result<(), PolicyChangeError> {
        let verifier = &self.0;
        let _turn = verifier.inner.policies.turn().await;
        verifier
            .post_overrides(|reading| {
                let now = verifier.inner.clock.now();
                let mut list = reading.list.clone();
                let mut events = Vec::with_capacity(wanted.len());
                let steps: Vec<Step> = wanted.iter().cloned().map(Step::Begin).collect();
                verifier.tried_all(&steps)?;
                for one in wanted {
                    let new = one.ending_after(now, reading.now);
                    let kind = EventKind::OverrideBegan;
                    events.push(audit::of_override(kind, &new, new.act()));
                    list = list.with(new)?;
                }
                Ok((list, events))
            })
            .await
    }

    /// Overrides a part of the policy on this instance alone, for what is said of this process (its
    /// environment): it ends with the process, or by the verifier's clock.
    ///
    /// # Errors
    /// As [`override_until`](Self::override_until).
    ///
    /// # Cancellation
    /// As [`replace`](Self::replace).
    pub async fn override_here(
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

    /// Takes over what the fleet has overridden by now, without waiting for a poll.
    ///
    /// # Errors
    /// [`PolicyChangeError::Unavailable`]; then what was known goes on.
    pub async fn catch_up(&self) -> Result<(), PolicyChangeError> {
        Ok(self.0.follow_overrides().await?)
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

    /// Ends an override before its time, on the whole fleet, whoever began it.
    ///
    /// # Errors
    /// [`PolicyChangeError`]; [`OverrideError::Unknown`] where none in force has the id.
    ///
    /// # Cancellation
    /// A dropped call has ended it everywhere or nowhere.
    pub async fn end_override(
        &self,
        id: OverrideId,
        act: impl Into<Arc<Act>>,
    ) -> Result<(), PolicyChangeError> {
        let act = act.into();
        let verifier = &self.0;
        let here = verifier.in_force(|in_force| in_force.here(id).cloned());
        if let Some(held) = here {
            let event = audit::of_override(EventKind::OverrideEnded, &held, &act);
            return self.change(Step::End(id), |_, _| event).await;
        }
        let _turn = verifier.inner.policies.turn().await;
        verifier
            .post_overrides(|reading| {
                let held = reading.list.live(id, reading.now);
                let held = held.ok_or(OverrideError::Unknown)?;
                // One that cannot hold here changes nothing here by its end.
                if verifier.in_force(|in_force| in_force.overrides().any(|one| one.id() == id)) {
                    verifier.tried(&Step::End(id))?;
                }
                let event = audit::of_override(EventKind::OverrideEnded, held, &act);
                Ok((reading.list.clone().without(id), vec![event]))
            })
            .await
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
        self.catch_up().await?;
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
