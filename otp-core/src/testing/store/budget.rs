use std::time::Duration;

use super::bench::Bench;
use super::{StoreFixture, kit};
use crate::challenge::{AttemptOutcome, Challenge, ConsumeOutcome, Lane};
use crate::clock::Timestamp;
use crate::event::EventKind;
use crate::quota::{Budget, BudgetRefusal};
use crate::request::{FactorClass, Purpose};
use crate::store::{ChallengeQuery, Target};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);
const ONE_MS: Duration = Duration::from_millis(1);

/// A budget that nobody used is empty and open.
pub async fn an_unused_budget_is_empty(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let never = kit::challenge("ann", bench.now().await);
    let reading = bench.budget(&never).await;
    assert_eq!(reading.budget, Budget::default());
    assert_eq!((reading.public, reading.known_device), (None, None));
}

/// Guesses that were reserved elsewhere count against the lane, the run of failures and the day
/// from now on, with their record, and may be more than the lane had left.
pub async fn guesses_that_are_carried_over_count_as_made_now(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let now = bench.now().await;
    let challenge = kit::challenge("ann", now);
    let key = kit::budget_key(&challenge);
    let event = kit::event(EventKind::GuessesCarriedOver);
    let carried = bench
        .store
        .carry_over(&key, Lane::Public, 17, event.clone());
    carried.await.expect("an answer");
    let reading = bench.budget(&challenge).await;
    assert_eq!(reading.budget.guesses, vec![(now, Lane::Public); 17]);
    assert_eq!(reading.budget.consecutive, 17);
    let until = now.saturating_add(DAY);
    assert_eq!(reading.public, Some(BudgetRefusal::Locked { until }));
    assert_eq!(reading.known_device, None, "the other lane has its own");
    assert_eq!(bench.events().await, [event.at(now)]);
}

/// No day has more guesses than its share, wherever the day begins: each guess comes back by
/// itself, exactly a day after it was made.
pub async fn the_day_of_a_budget_rolls(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let start = bench.now().await;
    spend(&bench, 16, MINUTE).await;
    let first_frees = start.saturating_add(DAY);
    assert_eq!(
        locked(&bench).await,
        Some(first_frees),
        "the oldest guess comes back first"
    );
    let waited = bench.now().await.since(start);
    bench.advance(DAY - waited - ONE_MS);
    assert_eq!(
        locked(&bench).await,
        Some(first_frees),
        "and not a millisecond early"
    );
    bench.advance(ONE_MS);
    assert_eq!(
        locked(&bench).await,
        None,
        "a day later there is room for one"
    );
    spend(&bench, 1, Duration::ZERO).await;
    let next_frees = first_frees.saturating_add(MINUTE);
    assert_eq!(locked(&bench).await, Some(next_frees), "and for one only");
}

/// No thirty days have more guesses than their share, however they are spread over the days.
pub async fn the_month_of_a_budget_rolls(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let start = bench.now().await;
    for _ in 0..3 {
        spend(&bench, 16, Duration::ZERO).await;
        bench.advance(DAY);
    }
    let frees = start.saturating_add(MONTH);
    assert_eq!(
        locked(&bench).await,
        Some(frees),
        "48 guesses are a month's public share"
    );
    bench.advance(MONTH - 3 * DAY - ONE_MS);
    assert_eq!(locked(&bench).await, Some(frees));
    bench.advance(ONE_MS);
    assert_eq!(locked(&bench).await, None);
}

/// A success gives back its own guess and ends the run of failures. What was guessed before stays
/// counted: an attacker cannot wait for the owner to sign in.
pub async fn a_success_gives_back_only_its_own_guess(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    for _ in 0..3 {
        bench.guess_wrong(&challenge).await;
    }
    bench.advance(MINUTE);
    let before = bench.budget(&challenge).await.budget.guesses;
    bench.win(&challenge).await;
    let after = bench.budget(&challenge).await.budget;
    assert_eq!(after.guesses, before, "a success refills no window");
    assert_eq!(after.consecutive, 0, "and ends the run of failures");
}

/// A success that was heard twice gave back one guess.
pub async fn a_repeated_success_gives_back_one_guess(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.guess_wrong(&challenge).await;
    bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    bench.consume(kit::consume(&challenge, Some("try"))).await;
    let again = bench.consume(kit::consume(&challenge, Some("try"))).await;
    assert_eq!(again, ConsumeOutcome::WonBefore);
    bench.consume(kit::consume(&challenge, None)).await;
    assert_eq!(
        bench.guesses(&challenge).await,
        1,
        "neither a repeat nor a loser refills"
    );
}

