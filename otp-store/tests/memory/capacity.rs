use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use otp_core::challenge::AttemptOutcome;
use otp_core::clock::ManualClock;
use otp_core::event::EventKind;
use otp_core::request::Tenant;
use otp_core::store::{
    ChallengeStore as _, Granted, Insert, SeenStore as _, StatKey, StatName, StatWindow,
    StatsStore as _, StoreErrorKind, Target,
};
use otp_core::testing::store::kit;
use otp_store::MemoryStore;
use otp_store::memory::Capacity;

fn small() -> (MemoryStore, ManualClock) {
    let clock = ManualClock::default();
    let capacity = Capacity {
        challenges: NonZeroUsize::new(640).unwrap(),
        seen_keys: NonZeroUsize::new(100).unwrap(),
        audit_records: NonZeroUsize::new(50).unwrap(),
        stat_keys: NonZeroUsize::new(100).unwrap(),
        ..Capacity::default()
    };
    (MemoryStore::build(Arc::new(clock.clone()), capacity), clock)
}

#[tokio::test]
async fn a_full_store_refuses_what_is_new_and_keeps_what_is_live() {
    let (store, clock) = small();
    let now = store.ping().await.unwrap();
    let (mut kept, mut refused) = (Vec::new(), 0);
    for number in 0..2_000 {
        let subject = format!("user-{number}");
        let challenge = kit::challenge(&subject, now);
        let insert = Insert {
            challenge: challenge.clone(),
            delivery: None,
            event: kit::event(EventKind::ChallengeIssued),
        };
        match store.insert(insert).await {
            Ok(()) => kept.push(challenge),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Full);
                refused += 1;
            }
        }
    }
    assert!(refused >= 2_000 - 640, "{refused} refused");
    assert!(kept.len() >= 320, "{} kept", kept.len());
    for challenge in &kept {
        let plan = kit::attempt_plan(Target::Id(challenge.id), kit::attempt_claim());
        let granted = store.admit(&plan).await.unwrap().granted;
        let reserved = matches!(granted, Some(Granted::Attempt(AttemptOutcome::Reserved, _)));
        assert!(reserved, "a live challenge was evicted");
    }
    clock.advance(Duration::from_secs(3_600));
    let now = store.ping().await.unwrap();
    let insert = Insert {
        challenge: kit::challenge("late", now),
        delivery: None,
        event: kit::event(EventKind::ChallengeIssued),
    };
    store.insert(insert).await.expect("what is over makes room");
}

#[tokio::test]
async fn replay_memory_is_bounded_and_forgets_only_what_lapsed() {
    let (store, clock) = small();
    let minute = Duration::from_secs(60);
    for number in 0..100 {
        store
            .first_seen(&format!("event-{number}"), minute)
            .await
            .unwrap();
    }
    let full = store
        .first_seen("one-more", minute)
        .await
        .expect_err("no room");
    assert_eq!(full.kind(), StoreErrorKind::Full);
    clock.advance(minute);
    assert!(store.first_seen("one-more", minute).await.is_ok());
}

#[tokio::test]
async fn a_full_outbox_drops_the_oldest_and_its_sequence_shows_the_gap() {
    use otp_core::store::AuditStore as _;
    let (store, _) = small();
    for _ in 0..60 {
        store
            .append(kit::event(EventKind::ChallengeIssued))
            .await
            .unwrap();
    }
    let records = store.outbox(None, 1_000).await.unwrap();
    assert_eq!((records.len(), records[0].sequence), (50, 11));
}

#[tokio::test]
async fn a_flood_of_new_counters_pushes_out_the_smallest_and_not_what_shows_an_attack() {
    let (store, clock) = small();
    let tenant = Tenant::default();
    let key = |value: &str| StatKey::new(StatName::SENT, &tenant, value).unwrap();
    let attack = [key("+4479"), key("+9955")];
    store
        .count(&attack.clone().map(|key| (key, 50)))
        .await
        .unwrap();
    let week = StatWindow::WEEK;
    for number in 0..5_000 {
        store.count(&[(key(&number.to_string()), 1)]).await.unwrap();
    }
    assert_eq!(store.sums(&attack, week).await.unwrap(), [50, 50]);
    let kept = store.top(StatName::SENT, &tenant, week, 1_000).await;
    let kept = kept.unwrap().len();
    assert!((90..=100).contains(&kept), "{kept} are kept");
    clock.advance(Duration::from_secs(8 * 86_400));
    store.count(&[(key("new"), 1)]).await.unwrap();
    store
        .count(&attack.clone().map(|key| (key, 1)))
        .await
        .unwrap();
    let kept = store.top(StatName::SENT, &tenant, week, 1_000).await;
    assert_eq!(kept.unwrap().len(), 3, "what is over goes first");
}
