//! Tries and authenticators that have a name.

use super::enrolled::{ANSWERS, Desk, chosen, owner, remove, spending, step};
use std::sync::Arc;
use std::time::Duration;

use super::bench::{RACERS, count, race};
use super::{StoreFixture, kit};
use crate::challenge::Lane;
use crate::clock::Timestamp;
use crate::event::{EventKind, Outcome};
use crate::factor::FactorName;
use crate::quota::BudgetRules;
use crate::request::{FactorClass, Tenant};
use crate::store::{
    AcceptedBy, AcceptedTry, AdvanceFactor, BudgetClaim, Enrol, FactorAdvanced, FactorOwner,
    Granted, NamedTry, RecoveryUse, Removed, RenameFactor, Renamed, Step, UseRecovery,
};

fn tried(mark: u8, by: AcceptedBy) -> AcceptedTry {
    AcceptedTry {
        fingerprint: [mark; 16],
        at: Timestamp::from_millis(1_700_000_000_123),
        by,
    }
}

async fn kept(desk: &Desk<'_>, owner: &FactorOwner) -> Option<AcceptedTry> {
    desk.bench.store.accepted_try(owner).await.expect(ANSWERS)
}

async fn accept(desk: &Desk<'_>, of: &Enrol, to: u64, mark: Option<u8>) -> FactorAdvanced {
    let advance = AdvanceFactor {
        accepted: mark.map(|mark| tried(mark, AcceptedBy::Totp(of.id, to))),
        ..step(of, to)
    };
    let advanced = desk.bench.store.advance_factor(advance).await;
    advanced.expect(ANSWERS)
}

async fn rename(desk: &Desk<'_>, owner: &FactorOwner, of: &Enrol, name: &str) -> Renamed {
    let rename = RenameFactor {
        owner: owner.clone(),
        factor: of.id,
        name: FactorName::new(name).expect("a name"),
        event: kit::event(EventKind::FactorRenamed).about(&owner.subject),
    };
    desk.bench.store.rename_factor(rename).await.expect(ANSWERS)
}

/// A success keeps how its try answers, in the same step; what is refused keeps nothing.
pub async fn an_accepted_try_is_kept_with_its_success(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let ann = owner("ann");
    let phone = desk.active("ann", 10).await;
    assert_eq!(kept(&desk, &ann).await, None, "a try without a name");
    let accepted = accept(&desk, &phone, 11, Some(1)).await;
    assert_eq!(accepted, FactorAdvanced::Accepted);
    let first = tried(1, AcceptedBy::Totp(phone.id, 11));
    let answer = kept(&desk, &ann).await;
    assert_eq!(answer, Some(first.clone()), "a success keeps its answer");
    let again = accept(&desk, &phone, 11, Some(2)).await;
    assert_eq!(again, FactorAdvanced::Used);
    assert_eq!(kept(&desk, &ann).await, Some(first.clone()), "refused");
    desk.put(&ann, &[("K7", "one"), ("K8", "two")]).await;
    let mark = |selector: &str, mark| Some(tried(mark, AcceptedBy::Recovery(chosen(selector))));
    let wrong = UseRecovery {
        accepted: mark("K7", 3),
        ..spending(&ann, "K7", "two")
    };
    assert_eq!(desk.spend(wrong).await, RecoveryUse::Gone);
    assert_eq!(kept(&desk, &ann).await, Some(first), "refused");
    let right = UseRecovery {
        accepted: mark("K7", 4),
        ..spending(&ann, "K7", "one")
    };
    let outcome = desk.spend(right).await;
    assert_eq!(outcome, RecoveryUse::Used { left: 1 });
    assert_eq!(kept(&desk, &ann).await, mark("K7", 4), "the newest alone");
    let unnamed = accept(&desk, &phone, 12, None).await;
    assert_eq!(unnamed, FactorAdvanced::Accepted);
    assert_eq!(kept(&desk, &ann).await, mark("K7", 4));
}

