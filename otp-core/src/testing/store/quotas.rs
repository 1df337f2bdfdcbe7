use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, count, outcome, race};
use super::{StoreFixture, kit};
use crate::challenge::AttemptOutcome;
use crate::quota::{QuotaClaim, QuotaKey, Scope};
use crate::store::{Granted, Plan, Target};

const HOUR: Duration = Duration::from_secs(3_600);
const ONE_MS: Duration = Duration::from_millis(1);

/// A quota admits exactly what it says, however many requests come at once.
pub async fn a_thousand_requests_at_once_are_admitted_up_to_the_quota(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    let quotas = vec![
        kit::window("+14155550123", 100, HOUR),
        kit::rate("192.0.2.7", 900, HOUR),
    ];
    let answers = race(RACERS, |_| {
        let plan = Plan {
            quotas: quotas.clone(),
            ..kit::issue_plan(&challenge)
        };
        let store = Arc::clone(&bench.store);
        async move { store.admit(&plan).await.expect("an answer") }
    })
    .await;
    let granted = count(&answers, |answer| {
        matches!(answer.granted, Some(Granted::Issue))
    });
    assert_eq!(
        granted, 100,
        "the window admits what it says, no request more or less"
    );
    let objected = count(&answers, |answer| answer.findings.objection().is_some());
    assert_eq!(
        objected,
        RACERS - 100,
        "nothing is granted against an objection"
    );
    for answer in &answers {
        assert_eq!(answer.findings.quotas.len(), 2, "one reading a claim");
    }
    let [_, rate] = &quotas[..] else {
        panic!("two quotas")
    };
    assert_eq!(
        bench.peek(rate).await.remaining(),
        800,
        "a refused request costs nothing"
    );
}

/// Several quotas are charged together or not at all, in whichever order they are named.
pub async fn several_quotas_are_charged_together_or_not_at_all(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let narrow = kit::window("narrow", 10, HOUR);
    let wide = kit::window("wide", 2_000, HOUR);
    let rate = kit::rate("rate", 2_000, HOUR);
    let answers = race(RACERS, |racer| {
        let mut claims = vec![narrow.clone(), wide.clone(), rate.clone()];
        if racer % 2 == 0 {
            claims.reverse();
        }
        let store = Arc::clone(&bench.store);
        async move { store.check_all(&claims).await.expect("an answer") }
    })
    .await;
    let admitted = count(&answers, |readings| {
        readings
            .iter()
            .all(|reading| reading.retry_after().is_none())
    });
    assert_eq!(admitted, 10);
    assert_eq!(bench.peek(&narrow).await.remaining(), 0);
    assert_eq!(
        bench.peek(&wide).await.remaining(),
        1_990,
        "a refusal is free elsewhere"
    );
    assert_eq!(bench.peek(&rate).await.remaining(), 1_990, "in rates too");
}

/// A window never holds more than it says, wherever it is laid; a hit leaves exactly a window
/// after it came.
pub async fn a_window_is_exact_wherever_it_is_laid(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let claim = kit::window("exact", 5, HOUR);
    let (mut hits, mut step) = (Vec::new(), 7_u64);
    for _ in 0..150 {
        let now = bench.now().await;
        let since = now.saturating_sub(HOUR);
        let inside = count(&hits, |hit| *hit > since);
        let reading = one(&bench, &claim).await;
        assert_eq!(
            reading.retry_after().is_none(),
            inside < 5,
            "after {inside} hits in the hour"
        );
        if reading.retry_after().is_none() {
            hits.push(now);
        }
        // Steps of 0 to 12 minutes, some of which end exactly where an hour does.
        step = step * 31 % 13;
        bench.advance(Duration::from_secs(step * 60));
    }
    assert!(hits.len() > 20, "the hour came and went");
}

/// A window's reading says what is left, when all is there again, and when to come back, to the
/// millisecond.
pub async fn a_windows_reading_is_exact(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let claim = kit::window("reading", 2, HOUR);
    let first = one(&bench, &claim).await;
    assert_eq!(
        (first.remaining(), first.reset_after(), first.retry_after()),
        (1, HOUR, None)
    );
    assert_eq!((first.limit(), first.window()), (2, HOUR));
    assert_eq!(first.scope(), Scope::Destination);
    bench.advance(Duration::from_secs(600));
    one(&bench, &claim).await;
    bench.advance(ONE_MS);
    let refused = one(&bench, &claim).await;
    assert_eq!(refused.remaining(), 0);
    assert_eq!(
        refused.reset_after(),
        HOUR - ONE_MS,
        "when the newest hit has left"
    );
    let retry = Duration::from_secs(3_000) - ONE_MS;
    assert_eq!(
        refused.retry_after(),
        Some(retry),
        "when the oldest hit has left"
    );
    bench.advance(retry - ONE_MS);
    assert!(
        one(&bench, &claim).await.retry_after().is_some(),
        "not a millisecond early"
    );
    bench.advance(ONE_MS);
    assert_eq!(
        one(&bench, &claim).await.retry_after(),
        None,
        "and not one late"
    );
}

