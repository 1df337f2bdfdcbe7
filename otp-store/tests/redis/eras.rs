use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, Challenge, ChallengeState, ConsumeOutcome, Refusal};
use otp_core::challenge::{ResendOutcome, TypedShape};
use otp_core::store::{ChallengeQuery, ChallengeStore as _, Granted};
use otp_core::testing::store::kit;
use otp_store::RedisStore;

use crate::fixture::{attempt, connected, guesses, issued, outcome, until};
use crate::server::Server;

const EXPIRED: Option<AttemptOutcome> = Some(AttemptOutcome::Refused(Refusal::Expired));
const LOST: ConsumeOutcome = ConsumeOutcome::Lost(Refusal::Expired);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_restart_ends_what_was_outstanding_and_forgets_no_success_and_no_guess() {
    let mut server = Server::start();
    let store = connected(&server.url()).await;
    let (open, won) = (issued(&store, "ann").await, issued(&store, "bob").await);
    attempt(&store, open.id, None).await.unwrap();
    attempt(&store, won.id, None).await.unwrap();
    let first = store.consume(kit::consume(&won, None)).await.unwrap();
    assert_eq!(first, ConsumeOutcome::Won);
    let keyed = || kit::keyed_issue_plan(&open, "key", 1);
    store.admit(&keyed()).await.unwrap();
    let repeated = store.admit(&keyed()).await.unwrap();
    assert!(matches!(repeated.granted, Some(Granted::IssuedBefore(_))));
    server.kill();
    server.restart();
    until(async || store.ping().await.is_ok()).await;

    let repeated = store.admit(&keyed()).await.unwrap();
    assert!(
        matches!(repeated.granted, Some(Granted::Issue)),
        "a repeated request hears of no challenge that cannot be verified"
    );
    let again = attempt(&store, open.id, None).await.unwrap();
    assert_eq!(outcome(&again), EXPIRED);
    let resend = store.admit(&kit::resend_plan(&open)).await.unwrap();
    assert!(matches!(
        resend.granted,
        Some(Granted::Resend(ResendOutcome::Refused(Refusal::Expired), _))
    ));
    assert!(
        store
            .list(&ChallengeQuery::default(), 9)
            .await
            .unwrap()
            .is_empty()
    );
    store.reissue(kit::reissue(&open, "second")).await.unwrap();
    let second = Challenge {
        digest: "second".to_owned(),
        ..open.clone()
    };
    let late = store.consume(kit::consume(&second, None)).await.unwrap();
    assert_eq!(
        late, LOST,
        "a code that was sent anew is of the old challenge"
    );
    let found = store.find(&open.id).await.unwrap().expect("it is there");
    assert!(found.expires_at < open.expires_at, "it has ended for good");
    let twice = store.consume(kit::consume(&won, None)).await.unwrap();
    assert_eq!(twice, ConsumeOutcome::Lost(Refusal::Consumed));
    assert_eq!(guesses(&store, &open).await, 1, "no guess is forgotten");

    let new = issued(&store, "ann").await;
    attempt(&store, new.id, None).await.unwrap();
    let won = store.consume(kit::consume(&new, None)).await.unwrap();
    assert_eq!(won, ConsumeOutcome::Won, "and one may ask anew");
}

/// Cuts a replica off, so that it misses what its primary acknowledges from then on.
fn cut_off(primary: &Server) {
    primary.tell("CONFIG", &["SET", "requirepass", "hunter2"]);
    let client = redis::Client::open(format!("redis://:hunter2@127.0.0.1:{}", primary.port()));
    let mut raw = client.expect("a URL").get_connection().expect("a server");
    let mut kill = redis::cmd("CLIENT");
    kill.arg("KILL").arg("TYPE").arg("replica");
    let killed: u64 = kill.query(&mut raw).expect("an answer");
    assert_eq!(killed, 1, "one replica was there");
}

