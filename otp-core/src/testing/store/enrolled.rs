//! The words that cases of authenticators and recovery codes are told in.

use super::bench::Bench;
use super::{StoreFixture, kit};
use crate::challenge::Lane;
use crate::event::{Event, EventKind};
use crate::factor::{Factor, FactorId, FactorKind, FactorName, FactorState, RecoverySelector};
use crate::quota::BudgetRules;
use crate::random::OsRandom;
use crate::request::{FactorClass, Tenant};
use crate::store::{
    Admission, AdvanceFactor, BudgetClaim, BudgetReading, Enrol, Enrolled, FactorAdvanced,
    FactorOwner, Granted, NamedTry, PutRecovery, RecoveryUse, RemoveFactor, Removed, Shown, Step,
    UseRecovery,
};

pub(super) const ANSWERS: &str = "a store in good order answers";

/// The words that these cases are told in.
pub(super) struct Desk<'a> {
    pub(super) bench: Bench<'a>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(fixture: &'a dyn StoreFixture) -> Self {
        let bench = Bench::new(fixture);
        Self { bench }
    }

    pub(super) async fn enrol(&self, enrol: &Enrol) -> Enrolled {
        let enrolled = self.bench.store.enrol(enrol.clone()).await;
        enrolled.expect(ANSWERS)
    }

    /// Enrols the kit's authenticator for a subject and confirms it with a step.
    pub(super) async fn active(&self, subject: &str, step: u64) -> Enrol {
        self.active_as(subject, "phone", step).await
    }

    async fn active_as(&self, subject: &str, name: &str, step: u64) -> Enrol {
        let enrol = enrolment(&owner(subject), name);
        assert_eq!(self.enrol(&enrol).await, Enrolled::Pending);
        let confirmed = self.advance(&enrol, FactorState::Pending, step).await;
        assert_eq!(confirmed, FactorAdvanced::Accepted);
        enrol
    }

    /// Gives a subject an active phone and tablet, and a watch that waits for its first code.
    pub(super) async fn three(&self, subject: &str) -> [Enrol; 3] {
        let phone = self.active(subject, 10).await;
        let tablet = self.active_as(subject, "tablet", 10).await;
        let watch = enrolment(&owner(subject), "watch");
        assert_eq!(self.enrol(&watch).await, Enrolled::Pending);
        [phone, tablet, watch]
    }

    pub(super) async fn advance(&self, of: &Enrol, from: FactorState, to: u64) -> FactorAdvanced {
        let advance = AdvanceFactor {
            from,
            ..step(of, to)
        };
        let advanced = self.bench.store.advance_factor(advance).await;
        advanced.expect(ANSWERS)
    }

    pub(super) async fn factors(&self, owner: &FactorOwner) -> Vec<Factor> {
        self.bench.store.factors(owner).await.expect(ANSWERS)
    }

    pub(super) async fn put(&self, owner: &FactorOwner, codes: &[(&str, &str)]) {
        let put = PutRecovery {
            owner: owner.clone(),
            codes: codes
                .iter()
                .map(|(selector, digest)| (chosen(selector), (*digest).to_owned()))
                .collect(),
            event: kit::event(EventKind::RecoveryRenewed),
        };
        self.bench.store.put_recovery(put).await.expect(ANSWERS);
    }

    pub(super) async fn spend(&self, used: UseRecovery) -> RecoveryUse {
        self.bench.store.use_recovery(used).await.expect(ANSWERS)
    }

    pub(super) async fn recovery(&self, owner: &FactorOwner, selector: &str) -> Option<String> {
        let found = self.bench.store.recovery(owner, chosen(selector)).await;
        found.expect(ANSWERS)
    }

    pub(super) async fn left(&self, owner: &FactorOwner) -> u32 {
        self.bench.store.recovery_left(owner).await.expect(ANSWERS)
    }

    pub(super) async fn guess(
        &self,
        owner: &FactorOwner,
        class: FactorClass,
        lane: Lane,
    ) -> Option<Granted> {
        let claim = BudgetClaim::new(owner.budget(class), lane, BudgetRules::totp());
        self.named_guess(claim, None).await.granted
    }

    pub(super) async fn named_guess(
        &self,
        budget: BudgetClaim,
        named: Option<NamedTry>,
    ) -> Admission {
        let step = Step::Guess { budget, named };
        let plan = kit::plan(EventKind::ValidationAttempt, step);
        self.bench.admit(plan).await
    }

    pub(super) async fn budget(&self, owner: &FactorOwner, class: FactorClass) -> BudgetReading {
        let (key, rules) = (owner.budget(class), BudgetRules::totp());
        let reading = self.bench.store.budget(&key, &rules).await;
        reading.expect(ANSWERS)
    }

    pub(super) async fn guesses(&self, owner: &FactorOwner, class: FactorClass) -> usize {
        self.budget(owner, class).await.budget.guesses.len()
    }

    pub(super) async fn last_event(&self) -> Event {
        let mut events = self.bench.events().await;
        events.pop().expect("a record")
    }
}

pub(super) fn owner(subject: &str) -> FactorOwner {
    FactorOwner {
        tenant: Tenant::default(),
        subject: kit::subject(subject),
    }
}

pub(super) fn enrolment(owner: &FactorOwner, name: &str) -> Enrol {
    Enrol {
        id: FactorId::generate(&OsRandom).expect("randomness"),
        owner: owner.clone(),
        kind: FactorKind::TOTP,
        name: FactorName::new(name).expect("a name"),
        secret: kit::sealed(9),
        shown: Shown::Factor,
        event: kit::event(EventKind::FactorEnrolled).about(&owner.subject),
    }
}

pub(super) fn step(of: &Enrol, to: u64) -> AdvanceFactor {
    AdvanceFactor {
        owner: of.owner.clone(),
        factor: of.id,
        from: FactorState::Active,
        to,
        resealed: None,
        accepted: None,
        lane: Lane::Public,
        event: kit::event(EventKind::ValidationAttempt).about(&of.owner.subject),
    }
}

pub(super) fn chosen(selector: &str) -> RecoverySelector {
    RecoverySelector::from_stored(selector).expect("a selector")
}

pub(super) fn spending(owner: &FactorOwner, selector: &str, digest: &str) -> UseRecovery {
    UseRecovery {
        owner: owner.clone(),
        selector: chosen(selector),
        digest: digest.to_owned(),
        accepted: None,
        lane: Lane::Public,
        event: kit::event(EventKind::ValidationAttempt).about(&owner.subject),
    }
}

pub(super) async fn remove(desk: &Desk<'_>, of: &Enrol) -> Removed {
    let remove = RemoveFactor {
        owner: of.owner.clone(),
        factor: of.id,
        event: kit::event(EventKind::FactorRemoved),
    };
    desk.bench.store.remove_factor(remove).await.expect(ANSWERS)
}
