use std::time::Duration;

use super::*;
use crate::destination::Channel;
use crate::event::Act;
use crate::policy::{Exception, Limits};
use crate::quota::{Quota, Scope};
use crate::random::OsRandom;
use crate::request::Operation;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn start() -> InForce {
    InForce::new(Policy::new(Limits::recommended()))
}

fn later(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

fn until(exception: Exception, end: Timestamp) -> Override {
    let id = OverrideId::generate(&OsRandom).expect("randomness");
    let act = Act::new("alice", "an incident").expect("an act");
    Override::new(id, exception, act.into(), end)
}

fn off(seconds: u64) -> Override {
    until(Exception::ChannelOff(Channel::Sms), later(seconds))
}

fn quota(operation: Operation, scope: Scope, max: u32) -> Exception {
    Exception::Quota {
        operation,
        scope,
        quota: Quota::window(max, Duration::from_secs(300)).expect("a quota"),
    }
}

#[test]
fn an_override_that_ended_never_holds_again_whatever_the_clock_says() {
    let mut in_force = start();
    let one = off(60);
    in_force
        .take(&Step::Begin(one.clone()), NOW)
        .expect("begins");
    assert!(!in_force.effective().channels().is_on(Channel::Sms));
    assert!(!in_force.is_due(|| later(59)));
    assert!(in_force.is_due(|| later(60)));
    assert_eq!(in_force.settle(later(60)), std::slice::from_ref(&one));
    assert!(in_force.effective().channels().is_on(Channel::Sms));
    let back = Timestamp::from_millis(NOW.as_millis() - 3_600_000);
    assert!(in_force.settle(back).is_empty());
    assert!(in_force.effective().channels().is_on(Channel::Sms));
    let revived = in_force.take(&Step::Begin(one), back);
    assert_eq!(revived, Err(OverrideError::Over));
}

#[test]
fn an_override_lasts_seven_days_at_most_and_ends_in_the_future() {
    let week = 7 * 24 * 3_600;
    let mut in_force = start();
    for (end, expected) in [
        (NOW, Err(OverrideError::Over)),
        (later(week), Ok(())),
        (
            later(week).saturating_add(Duration::from_millis(1)),
            Err(OverrideError::TooLong),
        ),
    ] {
        let one = until(Exception::SecondFactorWaived, end);
        assert_eq!(in_force.take(&Step::Begin(one), NOW), expected);
    }
}

#[test]
fn what_an_override_would_make_of_the_policy_is_checked_and_a_refusal_changes_nothing() {
    let mut in_force = start();
    let never = until(quota(Operation::Verify, Scope::Subject, 1), later(60));
    let refused = in_force.take(&Step::Begin(never), NOW);
    assert!(
        matches!(refused, Err(OverrideError::Policy(_))),
        "{refused:?}"
    );
    assert_eq!(in_force.overrides().count(), 0);
    let none = Policy::new(Limits::recommended().without(Scope::Address));
    let refused = in_force.take(&Step::Replace(Box::new(none)), NOW);
    assert!(
        matches!(refused, Err(OverrideError::Policy(_))),
        "{refused:?}"
    );
    assert_eq!(in_force.version(), 1);
}

#[test]
fn overrides_stay_laid_on_a_policy_that_is_replaced_and_fall_off_one_by_one() {
    let mut in_force = start();
    let sms = off(60);
    let address = until(quota(Operation::Issue, Scope::Address, 3), later(120));
    for one in [&sms, &address] {
        in_force
            .take(&Step::Begin(one.clone()), NOW)
            .expect("begins");
    }
    let other = Policy::new(Limits::recommended().with_attempts(3));
    in_force
        .take(&Step::Replace(Box::new(other)), NOW)
        .expect("replaced");
    let limits = |in_force: &InForce| {
        let limits = in_force.effective().limits();
        let address = limits
            .issue()
            .iter()
            .find(|one| one.scope == Scope::Address);
        (limits.attempts(), address.map(|one| one.quota.max()))
    };
    assert_eq!(limits(&in_force), (3, Some(3)));
    assert_eq!(in_force.standing().limits().issue().len(), 5);
    in_force.settle(later(60));
    assert!(in_force.effective().channels().is_on(Channel::Sms));
    assert_eq!(limits(&in_force), (3, Some(3)));
    in_force
        .take(&Step::End(address.id()), later(61))
        .expect("ends");
    assert_eq!(limits(&in_force), (3, Some(50)));
    let again = in_force.take(&Step::End(address.id()), later(61));
    assert_eq!(again, Err(OverrideError::Unknown));
}

#[test]
fn the_thousand_and_first_override_is_refused() {
    let mut in_force = start();
    for _ in 0..Override::MOST {
        in_force.begin(&off(60), NOW).expect("there is room");
    }
    assert_eq!(
        in_force.take(&Step::Begin(off(60)), NOW),
        Err(OverrideError::TooMany)
    );
}