/// Reading a quota charges nothing.
pub async fn a_peek_charges_nothing(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for claim in [kit::window("peek", 1, HOUR), kit::rate("peek", 1, HOUR)] {
        for _ in 0..3 {
            let reading = bench.peek(&claim).await;
            assert_eq!((reading.remaining(), reading.retry_after()), (1, None));
        }
        assert_eq!(one(&bench, &claim).await.retry_after(), None);
        assert!(bench.peek(&claim).await.retry_after().is_some());
    }
}

/// A quota that was cleared is as one that was never charged; others stay as they are.
pub async fn a_cleared_quota_is_whole_again(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let cleared = [
        kit::window("cleared", 1, HOUR),
        kit::rate("cleared", 1, HOUR),
    ];
    let kept = kit::window("kept", 1, HOUR);
    bench.charge(&cleared).await;
    one(&bench, &kept).await;
    let keys: Vec<QuotaKey> = cleared.iter().map(|claim| claim.key.clone()).collect();
    bench.store.clear(&keys).await.expect("an answer");
    for claim in &cleared {
        assert_eq!(bench.peek(claim).await.remaining(), 1);
    }
    assert_eq!(
        bench.peek(&kept).await.remaining(),
        0,
        "what was not named stays"
    );
}

/// A changed limit holds at once, and what was counted before counts against it.
pub async fn a_changed_window_holds_at_once(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for _ in 0..4 {
        one(&bench, &kit::window("changed", 5, HOUR)).await;
        bench.advance(Duration::from_secs(60));
    }
    let lowered = one(&bench, &kit::window("changed", 2, HOUR)).await;
    let retry = HOUR - Duration::from_secs(120);
    assert_eq!(
        lowered.retry_after(),
        Some(retry),
        "when the last but one of the newest has left"
    );
    let raised = kit::window("changed", 6, HOUR);
    assert_eq!(
        one(&bench, &raised).await.remaining(),
        1,
        "four were counted, one is new"
    );
    assert_eq!(one(&bench, &raised).await.remaining(), 0);
    assert!(one(&bench, &raised).await.retry_after().is_some());
}

/// What an admitted plan read is the state after its charge; what a refused one read is the state
/// that it left alone.
pub async fn a_plans_readings_are_those_of_what_it_did(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let claims = vec![kit::window("open", 3, HOUR), kit::window("narrow", 1, HOUR)];
    let remaining = async || {
        let admission = bench.admit(kit::quota_plan(claims.clone())).await;
        let readings = &admission.findings.quotas;
        let remaining: Vec<u32> = readings.iter().map(|reading| reading.remaining()).collect();
        (admission.granted.is_some(), remaining)
    };
    assert_eq!(remaining().await, (true, vec![2, 0]));
    assert_eq!(remaining().await, (false, vec![2, 0]));
    assert_eq!(
        remaining().await,
        (false, vec![2, 0]),
        "refusals leave no trace"
    );
}

/// A try that is not taken costs its quotas all the same: nobody probes ids or shapes for free.
pub async fn a_try_that_is_not_taken_costs_its_quota(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.win(&challenge).await;
    let never = kit::challenge("nobody", challenge.created_at);
    let quota = kit::window("probes", 2, HOUR);
    for target in [Target::Id(challenge.id), Target::Id(never.id)] {
        let plan = Plan {
            quotas: vec![quota.clone()],
            ..kit::attempt_plan(target, kit::attempt_claim())
        };
        let outcome = outcome(bench.admit(plan).await);
        assert!(matches!(outcome, AttemptOutcome::Refused(_)));
    }
    assert_eq!(
        bench.peek(&quota).await.remaining(),
        0,
        "each probe is charged"
    );
}

/// Keys that differ in any part are apart, whatever characters they are made of.
pub async fn hostile_quota_keys_are_inert_and_apart(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let quota = kit::window("any", 1, HOUR).quota;
    let parts = [
        ("a:b", "c"),
        ("a", "b:c"),
        ("{a}", "b"),
        ("'; --", "\0"),
        ("%", "_"),
        ("A", "c"),
    ];
    for (tenant, value) in parts {
        let key = QuotaKey::new("suite", Scope::Subject, tenant, value);
        let claim = QuotaClaim::new(key, quota);
        assert_eq!(
            one(&bench, &claim).await.retry_after(),
            None,
            "{tenant:?} and {value:?}"
        );
        assert!(one(&bench, &claim).await.retry_after().is_some());
    }
}

/// No claim at all is admitted and costs nothing.
pub async fn no_claim_is_no_refusal(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    assert!(bench.charge(&[]).await.is_empty());
    let admission = bench.admit(kit::quota_plan(Vec::new())).await;
    assert!(matches!(admission.granted, Some(Granted::Nothing)));
}

async fn one(bench: &Bench<'_>, claim: &QuotaClaim) -> crate::quota::QuotaReading {
    let readings = bench.charge(std::slice::from_ref(claim)).await;
    readings.first().copied().expect("one reading a claim")
}
