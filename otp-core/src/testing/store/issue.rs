use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, count, race};
use super::{StoreFixture, kit};
use crate::challenge::Challenge;
use crate::store::{Block, BlockKind, Granted, Plan, RecordedIssue};

/// A request that is repeated under its key, even at once, is issued once; every repeat hears of
/// that one.
pub async fn a_thousand_copies_of_one_request_issue_once(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let now = bench.now().await;
    let answers = race(RACERS, |_| {
        // Each copy drew a challenge id of its own before it asked.
        let challenge = kit::challenge("ann", now);
        let plan = kit::keyed_issue_plan(&challenge, "request", 1);
        let store = Arc::clone(&bench.store);
        async move {
            let granted = store.admit(&plan).await.expect("an answer").granted;
            (challenge.id, granted)
        }
    })
    .await;
    let issued: Vec<_> = answers
        .iter()
        .filter(|(_, granted)| matches!(granted, Some(Granted::Issue)))
        .collect();
    let [(challenge, _)] = issued[..] else {
        panic!("{} of a thousand copies issue, not one", issued.len());
    };
    let record = RecordedIssue {
        challenge: *challenge,
        expires_at: now.saturating_add(kit::LIFE),
        resend_at: now.saturating_add(kit::COOLDOWN),
    };
    let told = count(
        &answers,
        |(_, granted)| matches!(granted, Some(Granted::IssuedBefore(told)) if *told == record),
    );
    assert_eq!(told, RACERS - 1, "every repeat hears of the one challenge");
}

/// One key stands for one request: another one under it is a conflict.
pub async fn a_key_of_another_request_is_a_conflict(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    assert_eq!(ask(&bench, &challenge, 1).await, Answer::Issue);
    assert_eq!(ask(&bench, &challenge, 2).await, Answer::Conflict);
    assert_eq!(
        ask(&bench, &challenge, 1).await,
        Answer::Before,
        "and leaves the first as it was"
    );
}

/// A key lives as long as its challenge, and no longer.
pub async fn a_key_lapses_with_its_challenge(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    assert_eq!(ask(&bench, &challenge, 1).await, Answer::Issue);
    bench.advance(kit::LIFE - Duration::from_millis(1));
    assert_eq!(ask(&bench, &challenge, 1).await, Answer::Before);
    bench.advance(Duration::from_secs(1));
    assert_eq!(
        ask(&bench, &challenge, 2).await,
        Answer::Issue,
        "a lapsed key is free"
    );
}

/// A released key may be used again; releasing it twice, or one that nobody took, is no error.
pub async fn a_released_key_is_free(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    let key = kit::idempotency_key(&challenge, "request");
    assert_eq!(ask(&bench, &challenge, 1).await, Answer::Issue);
    for _ in 0..2 {
        bench.store.release(&key).await.expect("an answer");
    }
    assert_eq!(ask(&bench, &challenge, 2).await, Answer::Issue);
}

/// Each tenant has keys of its own, and releases none of another's.
pub async fn keys_belong_to_their_tenant(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let ours = kit::challenge("ann", bench.now().await);
    let theirs = Challenge {
        tenant: kit::tenant("other"),
        ..ours.clone()
    };
    assert_eq!(ask(&bench, &ours, 1).await, Answer::Issue);
    assert_eq!(ask(&bench, &theirs, 2).await, Answer::Issue);
    let key = kit::idempotency_key(&theirs, "request");
    bench.store.release(&key).await.expect("an answer");
    assert_eq!(ask(&bench, &ours, 1).await, Answer::Before);
}

/// A request that is refused does not take its key: it may be asked again.
pub async fn a_refused_request_keeps_no_key(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    let block = Block::new(BlockKind::Device, "stolen").expect("a device");
    let event = kit::event(crate::event::EventKind::OperatorAction);
    let blocked = bench.store.block(&block, "", "op", None, event).await;
    blocked.expect("an answer");
    let plan = Plan {
        blocks: vec![block],
        ..kit::keyed_issue_plan(&challenge, "request", 1)
    };
    assert!(bench.admit(plan).await.granted.is_none());
    assert_eq!(
        ask(&bench, &challenge, 2).await,
        Answer::Issue,
        "the key was not taken"
    );
}

/// A repeat costs no quota: whoever lost the answer may ask as often as it takes.
pub async fn a_repeated_request_costs_no_quota(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    let quota = kit::window("quota", 1, Duration::from_secs(3_600));
    let plan = Plan {
        quotas: vec![quota],
        ..kit::keyed_issue_plan(&challenge, "request", 1)
    };
    let first = bench.admit(plan.clone()).await.granted;
    assert!(matches!(first, Some(Granted::Issue)));
    for _ in 0..3 {
        let again = bench.admit(plan.clone()).await.granted;
        assert!(
            matches!(again, Some(Granted::IssuedBefore(_))),
            "answered by {again:?}"
        );
    }
}

/// What is blocked meanwhile is not told of its earlier request either.
pub async fn a_blocked_repeat_is_refused(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    let device = Block::new(BlockKind::Device, "stolen").expect("a device");
    let plan = Plan {
        blocks: vec![device.clone()],
        ..kit::keyed_issue_plan(&challenge, "request", 1)
    };
    let first = bench.admit(plan.clone()).await.granted;
    assert!(matches!(first, Some(Granted::Issue)));
    let event = kit::event(crate::event::EventKind::OperatorAction);
    let blocked = bench.store.block(&device, "", "op", None, event).await;
    blocked.expect("an answer");
    let again = bench.admit(plan).await;
    assert!(
        again.granted.is_none(),
        "a blocked request is granted nothing"
    );
    assert_eq!(again.findings.blocked, [device]);
}

/// Keys that look alike are apart.
pub async fn keys_that_look_alike_are_apart(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    for key in [
        "request",
        "REQUEST",
        "request:",
        "{request}",
        "';--",
        "%",
        "*",
    ] {
        let plan = kit::keyed_issue_plan(&challenge, key, 1);
        assert!(
            matches!(bench.admit(plan).await.granted, Some(Granted::Issue)),
            "{key}"
        );
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Issue,
    Before,
    Conflict,
}

async fn ask(bench: &Bench<'_>, challenge: &Challenge, filling: u8) -> Answer {
    let plan = kit::keyed_issue_plan(challenge, "request", filling);
    match bench.admit(plan).await.granted {
        Some(Granted::Issue) => Answer::Issue,
        Some(Granted::IssuedBefore(_)) => Answer::Before,
        Some(Granted::IdempotencyConflict) => Answer::Conflict,
        other => panic!("a request to issue is answered as one, not by {other:?}"),
    }
}
