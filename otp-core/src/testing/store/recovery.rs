use std::sync::Arc;
use std::time::Duration;

use super::bench::{RACERS, count, race};
use super::enrolled::{ANSWERS, Desk, chosen, enrolment, owner, spending};
use super::{StoreFixture, kit};
use crate::challenge::Lane;
use crate::event::{EventKind, Outcome};
use crate::factor::FactorState;
use crate::quota::{BudgetRefusal, BudgetRules};
use crate::request::FactorClass;
use crate::store::{
    BudgetClaim, Enrolled, FactorAdvanced, Granted, PutRecovery, RecoveryUse, Step, StoreErrorKind,
};

const DAY: Duration = Duration::from_secs(86_400);

/// A guess is in the budget as soon as it was admitted, in that of its class and in no other.
pub async fn a_guess_is_counted_in_its_own_class_before_anything_is_compared(
    fixture: &dyn StoreFixture,
) {
    let desk = Desk::new(fixture);
    let ann = owner("ann");
    for (class, other) in [
        (FactorClass::Totp, FactorClass::OutOfBand),
        (FactorClass::Recovery, FactorClass::OutOfBand),
    ] {
        let granted = desk.guess(&ann, class, Lane::Public).await;
        assert!(matches!(granted, Some(Granted::Guess)), "{granted:?}");
        assert_eq!(desk.guesses(&ann, class).await, 1, "counted at once");
        assert_eq!(desk.guesses(&ann, other).await, 0, "in its own class");
    }
    assert_eq!(desk.guesses(&ann, FactorClass::Totp).await, 1);
    let now = desk.bench.now().await;
    let budget = desk.budget(&ann, FactorClass::Totp).await.budget;
    assert_eq!(budget.guesses, [(now, Lane::Public)]);
    assert_eq!(budget.consecutive, 1);
    assert!(
        desk.bench.events().await.is_empty(),
        "the next intent says what came of it"
    );
}

/// a day old, and the refusals are on record.
pub async fn a_locked_class_takes_no_guess(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let ann = owner("ann");
    let start = desk.bench.now().await;
    let answers = race(100, |_| {
        let store = Arc::clone(&desk.bench.store);
        let key = owner("ann").budget(FactorClass::Totp);
        let budget = BudgetClaim::new(key, Lane::Public, BudgetRules::totp());
        let plan = kit::plan(
            EventKind::ValidationAttempt,
            Step::Guess {
                budget,
                named: None,
            },
        );
        async move { store.admit(&plan).await.expect(ANSWERS) }
    })
    .await;
    let granted = count(&answers, |answer| answer.granted.is_some());
    assert_eq!(granted, 8, "the public share of a day");
    let until = start.saturating_add(DAY);
    let locked = count(&answers, |answer| {
        answer.findings.budget == Some(BudgetRefusal::Locked { until })
    });
    assert_eq!(locked, 92);
    let refused = desk.bench.events().await;
    assert_eq!(refused.len(), 92);
    assert!(
        refused
            .iter()
            .all(|event| event.reason.as_deref() == Some("locked"))
    );
    let known = desk.guess(&ann, FactorClass::Totp, Lane::KnownDevice).await;
    assert!(known.is_some(), "the known device has a share of its own");
    let other = desk.guess(&ann, FactorClass::Recovery, Lane::Public).await;
    assert!(other.is_some(), "another class has a budget of its own");
    desk.bench.advance(DAY);
    let later = desk.guess(&ann, FactorClass::Totp, Lane::Public).await;
    assert!(later.is_some(), "a day later there is room");
}

/// A success gives its own guess back and ends the run of failures; a refused one gives nothing.
pub async fn a_steps_success_gives_back_its_own_guess(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let enrol = desk.active("ann", 7).await;
    let ann = &enrol.owner;
    for _ in 0..3 {
        assert!(
            desk.guess(ann, FactorClass::Totp, Lane::Public)
                .await
                .is_some()
        );
    }
    let known = desk.guess(ann, FactorClass::Totp, Lane::KnownDevice).await;
    assert!(known.is_some());
    let used = desk.advance(&enrol, FactorState::Active, 7).await;
    assert_eq!(used, FactorAdvanced::Used);
    assert_eq!(desk.guesses(ann, FactorClass::Totp).await, 4);
    let accepted = desk.advance(&enrol, FactorState::Active, 8).await;
    assert_eq!(accepted, FactorAdvanced::Accepted);
    let budget = desk.budget(ann, FactorClass::Totp).await.budget;
    let lanes: Vec<Lane> = budget.guesses.iter().map(|(_, lane)| *lane).collect();
    assert_eq!(lanes, [Lane::Public, Lane::Public, Lane::KnownDevice]);
    assert_eq!(budget.consecutive, 0);
}

/// Of a thousand uses of one recovery code one wins, and hears how many are left.
pub async fn one_of_a_thousand_uses_of_a_recovery_code_wins(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let ann = owner("ann");
    desk.put(&ann, &[("AA", "one"), ("AB", "two"), ("ZZ", "three")])
        .await;
    let answers = race(RACERS, |_| {
        let store = Arc::clone(&desk.bench.store);
        let used = spending(&owner("ann"), "AB", "two");
        async move { store.use_recovery(used).await.expect(ANSWERS) }
    })
    .await;
    let won = count(&answers, |answer| *answer == RecoveryUse::Used { left: 2 });
    assert_eq!(won, 1, "a recovery code is used once");
    assert_eq!(
        count(&answers, |answer| *answer == RecoveryUse::Gone),
        RACERS - 1
    );
    assert_eq!(desk.recovery(&ann, "AB").await, None);
    assert_eq!(desk.recovery(&ann, "ZZ").await.as_deref(), Some("three"));
    assert_eq!(desk.left(&ann).await, 2);
    let events = desk.bench.events().await;
    assert_eq!(events.len(), RACERS + 1, "each is on record");
    let successes = count(&events, |event| {
        event.kind == EventKind::ValidationAttempt && event.outcome == Outcome::Success
    });
    assert_eq!(successes, 1);
}

