use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, race};
use super::enrolled::{Desk, enrolment, owner};
use super::{StoreFixture, kit};
use crate::event::EventKind;
use crate::factor::{DeviceHandle, DeviceLabel, RememberedDevice};
use crate::key::KeyId;
use crate::random::OsRandom;
use crate::store::{DeviceQuery, FactorOwner, KeyHold, KeyUse, NewDevice};

const ANSWERS: &str = "a store in good order answers";
const LIFE: Duration = Duration::from_secs(90 * 86_400);
const MILLISECOND: Duration = Duration::from_millis(1);

fn device(owner: &FactorOwner) -> NewDevice {
    NewDevice {
        handle: DeviceHandle::generate(&OsRandom).expect("randomness"),
        owner: owner.clone(),
        label: None,
        key_id: KeyId::new("k1").expect("an id"),
        life: LIFE,
        event: kit::event(EventKind::DeviceRemembered).about(&owner.subject),
    }
}

async fn remember(bench: &Bench<'_>, new: &NewDevice) -> RememberedDevice {
    let remembered = bench.store.remember_device(new.clone()).await;
    remembered.expect(ANSWERS)
}

async fn devices(bench: &Bench<'_>, owner: &FactorOwner) -> Vec<RememberedDevice> {
    bench.store.devices(owner).await.expect(ANSWERS)
}

async fn forget(bench: &Bench<'_>, owner: &FactorOwner, query: DeviceQuery) -> u64 {
    let event = kit::event(EventKind::DevicesForgotten).about(&owner.subject);
    let forgotten = bench.store.forget_devices(owner, &query, event).await;
    forgotten.expect(ANSWERS)
}

/// A device is read as it was remembered, of hostile names too, and leaves its record.
pub async fn every_field_of_a_device_is_kept(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let odd = FactorOwner {
        tenant: kit::tenant("acme"),
        subject: kit::subject("o'hara\\\"--"),
    };
    let now = bench.now().await;
    let new = NewDevice {
        label: DeviceLabel::new("a \"b\" \\ 'c' \u{1f512}?$1 {").ok(),
        ..device(&odd)
    };
    let remembered = remember(&bench, &new).await;
    assert_eq!(remembered, new.remembered(now));
    assert_eq!(devices(&bench, &odd).await, [remembered]);
    let event = bench.events().await.pop();
    assert_eq!(event, Some(new.event.at(now)), "its record");
}

/// A device is its owner's: another's query neither finds nor forgets it.
pub async fn a_device_is_its_owners_alone(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let ann = owner("ann");
    let hers = remember(&bench, &device(&ann)).await;
    let elsewhere = FactorOwner {
        tenant: kit::tenant("acme"),
        ..ann.clone()
    };
    for stranger in [owner("bob"), elsewhere, owner("ann ")] {
        assert_eq!(devices(&bench, &stranger).await, []);
        for query in [DeviceQuery::One(hers.handle), DeviceQuery::All] {
            assert_eq!(forget(&bench, &stranger, query).await, 0);
        }
    }
    assert_eq!(devices(&bench, &ann).await, [hers]);
}

/// One device is forgotten and the others stay; all are forgotten, and one that is remembered
/// afterwards is not. The record says how many.
pub async fn a_forgotten_device_is_not_known(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let ann = owner("ann");
    let mut known = Vec::new();
    for _ in 0..3 {
        known.insert(0, remember(&bench, &device(&ann)).await);
        bench.advance(MILLISECOND);
    }
    let gone = known.remove(1);
    let query = DeviceQuery::One(gone.handle);
    assert_eq!(forget(&bench, &ann, query).await, 1);
    assert_eq!(
        devices(&bench, &ann).await,
        known,
        "it is not known any more"
    );
    assert_eq!(
        forget(&bench, &ann, query).await,
        0,
        "it was forgotten before"
    );
    assert_eq!(forget(&bench, &ann, DeviceQuery::All).await, 2);
    assert_eq!(devices(&bench, &ann).await, []);
    let events = bench.events().await;
    let forgotten = events
        .iter()
        .filter(|event| event.kind == EventKind::DevicesForgotten);
    let reasons: Vec<_> = forgotten.map(|event| event.reason.as_deref()).collect();
    assert_eq!(
        reasons,
        [Some("ended:1"), Some("ended:0"), Some("ended:2")],
        "the record says how many"
    );
    let next = remember(&bench, &device(&ann)).await;
    assert_eq!(devices(&bench, &ann).await, [next]);
}

