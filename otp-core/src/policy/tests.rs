use std::time::Duration;

use super::*;
use crate::quota::{BudgetRules, BudgetWindow, Quota, Scope};

fn six_digits_everywhere(limits: Limits) -> Policy {
    Policy::new(limits)
        .with_purpose(Purpose::LOGIN, CodeFormat::SIX_DIGITS)
        .with_purpose(Purpose::RECOVERY, CodeFormat::SIX_DIGITS)
}

fn hourly() -> Quota {
    Quota::window(1, Duration::from_secs(3_600)).expect("a fine quota")
}

#[test]
fn the_recommended_policy_reaches_its_level_and_states_its_bound() {
    let policy = Policy::new(Limits::recommended());
    assert_eq!(policy.validate(), Ok(()));
    assert!((policy.yearly_guess_bound() - 7.8e-4).abs() < 1e-9);
}

#[test]
fn a_policy_that_misses_its_level_is_refused_and_told_by_how_much() {
    let limits = Limits::recommended().with_level(Level::High);
    let error = six_digits_everywhere(limits)
        .validate()
        .expect_err("too weak");
    assert_eq!(
        error.to_string(),
        "guessing succeeds with probability 7.8e-4 a year, 7.8 times what level high allows \
         (1e-4): use longer codes or a smaller budget"
    );
}

#[test]
fn a_budget_without_a_month_misses_standard() {
    let budget = BudgetRules {
        windows: vec![BudgetWindow {
            public: 16,
            known_device: 4,
            window: Duration::from_secs(86_400),
        }],
        ..BudgetRules::out_of_band()
    };
    let policy = Policy::new(Limits::recommended().with_budget(budget));
    assert!(matches!(
        policy.validate(),
        Err(PolicyError::MissesLevel { .. })
    ));
}

#[test]
fn what_would_be_unlimited_or_endless_is_refused() {
    let cases = [
        (
            Policy::new(Limits::recommended().with_attempts(0)),
            PolicyError::Attempts,
        ),
        (
            Policy::new(Limits::recommended().with_attempts(11)),
            PolicyError::Attempts,
        ),
        (
            Policy::new(Limits::recommended().with_sends(4, vec![])),
            PolicyError::Sends,
        ),
        (
            Policy::new(Limits::recommended().without(Scope::Address)),
            PolicyError::NoAddressLimit("issue"),
        ),
        (
            Policy::new(Limits::recommended())
                .with_lifetime(Channel::Sms, Duration::from_secs(601)),
            PolicyError::Lifetime,
        ),
        (
            Policy::new(Limits::recommended()).with_lifetime(Channel::Sms, Duration::ZERO),
            PolicyError::Lifetime,
        ),
        (
            Policy::new(Limits::recommended().on_resend(Scope::Device, hourly())),
            PolicyError::NeverCounts {
                operation: "resend",
                scope: "device",
            },
        ),
        (
            Policy::new(Limits::recommended().on_verify(Scope::Prefix, hourly())),
            PolicyError::NeverCounts {
                operation: "verify",
                scope: "prefix",
            },
        ),
        (
            Policy::new(Limits::recommended().with_geography(Geography::only([]))),
            PolicyError::NowhereToSend,
        ),
        (
            Policy::new(Limits::recommended().on_verify(Scope::Subject, hourly())),
            PolicyError::NeverCounts {
                operation: "verify",
                scope: "subject",
            },
        ),
        (
            Policy::new(Limits::recommended().on_issue(Scope::Subject, hourly())),
            PolicyError::SameCount {
                operation: "issue",
                scope: "subject",
            },
        ),
    ];
    for (policy, expected) in cases {
        assert_eq!(policy.validate(), Err(expected));
    }
}
