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
    let fallen = in_force.settle(later(60));
    assert_eq!(fallen.ended, std::slice::from_ref(&one));
    assert!(!fallen.asks);
    assert!(in_force.effective().channels().is_on(Channel::Sms));
    let back = Timestamp::from_millis(NOW.as_millis() - 3_600_000);
    assert!(in_force.settle(back).ended.is_empty());
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

fn list(all: &[&Override]) -> OverrideList {
    let one_more = |list: OverrideList, one: &&Override| list.with((*one).clone());
    all.iter()
        .try_fold(OverrideList::default(), one_more)
        .expect("there is room")
}

fn is_off(in_force: &InForce) -> bool {
    !in_force.effective().channels().is_on(Channel::Sms)
}

#[test]
fn what_the_fleet_laid_on_ends_by_the_stores_time_however_the_clock_here_stands() {
    let hour = Duration::from_secs(3_600);
    let one = off(60);
    let all = list(&[&one]);
    for here in [NOW, NOW.saturating_add(hour), NOW.saturating_sub(hour)] {
        let mut in_force = start();
        in_force.share(&all, NOW, here, |_| true);
        assert!(is_off(&in_force), "{here:?}");
        let nearly = here.saturating_add(Duration::from_secs(59));
        assert!(!in_force.is_due(|| nearly));
        let over = here.saturating_add(Duration::from_secs(60));
        assert!(in_force.is_due(|| over));
        let fallen = in_force.settle(over);
        assert!(fallen.asks && fallen.ended.is_empty(), "the store is asked");
        // The clock here was wrong: by the store's time it still holds.
        in_force.share(&all, later(30), over, |_| true);
        assert!(is_off(&in_force));
        let shared = in_force.share(&all, later(60), over, |_| true);
        assert_eq!(shared.ended, std::slice::from_ref(&one));
        assert!(!is_off(&in_force));
        let again = in_force.share(&all, later(30), here, |_| true);
        assert!(again.ended.is_empty() && !is_off(&in_force), "it is over");
    }
}

#[test]
fn what_is_gone_from_the_fleets_list_is_never_revived_and_what_is_here_stays() {
    let mut in_force = start();
    let here = until(quota(Operation::Issue, Scope::Address, 3), later(120));
    in_force
        .take(&Step::Begin(here.clone()), NOW)
        .expect("begins");
    let one = off(60);
    in_force.share(&list(&[&one]), NOW, NOW, |_| true);
    assert_eq!(in_force.overrides().count(), 2);
    in_force.share(&list(&[]), NOW, NOW, |_| true);
    assert!(!is_off(&in_force));
    in_force.share(&list(&[&one]), NOW, NOW, |_| true);
    assert!(!is_off(&in_force));
    let left: Vec<_> = in_force.overrides().map(Override::id).collect();
    assert_eq!(left, [here.id()]);
}

#[test]
fn of_the_fleets_overrides_what_does_not_fit_here_is_left_out_until_it_does() {
    let mut in_force = start();
    let captcha = until(Exception::CaptchaRequired, later(60));
    let (one, other) = (off(60), off(90));
    let all = list(&[&one, &captcha, &other]);
    let none = |policy: &Policy| !policy.captcha().asks_by_itself();
    let shared = in_force.share(&all, NOW, NOW, none);
    assert_eq!(shared.left_out, [captcha.id()]);
    assert!(is_off(&in_force));
    assert_eq!(in_force.overrides().count(), 2);
    let shared = in_force.share(&all, NOW, NOW, |_| true);
    assert!(shared.left_out.is_empty());
    assert_eq!(in_force.overrides().count(), 3);
    assert!(in_force.effective().captcha().asks_by_itself());
}
