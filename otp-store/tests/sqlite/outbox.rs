use otp_core::event::{EventKind, Outcome};
use otp_core::store::{AuditStore as _, ChallengeQuery, ChallengeStore as _, Revocation};

use crate::fixture::{Place, event, run};

#[tokio::test]
async fn a_text_that_is_too_long_stops_neither_its_decision_nor_the_outbox() {
    let place = Place::new();
    let store = place.open().await;
    let mut long = event(EventKind::CodeSent, "ann");
    long = long.with_outcome(Outcome::Refused, "ж".repeat(5_000));
    long.destination = Some("é".repeat(5_000));
    long.provider = Some("p".repeat(5_000));
    long.challenge = Some("c".repeat(5_000));
    store.append(long).await.unwrap();
    store
        .append(event(EventKind::CodeSent, "ann"))
        .await
        .unwrap();
    let query = ChallengeQuery::default();
    let event =
        event(EventKind::OperatorAction, "ann").with_outcome(Outcome::Success, "€".repeat(5_000));
    store.revoke(Revocation { query, event }).await.unwrap();
    let read = store.outbox(None, 10).await.unwrap();
    assert_eq!(read.len(), 3);
    let kept = &read[0].event;
    assert_eq!(kept.reason.as_deref(), Some("ж".repeat(1_024).as_str()));
    assert_eq!(kept.destination.as_deref(), Some("é".repeat(512).as_str()));
    assert_eq!(kept.provider.as_deref(), Some("p".repeat(255).as_str()));
    assert_eq!(kept.challenge.as_deref(), Some("c".repeat(64).as_str()));
    let counted = read[2].event.reason.as_deref().unwrap();
    assert_eq!(counted, format!("{}:0", "€".repeat(1_000)));
}

#[tokio::test]
async fn a_record_of_a_kind_that_only_a_later_version_knows_is_passed_over() {
    let place = Place::new();
    let store = place.open().await;
    for _ in 0..5 {
        store
            .append(event(EventKind::CodeSent, "ann"))
            .await
            .unwrap();
    }
    let all = store.outbox(None, 10).await.unwrap();
    run(
        &mut place.raw().await,
        "UPDATE audit_logs SET event_type = 'identity.auth.foretold' WHERE sequence IN (2, 3, 4)",
    )
    .await;
    assert_eq!(
        store.outbox(None, 10).await.unwrap(),
        [all[0].clone(), all[4].clone()]
    );
    let after = Some(all[0].sequence);
    assert_eq!(store.outbox(after, 1).await.unwrap(), all[4..]);
    assert!(
        store
            .outbox(Some(all[4].sequence), 1)
            .await
            .unwrap()
            .is_empty()
    );
}
