//! One policy for a fleet: published through the store, taken over by every instance that follows.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use super::{Policies, PolicyChangeError, audit};
use crate::event::{Act, EventKind};
use crate::policy::{
    DatabasePlan, Override, OverrideId, Policy, PolicyFile, PolicyFileError, Step,
};
use crate::store::{InvalidDocument, PolicyDocument, Published, StoreError};
use crate::verifier::routes::{Planned, RefusedPlan};
use crate::verifier::{Unavailable, Verifier};

/// A policy as an operator writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyText<'a> {
    /// As YAML.
    Yaml(&'a str),
    /// As TOML. A fleet shares it as the YAML that says the same.
    Toml(&'a str),
}

impl<'a> From<&'a str> for PolicyText<'a> {
    fn from(yaml: &'a str) -> Self {
        Self::Yaml(yaml)
    }
}

impl<'a> PolicyText<'a> {
    fn to_yaml(self) -> Result<Cow<'a, str>, PolicyFileError> {
        match self {
            Self::Yaml(text) => Ok(text.into()),
            Self::Toml(text) => PolicyFile::yaml_of_toml(text).map(Cow::from),
        }
    }

    fn read(self, built: Policy) -> Result<PolicyFile, PolicyFileError> {
        match self {
            Self::Yaml(text) => PolicyFile::from_yaml_over(text, built),
            Self::Toml(text) => PolicyFile::from_toml_over(text, built),
        }
    }
}

/// How far an instance has followed its fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetPolicy {
    /// The version that is in force here; 0 where none has been taken over.
    pub version: u64,
    /// Why it may not be the fleet's newest.
    pub trouble: Option<FleetTrouble>,
}

/// Why an instance keeps the last good policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FleetTrouble {
    /// The store does not tell which version is in force.
    Away,
    /// A newer version cannot be in force here.
    Refused {
        /// The version.
        version: u64,
        /// What is wrong with it.
        why: String,
    },
}