/// A new challenge brings no new guesses.
pub async fn a_new_challenge_refills_nothing(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    spend(&bench, 7, Duration::ZERO).await;
    let challenge = bench.issue("ann").await;
    assert_eq!(
        bench.guesses(&challenge).await,
        7,
        "a new challenge has no new budget"
    );
}

/// A resend brings no new guesses.
pub async fn a_resend_refills_nothing(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.guess_wrong(&challenge).await;
    bench.advance(kit::COOLDOWN);
    bench.admit(kit::resend_plan(&challenge)).await;
    bench.reissue(&challenge, "second").await;
    assert_eq!(
        bench.guesses(&challenge).await,
        1,
        "a resend has no new budget"
    );
    assert_eq!(bench.find(&challenge).await.attempts, 1);
}

/// Revoking a challenge brings no new guesses.
pub async fn a_revocation_refills_nothing(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.guess_wrong(&challenge).await;
    bench.revoke(ChallengeQuery::default()).await;
    assert_eq!(
        bench.guesses(&challenge).await,
        1,
        "a revocation has no new budget"
    );
}

/// Strangers who spend the public share leave the known devices' alone, and the other way round.
pub async fn each_lane_has_a_share_of_its_own(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    spend(&bench, 16, Duration::ZERO).await;
    let known = |challenge| Challenge {
        lane: Lane::KnownDevice,
        ..challenge
    };
    let own = bench.issue_as("ann", known).await;
    let reading = bench.budget(&own).await;
    assert!(reading.public.is_some(), "the public share is spent");
    assert_eq!(reading.known_device, None, "the known devices' is not");
    bench.win(&own).await;
    let reading = bench.budget(&own).await;
    assert!(
        reading.public.is_some(),
        "the owner's success opens no door to strangers"
    );
    assert_eq!(reading.budget.guesses.len(), 16);
    let own = bench.issue_as("ann", known).await;
    for _ in 0..4 {
        assert_eq!(bench.attempt(&own).await, AttemptOutcome::Reserved);
    }
    assert!(
        bench.budget(&own).await.known_device.is_some(),
        "four are a known device's day"
    );
}

/// Purposes and channels share one budget; tenants, subjects and classes do not.
pub async fn a_budget_is_one_a_tenant_subject_and_class(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.guess_wrong(&challenge).await;
    let same = [
        Challenge {
            purpose: Purpose::RECOVERY,
            ..challenge.clone()
        },
        Challenge {
            channel: crate::destination::Channel::Email,
            ..challenge.clone()
        },
    ];
    for same in same {
        assert_eq!(
            bench.guesses(&same).await,
            1,
            "one budget over purposes and channels"
        );
    }
    let others = [
        Challenge {
            tenant: kit::tenant("other"),
            ..challenge.clone()
        },
        Challenge {
            subject: kit::subject("bob"),
            ..challenge.clone()
        },
        Challenge {
            class: FactorClass::Totp,
            ..challenge.clone()
        },
    ];
    for other in others {
        assert_eq!(
            bench.guesses(&other).await,
            0,
            "nobody pays for another's guess"
        );
    }
}

/// Reserves public guesses of ann's, five a challenge, and waits after each.
async fn spend(bench: &Bench<'_>, guesses: usize, wait: Duration) {
    let mut challenge = bench.issue("ann").await;
    for guess in 0..guesses {
        if guess % 4 == 0 {
            challenge = bench.issue("ann").await;
        }
        let outcome = bench.attempt(&challenge).await;
        assert_eq!(outcome, AttemptOutcome::Reserved, "guess {guess} has room");
        bench.advance(wait);
    }
}

/// Says until when ann's public lane is locked, as her budget and an admission both have it.
async fn locked(bench: &Bench<'_>) -> Option<Timestamp> {
    let probe = bench.issue("ann").await;
    let plan = kit::attempt_plan(Target::Id(probe.id), kit::attempt_claim());
    let shown = until(bench.budget(&probe).await.public);
    if shown.is_some() {
        let admission = bench.admit(plan).await;
        assert!(admission.granted.is_none(), "a full window grants nothing");
        assert_eq!(until(admission.findings.budget), shown);
    }
    shown
}

fn until(refusal: Option<BudgetRefusal>) -> Option<Timestamp> {
    match refusal? {
        BudgetRefusal::Locked { until } => Some(until),
        BudgetRefusal::Disabled => panic!("nothing disabled this budget"),
    }
}
