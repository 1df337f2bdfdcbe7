use std::time::SystemTime;

use super::change::Change;
use super::{FactorError, Proven, secret};
use crate::event::{Event, EventKind, Outcome};
use crate::factor::{FactorId, FactorKind, FactorName, OtpAccount, OtpSecret, OtpUri};
use crate::policy::Assurance;
use crate::request::{Operation, RequestContext};
use crate::store::{Enrol, Enrolled, FactorSheet, RemoveFactor};
use crate::verifier::Verifier;

/// A request for a second factor: a new authenticator, or one that is brought along.
///
/// # Examples
/// ```
/// use otp_core::factor::{FactorName, OtpAccount};
/// use otp_core::verifier::Enrolment;
///
/// let account = OtpAccount::new("Acme Co", "ann@example.com")?;
/// let enrolment = Enrolment::totp(account).named(FactorName::new("phone")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Enrolment {
    account: OtpAccount,
    kind: FactorKind,
    name: Option<FactorName>,
    brought: Option<OtpSecret>,
}

impl Enrolment {
    /// Asks for an authenticator as every app does it: six digits by the time, SHA-1, 30 seconds.
    #[must_use]
    pub fn totp(account: OtpAccount) -> Self {
        Self {
            account,
            kind: FactorKind::TOTP,
            name: None,
            brought: None,
        }
    }

    /// Brings an authenticator along that another service issued, with its secret. One that counts
    /// is confirmed by a code of its first counters, or by two codes
    /// ([`Verifier::resynchronise`]) wherever it stands.
    #[must_use]
    pub fn import(uri: &OtpUri) -> Self {
        Self {
            account: uri.account().clone(),
            kind: uri.kind(),
            name: None,
            brought: Some(uri.secret().clone()),
        }
    }

    /// Asks for codes that are made in another way. Many apps ignore all but the usual one and show
    /// wrong codes then.
    #[must_use]
    pub fn of_kind(mut self, kind: FactorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Says what its owner calls it. Default: `authenticator`, with a number where that is taken.
    #[must_use]
    pub fn named(mut self, name: FactorName) -> Self {
        self.name = Some(name);
        self
    }
}

/// An enrolment that waits for its first code. It holds the secret: show it to its owner, once.
///
/// `Debug` shows no secret.
#[derive(Debug)]
#[must_use = "an enrolment is worth nothing until its owner has the secret"]
pub struct PendingFactor {
    id: FactorId,
    uri: OtpUri,
    name: FactorName,
    expires_at: SystemTime,
}

impl PendingFactor {
    /// Names it, for [`Verifier::confirm_factor`].
    #[must_use]
    pub fn id(&self) -> FactorId {
        self.id
    }

    /// Gives what an app is told: as text ([`OtpUri::to_text`]) or as a QR code.
    #[must_use]
    pub fn uri(&self) -> &OtpUri {
        &self.uri
    }

    /// Gives the secret, for those who type it ([`OtpSecret::to_base32`]).
    #[must_use]
    pub fn secret(&self) -> &OtpSecret {
        self.uri.secret()
    }

    /// Says what its owner calls it.
    #[must_use]
    pub fn name(&self) -> &FactorName {
        &self.name
    }

    /// Says until when it can be confirmed, by the store's clock.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

impl Verifier {
    /// Enrols a second factor for whoever proved to be the account's owner: draws a secret of 160
    /// bits (RFC 4226 section 4, R6), seals it to its row, and gives it out this once.
    ///
    /// It opens nothing until its first code is shown ([`confirm_factor`](Self::confirm_factor)),
    /// within the time that the policy says. A pending enrolment of the same name is replaced. Once
    /// the account has an active factor the proof must hold one (ASVS 7.5.1).
    ///
    /// # Errors
    /// [`FactorError`]; then nothing was enrolled, or nothing that anybody has the secret of. Where the
    /// account's first factor is confirmed meanwhile it is [`NotFresh`](FactorError::NotFresh).
    pub async fn enrol_factor(
        &self,
        enrolment: Enrolment,
        proven: &Proven,
        context: impl Into<RequestContext>,
    ) -> Result<PendingFactor, FactorError> {
        let enrolled = self.begin_factor(enrolment, proven, context.into());
        self.measured(Operation::Change, Box::pin(enrolled)).await
    }

    async fn begin_factor(
        &self,
        enrolment: Enrolment,
        proven: &Proven,
        context: RequestContext,
    ) -> Result<PendingFactor, FactorError> {
        let change = self.change(proven, EventKind::FactorEnrolled, &context);
        let change = change.await?;
        let random = self.random();
        let id = FactorId::generate(random)?;
        let secret = match enrolment.brought {
            Some(secret) => secret,
            None => OtpSecret::generate(random)?,
        };
        let name = enrolment.name.unwrap_or_else(|| change.free_name());
        let enrol = Enrol {
            id,
            owner: change.owner.clone(),
            kind: enrolment.kind,
            name: name.clone(),
            secret: secret::sealed(&change.keys, random, &change.owner, &id, &secret)?,
            shown: change.shown(),
            event: change.event.clone(),
        };
        let enrolled = match self.inner.store.enrol(enrol.clone()).await? {
            Enrolled::TooMany if change.forget_lapsed().await?.is_some() => {
                self.inner.store.enrol(enrol).await?
            }
            enrolled => enrolled,
        };
        let event = change.event.clone();
        self.observe(&match enrolled.refusal() {
            None => event,
            Some(reason) => event.with_outcome(Outcome::Refused, reason),
        });
        match enrolled {
            Enrolled::Pending => {
                let life = change.policy.factors().enrolment();
                Ok(PendingFactor {
                    id,
                    uri: OtpUri::of_kind(enrolment.account, secret, enrolment.kind),
                    name,
                    expires_at: change.now.saturating_add(life).into(),
                })
            }
            Enrolled::NameTaken => Err(FactorError::NameTaken),
            Enrolled::TooMany => Err(FactorError::TooMany),
            Enrolled::Unshown => Err(FactorError::NotFresh {
                required: Assurance::RestrictedPair,
            }),
        }
    }
}

impl Change<'_> {
    /// Finds a name that no active factor has.
    fn free_name(&self) -> FactorName {
        let usual = FactorName::usual();
        let names = (2..=FactorSheet::MOST).map(|number| format!("{usual} {number}"));
        let names = names.filter_map(|name| FactorName::new(&name).ok());
        let taken = |name: &FactorName| {
            let mut active = self
                .factors
                .iter()
                .filter(|f| super::authenticators::is_active(f));
            active.any(|factor| factor.name == *name)
        };
        let mut all = std::iter::once(usual.clone()).chain(names);
        all.find(|name| !taken(name)).unwrap_or(usual)
    }

    /// Takes away the enrolments that nobody confirmed in time; `None` where there were none.
    async fn forget_lapsed(&self) -> Result<Option<()>, FactorError> {
        let life = self.policy.factors().enrolment();
        let mut forgotten = None;
        for factor in &self.factors {
            if factor.lapsed(self.now, life).is_none() {
                continue;
            }
            let mut event =
                Event::new(EventKind::FactorRemoved, &self.owner.tenant).about(&self.owner.subject);
            event.reason = Some("lapsed".into());
            let remove = RemoveFactor {
                owner: self.owner.clone(),
                factor: factor.id,
                event,
            };
            let removed = self.verifier.inner.store.remove_factor(remove).await?;
            forgotten = forgotten.or(removed.refusal().is_none().then_some(()));
        }
        Ok(forgotten)
    }
}
