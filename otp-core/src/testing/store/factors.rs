use std::sync::Arc;
use std::time::Duration;

use super::bench::{RACERS, count, race};
use super::enrolled::{ANSWERS, Desk, enrolment, owner, remove, step};
use super::{StoreFixture, kit};
use crate::event::{EventKind, Outcome};
use crate::factor::{Factor, FactorKind, FactorState, OtpAlgorithm, OtpDigits};
use crate::store::{
    AdvanceFactor, Enrol, Enrolled, FactorAdvanced, FactorOwner, FactorSheet, Removed, Shown,
    StoreErrorKind,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// An authenticator is read as it was enrolled, and after its first code with what that changed.
pub async fn every_field_of_a_factor_is_kept(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let owner = FactorOwner {
        tenant: kit::tenant("acme"),
        subject: kit::subject("o'hara\\\"--"),
    };
    let odd = Enrol {
        kind: FactorKind::Hotp {
            algorithm: OtpAlgorithm::Sha512,
            digits: OtpDigits::Eight,
        },
        ..enrolment(&owner, "a \"b\" \\ 'c' \u{1f512}?$1 {")
    };
    let usual = enrolment(&owner, "phone");
    let created_at = desk.bench.now().await;
    let mut expected = Vec::new();
    for enrol in [&odd, &usual] {
        assert_eq!(desk.enrol(enrol).await, Enrolled::Pending);
        expected.push(Factor {
            id: enrol.id,
            tenant: owner.tenant.clone(),
            subject: owner.subject.clone(),
            kind: enrol.kind,
            name: enrol.name.clone(),
            secret: enrol.secret.clone(),
            last: None,
            created_at,
            confirmed_at: None,
            used_at: None,
        });
    }
    let mut found = desk.factors(&owner).await;
    found.sort_by_key(|factor| factor.id != odd.id);
    assert_eq!(found, expected);
    assert_eq!(desk.last_event().await, usual.event.clone().at(created_at));

    desk.bench.advance(HOUR);
    let confirmed_at = desk.bench.now().await;
    let to = Factor::LAST - 1;
    let advanced = desk.advance(&odd, FactorState::Pending, to).await;
    assert_eq!(advanced, FactorAdvanced::Accepted);
    desk.bench.advance(HOUR);
    let used_at = desk.bench.now().await;
    let advanced = desk.advance(&odd, FactorState::Active, Factor::LAST).await;
    assert_eq!(
        advanced,
        FactorAdvanced::Accepted,
        "the highest number fits"
    );
    let expected = Factor {
        last: Some(Factor::LAST),
        confirmed_at: Some(confirmed_at),
        used_at: Some(used_at),
        ..expected.swap_remove(0)
    };
    let found = desk.factors(&owner).await;
    assert!(found.contains(&expected), "{found:?}");
    let beyond = desk
        .bench
        .store
        .advance_factor(step(&odd, Factor::LAST + 1));
    let refused = beyond.await.expect_err("no engine counts that far").kind();
    assert_eq!(refused, StoreErrorKind::Invalid);
}

/// The code that confirms an authenticator burns its step: it neither confirms again nor signs in.
pub async fn a_code_at_a_time_confirms_and_burns_its_step(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let enrol = enrolment(&owner("ann"), "phone");
    assert_eq!(desk.enrol(&enrol).await, Enrolled::Pending);
    let early = desk.advance(&enrol, FactorState::Active, 100).await;
    assert_eq!(early, FactorAdvanced::Gone, "a pending one opens nothing");
    let state = |factors: Vec<Factor>| factors.first().map(Factor::state);
    let found = desk.factors(&enrol.owner).await;
    assert_eq!(state(found), Some(FactorState::Pending));
    for (from, to, expected) in [
        (FactorState::Pending, 100, FactorAdvanced::Accepted),
        (FactorState::Pending, 100, FactorAdvanced::Used),
        (FactorState::Active, 100, FactorAdvanced::Used),
        (FactorState::Active, 99, FactorAdvanced::Used),
        (FactorState::Pending, 101, FactorAdvanced::Gone),
        (FactorState::Active, 101, FactorAdvanced::Accepted),
    ] {
        let advanced = desk.advance(&enrol, from, to).await;
        assert_eq!(advanced, expected, "{from:?} to {to}");
        let event = desk.last_event().await;
        assert_eq!(event.reason.as_deref(), expected.refusal());
        let success = expected == FactorAdvanced::Accepted;
        assert_eq!(event.outcome == Outcome::Success, success, "{to}");
    }
}

/// Steps only go forward: the trailing one after a leading one is refused.
pub async fn no_step_is_accepted_below_the_last(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let enrol = desk.active("ann", 7).await;
    for (to, expected) in [
        (10, FactorAdvanced::Accepted),
        (9, FactorAdvanced::Used),
        (10, FactorAdvanced::Used),
        (0, FactorAdvanced::Used),
        (99, FactorAdvanced::Accepted),
        (100, FactorAdvanced::Accepted),
        (11, FactorAdvanced::Used),
    ] {
        let advanced = desk.advance(&enrol, FactorState::Active, to).await;
        assert_eq!(advanced, expected, "to {to}");
    }
    let found = desk.factors(&enrol.owner).await;
    assert_eq!(found.first().and_then(|factor| factor.last), Some(100));
}

/// A success keeps the secret that was sealed anew; whatever is refused leaves the one before.
pub async fn a_success_keeps_the_secret_that_it_brings(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let enrol = desk.active("ann", 7).await;
    let (old, new) = (kit::sealed(9), kit::sealed(10));
    for (to, brought, kept) in [
        (8, None, &old),
        (8, Some(&new), &old),
        (9, Some(&new), &new),
        (9, Some(&old), &new),
        (10, None, &new),
    ] {
        let advance = AdvanceFactor {
            resealed: brought.cloned(),
            ..step(&enrol, to)
        };
        let advanced = desk.bench.store.advance_factor(advance).await;
        let _: FactorAdvanced = advanced.expect(ANSWERS);
        let found = desk.factors(&enrol.owner).await;
        let secret = found.first().map(|factor| &factor.secret);
        assert_eq!(secret, Some(kept), "to {to}, brought {brought:?}");
    }
}

/// Of a thousand who show the code of one step at once, one is let in; each leaves a record.
pub async fn one_of_a_thousand_codes_of_a_step_is_accepted(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let enrol = desk.active("ann", 7).await;
    let before = desk.bench.events().await.len();
    let answers = race(RACERS, |_| {
        let store = Arc::clone(&desk.bench.store);
        let advance = step(&enrol, 8);
        async move { store.advance_factor(advance).await.expect(ANSWERS) }
    })
    .await;
    let won = count(&answers, |answer| *answer == FactorAdvanced::Accepted);
    assert_eq!(won, 1, "exactly one code of a step is accepted");
    let lost = count(&answers, |answer| *answer == FactorAdvanced::Used);
    assert_eq!(lost, RACERS - 1, "all others hear that it was used");
    let events = desk.bench.events().await;
    assert_eq!(events.len(), before + RACERS, "each is on record");
    let successes = count(&events, |event| {
        event.kind == EventKind::ValidationAttempt && event.outcome == Outcome::Success
    });
    assert_eq!(successes, 2, "the first code, and the winner");
}

/// The id of another tenant's or subject's authenticator opens nothing and takes nothing away.
pub async fn a_factor_is_its_owners_alone(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let enrol = desk.active("ann", 7).await;
    let elsewhere = FactorOwner {
        tenant: kit::tenant("acme"),
        ..enrol.owner.clone()
    };
    for stranger in [owner("bob"), elsewhere, owner("ann ")] {
        assert!(desk.factors(&stranger).await.is_empty());
        let theirs = Enrol {
            owner: stranger.clone(),
            ..enrol.clone()
        };
        for from in [FactorState::Active, FactorState::Pending] {
            let advanced = desk.advance(&theirs, from, 8).await;
            assert_eq!(advanced, FactorAdvanced::Gone, "another's id is no id");
        }
        assert_eq!(remove(&desk, &theirs).await, Removed::Unknown);
        let event = kit::event(EventKind::FactorsReset);
        let gone = desk.bench.store.reset_factors(&stranger, event).await;
        assert_eq!(gone.expect(ANSWERS), 0);
    }
    assert_eq!(desk.factors(&enrol.owner).await.len(), 1);
    let advanced = desk.advance(&enrol, FactorState::Active, 8).await;
    assert_eq!(advanced, FactorAdvanced::Accepted);
}

/// Beginning again under one name leaves one pending authenticator; an active one keeps its name.
pub async fn a_pending_factor_gives_way_to_one_of_its_name(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let ann = owner("ann");
    let (first, second) = (enrolment(&ann, "phone"), enrolment(&ann, "phone"));
    for enrol in [&first, &second] {
        assert_eq!(desk.enrol(enrol).await, Enrolled::Pending);
    }
    let ids = |factors: Vec<Factor>| factors.iter().map(|factor| factor.id).collect::<Vec<_>>();
    assert_eq!(ids(desk.factors(&ann).await), [second.id]);
    let late = desk.advance(&first, FactorState::Pending, 8).await;
    assert_eq!(late, FactorAdvanced::Gone, "what was replaced is gone");
    let confirmed = desk.advance(&second, FactorState::Pending, 8).await;
    assert_eq!(confirmed, FactorAdvanced::Accepted);
    let third = enrolment(&ann, "phone");
    assert_eq!(desk.enrol(&third).await, Enrolled::NameTaken);
    let event = desk.last_event().await;
    assert_eq!(event.outcome, Outcome::Refused);
    assert_eq!(event.reason.as_deref(), Enrolled::NameTaken.refusal());
    assert_eq!(ids(desk.factors(&ann).await), [second.id]);
}

/// The first confirmation ends every other enrolment and every recovery code: whoever began them
/// had shown no factor. Later ones end nothing.
pub async fn the_first_confirmation_ends_what_was_begun_before_it(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let ann = owner("ann");
    let (mine, theirs) = (enrolment(&ann, "phone"), enrolment(&ann, "evil"));
    let others = desk.active("bob", 7).await;
    desk.put(&others.owner, &[("AA", "one")]).await;
    desk.put(&ann, &[("AA", "planted")]).await;
    for enrol in [&theirs, &mine] {
        assert_eq!(desk.enrol(enrol).await, Enrolled::Pending);
    }
    let first = desk.advance(&mine, FactorState::Pending, 8).await;
    assert_eq!(first, FactorAdvanced::Accepted);
    let late = desk.advance(&theirs, FactorState::Pending, 8).await;
    assert_eq!(late, FactorAdvanced::Gone, "it was begun without a factor");
    assert_eq!(desk.left(&ann).await, 0, "codes drawn before it are void");
    assert_eq!(desk.left(&others.owner).await, 1, "another's stay");

    desk.put(&ann, &[("BB", "two")]).await;
    let (second, third) = (enrolment(&ann, "tablet"), enrolment(&ann, "key"));
    for enrol in [&second, &third] {
        assert_eq!(desk.enrol(enrol).await, Enrolled::Pending);
    }
    for later in [&second, &third] {
        let confirmed = desk.advance(later, FactorState::Pending, 9).await;
        assert_eq!(confirmed, FactorAdvanced::Accepted);
    }
    assert_eq!(desk.left(&ann).await, 1);
    assert_eq!(desk.factors(&ann).await.len(), 3);
}

/// Of an enrolment without a factor and the confirmation of another, what comes first decides.
pub async fn an_enrolment_without_a_factor_ends_with_the_first_confirmation(
    fixture: &dyn StoreFixture,
) {
    let desk = Desk::new(fixture);
    let unshown = |owner: &FactorOwner, name: &str| Enrol {
        shown: Shown::NoFactor,
        ..enrolment(owner, name)
    };
    for round in 0..20 {
        let ann = owner(&format!("ann {round}"));
        let mine = unshown(&ann, "phone");
        assert_eq!(desk.enrol(&mine).await, Enrolled::Pending);
        let confirm = AdvanceFactor {
            from: FactorState::Pending,
            ..step(&mine, 8)
        };
        let confirming = {
            let store = Arc::clone(&desk.bench.store);
            async move { store.advance_factor(confirm).await.expect(ANSWERS) }
        };
        let late = unshown(&ann, "evil");
        let enrolling = {
            let (store, late) = (Arc::clone(&desk.bench.store), late.clone());
            async move { store.enrol(late).await.expect(ANSWERS) }
        };
        let (confirmed, _enrolled) = tokio::join!(confirming, enrolling);
        assert_eq!(confirmed, FactorAdvanced::Accepted);
        let found = desk.factors(&ann).await;
        assert_eq!(found.len(), 1, "nothing but what was confirmed is left");
        let later = unshown(&ann, "later");
        assert_eq!(desk.enrol(&later).await, Enrolled::Unshown);
        let event = desk.last_event().await;
        assert_eq!(event.reason.as_deref(), Enrolled::Unshown.refusal());
    }
}

/// Of many who race for a subject's last places, as many as there are get one.
pub async fn the_last_place_for_a_factor_is_taken_once(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let answers = race(40, |racer| {
        let store = Arc::clone(&desk.bench.store);
        let enrol = enrolment(&owner("ann"), &format!("phone {racer}"));
        async move { store.enrol(enrol).await.expect(ANSWERS) }
    })
    .await;
    let added = count(&answers, |answer| *answer == Enrolled::Pending);
    assert_eq!(
        added,
        FactorSheet::MOST,
        "a subject has so many and no more"
    );
    let refused = count(&answers, |answer| *answer == Enrolled::TooMany);
    assert_eq!(refused, 40 - FactorSheet::MOST);
    let found = desk.factors(&owner("ann")).await;
    assert_eq!(found.len(), FactorSheet::MOST);
    let again = Enrol {
        name: found.first().expect("a factor").name.clone(),
        ..enrolment(&owner("ann"), "x")
    };
    assert_eq!(desk.enrol(&again).await, Enrolled::Pending);
    assert_eq!(desk.factors(&owner("ann")).await.len(), FactorSheet::MOST);
}

/// What was taken away opens nothing, once.
pub async fn a_removed_factor_is_gone(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let enrol = desk.active("ann", 7).await;
    let other = enrolment(&enrol.owner, "other");
    assert_eq!(desk.enrol(&other).await, Enrolled::Pending);
    assert_eq!(remove(&desk, &enrol).await, Removed::Last);
    assert_eq!(desk.last_event().await.outcome, Outcome::Success);
    assert_eq!(remove(&desk, &enrol).await, Removed::Unknown);
    assert_eq!(desk.last_event().await.outcome, Outcome::Refused);
    let advanced = desk.advance(&enrol, FactorState::Active, 8).await;
    assert_eq!(advanced, FactorAdvanced::Gone);
    assert_eq!(desk.factors(&enrol.owner).await.len(), 1);
}

/// Racing guesses are counted up to the share of their lane; then it is locked until the oldest is
/// New codes take the place of all old ones, also of one that is being compared; another owner's
/// What is enrolled can be read while the clock stands wrong; nothing is changed then, and no purge
/// ever takes it away.
pub async fn factors_are_read_whatever_the_clock_says(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let enrol = desk.active("ann", 7).await;
    desk.put(&enrol.owner, &[("AA", "one")]).await;
    desk.bench.advance(240_000 * HOUR);
    desk.bench.store.purge(1_000).await.expect(ANSWERS);
    assert_eq!(desk.factors(&enrol.owner).await.len(), 1);
    desk.bench.step_back(HOUR);
    let refused = desk.bench.store.advance_factor(step(&enrol, 8)).await;
    let kind = refused.expect_err("nothing is decided").kind();
    assert_eq!(kind, StoreErrorKind::ClockAnomaly);
    let found = desk.factors(&enrol.owner).await;
    assert_eq!(found.first().and_then(|factor| factor.last), Some(7));
    assert_eq!(
        desk.recovery(&enrol.owner, "AA").await.as_deref(),
        Some("one")
    );
    assert_eq!(desk.left(&enrol.owner).await, 1);
}