/// A recovery code's success gives back a guess of its class.
pub async fn a_used_recovery_code_gives_back_its_own_guess(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let ann = owner("ann");
    desk.put(&ann, &[("AA", "one")]).await;
    for class in [
        FactorClass::Recovery,
        FactorClass::Recovery,
        FactorClass::Totp,
    ] {
        assert!(desk.guess(&ann, class, Lane::Public).await.is_some());
    }
    let wrong = desk.spend(spending(&ann, "AA", "other")).await;
    assert_eq!(wrong, RecoveryUse::Gone);
    assert_eq!(desk.guesses(&ann, FactorClass::Recovery).await, 2);
    let right = desk.spend(spending(&ann, "AA", "one")).await;
    assert_eq!(right, RecoveryUse::Used { left: 0 });
    let budget = desk.budget(&ann, FactorClass::Recovery).await.budget;
    assert_eq!((budget.guesses.len(), budget.consecutive), (1, 0));
    assert_eq!(desk.guesses(&ann, FactorClass::Totp).await, 1);
}

/// stay.
pub async fn new_recovery_codes_void_all_old_ones(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let (ann, bob) = (owner("ann"), owner("bob"));
    for who in [&ann, &bob] {
        desk.put(who, &[("AA", "$argon2id$\\'\"$old"), ("AB", "two")])
            .await;
    }
    desk.put(&ann, &[("AA", "new"), ("AC", "three")]).await;
    assert_eq!(desk.left(&ann).await, 2);
    for (selector, digest) in [("AA", "$argon2id$\\'\"$old"), ("AB", "two")] {
        let used = desk.spend(spending(&ann, selector, digest)).await;
        assert_eq!(used, RecoveryUse::Gone, "an old code is void");
        let event = desk.last_event().await;
        assert_eq!(event.outcome, Outcome::Refused);
        assert_eq!(event.reason.as_deref(), RecoveryUse::Gone.refusal());
    }
    assert_eq!(desk.left(&ann).await, 2);
    assert_eq!(desk.recovery(&ann, "AA").await.as_deref(), Some("new"));
    let kept = desk.recovery(&bob, "AA").await;
    assert_eq!(
        kept.as_deref(),
        Some("$argon2id$\\'\"$old"),
        "as it was put"
    );
    assert_eq!(desk.left(&bob).await, 2);
    desk.put(&ann, &[]).await;
    assert_eq!(desk.left(&ann).await, 0);
}

/// More codes than a set has, or two of one selector, are refused and change nothing.
pub async fn too_many_recovery_codes_are_refused(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let ann = owner("ann");
    desk.put(&ann, &[("AA", "one")]).await;
    let many: Vec<String> = (0..11)
        .map(|n| format!("0{}", "ABCDEFGHJKM".chars().nth(n).expect("one")))
        .collect();
    for selectors in [many, vec!["AA".to_owned(), "AA".to_owned()]] {
        let put = PutRecovery {
            owner: ann.clone(),
            codes: selectors
                .iter()
                .map(|text| (chosen(text), text.clone()))
                .collect(),
            event: kit::event(EventKind::RecoveryRenewed),
        };
        let refused = desk.bench.store.put_recovery(put).await;
        let kind = refused.expect_err("too many, or two alike").kind();
        assert_eq!(kind, StoreErrorKind::Invalid);
    }
    assert_eq!(desk.recovery(&ann, "AA").await.as_deref(), Some("one"));
}

/// A reset takes everything of one owner away, leaves a record, and leaves the budgets as they are.
pub async fn a_reset_leaves_nothing(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let enrol = desk.active("ann", 7).await;
    let pending = enrolment(&enrol.owner, "other");
    assert_eq!(desk.enrol(&pending).await, Enrolled::Pending);
    desk.put(&enrol.owner, &[("AA", "one"), ("AB", "two")])
        .await;
    let other = desk.active("bob", 7).await;
    desk.put(&other.owner, &[("AA", "one")]).await;
    assert!(
        desk.guess(&enrol.owner, FactorClass::Totp, Lane::Public)
            .await
            .is_some()
    );

    let event = kit::event(EventKind::FactorsReset).about(&enrol.owner.subject);
    let gone = desk.bench.store.reset_factors(&enrol.owner, event.clone());
    assert_eq!(gone.await.expect(ANSWERS), 4);
    let at = desk.bench.now().await;
    assert_eq!(desk.last_event().await, event.at(at));
    assert!(desk.factors(&enrol.owner).await.is_empty());
    assert_eq!(desk.left(&enrol.owner).await, 0);
    assert_eq!(desk.recovery(&enrol.owner, "AA").await, None);
    for (from, to) in [(FactorState::Active, 8), (FactorState::Pending, 8)] {
        let advanced = desk.advance(&enrol, from, to).await;
        assert_eq!(advanced, FactorAdvanced::Gone);
    }
    let used = desk.spend(spending(&enrol.owner, "AA", "one")).await;
    assert_eq!(used, RecoveryUse::Gone);
    assert_eq!(desk.guesses(&enrol.owner, FactorClass::Totp).await, 1);
    assert_eq!(desk.factors(&other.owner).await.len(), 1);
    assert_eq!(desk.left(&other.owner).await, 1);
}
