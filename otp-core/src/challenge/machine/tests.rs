use proptest::prelude::*;

use super::*;
use crate::challenge::{ChallengeId, CodeFormat, Lane};
use crate::key::KeyId;
use crate::random::OsRandom;
use crate::request::{FactorClass, SubjectId, SubjectKey};

const T0: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn at(seconds: u64) -> Timestamp {
    T0.saturating_add(Duration::from_secs(seconds))
}

fn challenge() -> Challenge {
    let subject = SubjectKey::of_subject(&SubjectId::new("user-1").expect("an id"));
    Challenge {
        id: ChallengeId::generate(&OsRandom, &subject).expect("randomness"),
        tenant: Tenant::default(),
        subject,
        purpose: Purpose::LOGIN,
        channel: Channel::Sms,
        lane: Lane::Public,
        class: FactorClass::OutOfBand,
        format: CodeFormat::SIX_DIGITS,
        destination: None,
        destination_key: SubjectKey::of_claim("user-1"),
        destination_masked: String::new(),
        digest: "d1".to_owned(),
        sealed_code: None,
        key_id: KeyId::new("k1").expect("an id"),
        address: None,
        binding: None,
        created_at: T0,
        expires_at: at(300),
        attempts: 0,
        wrong: 0,
        attempt_limit: 5,
        sends: 1,
        next_send_at: at(60),
        state: ChallengeState::Live,
        attempt_log: Vec::new(),
    }
}

fn claim() -> AttemptClaim {
    AttemptClaim {
        tenant: Tenant::default(),
        purpose: None,
        binding: None,
        shape: TypedShape::of("123456").expect("a shape"),
        id: None,
    }
}

fn named(id: &str, fingerprint: u8) -> AttemptClaim {
    AttemptClaim {
        id: Some((AttemptId::new(id).expect("an id"), vec![[fingerprint; 16]])),
        ..claim()
    }
}

fn resend_claim() -> ResendClaim {
    ResendClaim {
        tenant: Tenant::default(),
        binding: None,
        send_limit: 4,
        cooldowns: [60, 120, 240].map(Duration::from_secs).to_vec(),
    }
}

#[test]
fn five_tries_are_taken_and_the_sixth_is_not() {
    let mut c = challenge();
    for _ in 0..5 {
        assert_eq!(c.attempt(&claim(), T0), AttemptOutcome::Reserved);
    }
    let sixth = c.attempt(&claim(), T0);
    assert_eq!(sixth, AttemptOutcome::Refused(Refusal::Exhausted));
    assert_eq!(c.attempts, 5);
}

#[test]
fn the_code_lives_to_the_last_millisecond_and_not_one_longer() {
    let mut c = challenge();
    let last = Timestamp::from_millis(at(300).as_millis() - 1);
    assert_eq!(c.attempt(&claim(), last), AttemptOutcome::Reserved);
    let over = c.attempt(&claim(), at(300));
    assert_eq!(over, AttemptOutcome::Refused(Refusal::Expired));
    assert_eq!(
        c.consume("d1", None, at(300)),
        ConsumeOutcome::Lost(Refusal::Expired)
    );
    assert_eq!(c.consume("d1", None, last), ConsumeOutcome::Won);
}

#[test]
fn only_one_consumer_wins_and_only_its_own_repeat_hears_so() {
    let mut c = challenge();
    let id = AttemptId::new("a").expect("an id");
    let other = AttemptId::new("b").expect("an id");
    assert_eq!(c.attempt(&named("a", 1), T0), AttemptOutcome::Reserved);
    assert_eq!(c.consume("d1", Some(&id), T0), ConsumeOutcome::Won);
    assert_eq!(c.consume("d1", Some(&id), T0), ConsumeOutcome::WonBefore);
    for loser in [Some(&other), None] {
        assert_eq!(
            c.consume("d1", loser, T0),
            ConsumeOutcome::Lost(Refusal::Consumed)
        );
    }
    let replay = c.attempt(&named("a", 1), at(60));
    assert_eq!(replay, AttemptOutcome::Replayed(RecordedAnswer::Right));
    let late = c.attempt(&named("a", 1), at(61));
    assert_eq!(late, AttemptOutcome::Refused(Refusal::Consumed));
}

#[test]
fn a_repeated_try_is_counted_once_and_cannot_change_its_code() {
    let mut c = challenge();
    assert_eq!(c.attempt(&named("a", 1), T0), AttemptOutcome::Reserved);
    assert_eq!(c.attempt(&named("a", 1), T0), AttemptOutcome::Resumed);
    let changed = c.attempt(&named("a", 2), T0);
    assert_eq!(changed, AttemptOutcome::Refused(Refusal::AttemptReused));
    let id = AttemptId::new("a").expect("an id");
    assert_eq!(c.refuse(Some(&id)), Exhausted::No);
    assert_eq!(c.refuse(Some(&id)), Exhausted::No);
    assert_eq!((c.attempts, c.wrong), (1, 1));
    let replay = c.attempt(&named("a", 1), T0);
    assert_eq!(replay, AttemptOutcome::Replayed(RecordedAnswer::Wrong));
}