/// Nobody else's try is answered by it, and neither a first factor nor a reset leaves it.
pub async fn an_accepted_try_is_its_owners_and_ends_with_what_it_had(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let ann = owner("ann");
    let phone = desk.active("ann", 10).await;
    let accepted = accept(&desk, &phone, 11, Some(1)).await;
    assert_eq!(accepted, FactorAdvanced::Accepted);
    let elsewhere = FactorOwner {
        tenant: Tenant::new("elsewhere").expect("a tenant"),
        ..ann.clone()
    };
    for other in [&owner("bob"), &elsewhere] {
        assert_eq!(kept(&desk, other).await, None, "{other:?}");
    }
    let event = kit::event(EventKind::FactorsReset);
    let reset = desk.bench.store.reset_factors(&ann, event).await;
    assert_eq!(reset.expect(ANSWERS), 1, "a try is no thing of an owner's");
    assert_eq!(kept(&desk, &ann).await, None);
    let phone = desk.active("ann", 10).await;
    let accepted = accept(&desk, &phone, 11, Some(2)).await;
    assert_eq!(accepted, FactorAdvanced::Accepted);
    let _ = remove(&desk, &phone).await;
    let _ = desk.active("ann", 10).await;
    assert_eq!(kept(&desk, &ann).await, None, "begun anew");
}

/// The recovery codes of an owner go with the last active factor, in the same step, and with no other.
pub async fn the_last_factor_takes_the_recovery_codes_with_it(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let (ann, bob) = (owner("ann"), owner("bob"));
    let [phone, tablet, watch] = desk.three("ann").await;
    let _ = desk.active("bob", 10).await;
    for whose in [&ann, &bob] {
        desk.put(whose, &[("K7", "one"), ("K8", "two")]).await;
    }
    let accepted = accept(&desk, &phone, 11, Some(1)).await;
    assert_eq!(accepted, FactorAdvanced::Accepted);

    assert_eq!(remove(&desk, &tablet).await, Removed::Now);
    assert_eq!(desk.last_event().await.reason, None);
    assert_eq!(desk.left(&ann).await, 2, "another one is active");
    assert_eq!(remove(&desk, &phone).await, Removed::Last);
    let told = desk.last_event().await;
    assert_eq!(told.outcome, Outcome::Success);
    assert_eq!(told.reason.as_deref(), Some("last_factor"));
    assert_eq!((desk.left(&ann).await, desk.left(&bob).await), (0, 2));
    assert_eq!(kept(&desk, &ann).await, None);
    assert_eq!(desk.factors(&ann).await.len(), 1, "what waits may wait");
    assert_eq!(remove(&desk, &watch).await, Removed::Now, "it was none yet");
}

fn counted(fixture: u8, older: &[u8]) -> NamedTry {
    NamedTry::new(
        [fixture; 16],
        older.iter().map(|mark| [*mark; 16]).collect(),
    )
}

/// A try that has a name is one guess for a minute, however often it comes, and one that was refused
/// before it was counted is none.
pub async fn a_named_try_is_counted_once_for_its_time(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let ann = owner("ann");
    let guess = async |name: NamedTry| {
        let rules = BudgetRules::totp();
        let claim = BudgetClaim::new(ann.budget(FactorClass::Totp), Lane::Public, rules);
        desk.named_guess(claim, Some(name)).await
    };
    let guesses = async || desk.guesses(&ann, FactorClass::Totp).await;
    let first = guess(counted(1, &[])).await;
    assert!(matches!(first.granted, Some(Granted::Guess)), "{first:?}");
    desk.bench.advance(Duration::from_secs(59));
    // By the name that it has under a newer key, too.
    for name in [counted(1, &[]), counted(9, &[8, 1])] {
        let again = guess(name).await;
        let Some(Granted::GuessedBefore { at }) = again.granted else {
            panic!("a named try is counted once: {again:?}");
        };
        assert_eq!(at, first.now, "as of the first time");
    }
    assert_eq!(guesses().await, 1);
    let other = guess(counted(2, &[])).await;
    assert!(matches!(other.granted, Some(Granted::Guess)), "{other:?}");
    assert_eq!(guesses().await, 2);
    desk.bench.advance(Duration::from_secs(1));
    let late = guess(counted(1, &[])).await;
    assert!(matches!(late.granted, Some(Granted::Guess)), "{late:?}");
    assert_eq!(guesses().await, 3);

    // What a lock refuses is not remembered as counted, and what was counted passes it.
    let (mut last, mut refused) = (1, None);
    for mark in 10..60 {
        match guess(counted(mark, &[])).await.granted {
            Some(_) => last = mark,
            None => {
                refused = Some(mark);
                break;
            }
        }
    }
    let refused = guess(counted(refused.expect("a lock"), &[])).await;
    assert!(refused.granted.is_none(), "{refused:?}");
    let again = guess(counted(last, &[])).await;
    let is_repeat = matches!(again.granted, Some(Granted::GuessedBefore { .. }));
    assert!(is_repeat, "{again:?}");
    assert_eq!(again.findings.budget, None, "it asks no budget");
}

