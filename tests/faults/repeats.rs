use std::collections::BTreeSet;
use std::sync::Arc;

use otp_kit::destination::EmailAddress;
use otp_kit::prelude::*;
use tokio::task::JoinSet;

use crate::bench::here;
use crate::engine::on_every_engine;

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
