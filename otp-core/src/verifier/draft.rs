use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::enclosure::Enclosure;
use super::issue::{ADDRESS_BREAK, DESTINATION, LOCALE, row_aad};
use super::link::Link;
use super::request::Issue;
use super::{IssueError, Unavailable, Verifier};
use crate::challenge::{Challenge, ChallengeId, ChallengeState, CodeFormat, Lane};
use crate::clock::Timestamp;
use crate::delivery::Locale;
use crate::destination::{Channel, Destination};
use crate::gate::{GateRequest, Operation, spacing};
use crate::key::{KeySet, Sealed, seal};
use crate::policy::{Policy, ResendCode};
use crate::quota::{QuotaClaim, QuotaKey};
use crate::request::{FactorClass, Purpose, SubjectKey};
use crate::store::{BudgetClaim, BudgetKey, IdempotencyClaim, IdempotencyKey, Step};

/// A challenge in the making.
pub(super) struct Draft<'a> {
    pub(super) id: ChallengeId,
    pub(super) policy: &'a Policy,
    pub(super) keys: &'a KeySet,
    pub(super) purpose: &'a Purpose,
    pub(super) format: CodeFormat,
    pub(super) channel: Channel,
    pub(super) lane: Lane,
    pub(super) subject: SubjectKey,
    /// Where the first message goes; a decoy's goes nowhere.
    pub(super) destination: Option<&'a Destination>,
    pub(super) destination_key: SubjectKey,
    pub(super) issue: &'a Issue,
}

