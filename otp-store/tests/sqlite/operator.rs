use otp_core::challenge::{AttemptOutcome, Refusal};
use otp_core::event::EventKind;
use otp_core::quota::{Quota, QuotaClaim, QuotaKey, Scope};
use otp_core::store::{
    AuditStore as _, Block, BlockKind, BlocklistStore as _, ChallengeQuery, ChallengeStore as _,
    Plan, Revocation, Step,
};
use otp_store::SqliteStore;

use crate::fixture::{MINUTE, Place, attempt, event, issued, number, outcome, run};

fn sends(who: &str) -> Plan {
    let claim = |action, quota| {
        let key = QuotaKey::new(action, Scope::Subject, "default", who);
        QuotaClaim::new(key, quota)
    };
    Plan {
        blocks: Vec::new(),
        quotas: vec![
            claim(
                "issue-hour",
                Quota::window(1, 60 * MINUTE).expect("a quota"),
            ),
            claim(
                "issue-day",
                Quota::rate(2, 1_440 * MINUTE).expect("a quota"),
            ),
        ],
        step: Step::Nothing,
        event: event(EventKind::RateLimitExceeded, who),
    }
}

#[tokio::test]
async fn deleting_a_users_rows_by_hand_clears_that_users_limits_only() {
    let place = Place::new();
    let store = place.open().await;
    for who in ["user1", "user2"] {
        assert!(store.admit(&sends(who)).await.unwrap().granted.is_some());
        let refused = store.admit(&sends(who)).await.unwrap();
        assert_eq!(refused.findings.objection(), Some("quota_subject"));
    }
    let sql = "DELETE FROM rate_limit_attempts WHERE user_id IN ('user1', 'user3')";
    assert_eq!(run(&mut place.raw().await, sql).await, 1);
    assert!(
        store
            .admit(&sends("user1"))
            .await
            .unwrap()
            .granted
            .is_some()
    );
    assert!(
        store
            .admit(&sends("user2"))
            .await
            .unwrap()
            .granted
            .is_none()
    );
}

#[tokio::test]
async fn a_try_on_an_expired_challenge_is_what_the_forensics_query_finds() {
    let place = Place::new();
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    attempt(&store, &challenge, None).await.unwrap();
    place.clock.advance(6 * MINUTE);
    for _ in 0..2 {
        let late = attempt(&store, &challenge, None).await.unwrap();
        assert_eq!(outcome(&late), AttemptOutcome::Refused(Refusal::Expired));
    }
    let sql = "SELECT validation_attempts FROM challenge_validation_attempts
        WHERE challenge_expired = true AND user_id = 'ann'";
    assert_eq!(number(&mut place.raw().await, sql).await, 3);
}

#[tokio::test]
async fn deleting_a_users_challenges_by_hand_leaves_nothing_to_try() {
    let place = Place::new();
    let store = place.open().await;
    let challenge = issued(&store, "user1").await;
    attempt(&store, &challenge, Some("t1")).await.unwrap();
    let sql = "DELETE FROM auth_challenges WHERE user_id IN ('user1', 'user2')";
    assert_eq!(run(&mut place.raw().await, sql).await, 1);
    let tried = attempt(&store, &challenge, Some("t1")).await.unwrap();
    assert!(format!("{:?}", tried.granted).contains("NoChallenge(Unknown)"));
    place.clock.advance(2_880 * MINUTE);
    store.purge(100).await.unwrap();
    let left = "SELECT (SELECT COUNT(*) FROM challenge_attempt_log)
        + (SELECT COUNT(*) FROM challenge_validation_attempts)";
    assert_eq!(number(&mut place.raw().await, left).await, 0);
}

