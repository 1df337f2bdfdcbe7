use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, Challenge, Exhausted, Lane, ResendOutcome, TypedShape};
use otp_core::clock::Clock as _;
use otp_core::quota::{
    Backoff, Budget, BudgetRules, BudgetWindow, LocalQuotas, Quota, QuotaClaim, QuotaKey, Scope,
};
use otp_core::store::{
    BudgetStore as _, ChallengeStore as _, Granted, Plan, QuotaStore as _, Reject, Step, Target,
};
use otp_core::testing::store::kit;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::fixture::{Place, insert};

#[derive(Clone, Debug)]
enum Move {
    Attempt(Option<(u8, u8)>, &'static str, bool),
    Consume(Option<u8>, bool),
    Reject(Option<u8>),
    Resend(u32),
    Reissue(u8),
    Wait(u64),
    Unlock,
}

fn moves() -> impl Strategy<Value = Move> {
    let by = || proptest::option::of(0_u8..4);
    // Exactly where a window, a pause or a reply's minute ends.
    let edges = proptest::sample::select(vec![1_500_u64, 20_000, 60_000, 340_000, 400_000]);
    let typed = prop_oneof![8 => Just("123456"), 1 => Just("123 456"), 1 => Just("12345")];
    prop_oneof![
        6 => (proptest::option::of((0_u8..4, 0_u8..2)), typed, proptest::bool::weighted(0.95))
            .prop_map(|(id, typed, ours)| Move::Attempt(id, typed, ours)),
        1 => (by(), any::<bool>()).prop_map(|(by, current)| Move::Consume(by, current)),
        4 => by().prop_map(Move::Reject),
        2 => (1_u32..6).prop_map(Move::Resend),
        1 => (0_u8..9).prop_map(Move::Reissue),
        4 => prop_oneof![0_u64..2_000, 0_u64..200_000, edges].prop_map(Move::Wait),
        1 => Just(Move::Unlock),
    ]
}

fn rules() -> BudgetRules {
    let window = |public, known_device, seconds| BudgetWindow {
        public,
        known_device,
        window: Duration::from_secs(seconds),
    };
    BudgetRules {
        windows: vec![window(4, 2, 60), window(9, 3, 400)],
        backoff: Backoff {
            first: Duration::from_millis(1_500),
            cap: Duration::from_secs(20),
        },
        consecutive_limit: 25,
    }
}

/// What the pure functions say.
struct Model {
    challenge: Challenge,
    budget: Budget,
}

fn name(by: Option<u8>) -> Option<String> {
    by.map(|by| format!("try-{by}"))
}

async fn play(place: Place, lane: Lane, limit: u32, moves: Vec<Move>) {
    let store = place.open().await;
    let now = place.clock.now();
    let challenge = Challenge {
        lane,
        attempt_limit: limit,
        ..kit::challenge("ann", now)
    };
    insert(&store, &challenge).await.expect("room");
    let (key, rules) = (kit::budget_key(&challenge), rules());
    let budget = Budget::default();
    let mut model = Model { challenge, budget };
    for step in moves {
        let now = place.clock.now();
        let id = model.challenge.id;
        match &step {
            Move::Wait(by) => place.clock.advance(Duration::from_millis(*by)),
            Move::Attempt(by, typed, ours) => {
                let mut claim = kit::attempt_claim();
                claim.shape = TypedShape::of(typed).expect("a shape");
                if !ours {
                    claim.tenant = kit::tenant("stranger");
                }
                claim.id = by.map(|(id, code)| {
                    (
                        kit::attempt_id(&format!("try-{id}")),
                        vec![[9; 16], [code; 16]],
                    )
                });
                if let Some((_, prints)) = &mut claim.id {
                    prints.rotate_left(1);
                }
                let expected = model.challenge.judge_attempt(&claim, now);
                let mut refusal = None;
                if expected == AttemptOutcome::Reserved {
                    refusal = model
                        .budget
                        .reserve(&rules, model.challenge.lane, now)
                        .err();
                    if refusal.is_none() {
                        model.challenge.attempt(&claim, now);
                    }
                }
                let step = Step::Attempt {
                    target: Target::Id(id),
                    claim,
                    rules: rules.clone(),
                };
                let plan = kit::plan(otp_core::event::EventKind::ValidationAttempt, step);
                let admission = store.admit(&plan).await.expect("an answer");
                assert_eq!(admission.findings.budget, refusal);
                match (refusal, admission.granted) {
                    (Some(_), None) => {}
                    (None, Some(Granted::Attempt(outcome, _))) => assert_eq!(outcome, expected),
                    other => panic!("{other:?}"),
                }
            }
            Move::Consume(by, current) => {
                let by = name(*by);
                let mut consume = kit::consume(&model.challenge, by.as_deref());
                if !current {
                    consume.digest = "another".to_owned();
                }
                let expected = model
                    .challenge
                    .consume(&consume.digest, consume.by.as_ref(), now);
                if expected == otp_core::challenge::ConsumeOutcome::Won {
                    model.budget.succeed(model.challenge.lane);
                }
                assert_eq!(store.consume(consume).await.expect("an answer"), expected);
            }
            Move::Reject(by) => {
                let by = name(*by);
                let reject = Reject {
                    rules: rules.clone(),
                    ..kit::reject(&model.challenge, by.as_deref())
                };
                let by = by.as_deref().map(kit::attempt_id);
                if model.challenge.refuse(by.as_ref()) == Exhausted::Yes {
                    model.budget.strike(&rules, model.challenge.lane, now);
                }
                store.reject(reject).await.expect("an answer");
            }
            Move::Resend(most) => resend(&store, &mut model, *most, &rules, now).await,
            Move::Reissue(digest) => {
                let reissue = kit::reissue(&model.challenge, &format!("digest-{digest}"));
                model.challenge.digest.clone_from(&reissue.digest);
                store.reissue(reissue).await.expect("an answer");
            }
            Move::Unlock => {
                model.budget.unlock();
                let event = kit::event(otp_core::event::EventKind::OperatorAction);
                store.unlock(&key, event).await.expect("an answer");
            }
        }
        let found = store
            .find(&id)
            .await
            .expect("an answer")
            .expect("it is there");
        assert_eq!(shown(&found), shown(&model.challenge), "after {step:?}");
        let reading = store.budget(&key, &rules).await.expect("an answer");
        assert_eq!(reading.budget, model.budget, "after {step:?}");
    }
}

async fn resend(
    store: &otp_store::RedisStore,
    model: &mut Model,
    most: u32,
    rules: &BudgetRules,
    now: otp_core::clock::Timestamp,
) {
    let mut plan = kit::resend_plan(&model.challenge);
    let Step::Resend {
        claim,
        rules: asked,
        ..
    } = &mut plan.step
    else {
        panic!("a resend");
    };
    claim.send_limit = most;
    asked.clone_from(rules);
    let expected = model.challenge.judge_resend(claim, now);
    let mut refusal = None;
    if expected == ResendOutcome::Reserved {
        refusal = model.budget.look(rules, model.challenge.lane, now).err();
        if refusal.is_none() {
            model.challenge.resend(claim, now);
        }
    }
    let admission = store.admit(&plan).await.expect("an answer");
    assert_eq!(admission.findings.budget, refusal);
    match (refusal, admission.granted) {
        (Some(_), None) => {}
        (None, Some(Granted::Resend(outcome, _))) => assert_eq!(outcome, expected),
        other => panic!("{other:?}"),
    }
}

fn shown(challenge: &Challenge) -> String {
    let Challenge {
        attempts,
        wrong,
        sends,
        next_send_at,
        state,
        attempt_log,
        digest,
        ..
    } = challenge;
    format!("{attempts} {wrong} {sends} {next_send_at:?} {state:?} {attempt_log:?} {digest}")
}

fn claims() -> Vec<QuotaClaim> {
    let key = |name| QuotaKey::new(name, Scope::Address, "default", "192.0.2.7");
    let seconds = Duration::from_secs;
    vec![
        QuotaClaim::new(key("issue"), Quota::window(3, seconds(7)).expect("a quota")),
        QuotaClaim::new(
            key("verify"),
            Quota::window(6, seconds(60)).expect("a quota"),
        ),
        QuotaClaim::new(key("resend"), Quota::rate(4, seconds(13)).expect("a quota")),
        QuotaClaim::new(key("verify"), Quota::rate(7, seconds(60)).expect("a quota")),
    ]
}

async fn charge(place: Place, steps: Vec<(Vec<usize>, u64)>) {
    let (store, local, all) = (place.open().await, LocalQuotas::new(), claims());
    // Each key of its own, as every gate names them.
    let named = |at: usize| {
        let mut claim = all.get(at).cloned().expect("a claim");
        claim.key = QuotaKey::new(
            claim.key.action(),
            Scope::Address,
            "default",
            &at.to_string(),
        );
        claim
    };
    for (chosen, wait) in steps {
        let asked: Vec<QuotaClaim> = chosen.into_iter().map(named).collect();
        let now = place.clock.now().as_millis();
        let expected = match local.check_all(&asked, now) {
            Ok(readings) => readings,
            Err(refused) => refused.readings().to_vec(),
        };
        assert_eq!(store.check_all(&asked).await.expect("an answer"), expected);
        let plan = Plan {
            quotas: asked.clone(),
            ..kit::quota_plan(Vec::new())
        };
        let expected = match local.check_all(&asked, now) {
            Ok(readings) => readings,
            Err(refused) => refused.readings().to_vec(),
        };
        let admission = store.admit(&plan).await.expect("an answer");
        assert_eq!(admission.findings.quotas, expected);
        place.clock.advance(Duration::from_millis(wait));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "needs a Redis: set TEST_REDIS_URL"]
    fn the_scripts_decide_as_the_state_machine_and_the_budget_do(
        known: bool,
        limit in 1_u32..6,
        moves in proptest::collection::vec(moves(), 1..60),
    ) {
        let lane = if known { Lane::KnownDevice } else { Lane::Public };
        Runtime::new().expect("a runtime").block_on(play(Place::new(), lane, limit, moves));
    }

    #[test]
    #[ignore = "needs a Redis: set TEST_REDIS_URL"]
    fn the_scripts_count_as_windows_and_rates_do(
        steps in proptest::collection::vec(
            (proptest::sample::subsequence(vec![0_usize, 1, 2, 3], 0..=4), 0_u64..5_000), 1..60),
    ) {
        Runtime::new().expect("a runtime").block_on(charge(Place::new(), steps));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
    fn the_shelves_of_a_cluster_decide_as_the_state_machine_and_the_budget_do(
        known: bool,
        limit in 1_u32..6,
        moves in proptest::collection::vec(moves(), 1..60),
    ) {
        let lane = if known { Lane::KnownDevice } else { Lane::Public };
        let playing = play(Place::in_cluster(), lane, limit, moves);
        Runtime::new().expect("a runtime").block_on(playing);
    }

    #[test]
    #[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
    fn the_shelves_of_a_cluster_count_as_windows_and_rates_do(
        steps in proptest::collection::vec(
            (proptest::sample::subsequence(vec![0_usize, 1, 2, 3], 0..=4), 0_u64..5_000), 1..60),
    ) {
        Runtime::new().expect("a runtime").block_on(charge(Place::in_cluster(), steps));
    }
}
