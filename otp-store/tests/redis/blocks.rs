use std::time::Duration;

use otp_core::event::EventKind;
use otp_core::store::{
    Block, BlockKind, BlocklistStore as _, ChallengeStore as _, Plan, QuotaStore as _,
};
use otp_core::testing::store::kit;
use serde_json::json;

use crate::cluster::claims;
use crate::fixture::Place;
use crate::script::{Script, text};

const SHELVES: usize = 64;

fn stolen() -> Block {
    Block::new(BlockKind::Device, "stolen").expect("a block")
}

/// Lists the shelves that have a block.
fn shelves(place: &Place) -> Vec<String> {
    let mut keys = place.keys("guard");
    keys.retain(|key| key.ends_with("}:blocks"));
    keys
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn blocking_and_unblocking_that_race_leave_all_shelves_as_the_list_says() {
    let place = Place::in_cluster();
    let (one, two) = (place.open().await, place.open().await);
    let event = || kit::event(EventKind::OperatorAction);
    let block = stolen();
    for round in 0..30 {
        let (blocked, unblocked) = tokio::join!(
            one.block(&block, "", "op", None, event()),
            two.unblock(&block, event())
        );
        blocked.unwrap();
        unblocked.unwrap();
        let listed = one.blocks(10).await.unwrap().len();
        assert_eq!(shelves(&place).len(), listed * SHELVES, "round {round}");
    }
}

#[tokio::test]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn a_block_that_only_some_shelves_have_refuses_what_needs_them_and_is_no_outage() {
    let place = Place::in_cluster();
    let store = place.open().await;
    let event = kit::event(EventKind::OperatorAction);
    store.block(&stolen(), "", "op", None, event).await.unwrap();
    let taken: Vec<String> = shelves(&place).into_iter().step_by(2).collect();
    for mut raw in place.raws() {
        for key in &taken {
            // The nodes that do not have it say so.
            let _ = redis::cmd("DEL").arg(key).query::<u64>(&mut raw);
        }
    }
    assert_eq!(shelves(&place).len(), SHELVES / 2);
    let now = store.ping().await.unwrap();
    let (mut refused, mut granted) = (0, 0);
    for subject in 0..60 {
        let challenge = kit::challenge(&format!("subject-{subject}"), now);
        let plan = Plan {
            blocks: vec![stolen()],
            quotas: vec![kit::window(
                &format!("own-{subject}"),
                9,
                Duration::from_secs(60),
            )],
            ..kit::keyed_issue_plan(&challenge, &format!("key-{subject}"), 1)
        };
        let quotas = plan.quotas.clone();
        let admission = store.admit(&plan).await.unwrap();
        if admission.granted.is_some() {
            granted += 1;
            continue;
        }
        refused += 1;
        assert_eq!(admission.findings.objection(), Some("blocked"));
        let left = store.peek(&quotas).await.unwrap()[0].remaining();
        assert_eq!(left, 9, "what was charged beside it is given back");
    }
    assert!(
        refused > 30 && granted > 0,
        "{refused} refused and {granted} granted"
    );
    assert_eq!(store.peek(&claims(9)).await.unwrap()[0].remaining(), 9);
}

#[test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
fn a_late_write_of_a_block_does_not_undo_a_newer_one() {
    let place = Place::new();
    let script = Script::of(&place);
    let write = |step: &str, version: &str| {
        let entry = json!({"kind": "device", "value": "stolen", "note": "", "author": "op"});
        let request = json!({"field": "device:stolen", "entry": entry, "version": version});
        text(&script.ask(step, request), 2)
    };
    let has_it = || {
        !place
            .keys("guard:blocks")
            .iter()
            .all(|key| !key.ends_with(":blocks"))
    };
    assert_eq!(write("block", "10"), "10");
    assert_eq!(write("unblock", "12"), "12");
    assert_eq!(write("block", "11"), "", "it was overtaken");
    assert!(!has_it());
    assert_eq!(write("block", "13"), "13");
    assert_eq!(write("unblock", "12"), "", "so was this");
    assert!(has_it());
}

#[test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
fn a_hosts_key_that_was_given_up_before_its_taking_arrived_is_not_taken() {
    let place = Place::new();
    let script = Script::of(&place);
    let claim = |challenge: &str| {
        json!({"blocks": [], "idempotency": {
            "key": format!("{}:i:key", place.prefix),
            "fingerprint": "00",
            "challenge": challenge,
            "life": 60_000,
            "resend_after": 1_000,
        }})
    };
    script.ask("unclaim", claim("first"));
    assert_eq!(text(&script.ask("claim", claim("first")), 1), "unavailable");
    let taken = script.ask("claim", claim("second"));
    assert!(format!("{taken:?}").contains("taken"), "{taken:?}");
    script.ask("unclaim", claim("second"));
    let again = script.ask("claim", claim("second"));
    assert!(format!("{again:?}").contains("taken"), "{again:?}");
}
