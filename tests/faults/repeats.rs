use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::destination::EmailAddress;
use otp_kit::prelude::*;
use otp_kit::store::RedisStore;
use otp_kit::testing::ManualClock;
use tokio::task::JoinSet;

use crate::bench::{Service, here};
use crate::engine::{Corner, Engine, on_every_engine};
use crate::proxy::{Line, Proxy};

on_every_engine! {
    /// F21: a start that a client repeats, all at once, is one challenge and one message.
    a_hundred_copies_of_one_start_are_one_message(corner) {
        let service = Arc::new(corner.service().await);
        let mut tasks = JoinSet::new();
        for _ in 0..100 {
            let service = Arc::clone(&service);
            tasks.spawn(async move {
                let to = EmailAddress::parse("one@example.org").unwrap();
                let issue = Issue::to(to)
                    .for_purpose("mfa")
                    .from(here())
                    .idempotency_key("start-1");
                service.verifier.issue(issue).await.unwrap().challenge_id.to_string()
            });
        }
        let ids: BTreeSet<String> = tasks.join_all().await.into_iter().collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(service.outbox.len(), 1);
    }
}

/// A start whose first reply is lost is never told of a challenge that was not put: it is refused
/// until it is certain that nothing stands, and then it is one message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Redis: set TEST_REDIS_URL (./test.sh does)"]
async fn a_start_that_was_lost_on_its_way_is_repeated_until_a_message_leaves() {
    let corner = Corner::shared(Engine::Redis).await;
    let proxy = Proxy::before(corner.server()).await;
    let clock = ManualClock::new(SystemClock.now());
    let options = corner
        .through(proxy.address())
        .redis()
        .clock(Arc::new(clock.clone()));
    let service = Service::on(RedisStore::with_options(options).await.unwrap());
    let start = async || {
        let to = EmailAddress::parse("one@example.org").unwrap();
        let issue = Issue::to(to).for_purpose("mfa").from(here());
        service
            .verifier
            .issue(issue.idempotency_key("start-1"))
            .await
    };
    proxy.set(Line::CutAfter(0));
    for _ in 0..2 {
        let lost = start().await;
        assert!(matches!(lost, Err(IssueError::Unavailable(_))), "{lost:?}");
    }
    assert!(service.outbox.is_empty());
    clock.advance(Duration::from_secs(31));
    let first = start().await.unwrap();
    let again = start().await.unwrap();
    assert_eq!(first.challenge_id, again.challenge_id);
    assert_eq!(service.outbox.len(), 1);
    corner.sweep().await;
}
