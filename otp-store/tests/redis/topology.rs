use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, ConsumeOutcome};
use otp_core::quota::BudgetRules;
use otp_core::store::{AuditStore as _, ChallengeStore as _, Granted, Plan, StoreErrorKind};
use otp_core::testing::store::kit;
use otp_store::RedisStore;
use otp_store::redis::RedisOptions;

use crate::cluster::claims;
use crate::fixture::{attempt, guesses, insert, issued, outcome, until};
use crate::nodes::Nodes;

const SUBJECTS: usize = 40;

async fn connected(nodes: &Nodes) -> RedisStore {
    let urls = nodes.urls();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let options = RedisOptions::cluster(&urls).deadline(Duration::from_secs(4));
    RedisStore::with_options(options)
        .await
        .expect("it connects")
}

/// Counts the scripts that clients sent since the last look.
fn sent(nodes: &Nodes) -> u64 {
    let count = |stats: &str, command: &str| {
        let line = stats.lines().find_map(|line| line.strip_prefix(command));
        let calls = line.and_then(|line| line.split(',').next()?.parse::<u64>().ok());
        calls.unwrap_or_default()
    };
    let sent = nodes.0.iter().map(|node| {
        let stats = node.tell("INFO", &["commandstats"]);
        node.tell("CONFIG", &["RESETSTAT"]);
        count(&stats, "cmdstat_evalsha:calls=") + count(&stats, "cmdstat_eval:calls=")
    });
    sent.sum()
}

