use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::factor::{Factor, FactorId, FactorState, RecoverySelector};

use super::{
    AcceptedTry, AdvanceFactor, Enrol, Enrolled, FactorAdvanced, PutRecovery, RecoveryUse, Removed,
    RenameFactor, Renamed, Shown, UseRecovery,
};

/// Everything that an owner has enrolled: pure, and the same in every engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactorSheet {
    /// Oldest first.
    pub factors: Vec<Factor>,
    /// The hash of each code that is left.
    pub recovery: BTreeMap<RecoverySelector, String>,
    /// The try that was accepted last, where its client named it.
    pub accepted: Option<AcceptedTry>,
}

/// What an enrolment changes in a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct FactorChange {
    /// What is answered.
    pub outcome: Enrolled,
    /// The pending one whose place is taken.
    pub replaced: Option<FactorId>,
    /// What is added.
    pub added: Option<Factor>,
}

impl FactorSheet {
    /// How many authenticators a subject may have, pending ones too.
    pub const MOST: usize = 10;

    /// Says whether nothing is enrolled, and nothing is to be answered again.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0 && self.accepted.is_none()
    }

    /// Says what an enrolment comes to, and changes nothing.
    pub fn judge_enrolment(&self, enrol: &Enrol, now: Timestamp) -> FactorChange {
        let same = self
            .factors
            .iter()
            .find(|factor| factor.name == enrol.name || factor.id == enrol.id);
        let outcome = match same.map(Factor::state) {
            _ if enrol.shown == Shown::NoFactor && self.has_active() => Enrolled::Unshown,
            Some(FactorState::Active) => Enrolled::NameTaken,
            Some(FactorState::Pending) => Enrolled::Pending,
            None if self.factors.len() >= Self::MOST => Enrolled::TooMany,
            None => Enrolled::Pending,
        };
        if outcome != Enrolled::Pending {
            return FactorChange {
                outcome,
                replaced: None,
                added: None,
            };
        }
        FactorChange {
            outcome,
            replaced: same.map(|factor| factor.id),
            added: Some(Factor {
                id: enrol.id,
                tenant: enrol.owner.tenant.clone(),
                subject: enrol.owner.subject.clone(),
                kind: enrol.kind,
                name: enrol.name.clone(),
                secret: enrol.secret.clone(),
                last: None,
                created_at: now,
                confirmed_at: None,
                used_at: None,
            }),
        }
    }

    /// Adds a pending authenticator where there is a place for it.
    pub fn enrol(&mut self, enrol: &Enrol, now: Timestamp) -> Enrolled {
        let change = self.judge_enrolment(enrol, now);
        self.factors
            .retain(|factor| Some(factor.id) != change.replaced);
        self.factors.extend(change.added);
        change.outcome
    }

    /// Says whether one of them has been confirmed.
    #[must_use]
    pub fn has_active(&self) -> bool {
        let mut factors = self.factors.iter();
        factors.any(|factor| factor.state() == FactorState::Active)
    }

    /// Accepts a step or counter where it is a new one. The first confirmation takes away whatever
    /// else was begun before it.
    pub fn advance(&mut self, advance: &AdvanceFactor, now: Timestamp) -> FactorAdvanced {
        let is_first = !self.has_active();
        let mut factors = self.factors.iter_mut();
        let Some(factor) = factors.find(|factor| factor.id == advance.factor) else {
            return FactorAdvanced::Gone;
        };
        let advanced = factor.advance(advance, now);
        if is_first && advanced == FactorAdvanced::Accepted {
            self.factors.retain(|factor| factor.id == advance.factor);
            self.recovery.clear();
            self.accepted = None;
        }
        if advanced == FactorAdvanced::Accepted {
            self.accept(advance.accepted.as_ref());
        }
        advanced
    }

    fn accept(&mut self, tried: Option<&AcceptedTry>) {
        if let Some(tried) = tried {
            self.accepted = Some(tried.clone());
        }
    }

    /// Says what a new name comes to, and changes nothing: what is answered, and the pending one
    /// whose name it takes.
    pub fn judge_name(&self, rename: &RenameFactor) -> (Renamed, Option<FactorId>) {
        let (id, name) = (rename.factor, &rename.name);
        if !self.factors.iter().any(|factor| factor.id == id) {
            return (Renamed::Unknown, None);
        }
        let mut others = self.factors.iter().filter(|factor| factor.id != id);
        match others.find(|factor| factor.name == *name) {
            Some(other) if other.state() == FactorState::Active => (Renamed::NameTaken, None),
            other => (Renamed::Now, other.map(|other| other.id)),
        }
    }

    /// Calls an authenticator by another name where that is free.
    pub fn rename(&mut self, rename: &RenameFactor) -> Renamed {
        let (renamed, replaced) = self.judge_name(rename);
        if renamed == Renamed::Now {
            self.factors.retain(|factor| Some(factor.id) != replaced);
            let mut factors = self.factors.iter_mut();
            if let Some(factor) = factors.find(|factor| factor.id == rename.factor) {
                factor.name = rename.name.clone();
            }
        }
        renamed
    }

    /// Takes an authenticator away, and the recovery codes with the last active one.
    pub fn remove(&mut self, id: &FactorId) -> Removed {
        let (had_active, before) = (self.has_active(), self.factors.len());
        self.factors.retain(|factor| factor.id != *id);
        if self.factors.len() == before {
            return Removed::Unknown;
        }
        if had_active && !self.has_active() {
            self.recovery.clear();
            self.accepted = None;
            return Removed::Last;
        }
        Removed::Now
    }

    /// Replaces all recovery codes.
    pub fn put_recovery(&mut self, put: &PutRecovery) {
        self.recovery = put.codes.iter().cloned().collect();
    }

    /// Counts the recovery codes that are left.
    #[must_use]
    pub fn recovery_left(&self) -> u32 {
        u32::try_from(self.recovery.len()).unwrap_or(u32::MAX)
    }

    /// Takes a recovery code away where it is still the one that was compared.
    pub fn use_recovery(&mut self, used: &UseRecovery) -> RecoveryUse {
        if self.recovery.get(&used.selector) != Some(&used.digest) {
            return RecoveryUse::Gone;
        }
        self.recovery.remove(&used.selector);
        self.accept(used.accepted.as_ref());
        RecoveryUse::Used {
            left: self.recovery_left(),
        }
    }

    /// Counts everything that is enrolled.
    #[must_use]
    pub fn count(&self) -> u64 {
        let count = self.factors.len().saturating_add(self.recovery.len());
        u64::try_from(count).unwrap_or(u64::MAX)
    }
}

impl Factor {
    /// Accepts a step or counter that is higher than the last one, in the state that is asked for.
    pub fn advance(&mut self, advance: &AdvanceFactor, now: Timestamp) -> FactorAdvanced {
        if self.last.is_some_and(|last| advance.to <= last) {
            return FactorAdvanced::Used;
        }
        if self.state() != advance.from {
            return FactorAdvanced::Gone;
        }
        self.last = Some(advance.to);
        if let Some(resealed) = &advance.resealed {
            self.secret.clone_from(resealed);
        }
        self.confirmed_at.get_or_insert(now);
        self.used_at = Some(now);
        FactorAdvanced::Accepted
    }
}