#[tokio::test]
async fn every_way_of_asking_revokes_and_lists_what_is_meant_alone() {
    let place = Place::new();
    let store = place.open().await;
    let (ann, bob) = (issued(&store, "ann").await, issued(&store, "bob").await);
    let all = ChallengeQuery::default();
    let queries = [
        ChallengeQuery {
            challenge: Some(ann.id),
            ..all.clone()
        },
        ChallengeQuery {
            subject: Some(ann.subject.clone()),
            ..all.clone()
        },
        ChallengeQuery {
            key_id: Some(ann.key_id),
            channel: Some(ann.channel),
            ..all.clone()
        },
    ];
    for query in queries {
        let listed = store.list(&query, 10).await.unwrap();
        assert_eq!(
            listed.iter().map(|found| found.id).collect::<Vec<_>>(),
            [ann.id]
        );
    }
    assert_eq!(store.list(&all, 10).await.unwrap().len(), 2);
    let query = ChallengeQuery {
        issued_until: Some(ann.created_at),
        ..all.clone()
    };
    assert!(store.list(&query, 10).await.unwrap().is_empty());
    let revocation = Revocation {
        query: ChallengeQuery {
            subject: Some(bob.subject.clone()),
            ..all.clone()
        },
        event: event(EventKind::OperatorAction, "bob"),
    };
    assert_eq!(store.revoke(revocation.clone()).await.unwrap(), 1);
    assert_eq!(store.revoke(revocation).await.unwrap(), 0);
    assert_eq!(store.list(&all, 10).await.unwrap().len(), 1);
    let records = store.outbox(None, 10).await.unwrap();
    let reasons: Vec<_> = records
        .iter()
        .filter_map(|entry| entry.event.reason.clone())
        .collect();
    assert_eq!(reasons, ["revoked:1"], "the same record is kept once");
}

#[tokio::test]
async fn what_was_acknowledged_stays_in_the_log_and_leaves_the_outbox() {
    let place = Place::new();
    let store = place.open().await;
    for who in ["a", "b", "c"] {
        store.append(event(EventKind::CodeSent, who)).await.unwrap();
    }
    let all = store.outbox(None, 10).await.unwrap();
    store.acknowledge(all[1].sequence).await.unwrap();
    assert_eq!(store.outbox(None, 10).await.unwrap(), all[2..]);
    assert_eq!(store.outbox(Some(0), 10).await.unwrap(), all);
    store.acknowledge(u64::MAX).await.unwrap();
    store.append(event(EventKind::CodeSent, "d")).await.unwrap();
    assert_eq!(
        store.outbox(None, 10).await.unwrap().len(),
        1,
        "what came later is not swallowed"
    );
    let sql = "SELECT COUNT(*) FROM audit_logs WHERE actor_id = 'a' AND action = 'MFA_CODE_SENT'";
    assert_eq!(number(&mut place.raw().await, sql).await, 1);
}

#[tokio::test]
async fn a_purge_leaves_no_hole_in_the_log() {
    let place = Place::new();
    let options = place.options().keep_audit(60 * MINUTE);
    let store = SqliteStore::with_options(options).await.unwrap();
    for who in ["a", "b", "c", "d"] {
        store.append(event(EventKind::CodeSent, who)).await.unwrap();
    }
    // A record is written when its code was compared, and dated by when it came in.
    let mut raw = place.raw().await;
    let younger =
        "UPDATE audit_logs SET created_at = created_at + 7200000 WHERE sequence IN (2, 4)";
    assert_eq!(run(&mut raw, younger).await, 2);
    store.acknowledge(u64::MAX).await.unwrap();
    place.clock.advance(90 * MINUTE);
    assert_eq!(store.purge(100).await.unwrap(), 1);
    let kept = "SELECT SUM(sequence) FROM audit_logs";
    assert_eq!(number(&mut raw, kept).await, 2 + 3 + 4);
}

#[tokio::test]
async fn a_block_holds_until_it_lapses_and_hostile_values_match_only_themselves() {
    let place = Place::new();
    let store = place.open().await;
    let hostile = Block::new(BlockKind::Device, "\"]]' OR 1=1 --\\").unwrap();
    let other = Block::new(BlockKind::Device, "device-2").unwrap();
    let added = event(EventKind::OperatorAction, "ops");
    store
        .block(&hostile, "why", "ops", Some(MINUTE), added)
        .await
        .unwrap();
    let plan = |block: &Block| Plan {
        blocks: vec![other.clone(), block.clone()],
        quotas: Vec::new(),
        ..sends("ann")
    };
    let refused = store.admit(&plan(&hostile)).await.unwrap();
    assert_eq!(refused.findings.blocked, std::slice::from_ref(&hostile));
    assert!(refused.granted.is_none());
    assert!(store.admit(&plan(&other)).await.unwrap().granted.is_some());
    assert_eq!(store.blocks(10).await.unwrap()[0].block, hostile);
    place.clock.advance(MINUTE);
    assert!(
        store
            .admit(&plan(&hostile))
            .await
            .unwrap()
            .granted
            .is_some()
    );
    assert!(store.blocks(10).await.unwrap().is_empty());
}