/// A device lapses to the millisecond, and a clock that steps back does not bring it back.
pub async fn a_device_lapses_at_its_end(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let ann = owner("ann");
    let one = remember(&bench, &device(&ann)).await;
    bench.advance(LIFE - MILLISECOND);
    // Also after a purge, which takes away what is over and nothing else.
    bench.store.purge(100).await.expect(ANSWERS);
    assert_eq!(devices(&bench, &ann).await, [one]);
    bench.advance(MILLISECOND);
    assert_eq!(devices(&bench, &ann).await, [], "its time is over");
    let two = remember(&bench, &device(&ann)).await;
    bench.step_back(Duration::from_secs(4));
    bench.store.purge(100).await.expect(ANSWERS);
    assert_eq!(devices(&bench, &ann).await, [two]);
    assert_eq!(forget(&bench, &ann, DeviceQuery::All).await, 1);
}

/// Of more devices than an owner may have the oldest go, and a repeated call adds none.
pub async fn the_oldest_of_too_many_devices_is_forgotten(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let ann = owner("ann");
    let mut known = Vec::new();
    for _ in 0..RememberedDevice::MOST + 2 {
        let new = device(&ann);
        let first = remember(&bench, &new).await;
        assert_eq!(remember(&bench, &new).await, first, "it is the same one");
        known.insert(0, first);
        bench.advance(MILLISECOND);
    }
    known.truncate(RememberedDevice::MOST);
    assert_eq!(devices(&bench, &ann).await, known);
}

/// Of callers that race to remember devices all are heard, and none but the most stay.
pub async fn racing_devices_stay_within_their_number(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let ann = owner("ann");
    let racers = RACERS / 10;
    let answers = race(racers, |_| {
        let (store, new) = (Arc::clone(&bench.store), device(&ann));
        async move { store.remember_device(new).await.expect(ANSWERS) }
    })
    .await;
    assert_eq!(answers.len(), racers);
    let known = devices(&bench, &ann).await;
    assert_eq!(known.len(), RememberedDevice::MOST);
    let all = DeviceQuery::All;
    let forgotten = u64::try_from(RememberedDevice::MOST).expect("few");
    assert_eq!(forget(&bench, &ann, all).await, forgotten);
}

/// What hangs on keys is counted by key and kind, with its end.
pub async fn what_hangs_on_a_key_is_counted(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let bench = &desk.bench;
    assert_eq!(bench.store.key_uses().await.expect(ANSWERS), []);
    let ann = owner("ann");
    let challenge = bench.issue("ann").await;
    let ended = bench.issue("bob").await;
    bench.win(&ended).await;
    let phone = enrolment(&ann, "phone");
    let tablet = enrolment(&owner("bob"), "tablet");
    for enrol in [&phone, &tablet] {
        let _ = desk.enrol(enrol).await;
    }
    let first = remember(bench, &device(&ann)).await;
    let lapsed = NewDevice {
        life: MILLISECOND,
        ..device(&ann)
    };
    remember(bench, &lapsed).await;
    bench.advance(MILLISECOND);
    let other = KeyId::new("k2").expect("an id");
    let second = NewDevice {
        key_id: other,
        ..device(&owner("bob"))
    };
    let second = remember(bench, &second).await;
    let third = remember(bench, &device(&owner("bob"))).await;
    let of = |key, hold, count, until| KeyUse {
        key,
        hold,
        count,
        until,
    };
    let mut expected = vec![
        of(
            challenge.key_id,
            KeyHold::Challenges,
            1,
            Some(challenge.expires_at),
        ),
        of(*phone.secret.key_id(), KeyHold::Factors, 2, None),
        of(first.key_id, KeyHold::Devices, 2, Some(third.expires_at)),
        of(other, KeyHold::Devices, 1, Some(second.expires_at)),
    ];
    let mut uses = bench.store.key_uses().await.expect(ANSWERS);
    let by_name = |one: &KeyUse| (one.key, one.hold);
    uses.sort_by_key(by_name);
    expected.sort_by_key(by_name);
    assert_eq!(uses, expected, "each thing hangs on its key, once");
}
