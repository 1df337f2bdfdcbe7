use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::bench::figure;
use crate::engine::on_every_engine;

on_every_engine! {
    /// F12: callers who leave at any moment neither harm nor answer anybody else.
    no_answer_reaches_another_caller_when_many_leave(corner) {
        const PEOPLE: u32 = 50;
        let service = Arc::new(corner.service().await);
        let mut known = Vec::new();
        for person in 0..PEOPLE {
            known.push(service.issue(person).await);
        }
        let known = Arc::new(known);
        let mut tasks = JoinSet::new();
        for call in 0..figure("OTP_STORM", 1_000) {
            let (service, known) = (Arc::clone(&service), Arc::clone(&known));
            tasks.spawn(async move {
                let place = usize::try_from(call % PEOPLE).unwrap();
                let (id, _) = known[place];
                // The code of somebody else: right for nobody here.
                let typed = &known[(place + 1) % known.len()].1;
                let mine = &known[place].1;
                let leaves = Duration::from_micros(u64::from(call.wrapping_mul(2_654_435_761) % 6_000));
                let attempt = format!("try-{call}");
                let trying = service.verify(&id, typed, &attempt);
                timeout(leaves, trying).await.is_ok_and(|answer| answer.is_ok() && typed != mine)
            });
        }
        let crossed = tasks.join_all().await.into_iter().filter(|crossed| *crossed).count();
        assert_eq!(crossed, 0);
        for (place, (id, _)) in known.iter().enumerate() {
            let challenge = service.find(id).await;
            assert!(challenge.attempts <= challenge.attempt_limit, "{place}");
            assert_eq!(challenge.id, *id);
        }
    }
}
