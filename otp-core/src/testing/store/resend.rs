use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, count, race};
use super::{StoreFixture, kit};
use crate::challenge::{
    Challenge, ChallengeState, ConsumeOutcome, Refusal, ResendClaim, ResendOutcome,
};
use crate::destination::Channel;
use crate::quota::{BudgetRefusal, QuotaClaim, QuotaKey, Scope};
use crate::request::SessionBinding;
use crate::store::{Admission, Granted, Plan, Reissue, Step};

const ONE_MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// Of a thousand resends at once, one is sent.
pub async fn one_of_a_thousand_resends_is_sent(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.advance(kit::COOLDOWN);
    let answers = race(RACERS, |_| {
        let plan = kit::resend_plan(&challenge);
        let store = Arc::clone(&bench.store);
        async move { resent(store.admit(&plan).await.expect("an answer")).0 }
    })
    .await;
    let reserved = count(&answers, |answer| *answer == ResendOutcome::Reserved);
    assert_eq!(reserved, 1, "exactly one send is reserved");
    let wait = ResendOutcome::Wait(Duration::from_secs(120));
    assert_eq!(count(&answers, |answer| *answer == wait), RACERS - 1);
    assert_eq!(bench.find(&challenge).await.sends, 2);
}

/// Resends wait longer each time, to the millisecond, and end with the limit.
pub async fn resends_wait_longer_each_time_and_end(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let expires_at = bench.now().await.saturating_add(Duration::from_secs(3_600));
    let change = |challenge| Challenge {
        expires_at,
        ..challenge
    };
    let challenge = bench.issue_as("ann", change).await;
    for (sends, wait) in [(2, 60), (3, 120), (4, 240)] {
        bench.advance(Duration::from_secs(wait) - ONE_MS);
        assert_eq!(
            resend(&bench, &challenge).await,
            ResendOutcome::Wait(ONE_MS)
        );
        bench.advance(ONE_MS);
        assert_eq!(resend(&bench, &challenge).await, ResendOutcome::Reserved);
        assert_eq!(
            bench.find(&challenge).await.sends,
            sends,
            "a send is counted when reserved"
        );
    }
    bench.advance(Duration::from_secs(600));
    assert_eq!(resend(&bench, &challenge).await, ResendOutcome::NoneLeft);
}

/// A resend gives a fresh code and nothing else: guesses, end and budget stay as they are.
pub async fn a_resend_prolongs_and_refills_nothing(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    for _ in 0..4 {
        bench.guess_wrong(&challenge).await;
    }
    bench.advance(kit::COOLDOWN);
    assert_eq!(resend(&bench, &challenge).await, ResendOutcome::Reserved);
    bench.reissue(&challenge, "second").await;
    let resent = bench.find(&challenge).await;
    assert_eq!(
        (resent.attempts, resent.wrong),
        (4, 4),
        "guesses stay spent"
    );
    assert_eq!(
        resent.expires_at, challenge.expires_at,
        "the end stays where it was"
    );
    bench.guess_wrong(&challenge).await;
    let state = bench.find(&challenge).await.state;
    assert_eq!(
        state,
        ChallengeState::Exhausted,
        "four before and one after are five"
    );
}

/// A reissue replaces channel, key, digest and kept code, all in one step.
pub async fn a_reissue_replaces_the_code_and_what_belongs_to_it(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    let reissue = Reissue {
        channel: Channel::Voice,
        key_id: kit::key_id("2026-12"),
        sealed_code: Some(kit::sealed(9)),
        ..kit::reissue(&challenge, "second")
    };
    bench.store.reissue(reissue).await.expect("an answer");
    let found = bench.find(&challenge).await;
    assert_eq!(found.channel, Channel::Voice);
    assert_eq!(found.key_id, kit::key_id("2026-12"));
    assert_eq!(found.digest, "second");
    assert_eq!(found.sealed_code, Some(kit::sealed(9)));
    bench.reissue(&challenge, "third").await;
    assert_eq!(
        bench.find(&challenge).await.sealed_code,
        None,
        "an older code is not kept"
    );
}

/// What has ended takes no resend, and a reissue that comes too late does not revive it.
pub async fn an_ended_challenge_is_neither_resent_nor_revived(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let won = bench.issue("won").await;
    bench.win(&won).await;
    let older = bench.issue("ann").await;
    let expired = bench.issue("ann").await;
    bench.advance(kit::LIFE);
    for (challenge, refusal) in [
        (&won, Refusal::Consumed),
        (&older, Refusal::Superseded),
        (&expired, Refusal::Expired),
    ] {
        let outcome = resend(&bench, challenge).await;
        assert_eq!(outcome, ResendOutcome::Refused(refusal));
        bench.reissue(challenge, "late").await;
        let late = kit::consume(&bench.find(challenge).await, None);
        assert_eq!(
            bench.consume(late).await,
            ConsumeOutcome::Lost(refusal),
            "it stays ended"
        );
    }
}