impl Draft<'_> {
    pub(super) fn gate_request(&self) -> GateRequest<'_> {
        GateRequest {
            operation: Operation::Issue,
            tenant: &self.issue.tenant,
            subject: Some(&self.subject),
            destination: self.issue.judged(self.channel),
            destination_key: Some(&self.destination_key),
            channel: Some(self.channel),
            purpose: Some(self.purpose),
            lane: self.lane,
            context: &self.issue.context,
            policy: self.policy,
        }
    }

    /// The same of nobody in particular: what everybody is told about a start by a name.
    pub(super) fn named_request<'a>(&'a self, name: &'a SubjectKey) -> GateRequest<'a> {
        GateRequest {
            subject: Some(name),
            destination: None,
            destination_key: Some(name),
            ..self.gate_request()
        }
    }

    /// Makes claims be of nobody: what is kept back costs its target nothing, and the store as much.
    pub(super) fn make_nobodys(&self, claims: &mut [QuotaClaim]) {
        let id = self.id.text();
        for (place, claim) in claims.iter_mut().enumerate() {
            let value = format!("{}{place}", id.as_str());
            let tenant = self.issue.tenant.as_str();
            claim.key = QuotaKey::new("kept_back", claim.key.scope(), tenant, &value);
        }
    }

    /// Lists what holds a start to the one before it.
    pub(super) fn spacings(&self) -> Vec<QuotaKey> {
        let own = spacing(&self.gate_request());
        let name = self.issue.name_key();
        let of_name = name.and_then(|name| spacing(&self.named_request(&name)));
        own.into_iter()
            .chain(of_name)
            .map(|claim| claim.key)
            .collect()
    }

    /// Gives the host's key, where it named the request with one that is a key.
    pub(super) fn key(&self) -> Option<IdempotencyKey> {
        IdempotencyKey::of(self.issue)
    }

    pub(super) fn life(&self) -> Duration {
        self.policy.lifetime(self.channel)
    }

    fn budget(&self, subject: &SubjectKey) -> BudgetClaim {
        let key = BudgetKey {
            tenant: self.issue.tenant.clone(),
            subject: subject.clone(),
            class: FactorClass::OutOfBand,
        };
        BudgetClaim::new(key, self.lane, self.policy.limits().budget().clone())
    }

    /// Looks at the subject's budget, and takes no key.
    pub(super) fn budget_alone(&self) -> Step {
        Step::Issue {
            budget: self.budget(&self.subject),
            idempotency: None,
        }
    }

    /// Looks at the budget of a subject, and takes the host's key where it named the request.
    pub(super) fn step(&self, subject: &SubjectKey) -> Result<Step, IssueError> {
        let budget = self.budget(subject);
        let idempotency = match &self.issue.idempotency_key {
            None => None,
            Some(_) => Some(IdempotencyClaim {
                key: IdempotencyKey::of(self.issue).ok_or(IssueError::InvalidIdempotencyKey)?,
                fingerprint: self.fingerprint(),
                challenge: self.id,
                life: self.life(),
                resend_after: self.first_cooldown(),
            }),
        };
        Ok(Step::Issue {
            budget,
            idempotency,
        })
    }

    /// Hashes what makes two requests the same.
    fn fingerprint(&self) -> [u8; 32] {
        let name = self.issue.name_key();
        let destination = match &name {
            // Whose the name is may change between two requests that are the same.
            Some(name) => Some(name.as_str().to_owned()),
            None => self.issue.destination().map(|d| d.canonical().to_owned()),
        };
        let subject = name.as_ref().unwrap_or(&self.subject);
        let binding = self.issue.context.binding();
        let binding = binding.map(|b| URL_SAFE_NO_PAD.encode(b.as_bytes()));
        let binding = binding.unwrap_or_default();
        // The link's browser is left out: a client that lost the answer lost the cookie with it.
        let link = self.issue.link.as_ref();
        let link = link.map(|link| Link {
            browser: None,
            ..link.clone()
        });
        let link = link.map(|link| link.to_line()).unwrap_or_default();
        let others = self.issue.others.iter().map(Destination::canonical);
        let others = others.filter(|_| name.is_none());
        let mut hash = Sha256::new();
        for part in [
            subject.as_str(),
            self.purpose.as_str(),
            // The one that is asked for: a channel that is switched off meanwhile makes it no
            // other request.
            self.issue.channel().name(),
            destination.as_deref().unwrap_or_default(),
            // Another door or another browser is another request: it must not be handed the
            // challenge of this one.
            self.lane.name(),
            binding.as_str(),
            link.as_str(),
        ]
        .into_iter()
        .chain(others)
        {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }

    fn first_cooldown(&self) -> Duration {
        let cooldowns = self.policy.limits().cooldowns();
        cooldowns.first().copied().unwrap_or_default()
    }

    /// Makes it one of nobody, as a decoy is.
    pub(super) fn for_nobody(self) -> Self {
        Self {
            destination: None,
            ..self
        }
    }

    pub(super) fn challenge(
        &self,
        verifier: &Verifier,
        enclosure: &Enclosure,
        now: Timestamp,
    ) -> Result<Challenge, IssueError> {
        let destination = self.destination;
        // A decoy is masked and sealed as well, and thrown away: it takes the time of a real one.
        let named = destination.or_else(|| self.issue.judged(self.channel));
        let masked = named.map(Destination::masked).unwrap_or_default();
        let text = named.map(|named| self.addresses(named));
        let text = text.unwrap_or_else(|| self.destination_key.as_str().to_owned());
        let sealed = self.seal(verifier, DESTINATION, &text)?;
        let (sealed, masked) = match destination {
            Some(_) => (Some(sealed), masked),
            None => (None, String::new()),
        };
        let mut challenge = Challenge {
            id: self.id,
            tenant: self.issue.tenant.clone(),
            subject: self.subject.clone(),
            purpose: self.purpose.clone(),
            channel: self.channel,
            lane: self.lane,
            class: FactorClass::OutOfBand,
            format: self.format,
            destination: sealed,
            destination_key: self.destination_key.clone(),
            destination_masked: masked,
            digest: String::new(),
            sealed_code: None,
            key_id: *self.keys.current().id(),
            address: self.issue.context.address(),
            binding: self.issue.context.binding().cloned(),
            created_at: now,
            expires_at: now.saturating_add(self.life()),
            attempts: 0,
            wrong: 0,
            attempt_limit: self.policy.limits().attempts(),
            sends: 1,
            next_send_at: now.saturating_add(self.first_cooldown()),
            state: ChallengeState::Live,
            attempt_log: Vec::new(),
        };
        if self.policy.resend_code() == ResendCode::Same && !challenge.is_decoy() {
            let sealed = verifier.sealed(self.keys, &challenge, enclosure);
            challenge.sealed_code = Some(sealed.map_err(Unavailable::because)?);
        }
        Ok(challenge)
    }

    /// Writes the addresses that a message may go to, a line each, the first one first, and last
    /// whose the link is, where there is one, and the language, where it is not the default.
    fn addresses(&self, first: &Destination) -> String {
        let others = self.issue.addresses().filter(|other| *other != first);
        let addresses = others.fold(first.to_stored(), |all, other| {
            all + ADDRESS_BREAK + &other.to_stored()
        });
        let addresses = match &self.issue.link {
            Some(link) => addresses + ADDRESS_BREAK + &link.or_in(&self.issue.context).to_line(),
            None => addresses,
        };
        match &self.issue.locale {
            locale if *locale == Locale::default() => addresses,
            locale => addresses + ADDRESS_BREAK + LOCALE + locale.as_str(),
        }
    }

    fn seal(
        &self,
        verifier: &Verifier,
        what: &'static [u8],
        text: &str,
    ) -> Result<Sealed, IssueError> {
        let aad = row_aad(&self.issue.tenant, &self.id, what);
        seal(self.keys, verifier.random(), &aad, text.as_bytes())
            .map_err(|error| IssueError::Unavailable(Unavailable::because(error)))
    }
}
