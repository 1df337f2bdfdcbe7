//! The names of keys.

use otp_core::challenge::{Challenge, ChallengeId, Lane};
use otp_core::quota::{QuotaClaim, QuotaKey, QuotaKind};
use otp_core::request::{Purpose, SubjectId, SubjectKey, Tenant};
use otp_core::store::{BudgetKey, FactorOwner, IdempotencyClaim, IdempotencyKey};
use serde_json::{Value, json};

use super::shelf::Shelves;
use crate::wire::request::quotas;
use crate::wire::{admission, challenge};

/// The names of everything in a store.
pub(super) struct Keys {
    pub(super) shelves: Shelves,
}

/// Whose challenges a place is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Those that somebody may have the code of.
    Somebodys,
    /// Decoys.
    Nobodys,
}

impl Whose {
    /// Both, in the order in which they are looked for.
    pub(super) const BOTH: [Self; 2] = [Self::Somebodys, Self::Nobodys];

    const fn letter(self) -> char {
        match self {
            Self::Somebodys => 'l',
            Self::Nobodys => 'n',
        }
    }
}

impl Keys {
    pub(super) fn challenge(&self, id: &ChallengeId) -> String {
        let prefix = &self.shelves.of_shard(id.shard()).prefix;
        format!("{prefix}c:{{{:04x}}}:{id}", id.shard())
    }

    /// Names where the latest challenge of its kind is written; the latest decoy stands beside it.
    pub(super) fn slot(
        &self,
        tenant: &Tenant,
        subject: &SubjectKey,
        purpose: &Purpose,
        lane: Lane,
        whose: Whose,
    ) -> String {
        let (tenant, purpose) = (tenant.as_str(), purpose.as_str());
        format!(
            "{}{}:{{{:04x}}}:{}:{tenant}{}:{purpose}:{}:{}",
            self.shelves.of(subject).prefix,
            whose.letter(),
            subject.shard(),
            tenant.len(),
            purpose.len(),
            lane.name(),
            subject.as_str()
        )
    }

    /// Writes a challenge as names and values, with the keys that belong to it.
    pub(super) fn fields(&self, new: &Challenge) -> Vec<String> {
        let own = [
            ("budget", self.budget_of(new)),
            ("slot", self.slot_of(new)),
            ("owner", self.owner(&new.subject)),
        ];
        let fields = challenge::write(new).into_iter().chain(own);
        fields
            .flat_map(|(name, value)| [name.to_owned(), value])
            .collect()
    }

    fn slot_of(&self, challenge: &Challenge) -> String {
        let whose = match challenge.is_decoy() {
            true => Whose::Nobodys,
            false => Whose::Somebodys,
        };
        self.slot_beside(challenge, whose)
    }

    /// Lists where the challenges are written that give way to a new one.
    pub(super) fn giving_way(&self, new: &Challenge) -> Vec<String> {
        let decoys = self.slot_beside(new, Whose::Nobodys);
        match new.is_decoy() {
            true => vec![decoys],
            false => vec![self.slot_beside(new, Whose::Somebodys), decoys],
        }
    }

    fn slot_beside(&self, challenge: &Challenge, whose: Whose) -> String {
        let Challenge {
            tenant,
            subject,
            purpose,
            lane,
            ..
        } = challenge;
        self.slot(tenant, subject, purpose, *lane, whose)
    }

    /// Names the index of a subject's live challenges.
    pub(super) fn owner(&self, subject: &SubjectKey) -> String {
        let shard = subject.shard();
        let prefix = &self.shelves.of(subject).prefix;
        format!("{prefix}u:{{{shard:04x}}}:{}", subject.as_str())
    }

    pub(super) fn budget(&self, key: &BudgetKey) -> String {
        let tenant = key.tenant.as_str();
        format!(
            "{}b:{{{:04x}}}:{}:{}:{tenant}:{}",
            self.shelves.of(&key.subject).guard,
            key.subject.shard(),
            key.class.name(),
            tenant.len(),
            key.subject.as_str()
        )
    }

    /// Names where an owner's authenticators are.
    pub(super) fn factors(&self, owner: &FactorOwner) -> String {
        self.owned('f', owner)
    }

    /// Names where an owner's recovery codes are.
    pub(super) fn recovery(&self, owner: &FactorOwner) -> String {
        self.owned('r', owner)
    }

    /// Names where the try of an owner is that was accepted last.
    pub(super) fn accepted_try(&self, owner: &FactorOwner) -> String {
        self.owned('a', owner)
    }

    /// Names where it is remembered that the guess of a try was counted.
    pub(super) fn counted_try(&self, key: &BudgetKey, name: &str) -> String {
        let owner = FactorOwner {
            tenant: key.tenant.clone(),
            subject: key.subject.clone(),
        };
        format!("{}:{name}", self.owned('t', &owner))
    }

    /// Names where an owner's devices are.
    pub(super) fn devices(&self, owner: &FactorOwner) -> String {
        self.owned('d', owner)
    }

    /// Names the list of an account's live sessions.
    pub(super) fn sessions(&self, tenant: &Tenant, subject: &SubjectId) -> String {
        let owner = FactorOwner {
            tenant: tenant.clone(),
            subject: SubjectKey::of_subject(subject),
        };
        self.owned('h', &owner)
    }

    fn owned(&self, kind: char, owner: &FactorOwner) -> String {
        let (tenant, subject) = (owner.tenant.as_str(), &owner.subject);
        format!(
            "{}{kind}:{{{:04x}}}:{}:{tenant}:{}",
            self.shelves.of(subject).guard,
            subject.shard(),
            tenant.len(),
            subject.as_str()
        )
    }

    fn budget_of(&self, challenge: &Challenge) -> String {
        self.budget(&BudgetKey {
            tenant: challenge.tenant.clone(),
            subject: challenge.subject.clone(),
            class: challenge.class,
        })
    }

    fn quota(&self, claim: &QuotaClaim) -> String {
        let kind = match claim.quota.kind() {
            QuotaKind::Rate => 'r',
            _ => 'w',
        };
        self.bucket(kind, &claim.key)
    }

    /// Writes claims with the keys that they are counted under.
    pub(super) fn quotas(&self, claims: &[QuotaClaim]) -> Value {
        quotas(claims, |claim| self.quota(claim))
    }

    /// Names every bucket that a key may have.
    pub(super) fn buckets(&self, key: &QuotaKey) -> [String; 2] {
        ['w', 'r'].map(|kind| self.bucket(kind, key))
    }

    // What verifying counts guards accounts; everything else guards a purse.
    fn bucket(&self, kind: char, key: &QuotaKey) -> String {
        let shelf = self.shelves.of_quota(key);
        let prefix = if key.action().starts_with("verify") {
            &shelf.guard
        } else {
            &shelf.prefix
        };
        format!("{prefix}q:{kind}:{}", key.as_str())
    }

    /// Writes what a host's key is taken for, with the key.
    pub(super) fn claim(&self, claim: &IdempotencyClaim) -> Value {
        let named = json!({"key": self.idempotency(&claim.key)});
        admission::idempotency(claim, named)
    }

    pub(super) fn idempotency(&self, key: &IdempotencyKey) -> String {
        let tenant = key.tenant().as_str();
        format!(
            "{}i:{}:{tenant}:{}",
            self.shelves.of_idempotency(key).prefix,
            tenant.len(),
            key.as_str()
        )
    }

    pub(super) fn seen(&self, key: &str) -> String {
        format!("{}s:{key}", self.shelves.of_name(key).guard)
    }
}
