use std::time::Duration;

use otp_core::clock::Clock as _;
use otp_core::event::EventId;
use otp_core::quota::{LocalQuotas, Quota, QuotaClaim, QuotaKey, QuotaReading, Scope, Shape, gcra};
use otp_core::store::{ChallengeStore as _, Plan, QuotaStore as _};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;
use proptest::prelude::*;

use crate::fixture::{Place, on_one_schema};

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

async fn charge(place: &Place, store: &PostgresStore, steps: Vec<(Vec<usize>, u64)>) {
    let (local, all, run) = (LocalQuotas::new(), claims(), EventId::next());
    // Each key of its own, as every gate names them.
    let named = |at: usize| {
        let mut claim = all.get(at).cloned().expect("a claim");
        claim.key = QuotaKey::new(
            claim.key.action(),
            Scope::Address,
            "default",
            &format!("{run}-{at}"),
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

#[test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
fn the_functions_count_as_windows_and_rates_do() {
    let chosen = proptest::sample::subsequence(vec![0_usize, 1, 2, 3], 0..=4);
    let steps = proptest::collection::vec((chosen, 0_u64..5_000), 1..60);
    on_one_schema(steps, async |place, store, steps| {
        charge(place, store, steps).await;
    });
}

#[test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
fn a_rate_that_is_changed_again_and_again_is_restated_as_it_should_be() {
    let quota = (1_u32..20, 1_u64..90).prop_map(|(burst, seconds)| {
        Quota::rate(burst, Duration::from_secs(seconds)).expect("a quota")
    });
    let steps = proptest::collection::vec((quota, 0_u64..20_000), 1..60);
    on_one_schema(steps, async |place, store, steps| {
        let (run, mut kept) = (EventId::next().to_string(), None);
        for (quota, wait) in steps {
            let Shape::Rate(rate) = quota.shape() else {
                panic!("a rate");
            };
            let key = QuotaKey::new("issue", Scope::Address, "default", &run);
            let claim = QuotaClaim::new(key, quota);
            let now = place.clock.now().as_millis() * 1_000;
            let tat = kept.map(|(before, tat)| {
                if before == rate {
                    return tat;
                }
                let (used, as_of) = gcra::used(before, tat, now);
                gcra::remembering(rate, used, as_of)
            });
            let level = match gcra::decide(rate, tat, now) {
                gcra::Decision::Refuse { level } => level,
                gcra::Decision::Admit { tat_us, level } => {
                    kept = Some((rate, tat_us));
                    level
                }
            };
            let expected = QuotaReading::new(&claim, level);
            let readings = store.check_all(&[claim]).await.expect("an answer");
            assert_eq!(readings, [expected]);
            place.clock.advance(Duration::from_millis(wait));
        }
    });
}
