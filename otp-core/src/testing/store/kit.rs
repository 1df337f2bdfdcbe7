//! Challenges, plans and events for the tests of a store.
//!
//! Fields are public, so a test writes down only what it is about:
//! `Challenge { lane: Lane::KnownDevice, ..kit::challenge("ann", now) }`.

use std::time::Duration;

use crate::challenge::{
    AttemptClaim, Challenge, ChallengeId, ChallengeState, CodeFormat, Lane, ResendClaim, TypedShape,
};
use crate::clock::Timestamp;
use crate::delivery::{DeliveryState, Locale, MessageId};
use crate::destination::Channel;
use crate::event::{Event, EventKind, Outcome};
use crate::key::{KeyId, Sealed};
use crate::quota::{Backoff, BudgetRules, BudgetWindow, Quota, QuotaClaim, QuotaKey, Scope};
use crate::random::OsRandom;
use crate::request::{AttemptId, FactorClass, Purpose, SubjectId, SubjectKey, Tenant};
use crate::store::{
    BudgetClaim, BudgetKey, Consume, IdempotencyClaim, IdempotencyKey, NewDelivery, Plan, Reissue,
    Reject, Settled, Step, Target,
};

/// How long a challenge of the kit lives.
pub const LIFE: Duration = Duration::from_secs(300);

/// How long a challenge of the kit waits before its first resend.
pub const COOLDOWN: Duration = Duration::from_secs(60);

/// Keys by a host's id.
#[must_use]
pub fn subject(id: &str) -> SubjectKey {
    SubjectKey::of_subject(&SubjectId::new(id).expect("a subject id"))
}

/// Names a tenant.
#[must_use]
pub fn tenant(name: &str) -> Tenant {
    Tenant::new(name).expect("a tenant")
}

/// Names a purpose.
#[must_use]
pub fn purpose(name: &str) -> Purpose {
    Purpose::new(name).expect("a purpose")
}

/// Names a try.
#[must_use]
pub fn attempt_id(id: &str) -> AttemptId {
    AttemptId::new(id).expect("an attempt id")
}

/// Names a key.
#[must_use]
pub fn key_id(id: &str) -> KeyId {
    KeyId::new(id).expect("a key id")
}

/// Makes a value in the form of a sealed one; it opens with no key.
#[must_use]
pub fn sealed(filling: u8) -> Sealed {
    let mut bytes = vec![1, 2, b'k', b'1'];
    bytes.extend([filling; 24 + 32]);
    Sealed::from_bytes(&bytes).expect("the form of a sealed value")
}

/// Makes a live challenge of the default tenant for logging in: five guesses, five minutes.
#[must_use]
pub fn challenge(id: &str, now: Timestamp) -> Challenge {
    let subject = subject(id);
    Challenge {
        id: ChallengeId::generate(&OsRandom, &subject).expect("randomness"),
        tenant: Tenant::default(),
        destination_key: subject.clone(),
        subject,
        purpose: Purpose::LOGIN,
        channel: Channel::Sms,
        lane: Lane::Public,
        class: FactorClass::OutOfBand,
        format: CodeFormat::SIX_DIGITS,
        destination: Some(sealed(7)),
        destination_masked: "+1415•••0123".to_owned(),
        digest: "$otp-hmac$v=1$keyid=k1$first".to_owned(),
        sealed_code: None,
        key_id: key_id("k1"),
        address: None,
        binding: None,
        created_at: now,
        expires_at: now.saturating_add(LIFE),
        attempts: 0,
        wrong: 0,
        attempt_limit: 5,
        sends: 1,
        next_send_at: now.saturating_add(COOLDOWN),
        state: ChallengeState::Live,
        attempt_log: Vec::new(),
    }
}

/// Starts an event of the default tenant.
#[must_use]
pub fn event(kind: EventKind) -> Event {
    Event::new(kind, &Tenant::default())
}

/// Makes rules that hardly limit: wide windows, the usual back-off, the usual hundred in a row.
#[must_use]
pub fn wide_rules() -> BudgetRules {
    let window = Duration::from_secs(86_400);
    BudgetRules {
        windows: vec![BudgetWindow {
            public: 9_000,
            known_device: 9_000,
            window,
        }],
        backoff: Backoff {
            first: Duration::from_secs(30),
            cap: Duration::from_secs(3_600),
        },
        consecutive_limit: 100,
    }
}

/// Names the budget that a challenge's guesses count in.
#[must_use]
pub fn budget_key(challenge: &Challenge) -> BudgetKey {
    BudgetKey {
        tenant: challenge.tenant.clone(),
        subject: challenge.subject.clone(),
        class: challenge.class,
    }
}

/// Makes the claim of a try at six digits of the default tenant.
#[must_use]
pub fn attempt_claim() -> AttemptClaim {
    AttemptClaim {
        tenant: Tenant::default(),
        purpose: None,
        binding: None,
        shape: TypedShape::of("123456").expect("a shape"),
        id: None,
    }
}

/// Makes the claim of a try with an id; equal fillings stand for equal codes.
#[must_use]
pub fn named_claim(id: &str, filling: u8) -> AttemptClaim {
    AttemptClaim {
        id: Some((attempt_id(id), vec![[filling; 16]])),
        ..attempt_claim()
    }
}

/// Plans a step without blocks and quotas.
#[must_use]
pub fn plan(kind: EventKind, step: Step) -> Plan {
    Plan {
        blocks: Vec::new(),
        quotas: Vec::new(),
        step,
        event: event(kind),
    }
}

