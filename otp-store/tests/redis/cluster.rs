use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otp_core::event::EventKind;
use otp_core::quota::QuotaClaim;
use otp_core::store::{
    AuditStore as _, Block, BlockKind, BlocklistStore as _, BudgetStore as _, ChallengeStore as _,
    Granted, Plan, QuotaStore as _, StoreErrorKind,
};
use otp_core::testing::store::kit;
use otp_store::RedisStore;
use tokio::task::JoinSet;

use crate::fixture::{Place, attempt, guesses, issued};

const HOUR: Duration = Duration::from_secs(3_600);
const SUBJECTS: usize = 40;

/// Claims that lie on several shelves; the first one is the narrowest.
pub(crate) fn claims(narrow: u32) -> Vec<QuotaClaim> {
    vec![
        kit::window("narrow", narrow, HOUR),
        kit::window("wide-one", 100, HOUR),
        kit::rate("wide-two", 100, HOUR * 1_000),
        kit::window("wide-three", 100, HOUR),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn racing_callers_stay_within_the_quotas_of_other_shelves_and_refusals_cost_nothing() {
    let place = Place::in_cluster();
    let store = place.open().await;
    let mut race = JoinSet::new();
    for _ in 0..200 {
        let (store, quotas) = (store.clone(), claims(10));
        race.spawn(async move {
            let admission = store
                .admit(&kit::quota_plan(quotas))
                .await
                .expect("an answer");
            usize::from(admission.granted.is_some())
        });
    }
    let mut admitted: usize = race.join_all().await.into_iter().sum();
    assert!(admitted <= 10, "{admitted} of 10");
    while store
        .admit(&kit::quota_plan(claims(10)))
        .await
        .unwrap()
        .granted
        .is_some()
    {
        admitted += 1;
    }
    assert_eq!(admitted, 10, "what was given back is there for the next");
    for refused in 0..5 {
        let mut race = JoinSet::new();
        for _ in 0..20 {
            let (store, claims) = (store.clone(), claims(10));
            race.spawn(async move { store.check_all(&claims).await.expect("an answer") });
        }
        let readings = race.join_all().await;
        let all = readings
            .iter()
            .all(|readings| readings[0].retry_after().is_some());
        assert!(all, "round {refused}");
    }
    let left = store.peek(&claims(10)).await.unwrap();
    let left: Vec<u32> = left
        .iter()
        .map(otp_core::quota::QuotaReading::remaining)
        .collect();
    assert_eq!(left, [0, 90, 90, 90], "a refused request costs nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn a_flood_from_those_who_are_refused_takes_no_place_of_its_victim() {
    let place = Place::in_cluster();
    let store = place.open().await;
    let block = Block::new(BlockKind::Device, "stolen").unwrap();
    let event = kit::event(EventKind::OperatorAction);
    store.block(&block, "", "op", None, event).await.unwrap();
    let of_victim = || kit::window("victim", 1, HOUR);
    // Whatever comes first lies where the plan is decided about.
    let first = || kit::window("first", 1_000, HOUR);
    let over = Arc::new(AtomicBool::new(false));
    let mut flood = JoinSet::new();
    for attacker in 0..8 {
        let spent = kit::rate(&format!("attacker-{attacker}"), 1, HOUR * 1_000);
        store.check_all(std::slice::from_ref(&spent)).await.unwrap();
        let blocked = vec![block.clone()];
        let plan = match attacker % 2 {
            0 => kit::quota_plan(vec![first(), of_victim(), spent]),
            _ => Plan {
                blocks: blocked,
                ..kit::quota_plan(vec![first(), of_victim()])
            },
        };
        let (store, over) = (store.clone(), Arc::clone(&over));
        flood.spawn(async move {
            let mut refused = 0_u32;
            while !over.load(Ordering::Acquire) {
                let admission = store.admit(&plan).await.expect("an answer");
                assert!(admission.granted.is_none());
                refused += 1;
            }
            refused
        });
    }
    for round in 0..100 {
        let own = kit::rate("victim", 1_000, HOUR);
        let plan = kit::quota_plan(vec![first(), of_victim(), own]);
        let admission = store.admit(&plan).await.unwrap();
        assert!(admission.granted.is_some(), "in round {round}");
        store.clear(&[of_victim().key]).await.unwrap();
    }
    over.store(true, Ordering::Release);
    let refused: u32 = flood.join_all().await.into_iter().sum();
    assert!(refused > 100, "{refused} were refused meanwhile");
}

#[tokio::test]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn a_request_that_its_subject_refuses_gives_back_its_key_and_its_quotas() {
    let place = Place::in_cluster();
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    let key = kit::budget_key(&challenge);
    let event = || kit::event(EventKind::OperatorAction);
    store.disable(&key, event()).await.unwrap();
    let plan = || Plan {
        quotas: claims(1),
        ..kit::keyed_issue_plan(&challenge, "key", 1)
    };
    for _ in 0..3 {
        let refused = store.admit(&plan()).await.unwrap();
        assert_eq!(refused.findings.objection(), Some("disabled"));
        let readings = refused.findings.quotas;
        assert_eq!((readings.len(), readings[0].remaining()), (4, 1));
    }
    store.unlock(&key, event()).await.unwrap();
    let granted = store.admit(&plan()).await.unwrap();
    assert!(matches!(granted.granted, Some(Granted::Issue)));
    let again = store.admit(&plan()).await.unwrap();
    assert!(matches!(again.granted, Some(Granted::IssuedBefore(_))));
    let left = store.peek(&claims(1)).await.unwrap();
    assert_eq!((left[0].remaining(), left[1].remaining()), (0, 99));
}

#[tokio::test]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn every_key_lies_under_the_tag_of_its_shelf_and_the_prefix_that_the_runbook_deletes() {
    let place = Place::in_cluster();
    let store = place.open().await;
    let mut tags = BTreeSet::new();
    for subject in 0..SUBJECTS {
        let challenge = issued(&store, &format!("subject-{subject}")).await;
        attempt(&store, challenge.id, None).await.unwrap();
        let plan = kit::keyed_issue_plan(&challenge, &format!("key-{subject}"), 1);
        store.admit(&plan).await.unwrap();
    }
    store.check_all(&claims(3)).await.unwrap();
    for key in place.keys("") {
        let rest = key.strip_prefix(&place.prefix).expect("the prefix");
        let rest = rest.strip_prefix("guard").unwrap_or(rest);
        let tag = rest
            .strip_prefix(":{s")
            .and_then(|rest| rest.split_once("}:"));
        let (tag, _) = tag.unwrap_or_else(|| panic!("{key} has no tag"));
        tags.insert(tag.parse::<u16>().expect("a number"));
    }
    assert!(tags.len() > 20, "{tags:?}");
    place.delete(":");
    let any = kit::challenge("subject-7", store.ping().await.unwrap());
    assert_eq!(guesses(&store, &any).await, 1, "guards stay");
}

#[tokio::test]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn a_block_holds_on_every_shelf_and_its_removal_does_too() {
    let place = Place::in_cluster();
    let store = place.open().await;
    let block = Block::new(BlockKind::Device, "stolen").unwrap();
    let event = || kit::event(EventKind::OperatorAction);
    store.block(&block, "", "op", None, event()).await.unwrap();
    let now = store.ping().await.unwrap();
    let admitted = async || {
        let mut admitted = 0;
        for subject in 0..SUBJECTS {
            let challenge = kit::challenge(&format!("subject-{subject}"), now);
            let plan = Plan {
                blocks: vec![block.clone()],
                ..kit::issue_plan(&challenge)
            };
            admitted += usize::from(store.admit(&plan).await.unwrap().granted.is_some());
        }
        admitted
    };
    assert_eq!(admitted().await, 0);
    store.unblock(&block, event()).await.unwrap();
    assert_eq!(admitted().await, SUBJECTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn readers_that_race_find_every_record_once_and_in_the_order_of_writing() {
    let place = Place::in_cluster();
    let store = place.open().await;
    let now = store.ping().await.unwrap();
    let mut written = Vec::new();
    for subject in 0..300 {
        let challenge = kit::challenge(&format!("subject-{subject}"), now);
        let event = kit::event(EventKind::CodeSent).of_challenge(&challenge);
        written.push(event.id);
        store.append(event).await.unwrap();
    }
    // A reader that is lost between giving places and taking away leaves this behind.
    let mut left = Vec::new();
    for mut raw in place.raws() {
        for key in place.keys("guard:{s17}:audit") {
            let dumped: redis::RedisResult<Option<Vec<u8>>> =
                redis::cmd("DUMP").arg(&key).query(&mut raw);
            if let Ok(Some(dumped)) = dumped {
                left.push((key, dumped));
            }
        }
    }
    let mut race = JoinSet::new();
    for _ in 0..4 {
        let store = store.clone();
        race.spawn(async move { store.outbox(None, 1_000).await.expect("an answer") });
    }
    race.join_all().await;
    assert_eq!(left.len(), 3, "records, marks and the highest place");
    for mut raw in place.raws() {
        for (key, dumped) in &left {
            let mut restore = redis::cmd("RESTORE");
            restore.arg(key).arg(0).arg(&dumped[..]).arg("REPLACE");
            let _ = restore.query::<()>(&mut raw);
        }
    }
    let records = store.outbox(None, 1_000).await.unwrap();
    let read: Vec<_> = records.iter().map(|entry| entry.event.id).collect();
    assert_eq!(read, written, "no record is lost, or there twice");
    store.acknowledge(records[299].sequence).await.unwrap();
    assert!(store.outbox(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn a_shelf_that_is_full_refuses_until_the_outbox_is_read_and_a_full_outbox_until_it_is_emptied()
 {
    let place = Place::in_cluster();
    let two = NonZeroU16::new(2).unwrap();
    let options = place.options().shelves(two).outbox_limit(2);
    let store = RedisStore::with_options(options).await.unwrap();
    let event = || {
        let challenge = kit::challenge("ann", otp_core::clock::Timestamp::from_millis(0));
        kit::event(EventKind::CodeSent).of_challenge(&challenge)
    };
    let mut written = Vec::new();
    for _ in 0..3 {
        let (first, refused) = (event(), event());
        written.push(first.id);
        store.append(first).await.unwrap();
        let full = store.append(refused).await.unwrap_err();
        assert_eq!(full.kind(), StoreErrorKind::Full);
        store.outbox(None, 10).await.unwrap();
    }
    let full = store.append(event()).await.unwrap_err();
    assert_eq!(
        full.kind(),
        StoreErrorKind::Full,
        "what is read and not taken away fills up"
    );
    let records = store.outbox(None, 10).await.unwrap();
    assert_eq!(records.len(), 2);
    store.acknowledge(records[1].sequence).await.unwrap();
    let records = [records, store.outbox(None, 10).await.unwrap()].concat();
    let read: Vec<_> = records.iter().map(|entry| entry.event.id).collect();
    assert_eq!(read, written, "nothing was dropped");
    store.append(event()).await.unwrap();
}