#[tokio::test]
#[ignore = "needs redis-server and redis-cli"]
async fn issuing_and_verifying_take_a_script_for_each_shelf_of_quotas_and_two_more() {
    let nodes = Nodes::start();
    let store = connected(&nodes).await;
    let now = store.ping().await.unwrap();
    // Every node learns the scripts first.
    for subject in 0..SUBJECTS {
        let warm = kit::challenge(&format!("subject-{subject}"), now);
        let plan = Plan {
            quotas: claims(100),
            ..kit::keyed_issue_plan(&warm, &format!("key-{subject}"), 1)
        };
        store.admit(&plan).await.unwrap();
        insert(&store, &warm).await.unwrap();
        attempt(&store, warm.id, None).await.unwrap();
        store.consume(kit::consume(&warm, None)).await.unwrap();
    }
    sent(&nodes);
    let challenge = kit::challenge("ann", now);
    let issue = Plan {
        quotas: claims(100),
        ..kit::issue_plan(&challenge)
    };
    let admission = store.admit(&issue).await.unwrap();
    assert!(matches!(admission.granted, Some(Granted::Issue)));
    insert(&store, &challenge).await.unwrap();
    assert_eq!(
        sent(&nodes),
        4 + 2,
        "issuing: four quotas beside each other, then two"
    );

    let keyed = kit::keyed_issue_plan(&kit::challenge("bob", now), "new", 1);
    store.admit(&keyed).await.unwrap();
    assert_eq!(
        sent(&nodes),
        1 + 1,
        "a host's key is one more, beside the quotas"
    );

    attempt(&store, challenge.id, None).await.unwrap();
    let won = store.consume(kit::consume(&challenge, None)).await.unwrap();
    assert_eq!(won, ConsumeOutcome::Won);
    assert_eq!(sent(&nodes), 2, "verifying without quotas");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server and redis-cli"]
async fn a_node_that_dies_takes_its_own_subjects_with_it_and_forgets_no_guess() {
    let mut nodes = Nodes::start();
    let store = connected(&nodes).await;
    let mut challenges = Vec::new();
    for subject in 0..SUBJECTS {
        let challenge = issued(&store, &format!("subject-{subject}")).await;
        attempt(&store, challenge.id, None).await.unwrap();
        challenges.push(challenge);
    }
    nodes.0[1].kill();
    let (mut down, mut up) = (0, 0);
    for challenge in &challenges {
        match attempt(&store, challenge.id, None).await {
            Ok(admission) => {
                assert_eq!(outcome(&admission), Some(AttemptOutcome::Reserved));
                up += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable);
                down += 1;
            }
        }
    }
    assert!(down > 5 && up > 15, "{down} were down and {up} up");
    let kind = store.ping().await.map_err(|error| error.kind());
    assert_eq!(kind, Err(StoreErrorKind::Unavailable));
    nodes.0[1].restart();
    nodes.wait();
    until(async || store.ping().await.is_ok()).await;
    let mut counted = 0;
    for challenge in &challenges {
        let again = attempt(&store, challenge.id, None).await.unwrap();
        assert!(outcome(&again).is_some());
        counted += guesses(&store, challenge).await;
    }
    assert_eq!(
        counted,
        SUBJECTS + 2 * up,
        "each guess once, and what restarted takes no new one"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server and redis-cli"]
async fn a_replica_that_takes_over_is_followed_and_lets_no_success_happen_twice() {
    let mut nodes = Nodes::with_replicas();
    for node in &nodes.0 {
        if node.tell("ROLE", &[]).contains("slave") {
            node.wait_for("INFO", &["replication"], "master_link_status:up");
        }
    }
    let store = connected(&nodes).await;
    let mut consumed = Vec::new();
    for subject in 0..SUBJECTS {
        let challenge = issued(&store, &format!("subject-{subject}")).await;
        attempt(&store, challenge.id, None).await.unwrap();
        let won = store.consume(kit::consume(&challenge, None)).await.unwrap();
        assert_eq!(won, ConsumeOutcome::Won);
        consumed.push(challenge);
    }
    let role = |node: &crate::server::Server| node.tell("ROLE", &[]);
    let first = nodes
        .0
        .iter_mut()
        .find(|node| role(node).contains("master"));
    first.expect("a primary").kill();
    until(async || store.ping().await.is_ok()).await;
    for challenge in &consumed {
        let again = store.consume(kit::consume(challenge, None)).await.unwrap();
        assert!(matches!(again, ConsumeOutcome::Lost(_)), "{again:?}");
        let next = insert(&store, &kit::challenge("again", challenge.created_at)).await;
        assert!(next.is_ok(), "and it works");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server and redis-cli"]
async fn a_slot_that_moves_refuses_and_refills_no_budget_and_is_followed() {
    let nodes = Nodes::start();
    let store = connected(&nodes).await;
    let limit = usize::try_from(BudgetRules::out_of_band().windows[0].public).unwrap();
    let mut last = None;
    for _ in 0..limit {
        let challenge = issued(&store, "ann").await;
        attempt(&store, challenge.id, None).await.unwrap();
        last = Some(challenge);
    }
    let last = last.expect("a challenge");
    let shelf = format!("{{s{}}}", last.id.shard() % 64);
    let (source, target, slot) = nodes.of(&shelf);
    let names = [source, target].map(|node| node.tell("CLUSTER", &["MYID"]));
    target.tell("CLUSTER", &["SETSLOT", &slot, "IMPORTING", &names[0]]);
    source.tell("CLUSTER", &["SETSLOT", &slot, "MIGRATING", &names[1]]);
    let keys: Vec<String> = redis::cmd("CLUSTER")
        .arg("GETKEYSINSLOT")
        .arg(&slot)
        .arg(10_000)
        .query(&mut source.raw())
        .unwrap();
    let port = target.port().to_string();
    let budgets = keys.iter().filter(|key| key.contains(":b:"));
    let others = keys.iter().filter(|key| !key.contains(":b:"));
    for (moved, key) in budgets.chain(others).enumerate() {
        source.tell("MIGRATE", &["127.0.0.1", &port, key, "0", "1000"]);
        if moved % 20 == 0 {
            let refused = attempt(&store, last.id, None).await.unwrap_err();
            assert_eq!(
                refused.kind(),
                StoreErrorKind::Unavailable,
                "{moved} were moved"
            );
            let next = kit::challenge("ann", last.created_at);
            let refused = insert(&store, &next).await.unwrap_err();
            assert_eq!(
                refused.kind(),
                StoreErrorKind::Unavailable,
                "{moved} were moved"
            );
        }
    }
    for node in &nodes.0 {
        node.tell("CLUSTER", &["SETSLOT", &slot, "NODE", &names[1]]);
    }
    let next = issued(&store, "ann").await;
    let admission = attempt(&store, next.id, None).await.unwrap();
    assert_eq!(
        admission.findings.objection(),
        Some("locked"),
        "the budget came along"
    );
    assert_eq!(guesses(&store, &next).await, limit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server and redis-cli"]
async fn a_node_that_is_down_keeps_its_own_records_and_no_others_from_being_handed_over() {
    let mut nodes = Nodes::start();
    let store = connected(&nodes).await;
    let first = nodes.of("otpguard:{s0}:version").0.port();
    for subject in 0..SUBJECTS {
        issued(&store, &format!("subject-{subject}")).await;
    }
    let down = nodes.0.iter_mut().find(|node| node.port() != first);
    down.expect("another node").kill();
    // A call that the node dies under may be out of time before it has looked everywhere.
    let mut read = Vec::new();
    until(async || {
        let asked = store.outbox(None, 1_000).await;
        asked.map(|entries| read = entries).is_ok()
    })
    .await;
    assert!((10..SUBJECTS).contains(&read.len()), "{}", read.len());
    let last = read.last().expect("some").sequence;
    store.acknowledge(last).await.unwrap();
    store.purge(100).await.unwrap();
    let down = nodes.0.iter_mut().find(|node| node.port() != first);
    down.expect("another node").restart();
    nodes.wait();
    until(async || store.ping().await.is_ok()).await;
    let late = store.outbox(Some(last), 1_000).await.unwrap();
    assert_eq!(read.len() + late.len(), SUBJECTS, "nothing is lost");
    let down = nodes.0.iter_mut().find(|node| node.port() == first);
    down.expect("the first").kill();
    let refused = store.outbox(None, 10).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
}