#[test]
fn a_stranger_to_tenant_purpose_or_browser_and_a_slip_of_the_finger_spend_nothing() {
    let mut c = challenge();
    c.binding = Some(SessionBinding::of(b"cookie"));
    let owner = AttemptClaim {
        binding: Some(SessionBinding::of(b"cookie")),
        ..claim()
    };
    let strangers = [
        AttemptClaim {
            tenant: Tenant::new("other").expect("a tenant"),
            ..owner.clone()
        },
        AttemptClaim {
            purpose: Some(Purpose::RECOVERY),
            ..owner.clone()
        },
        AttemptClaim {
            binding: None,
            ..owner.clone()
        },
        AttemptClaim {
            shape: TypedShape::of("1234567").expect("a shape"),
            ..owner.clone()
        },
        AttemptClaim {
            shape: TypedShape::of("12345A").expect("a shape"),
            ..owner.clone()
        },
        AttemptClaim {
            binding: Some(SessionBinding::of(b"else")),
            ..owner.clone()
        },
    ];
    for stranger in strangers {
        assert!(matches!(
            c.attempt(&stranger, T0),
            AttemptOutcome::Refused(_)
        ));
    }
    assert_eq!(c.attempts, 0);
    assert_eq!(c.attempt(&owner, T0), AttemptOutcome::Reserved);
}

#[test]
fn a_code_that_a_resend_replaced_is_refused_even_after_it_was_compared() {
    let mut c = challenge();
    assert_eq!(c.attempt(&claim(), T0), AttemptOutcome::Reserved);
    assert_eq!(c.resend(&resend_claim(), at(60)), ResendOutcome::Reserved);
    c.replace_code(
        Channel::Sms,
        KeyId::new("k1").expect("an id"),
        "d2".to_owned(),
        None,
    );
    assert_eq!(
        c.consume("d1", None, at(61)),
        ConsumeOutcome::Lost(Refusal::Superseded)
    );
    assert_eq!(c.consume("d2", None, at(61)), ConsumeOutcome::Won);
}

#[test]
fn a_resend_waits_longer_each_time_and_refills_nothing() {
    let mut c = challenge();
    c.expires_at = at(3_600);
    for _ in 0..4 {
        c.attempt(&claim(), T0);
    }
    let mut now = 0;
    for wait in [60, 120, 240] {
        let early = c.resend(&resend_claim(), at(now + wait - 1));
        assert_eq!(early, ResendOutcome::Wait(Duration::from_secs(1)));
        now += wait;
        assert_eq!(c.resend(&resend_claim(), at(now)), ResendOutcome::Reserved);
    }
    assert_eq!(
        c.resend(&resend_claim(), at(3_000)),
        ResendOutcome::NoneLeft
    );
    assert_eq!(c.attempts, 4);
    assert_eq!(c.expires_at, at(3_600));
}

#[test]
fn the_fifth_wrong_try_uses_the_challenge_up_and_it_is_not_resent() {
    let mut c = challenge();
    for wrong in 1..=5 {
        c.attempt(&claim(), T0);
        let expected = if wrong == 5 {
            Exhausted::Yes
        } else {
            Exhausted::No
        };
        assert_eq!(c.refuse(None), expected);
    }
    assert_eq!(c.state, ChallengeState::Exhausted);
    let resend = c.resend(&resend_claim(), at(60));
    assert_eq!(resend, ResendOutcome::Refused(Refusal::Exhausted));
}

#[derive(Clone, Debug)]
enum Step {
    Attempt,
    Wrong,
    Consume,
    Resend,
    End(ChallengeState),
    Walk(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        Just(Step::Attempt),
        Just(Step::Wrong),
        Just(Step::Consume),
        Just(Step::Resend),
        Just(Step::End(ChallengeState::Revoked)),
        Just(Step::End(ChallengeState::Superseded)),
        (-400_000_i64..400_000).prop_map(Step::Walk),
    ];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn no_sequence_wins_twice_revives_or_refills(steps in steps()) {
        let mut c = challenge();
        let (mut now, mut wins, mut closed) = (T0, 0, false);
        for step in steps {
            let before = (c.attempts, c.expires_at);
            match step {
                Step::Attempt => { c.attempt(&claim(), now); }
                Step::Wrong => { c.refuse(None); }
                Step::Consume => {
                    if c.consume("d1", None, now) == ConsumeOutcome::Won {
                        prop_assert!(!closed && now < c.expires_at);
                        wins += 1;
                    }
                }
                Step::Resend => { c.resend(&resend_claim(), now); }
                Step::End(state) => { c.end(state, now); }
                Step::Walk(by) => now = Timestamp::from_millis(now.as_millis() + by),
            }
            prop_assert!(c.attempts >= before.0 && c.attempts <= c.attempt_limit);
            prop_assert_eq!(c.expires_at, before.1);
            prop_assert!(!closed || c.state != ChallengeState::Live);
            closed |= c.state != ChallengeState::Live;
            prop_assert!(wins <= 1 && c.sends <= 4);
        }
    }
}