/// Of any number of racing tries of one name one is counted.
pub async fn racing_tries_of_one_name_are_one_guess(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let ann = owner("ann");
    let claim = BudgetClaim::new(
        ann.budget(FactorClass::Totp),
        Lane::Public,
        BudgetRules::totp(),
    );
    let answers = race(RACERS, |_| {
        let (store, budget) = (Arc::clone(&desk.bench.store), claim.clone());
        async move {
            let named = Some(counted(1, &[]));
            let step = Step::Guess { budget, named };
            let plan = kit::plan(EventKind::ValidationAttempt, step);
            store.admit(&plan).await.expect(ANSWERS).granted
        }
    })
    .await;
    let first = |granted: &Option<Granted>| matches!(granted, Some(Granted::Guess));
    let again = |granted: &Option<Granted>| matches!(granted, Some(Granted::GuessedBefore { .. }));
    assert_eq!(count(&answers, first), 1);
    assert_eq!(count(&answers, again), RACERS - 1);
    assert_eq!(desk.guesses(&ann, FactorClass::Totp).await, 1);
}

/// A name is one factor's; one that waits for its first code gives way.
pub async fn a_factor_is_renamed_where_the_name_is_free(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let (ann, bob) = (owner("ann"), owner("bob"));
    let [phone, tablet, _] = desk.three("ann").await;
    let before = desk.factors(&ann).await;

    let taken = rename(&desk, &ann, &phone, "tablet").await;
    assert_eq!(taken, Renamed::NameTaken, "another one's name");
    assert_eq!(rename(&desk, &bob, &phone, "mine").await, Renamed::Unknown);
    assert_eq!(desk.factors(&ann).await, before, "nothing was done");
    let refused = desk.last_event().await;
    assert_eq!(refused.outcome, Outcome::Refused);
    assert_eq!(refused.reason.as_deref(), Some("unknown_factor"));

    assert_eq!(rename(&desk, &ann, &phone, "phone").await, Renamed::Now);
    assert_eq!(desk.factors(&ann).await, before, "its own name");
    let quoted = "Ann's \"old\" \\ phone; \u{1f4f1}";
    assert_eq!(rename(&desk, &ann, &phone, quoted).await, Renamed::Now);
    assert_eq!(rename(&desk, &ann, &tablet, "watch").await, Renamed::Now);
    let done = desk.last_event().await;
    assert_eq!(done.kind, EventKind::FactorRenamed);
    let factors = desk.factors(&ann).await;
    let named: Vec<_> = factors
        .iter()
        .map(|factor| (factor.id, factor.name.as_str(), factor.last))
        .collect();
    let mut expected = [(phone.id, quoted, Some(10)), (tablet.id, "watch", Some(10))];
    if named.first().is_some_and(|(id, ..)| *id == tablet.id) {
        expected.reverse();
    }
    assert_eq!(named, expected);
}
