use std::fmt;

use crate::challenge::ChallengeId;
use crate::destination::Destination;
use crate::request::{AttemptId, Purpose, SubjectId, SubjectKey, Tenant};
use crate::secret::SecretString;

/// Which challenge a code is typed for.
#[derive(Clone, Debug)]
pub struct Claim(pub(super) ClaimKind);

#[derive(Clone, Debug)]
pub(super) enum ClaimKind {
    Id(ChallengeId),
    Latest {
        subject: SubjectKey,
        purpose: String,
    },
    Nothing,
}

impl Claim {
    /// The challenge of an id as the client sent it back. Text that is no id claims nothing, and
    /// is answered as an unknown id would be.
    #[must_use]
    pub fn from_text(id: &str) -> Self {
        Self(id.parse().map_or(ClaimKind::Nothing, ClaimKind::Id))
    }

    /// The newest challenge for a destination, for clients that send only the address and the
    /// code. Prefer the id: whoever knows the address may try here.
    #[must_use]
    pub fn latest_to(destination: &Destination, purpose: impl AsRef<str>) -> Self {
        Self(ClaimKind::Latest {
            subject: SubjectKey::of_destination(destination),
            purpose: purpose.as_ref().to_owned(),
        })
    }

    /// The newest challenge of a subject.
    #[must_use]
    pub fn latest_of(subject: &SubjectId, purpose: impl AsRef<str>) -> Self {
        Self(ClaimKind::Latest {
            subject: SubjectKey::of_subject(subject),
            purpose: purpose.as_ref().to_owned(),
        })
    }
}

impl From<ChallengeId> for Claim {
    fn from(id: ChallengeId) -> Self {
        Self(ClaimKind::Id(id))
    }
}

impl From<&ChallengeId> for Claim {
    fn from(id: &ChallengeId) -> Self {
        Self(ClaimKind::Id(*id))
    }
}

/// One try at a code.
#[derive(Clone)]
pub struct Attempt {
    pub(super) typed: SecretString,
    pub(super) id: Option<AttemptId>,
    pub(super) purpose: Option<Purpose>,
    pub(super) tenant: Tenant,
}

/// Typed text longer than this is cut; no code is that long, so the rest cannot matter.
const MAX_TYPED: usize = 256;

impl Attempt {
    /// Tries a code as it was typed.
    #[must_use]
    pub fn new(typed: impl AsRef<str>) -> Self {
        let typed: String = typed.as_ref().chars().take(MAX_TYPED).collect();
        Self {
            typed: SecretString::new(typed),
            id: None,
            purpose: None,
            tenant: Tenant::default(),
        }
    }

    /// Names the try, so that it can be repeated after a lost answer.
    #[must_use]
    pub fn with_id(mut self, id: AttemptId) -> Self {
        self.id = Some(id);
        self
    }

    /// Says what the code must have been issued for; one for anything else is refused, and no
    /// guess is counted. Where an endpoint stands for one purpose, name it here.
    #[must_use]
    pub fn for_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = Some(purpose);
        self
    }

    /// Names the tenant that the code must have been issued for. Default: [`Tenant::default`].
    #[must_use]
    pub fn for_tenant(mut self, tenant: Tenant) -> Self {
        self.tenant = tenant;
        self
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("purpose", &self.purpose)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl From<&str> for Attempt {
    fn from(typed: &str) -> Self {
        Self::new(typed)
    }
}

impl From<String> for Attempt {
    fn from(typed: String) -> Self {
        Self::new(typed)
    }
}

impl From<&String> for Attempt {
    fn from(typed: &String) -> Self {
        Self::new(typed)
    }
}
