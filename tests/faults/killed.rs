use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use otp_kit::event::{EventKind, Outcome};
use otp_kit::prelude::*;
use tokio::task::JoinSet;

use crate::bench::wrong;
use crate::engine::{Corner, DEADLINE, on_private_servers};

on_private_servers! {
    /// F05, F10, F15: a server that is killed under load and comes back has let nobody in twice,
    /// forgot no guess that was answered, and lost no record of a success.
    a_server_killed_under_load_admits_nobody_twice(server) {
        const PEOPLE: u32 = 30;
        let corner = Corner::private(&server).await;
        let service = Arc::new(corner.service().await);
        let mut known = Vec::new();
        for person in 0..PEOPLE {
            known.push(service.issue(person).await);
        }
        let answered = Arc::new(AtomicU32::new(0));
        let mut tasks = JoinSet::new();
        for (person, (id, code)) in known.iter().cloned().enumerate() {
            for attempt in 0..5_u64 {
                let (service, answered) = (Arc::clone(&service), Arc::clone(&answered));
                let typed = if attempt < 2 { wrong(&code) } else { code.clone() };
                tasks.spawn(async move {
                    let answer = service.insist(&id, &typed, &format!("try-{attempt}")).await;
                    answered.fetch_add(1, Ordering::Relaxed);
                    (person, answer.is_ok())
                });
            }
        }
        // In the middle of them: some were answered, most were not.
        while answered.load(Ordering::Relaxed) < PEOPLE {
            tokio::task::yield_now().await;
        }
        server.kill();
        server.restart();
        let mut wins = vec![0; known.len()];
        for (person, won) in tasks.join_all().await {
            wins[person] += u32::from(won);
        }
        service.recovers(1_000).await;
        let records = service.verifier.store().outbox(None, 100_000).await.unwrap();
        for (person, (id, code)) in known.iter().enumerate() {
            assert!(wins[person] <= 1, "{person} won {} times", wins[person]);
            let again = service.insist(id, code, "again").await;
            let found = service.verifier.store().find(id).await.unwrap();
            if wins[person] == 1 {
                assert!(again.is_err(), "{person}: {again:?}");
                let successes = records.iter().filter(|record| {
                    record.event.kind == EventKind::ValidationAttempt
                        && record.event.outcome == Outcome::Success
                        && record.event.challenge == Some(id.fingerprint())
                });
                assert!(successes.count() >= 1, "{person}: a success without its record");
            }
            let attempts = found.map_or(0, |challenge| challenge.attempts);
            assert!(attempts <= 5, "{person}: {attempts}");
        }
    }

    /// F01: a server that hangs keeps nobody waiting, and is itself again when it goes on.
    a_server_that_hangs_is_an_outage_for_as_long_as_it_does(server) {
        let corner = Corner::private(&server).await;
        let service = Arc::new(corner.service().await);
        let (id, code) = service.issue(0).await;
        server.pause();
        let mut tasks = JoinSet::new();
        for call in 0..100 {
            let (service, code) = (Arc::clone(&service), code.clone());
            tasks.spawn(async move {
                let started = Instant::now();
                let answer = service.verify(&id, &code, &format!("try-{call}")).await;
                (answer, started.elapsed())
            });
        }
        for (answer, took) in tasks.join_all().await {
            assert!(matches!(answer, Err(VerifyError::Unavailable(_))), "{answer:?}");
            assert!(took <= DEADLINE + Duration::from_millis(500), "{took:?}");
        }
        server.resume();
        service.recovers(1).await;
    }
}
