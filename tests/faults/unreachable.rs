use std::sync::Arc;
use std::time::{Duration, Instant};

use otp_kit::prelude::*;
use tokio::task::JoinSet;

use crate::bench::figure;
use crate::engine::{DEADLINE, on_every_engine};
use crate::proxy::{Line, Proxy};

/// What a loaded machine adds to a deadline before its caller runs again.
const SLACK: Duration = Duration::from_millis(500);

on_every_engine! {
    /// F01: whatever becomes of the line, nobody is let in, and nobody waits beyond the deadline.
    a_right_code_is_refused_while_the_store_is_away(corner) {
        let proxy = Proxy::before(corner.server()).await;
        let service = Arc::new(corner.through(proxy.address()).service().await);
        let calls = figure("OTP_STORM", 1_000);
        for (round, line) in [Line::Reset, Line::Silent, Line::Deaf].into_iter().enumerate() {
            let person = u32::try_from(round).unwrap();
            service.recovers(1_000 + person).await;
            let (id, code) = service.issue(person).await;
            proxy.set(line);
            let mut tasks = JoinSet::new();
            for call in 0..calls {
                let (service, code) = (Arc::clone(&service), code.clone());
                tasks.spawn(async move {
                    let started = Instant::now();
                    let answer = service.verify(&id, &code, &format!("try-{call}")).await;
                    (answer, started.elapsed())
                });
            }
            for (answer, took) in tasks.join_all().await {
                assert!(matches!(answer, Err(VerifyError::Unavailable(_))), "{line:?}: {answer:?}");
                assert!(took <= DEADLINE + SLACK, "{line:?}: {took:?}");
            }
            proxy.set(Line::Whole);
        }
        service.recovers(2_000).await;
    }

    /// F02: where nothing can be counted, nothing is sent.
    no_message_leaves_while_the_store_is_away(corner) {
        let proxy = Proxy::before(corner.server()).await;
        let service = Arc::new(corner.through(proxy.address()).service().await);
        proxy.set(Line::Reset);
        let mut tasks = JoinSet::new();
        for person in 0..figure("OTP_STORM", 1_000) {
            let service = Arc::clone(&service);
            tasks.spawn(async move { service.start(person).await });
        }
        for answer in tasks.join_all().await {
            assert!(matches!(answer, Err(IssueError::Unavailable(_))), "{answer:?}");
        }
        assert!(service.outbox.is_empty());
        proxy.set(Line::Whole);
        service.recovers(5_000).await;
    }

    /// A store that stays away is waited for by one caller at a time.
    callers_of_a_store_that_stays_away_are_refused_soon(corner) {
        let proxy = Proxy::before(corner.server()).await;
        let service = Arc::new(corner.through(proxy.address()).service().await);
        proxy.set(Line::Silent);
        let first = service.start(0).await;
        assert!(matches!(first, Err(IssueError::Unavailable(_))), "{first:?}");
        let mut tasks = JoinSet::new();
        for person in 1..=100 {
            let service = Arc::clone(&service);
            tasks.spawn(async move {
                let started = Instant::now();
                let answer = service.start(person).await;
                (answer, started.elapsed())
            });
        }
        let mut patient = 0;
        for (answer, took) in tasks.join_all().await {
            assert!(matches!(answer, Err(IssueError::Unavailable(_))), "{answer:?}");
            patient += usize::from(took >= DEADLINE);
        }
        assert!(patient <= 50, "{patient} waited for it");
        proxy.set(Line::Whole);
        service.recovers(5_000).await;
    }
}
