//! A real Redis that is killed, that hangs, and that comes back.

use std::time::{Duration, Instant};

use otp_core::challenge::ConsumeOutcome;
use otp_core::clock::ManualClock;
use otp_core::event::EventKind;
use otp_core::policy::OutagePolicy;
use otp_core::quota::BudgetRules;
use otp_core::store::{
    AuditStore as _, Block, BlockKind, BlocklistStore as _, BudgetStore as _, ChallengeQuery,
    ChallengeStore as _, Plan, QuotaStore as _, StoreErrorKind,
};
use otp_core::testing::store::kit;
use otp_store::redis::RedisOptions;
use otp_store::{Degrading, MemoryStore, ReadOnlyFallback, RedisStore};
use tokio::task::JoinSet;

use crate::fixture::{
    HOUR, REST, SHARE, attempt, condition, degrading, guess, guesses, insert, issue, kind,
    unavailable, win,
};
use crate::server::Server;

const DEADLINE: Duration = Duration::from_millis(400);
/// What the promise allows beyond the deadline, and what a busy machine adds to it.
const SLACK: Duration = Duration::from_millis(50 + 350);

type Fallback = Degrading<RedisStore>;

struct House {
    server: Server,
    redis: RedisStore,
    store: Fallback,
    clock: ManualClock,
}

impl House {
    async fn new(policy: OutagePolicy) -> Self {
        let server = Server::start();
        let options = RedisOptions::new(&server.url()).deadline(DEADLINE);
        let redis = RedisStore::with_options(options)
            .await
            .expect("it connects");
        let clock = ManualClock::new(redis.ping().await.expect("the time"));
        let store = degrading(redis.clone(), policy, &clock);
        Self {
            server,
            redis,
            store,
            clock,
        }
    }

    /// Asks until the circuit is open.
    async fn noticed(&self) {
        while condition(&self.store).await == "connected" || self.store.ping().await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    /// Waits, on the wall, until Redis answers; then lets the rest of the circuit pass.
    async fn back(&self) {
        let back = tokio::time::timeout(Duration::from_secs(20), async {
            while self.redis.ping().await.is_err() {
                tokio::task::yield_now().await;
            }
            self.clock.advance(REST);
            while condition(&self.store).await != "connected" {
                tokio::task::yield_now().await;
            }
            while self.store.hand_back().await.is_err() {
                tokio::task::yield_now().await;
            }
        });
        back.await.expect("it comes back by itself");
    }
}

fn now(clock: &ManualClock) -> otp_core::clock::Timestamp {
    otp_core::clock::Clock::now(clock)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a deadline is measured by the wall"
)]
fn began() -> Instant {
    Instant::now()
}