/// Plans a try under the rules of codes that were sent.
#[must_use]
pub fn attempt_plan(target: Target, claim: AttemptClaim) -> Plan {
    let rules = BudgetRules::out_of_band();
    let step = Step::Attempt {
        target,
        claim,
        rules,
    };
    plan(EventKind::ValidationAttempt, step)
}

/// Plans to issue a challenge like this one.
#[must_use]
pub fn issue_plan(challenge: &Challenge) -> Plan {
    let rules = BudgetRules::out_of_band();
    let budget = BudgetClaim::new(budget_key(challenge), challenge.lane, rules);
    let step = Step::Issue {
        budget,
        idempotency: None,
    };
    plan(EventKind::ChallengeIssued, step)
}

/// Plans to issue a challenge under the host's key of the request; equal fillings stand for equal
/// requests.
#[must_use]
pub fn keyed_issue_plan(challenge: &Challenge, key: &str, filling: u8) -> Plan {
    let idempotency = IdempotencyClaim {
        key: idempotency_key(challenge, key),
        fingerprint: [filling; 32],
        challenge: challenge.id,
        life: LIFE,
        resend_after: COOLDOWN,
    };
    let rules = BudgetRules::out_of_band();
    let budget = BudgetClaim::new(budget_key(challenge), challenge.lane, rules);
    let step = Step::Issue {
        budget,
        idempotency: Some(idempotency),
    };
    plan(EventKind::ChallengeIssued, step)
}

/// Names a request of a challenge's tenant.
#[must_use]
pub fn idempotency_key(challenge: &Challenge, key: &str) -> IdempotencyKey {
    IdempotencyKey::new(&challenge.tenant, key).expect("an idempotency key")
}

/// Plans a resend: four sends, waits of 60, 120 and 240 seconds.
#[must_use]
pub fn resend_plan(challenge: &Challenge) -> Plan {
    let claim = ResendClaim {
        tenant: challenge.tenant.clone(),
        binding: challenge.binding.clone(),
        send_limit: 4,
        cooldowns: [60, 120, 240].map(Duration::from_secs).to_vec(),
    };
    let step = Step::Resend {
        challenge: challenge.id,
        claim,
        rules: BudgetRules::out_of_band(),
    };
    plan(EventKind::ChallengeResent, step)
}

/// Plans to charge quotas and nothing else.
#[must_use]
pub fn quota_plan(quotas: Vec<QuotaClaim>) -> Plan {
    Plan {
        quotas,
        ..plan(EventKind::RateLimitExceeded, Step::Nothing)
    }
}

/// Claims one hit of a window.
#[must_use]
pub fn window(value: &str, max: u32, length: Duration) -> QuotaClaim {
    let key = QuotaKey::new("suite-window", Scope::Destination, "default", value);
    QuotaClaim::new(key, Quota::window(max, length).expect("a quota"))
}

/// Claims one hit of a rate.
#[must_use]
pub fn rate(value: &str, burst: u32, per: Duration) -> QuotaClaim {
    let key = QuotaKey::new("suite-rate", Scope::Address, "default", value);
    QuotaClaim::new(key, Quota::rate(burst, per).expect("a quota"))
}

/// Takes the success of a challenge, for a code that was compared with the digest it has here.
#[must_use]
pub fn consume(challenge: &Challenge, by: Option<&str>) -> Consume {
    Consume {
        challenge: challenge.id,
        digest: challenge.digest.clone(),
        by: by.map(attempt_id),
        event: event(EventKind::ValidationAttempt).of_challenge(challenge),
    }
}

/// Records a wrong code.
#[must_use]
pub fn reject(challenge: &Challenge, by: Option<&str>) -> Reject {
    Reject {
        counted: Some((challenge.id, by.map(attempt_id))),
        rules: BudgetRules::out_of_band(),
        event: event(EventKind::ValidationAttempt)
            .of_challenge(challenge)
            .with_outcome(Outcome::Refused, "invalid_otp"),
    }
}

/// Puts a fresh digest into a challenge.
#[must_use]
pub fn reissue(challenge: &Challenge, digest: &str) -> Reissue {
    Reissue {
        challenge: challenge.id,
        channel: challenge.channel,
        key_id: challenge.key_id,
        digest: digest.to_owned(),
        sealed_code: None,
        delivery: None,
        event: event(EventKind::ChallengeResent).of_challenge(challenge),
    }
}

/// The provider that takes the kit's messages.
pub const PROVIDER: &str = "acme";

/// Intends to send the code of a challenge for the first time.
#[must_use]
pub fn delivery(challenge: &Challenge) -> NewDelivery {
    let id = MessageId::new(&format!("{}-1", challenge.id.fingerprint()));
    let masked = &challenge.destination_masked;
    NewDelivery::of(challenge, id, Locale::default(), masked)
}

/// Gives the provider's name of a message.
#[must_use]
pub fn reference(of: &NewDelivery) -> String {
    format!("ref-{}-x", of.id.as_str())
}

/// Says what came of sending a message: the provider accepted it, or it failed for its kind of
/// reason.
#[must_use]
pub fn settled(of: &NewDelivery, state: DeliveryState) -> Settled {
    let failure = state.failure().map(|kind| kind.name());
    let kind = match failure {
        None => EventKind::CodeSent,
        Some(_) => EventKind::CodeNotSent,
    };
    let event = event(kind).about(&of.subject).naming(&of.challenge);
    Settled {
        id: of.id.clone(),
        challenge: of.challenge,
        provider: Some(PROVIDER.to_owned()),
        reference: failure.is_none().then(|| reference(of)),
        state,
        reason: failure.map(str::to_owned),
        event: Some(match failure {
            None => event,
            Some(reason) => event.with_outcome(Outcome::Failed, reason),
        }),
    }
}