/// Consumes challenges whose consumption the replica then has not heard of.
async fn consumed_unheard(
    primary: &Server,
    replica: &Server,
    store: &RedisStore,
) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    for subject in 0..20 {
        let challenge = issued(store, &format!("subject-{subject}")).await;
        attempt(store, challenge.id, Some("t1"))
            .await
            .expect("an answer");
        challenges.push(challenge);
    }
    let last = challenges.last().expect("one").id.to_string();
    replica.wait_for("KEYS", &[&format!("otp:c:*{last}")], &last);
    cut_off(primary);
    for challenge in &challenges {
        let consume = kit::consume(challenge, Some("t1"));
        assert_eq!(
            store.consume(consume).await.expect("an answer"),
            ConsumeOutcome::Won
        );
    }
    challenges
}

/// Tries every way in that there is, and counts those that were let in.
async fn replayed(store: &RedisStore, challenges: &[Challenge]) -> usize {
    let mut replayed = 0;
    for challenge in challenges {
        let found = store
            .find(&challenge.id)
            .await
            .expect("an answer")
            .expect("it is there");
        assert_eq!(
            found.state,
            ChallengeState::Live,
            "its consumption was lost"
        );
        for by in [None, Some("t1"), Some("t2")] {
            let claim = by.map_or_else(kit::attempt_claim, |by| kit::named_claim(by, 1));
            assert_eq!(claim.shape, TypedShape::of("123456").expect("an answer"));
            let admission = attempt(store, challenge.id, by).await.expect("an answer");
            replayed += usize::from(outcome(&admission) != EXPIRED);
            let consume = kit::consume(challenge, by);
            replayed += usize::from(store.consume(consume).await.expect("an answer") != LOST);
        }
    }
    replayed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn what_a_dead_primary_consumed_is_not_consumed_again_on_a_replica_that_never_heard() {
    let mut primary = Server::start();
    let replica = Server::replica_of(&primary);
    let store = connected(&primary.url()).await;
    let challenges = consumed_unheard(&primary, &replica, &store).await;
    primary.kill();
    replica.tell("REPLICAOF", &["NO", "ONE"]);
    let store = connected(&replica.url()).await;
    assert_eq!(replayed(&store, &challenges).await, 0);
    issued(&store, "ann").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_primary_that_comes_back_through_a_replica_does_not_revive_what_it_had_consumed() {
    let primary = Server::start();
    let replica = Server::replica_of(&primary);
    let store = connected(&primary.url()).await;
    let challenges = consumed_unheard(&primary, &replica, &store).await;
    replica.tell("REPLICAOF", &["NO", "ONE"]);
    // The first server never stopped: it takes over what the second one has, and leads again.
    let client = redis::Client::open(format!("redis://:hunter2@127.0.0.1:{}", primary.port()));
    let mut raw = client.unwrap().get_connection().unwrap();
    let mut tell = |words: &[&str]| {
        let mut command = redis::cmd(words[0]);
        let _: () = command.arg(&words[1..]).query(&mut raw).unwrap();
    };
    tell(&["CONFIG", "SET", "requirepass", ""]);
    tell(&["REPLICAOF", "127.0.0.1", &replica.port().to_string()]);
    primary.wait_for("INFO", &["replication"], "master_link_status:up");
    tell(&["REPLICAOF", "NO", "ONE"]);
    let store = connected(&primary.url()).await;
    assert_eq!(replayed(&store, &challenges).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_server_that_loses_nothing_may_keep_its_challenges() {
    let mut server = Server::start();
    let options = || {
        otp_store::redis::RedisOptions::new(&server.url())
            .deadline(Duration::from_secs(5))
            .keep_challenges_over_restarts()
    };
    let store = RedisStore::with_options(options()).await.unwrap();
    let challenge = issued(&store, "ann").await;
    server.kill();
    server.restart();
    until(async || store.ping().await.is_ok()).await;
    let again = attempt(&store, challenge.id, None).await.unwrap();
    assert_eq!(outcome(&again), Some(AttemptOutcome::Reserved));
    let won = store.consume(kit::consume(&challenge, None)).await.unwrap();
    assert_eq!(won, ConsumeOutcome::Won);
}
