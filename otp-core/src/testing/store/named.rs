//! Tries and authenticators that have a name.

use super::enrolled::{ANSWERS, Desk, chosen, enrolment, owner, remove, spending, step};
use super::{StoreFixture, kit};
use crate::clock::Timestamp;
use crate::event::{EventKind, Outcome};
use crate::factor::{FactorName, FactorState};
use crate::request::Tenant;
use crate::store::{
    AcceptedBy, AcceptedTry, AdvanceFactor, Enrol, Enrolled, FactorAdvanced, FactorOwner,
    RecoveryUse, RenameFactor, Renamed, UseRecovery,
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

/// A name is one factor's; one that waits for its first code gives way.
pub async fn a_factor_is_renamed_where_the_name_is_free(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let (ann, bob) = (owner("ann"), owner("bob"));
    let phone = desk.active("ann", 10).await;
    let tablet = enrolment(&ann, "tablet");
    assert_eq!(desk.enrol(&tablet).await, Enrolled::Pending);
    let confirmed = desk.advance(&tablet, FactorState::Pending, 10).await;
    assert_eq!(confirmed, FactorAdvanced::Accepted);
    let watch = enrolment(&ann, "watch");
    assert_eq!(desk.enrol(&watch).await, Enrolled::Pending);
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