/// Lets a thousand try to win a challenge that lives above; says how many won and the longest wait.
async fn storm(store: &Fallback, challenge: &otp_core::challenge::Challenge) -> (usize, Duration) {
    let mut tasks = JoinSet::new();
    for _ in 0..1_000 {
        let (store, challenge) = (store.clone(), challenge.clone());
        tasks.spawn(async move {
            let began = began();
            let tried = attempt(&store, &challenge).await;
            let waited = began.elapsed();
            let began = self::began();
            let won = store.consume(kit::consume(&challenge, None)).await;
            assert!(tried.is_err() || won.is_err(), "an outage answers as one");
            let won = matches!(won, Ok(ConsumeOutcome::Won | ConsumeOutcome::WonBefore));
            (won, waited.max(began.elapsed()))
        });
    }
    let answers = tasks.join_all().await;
    let won = answers.iter().filter(|(won, _)| *won).count();
    let longest = answers.iter().map(|(_, waited)| *waited).max();
    (won, longest.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn of_a_thousand_verifies_in_an_outage_none_succeeds_and_all_answer_in_time() {
    for hangs in [false, true] {
        let mut house = House::new(OutagePolicy::memory()).await;
        let challenge = issue(&house.store, "ann").await.unwrap();
        attempt(&house.store, &challenge).await.unwrap();
        if hangs {
            house.server.pause();
        } else {
            house.server.kill();
        }
        let (won, longest) = storm(&house.store, &challenge).await;
        assert_eq!(won, 0, "hangs: {hangs}");
        assert!(longest < DEADLINE + SLACK, "{longest:?}, hangs: {hangs}");
        let (won, longest) = storm(&house.store, &challenge).await;
        assert_eq!(won, 0, "hangs: {hangs}");
        assert!(longest < DEADLINE, "at once: {longest:?}, hangs: {hangs}");
        if hangs {
            house.server.go_on();
        } else {
            house.server.restart();
        }
        house.back().await;
        // What was in flight may have won above, once; else it is there to be won.
        let after = house.store.consume(kit::consume(&challenge, None)).await;
        let first = after.unwrap();
        assert!(matches!(
            first,
            ConsumeOutcome::Won | ConsumeOutcome::Lost(_)
        ));
        let again = house.store.consume(kit::consume(&challenge, None)).await;
        assert!(matches!(again.unwrap(), ConsumeOutcome::Lost(_)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_redis_that_is_killed_among_a_thousand_right_answers_gives_one_success_at_the_most() {
    for after in [1, 20, 200] {
        let mut house = House::new(OutagePolicy::memory()).await;
        let challenge = issue(&house.store, "ann").await.unwrap();
        attempt(&house.store, &challenge).await.unwrap();
        let mut tasks = JoinSet::new();
        for _ in 0..1_000 {
            let (store, consume) = (house.store.clone(), kit::consume(&challenge, None));
            tasks.spawn(async move { store.consume(consume).await });
        }
        let (mut won, mut answered) = (0, 0);
        while let Some(answer) = tasks.join_next().await {
            answered += 1;
            won += usize::from(matches!(answer.unwrap(), Ok(ConsumeOutcome::Won)));
            if answered == after {
                house.server.kill();
            }
        }
        house.server.restart();
        house.back().await;
        for _ in 0..3 {
            let late = house.store.consume(kit::consume(&challenge, None)).await;
            won += usize::from(late.unwrap() == ConsumeOutcome::Won);
        }
        assert!(won <= 1, "{won} after {after}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_closed_policy_puts_nothing_in_while_redis_is_cut() {
    let mut house = House::new(OutagePolicy::closed()).await;
    house.server.kill();
    let mut tasks = JoinSet::new();
    for number in 0..10_000 {
        let (store, clock) = (house.store.clone(), house.clock.clone());
        tasks.spawn(async move {
            let challenge = kit::challenge(&format!("user-{number}"), now(&clock));
            let admitted = store.admit(&kit::issue_plan(&challenge)).await;
            let inserted = insert(&store, &challenge).await;
            (kind(admitted), kind(inserted))
        });
    }
    let closed = Some(StoreErrorKind::Unavailable);
    for answers in tasks.join_all().await {
        assert_eq!(answers, (closed, closed));
    }
    assert_eq!(condition(&house.store).await, "unavailable");
    house.server.restart();
    house.back().await;
    let live = house.redis.list(&ChallengeQuery::default(), 10).await;
    assert!(live.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn what_was_counted_while_redis_was_killed_is_in_it_afterwards() {
    let mut house = House::new(OutagePolicy::memory()).await;
    let device = Block::new(BlockKind::Device, "stolen").unwrap();
    let event = kit::event(EventKind::OperatorAction);
    house
        .store
        .block(&device, "", "op", None, event)
        .await
        .unwrap();
    let before = issue(&house.store, "ann").await.unwrap();
    guess(&house.store, &before).await.unwrap();
    house.server.kill();
    house.noticed().await;
    assert_eq!(condition(&house.store).await, "memory fallback");
    let claim = kit::window("ann", 40, HOUR);
    let sends = Plan {
        quotas: vec![claim.clone()],
        ..kit::issue_plan(&before)
    };
    for _ in 0..3 {
        house.store.admit(&sends).await.unwrap();
    }
    let blocked = Plan {
        blocks: vec![device],
        ..sends
    };
    let refused = house.store.admit(&blocked).await.unwrap();
    assert_eq!(refused.findings.objection(), Some("blocked"));
    let challenge = issue(&house.store, "ann").await.unwrap();
    let mut compared = 0;
    for _ in 0..10 {
        compared += usize::from(guess(&house.store, &challenge).await.unwrap());
    }
    assert_eq!(compared, SHARE);
    let bob = issue(&house.store, "bob").await.unwrap();
    assert_eq!(win(&house.store, &bob).await.unwrap(), ConsumeOutcome::Won);
    unavailable(attempt(&house.store, &before).await);

    house.server.restart();
    house.back().await;
    assert_eq!(guesses(&house.redis, &challenge).await, 1 + SHARE);
    assert_eq!(guesses(&house.redis, &bob).await, 0);
    let peeked = house.redis.peek(&[claim]).await.unwrap();
    assert_eq!(peeked[0].remaining(), 37);
    let told = house.redis.outbox(None, 1_000).await.unwrap();
    let issued = told
        .iter()
        .filter(|one| one.event.kind == EventKind::ChallengeIssued);
    assert_eq!(issued.count(), 1 + 1 + 2, "above, refused, and two beneath");
    let again = house.store.consume(kit::consume(&bob, None)).await.unwrap();
    assert!(
        matches!(again, ConsumeOutcome::Lost(_)),
        "it was won beneath, once"
    );
    assert!(
        attempt(&house.store, &before).await.is_ok(),
        "above decides again"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_budget_is_one_over_many_outages_and_many_challenges() {
    let mut house = House::new(OutagePolicy::memory()).await;
    let rules = BudgetRules::out_of_band();
    let limit = usize::try_from(rules.windows[0].public).unwrap();
    let mut compared = 0;
    for round in 0..3 {
        for _ in 0..3 {
            let challenge = issue(&house.store, "ann").await.unwrap();
            for _ in 0..3 {
                compared += usize::from(guess(&house.store, &challenge).await.unwrap());
            }
        }
        if round == 2 {
            break;
        }
        house.server.kill();
        house.noticed().await;
        let challenge = issue(&house.store, "ann").await.unwrap();
        for _ in 0..10 {
            compared += usize::from(guess(&house.store, &challenge).await.unwrap());
        }
        house.server.restart();
        house.back().await;
    }
    let key = kit::budget_key(&kit::challenge("ann", now(&house.clock)));
    let known = house.redis.budget(&key, &rules).await;
    assert_eq!(known.unwrap().budget.guesses.len(), compared);
    assert!(compared <= limit + SHARE, "{compared}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_redis_that_is_killed_leaves_its_blocks_to_be_read() {
    let mut server = Server::start();
    let options = RedisOptions::new(&server.url()).deadline(DEADLINE);
    let redis = RedisStore::with_options(options)
        .await
        .expect("it connects");
    let store = ReadOnlyFallback::new(redis, MemoryStore::new());
    let block = Block::new(BlockKind::Phone, "+14155550123").unwrap();
    let event = kit::event(EventKind::OperatorAction);
    store
        .block(&block, "fraud", "op", Some(HOUR), event)
        .await
        .unwrap();
    let challenge = issue(&store, "ann").await.unwrap();
    server.kill();
    for _ in 0..4 {
        let began = began();
        assert_eq!(store.blocks(10).await.unwrap()[0].block, block);
        assert!(began.elapsed() < DEADLINE + SLACK);
        unavailable(attempt(&store, &challenge).await);
    }
    assert_eq!(condition(&store).await, "read only");
}
