use std::time::Duration;

use super::bench::Bench;
use super::{StoreFixture, kit};
use crate::challenge::{Challenge, Lane};
use crate::event::EventKind;
use crate::quota::BudgetRefusal;
use crate::store::{Block, BlockKind, ChallengeQuery, Granted};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// A challenge is found for a day after its end, whichever it was, and is gone some time later.
pub async fn an_ended_challenge_is_kept_for_a_day(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let expired = bench.issue("ann").await;
    let won = bench.issue("bob").await;
    bench.win(&won).await;
    let revoked = bench.issue("cy").await;
    let subject = Some(revoked.subject.clone());
    bench
        .revoke(ChallengeQuery {
            subject,
            ..ChallengeQuery::default()
        })
        .await;
    bench.advance(DAY - HOUR);
    bench.store.purge(100).await.expect("an answer");
    for challenge in [&expired, &won, &revoked] {
        bench.find(challenge).await;
    }
    bench.advance(2 * HOUR);
    purge_all(&bench).await;
    for challenge in [&expired, &won, &revoked] {
        let found = bench.store.find(&challenge.id).await.expect("an answer");
        assert!(found.is_none(), "what ended a day ago makes room");
    }
}

/// One call removes no more than its limit, and calls until nothing is left remove everything.
pub async fn a_purge_is_bounded_by_its_limit(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let mut challenges = Vec::new();
    for name in 0..10 {
        challenges.push(bench.issue(&format!("subject-{name}")).await);
    }
    bench.advance(2 * DAY);
    let removed = bench.store.purge(4).await.expect("an answer");
    assert!(removed <= 4, "a purge of at most four removed {removed}");
    let mut left = 0;
    for challenge in &challenges {
        let found = bench.store.find(&challenge.id).await.expect("an answer");
        left += usize::from(found.is_some());
    }
    assert!(left >= 6, "a purge of at most four left {left} of ten");
    purge_all(&bench).await;
    for challenge in &challenges {
        let found = bench.store.find(&challenge.id).await.expect("an answer");
        assert!(found.is_none());
    }
}

/// A live challenge, its tries and its key of the request survive every purge.
pub async fn a_purge_leaves_live_things_alone(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let draft = kit::challenge("ann", bench.now().await);
    bench
        .admit(kit::keyed_issue_plan(&draft, "request", 1))
        .await;
    bench.insert(&draft).await;
    bench.attempt_as(&draft, kit::named_claim("try", 1)).await;
    let quotas = [kit::window("window", 2, HOUR), kit::rate("rate", 2, HOUR)];
    bench.charge(&quotas).await;
    bench.advance(kit::LIFE - Duration::from_millis(1));
    purge_all(&bench).await;
    let found = bench.find(&draft).await;
    assert_eq!((found.attempts, found.attempt_log.len()), (1, 1));
    assert_eq!(bench.list(&ChallengeQuery::default()).await.len(), 1);
    let again = bench
        .admit(kit::keyed_issue_plan(&draft, "request", 1))
        .await;
    assert!(matches!(again.granted, Some(Granted::IssuedBefore(_))));
    for quota in &quotas {
        assert_eq!(
            bench.peek(quota).await.remaining(),
            1,
            "a hit in its window stays"
        );
    }
}

/// A guess stays in its budget as long as a window holds it, though its challenge is long gone.
pub async fn a_purge_leaves_budgets_alone(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    for _ in 0..3 {
        bench.guess_wrong(&challenge).await;
    }
    bench.advance(29 * DAY);
    purge_all(&bench).await;
    assert_eq!(
        bench.guesses(&challenge).await,
        3,
        "no guess leaves before its window does"
    );
}

/// A run of failures, strikes and a pause are not forgotten by time: only a success ends them.
pub async fn a_purge_forgets_no_run_of_failures(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.exhaust(&challenge).await;
    bench.advance(10 * YEAR);
    purge_all(&bench).await;
    let budget = bench.budget(&challenge).await.budget;
    assert_eq!(
        budget.consecutive, 5,
        "the run of failures goes on, however slowly"
    );
    assert_eq!(budget.strikes, [1, 0]);
}

/// A disablement and a block without an end are never purged.
pub async fn a_purge_opens_no_lock(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    let event = || kit::event(EventKind::OperatorAction);
    let key = kit::budget_key(&challenge);
    bench.store.disable(&key, event()).await.expect("an answer");
    let device = Block::new(BlockKind::Device, "stolen").expect("a device");
    let blocked = bench.store.block(&device, "", "op", None, event()).await;
    blocked.expect("an answer");
    bench.advance(10 * YEAR);
    purge_all(&bench).await;
    for lane in Lane::ALL {
        let plan = kit::issue_plan(&Challenge {
            lane,
            ..challenge.clone()
        });
        let findings = bench.admit(plan).await.findings;
        assert_eq!(findings.budget, Some(BudgetRefusal::Disabled));
    }
    assert_eq!(bench.store.blocks(10).await.expect("an answer").len(), 1);
}

/// Purges until nothing is left to remove.
async fn purge_all(bench: &Bench<'_>) {
    for _ in 0..100 {
        if bench.store.purge(1_000).await.expect("an answer") == 0 {
            return;
        }
    }
    panic!("a purge comes to an end");
}