/// A challenge without a guess left is not resent: its code could not be tried.
pub async fn a_challenge_without_guesses_is_not_resent(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let spent = bench.issue("ann").await;
    for _ in 0..5 {
        bench.attempt(&spent).await;
    }
    bench.advance(kit::COOLDOWN);
    let outcome = resend(&bench, &spent).await;
    assert_eq!(outcome, ResendOutcome::Refused(Refusal::Exhausted));
    assert_eq!(bench.find(&spent).await.sends, 1);
}

/// A stranger to tenant or browser gets no resend, and takes none away.
pub async fn a_stranger_takes_no_send_away(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let binding = Some(SessionBinding::of(b"cookie"));
    let change = |challenge| Challenge {
        binding: binding.clone(),
        ..challenge
    };
    let challenge = bench.issue_as("ann", change).await;
    bench.advance(kit::COOLDOWN);
    for (stranger, refusal) in [
        (
            Challenge {
                tenant: kit::tenant("other"),
                ..challenge.clone()
            },
            Refusal::Unknown,
        ),
        (
            Challenge {
                binding: None,
                ..challenge.clone()
            },
            Refusal::WrongBinding,
        ),
        (kit::challenge("ann", bench.now().await), Refusal::Unknown),
    ] {
        let outcome = resend(&bench, &stranger).await;
        assert_eq!(outcome, ResendOutcome::Refused(refusal));
    }
    assert_eq!(bench.find(&challenge).await.sends, 1);
    assert_eq!(resend(&bench, &challenge).await, ResendOutcome::Reserved);
}

/// A resend of a locked subject is refused, and reserves nothing.
pub async fn a_locked_lane_is_not_resent(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let spent = bench.issue("ann").await;
    bench.advance(kit::COOLDOWN);
    let change = |challenge| Challenge {
        purpose: kit::purpose("other"),
        next_send_at: spent.created_at,
        ..challenge
    };
    let waiting = bench.issue_as("ann", change).await;
    bench.exhaust(&spent).await;
    let admission = bench.admit(kit::resend_plan(&waiting)).await;
    assert!(admission.granted.is_none(), "a paused lane sends nothing");
    let locked = matches!(
        admission.findings.budget,
        Some(BudgetRefusal::Locked { .. })
    );
    assert!(locked, "the pause is what is found");
    assert_eq!(bench.find(&waiting).await.sends, 1);
}

/// The limit of sends is the claim's: a policy that allows fewer holds at once.
pub async fn a_lowered_limit_of_sends_holds_at_once(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.advance(kit::COOLDOWN);
    let mut plan: Plan = kit::resend_plan(&challenge);
    if let Step::Resend { claim, .. } = &mut plan.step {
        *claim = ResendClaim {
            send_limit: 1,
            ..claim.clone()
        };
    }
    assert_eq!(resent(bench.admit(plan).await).0, ResendOutcome::NoneLeft);
}

async fn resend(bench: &Bench<'_>, challenge: &Challenge) -> ResendOutcome {
    let (outcome, shown) = resent(bench.admit(kit::resend_plan(challenge)).await);
    if let Some(shown) = shown {
        let kept = bench.find(&shown).await;
        assert_eq!(
            shown.sends, kept.sends,
            "the answer shows the challenge as it is now"
        );
        assert_eq!(shown.next_send_at, kept.next_send_at);
    }
    outcome
}

fn resent(admission: Admission) -> (ResendOutcome, Option<Challenge>) {
    match admission.granted {
        Some(Granted::Resend(outcome, challenge)) => (outcome, Some(*challenge)),
        Some(Granted::NoChallenge(refusal)) => (ResendOutcome::Refused(refusal), None),
        other => panic!("a resend is answered as one, not by {other:?}"),
    }
}

/// A resend that is not taken spends nothing of the subject's or the destination's, only of
/// whoever asked: else a stranger could spend the owner's messages by asking too early.
pub async fn an_early_resend_is_charged_to_whoever_asks(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    let destination = kit::window("ann's phone", 3, HOUR);
    let address = QuotaClaim::new(
        QuotaKey::new("resend", Scope::Address, "default", "192.0.2.7"),
        destination.quota,
    );
    let plan = || Plan {
        quotas: vec![address.clone(), destination.clone()],
        ..kit::resend_plan(&challenge)
    };
    for _ in 0..3 {
        let granted = bench.admit(plan()).await.granted;
        let early = matches!(granted, Some(Granted::Resend(ResendOutcome::Wait(_), _)));
        assert!(early, "too early is what it is: {granted:?}");
    }
    let claims = [address.clone(), destination.clone()];
    let readings = bench.store.peek(&claims).await.expect("an answer");
    let left: Vec<u32> = readings.iter().map(|reading| reading.remaining()).collect();
    assert_eq!(left, [0, 3], "the address paid, the destination did not");
    let limited = bench.admit(plan()).await;
    assert!(limited.granted.is_none(), "and the address is limited");
}