/// Says why a policy was not published; then nothing changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The text says what cannot be.
    #[error(transparent)]
    File(#[from] PolicyFileError),
    /// A route that it plans cannot be.
    #[error(transparent)]
    Route(#[from] RefusedPlan),
    /// It says how the host is built, which is read when the host starts.
    #[error("database: is read at the start of a service, and cannot be published")]
    OfTheHost,
    /// The policy cannot be in force with what is in force here.
    #[error("the policy is refused")]
    Refused(#[source] PolicyChangeError),
    /// The text, or who publishes it, is not what a store keeps.
    #[error("the document is refused")]
    Document(#[from] InvalidDocument),
    /// Somebody else has published since.
    #[error("version {current} was published meanwhile")]
    Conflict {
        /// The version that is in force.
        current: u64,
    },
    /// Something of ours is down; it may or may not be published.
    #[error("unavailable")]
    Unavailable(#[source] Unavailable),
}

/// What an instance has seen of its fleet.
#[derive(Debug, Default)]
pub(super) struct Followed(Mutex<Seen>);

#[derive(Clone, Debug, Default)]
struct Seen {
    policy: FleetPolicy,
    /// The newest version that was looked at, good or not.
    newest: u64,
    /// Why that one is not in force.
    refused: Option<Refusal>,
}

/// A version that cannot be in force beside the overrides that held, and perhaps without them.
#[derive(Clone, Debug)]
struct Refusal {
    trouble: FleetTrouble,
    beside: Vec<OverrideId>,
}

impl Seen {
    /// Says whether a version is none that is worth another look.
    fn has_settled(&self, version: u64, overrides: &[OverrideId]) -> bool {
        let as_it_was = |refused: &Refusal| refused.beside == overrides;
        version <= self.newest && self.refused.as_ref().is_none_or(as_it_was)
    }
}

impl Followed {
    fn seen(&self) -> Seen {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A policy of the fleet that can be taken over.
struct Taking {
    step: Step,
    routes: Planned,
}

impl Policies {
    /// Says how far this instance has followed its fleet.
    #[must_use]
    pub fn fleet(&self) -> FleetPolicy {
        self.0.inner.policies.followed().seen().policy
    }

    /// Checks a policy as [`publish`](Self::publish) would, and gives what it says. Nothing changes.
    ///
    /// # Errors
    /// [`PublishError::File`], [`PublishError::Route`], [`PublishError::OfTheHost`],
    /// [`PublishError::Refused`].
    pub fn check<'a>(&self, text: impl Into<PolicyText<'a>>) -> Result<PolicyFile, PublishError> {
        self.0.read_policy(text.into()).map(|(file, _)| file)
    }

    /// Gives what stands here, overrides aside, as a document: the policy, and the routes and the
    /// order of channels that the fleet's plans.
    #[must_use]
    pub fn standing(&self) -> PolicyFile {
        let mut file = PolicyFile::of(self.status().standing.as_ref().clone());
        file.routes = self.0.inner.routes.plans();
        file.channel_order = self.0.inner.routes.planned_order();
        file
    }

    /// Publishes a policy to every instance that follows, as a text over the policy that each was
    /// built with, and puts it in force here. `over` is the version that it was written over,
    /// `None` where there was none. It is recorded in the step that publishes it.
    ///
    /// Of racing publications over one version one is made. Overrides stay laid on it.
    ///
    /// # Errors
    /// [`PublishError`]; with [`PublishError::Unavailable`] read the version before another try.
    pub async fn publish<'a>(
        &self,
        text: impl Into<PolicyText<'a>>,
        over: Option<u64>,
        act: impl Into<Arc<Act>>,
    ) -> Result<u64, PublishError> {
        let (text, act) = (text.into(), act.into());
        let inner = &self.0.inner;
        let _turn = inner.policies.turn().await;
        self.0.read_overrides().await?;
        let taking = self.0.taking(text)?;
        let text = text.to_yaml()?;
        let (operator, reason) = (act.operator.as_str(), act.reason.as_str());
        let document = PolicyDocument::new(&text, operator, reason)?;
        let before = over.unwrap_or(0);
        let versions = format!("fleet version {before} to {}", before.saturating_add(1));
        let event = audit::event(EventKind::PolicyChanged, versions, &act);
        match inner.store.publish(over, document, event.clone()).await? {
            Published::Conflict { current } => Err(PublishError::Conflict { current }),
            Published::As(version) => {
                self.0.observe(&event.at(inner.clock.now()));
                self.0.put_in_force(taking, version)?;
                Ok(version)
            }
        }
    }
}

impl Verifier {
    /// Notes that the store does not tell.
    pub(super) fn note_away(&self) {
        let followed = self.inner.policies.followed();
        followed.note(|seen| seen.policy.trouble = Some(FleetTrouble::Away));
    }

    /// Takes a newer document over.
    pub(super) async fn catch_up(&self) -> Result<(), StoreError> {
        let shelf = &self.inner.policies;
        let version = self.inner.store.version().await?;
        let seen = shelf.followed().seen();
        if seen.has_settled(version, &self.overriding()) {
            shelf.followed().note(|seen| {
                if seen.policy.trouble == Some(FleetTrouble::Away) {
                    let refused = seen.refused.as_ref();
                    seen.policy.trouble = refused.map(|refused| refused.trouble.clone());
                }
            });
            return Ok(());
        }
        let Some(record) = self.inner.store.current().await? else {
            return Ok(());
        };
        let _turn = shelf.turn().await;
        // Looked at before the policy is: one that ends between makes for another look.
        let beside = self.overriding();
        let taken = self.taking(record.document.text().into());
        let taken = taken.and_then(|taking| self.put_in_force(taking, record.version));
        if let Err(error) = taken {
            let version = record.version;
            let why = error.to_string();
            tracing::error!(target: "otp_kit", version, why, "a policy of the fleet is refused");
            shelf.followed().note(|seen| {
                let trouble = FleetTrouble::Refused { version, why };
                seen.newest = version;
                seen.policy.trouble = Some(trouble.clone());
                seen.refused = Some(Refusal { trouble, beside });
            });
        }
        Ok(())
    }

    /// Names the overrides that hold.
    fn overriding(&self) -> Vec<OverrideId> {
        self.in_force(|in_force| in_force.overrides().map(Override::id).collect())
    }

    fn taking(&self, text: PolicyText<'_>) -> Result<Taking, PublishError> {
        let (file, routes) = self.read_policy(text)?;
        Ok(Taking {
            step: Step::Replace(Box::new(file.policy)),
            routes,
        })
    }

    /// Reads a text into a policy, checked as one would be that is made by hand, and the routes that
    /// it plans.
    fn read_policy(&self, text: PolicyText<'_>) -> Result<(PolicyFile, Planned), PublishError> {
        let built = self.in_force(|in_force| in_force.built().clone());
        let file = text.read(built)?;
        if file.database != DatabasePlan::default() {
            return Err(PublishError::OfTheHost);
        }
        let routes = self.inner.routes.plan(&file)?;
        let step = Step::Replace(Box::new(file.policy.clone()));
        self.tried(&step).map_err(PublishError::Refused)?;
        Ok((file, routes))
    }

    fn put_in_force(&self, taking: Taking, version: u64) -> Result<(), PublishError> {
        let shelf = &self.inner.policies;
        let taken = shelf.take(&taking.step, self.inner.clock.now());
        taken.map_err(|error| PublishError::Refused(error.into()))?;
        self.inner.routes.follow(taking.routes);
        shelf.followed().note(|seen| {
            seen.newest = version;
            seen.refused = None;
            seen.policy = FleetPolicy {
                version,
                trouble: None,
            };
        });
        tracing::info!(target: "otp_kit", version, "the policy of the fleet is in force");
        Ok(())
    }
}

impl From<StoreError> for PublishError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}
