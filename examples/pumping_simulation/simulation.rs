//! Runs traffic against the guard's model, with the guard's own rules.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use otp_kit::challenge::Lane;
use otp_kit::clock::Timestamp;
use otp_kit::destination::Destination;
use otp_kit::guard::{Action, FleetFigures, GuardModel, Sending};
use otp_kit::policy::TollFraud;
use otp_kit::request::{SubjectKey, Tenant};

use super::shapes::{Ask, Who};

/// What became of the messages that one kind of people asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) asked: u64,
    pub(crate) sent: u64,
    /// Who had to prove to be a person first.
    pub(crate) stepped_up: u64,
    pub(crate) denied: u64,
}

/// What became of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) people: Tally,
    pub(crate) attacker: Tally,
}

impl Outcome {
    /// The part of the attacker's messages after the first hundred that were stopped, in percent.
    pub(crate) fn stopped(&self) -> f64 {
        let after = |count: u64| count.saturating_sub(100);
        100.0 - percent(after(self.attacker.sent), after(self.attacker.asked))
    }

    /// The part of people who got no code, in percent.
    pub(crate) fn false_positives(&self) -> f64 {
        percent(self.people.denied, self.people.asked)
    }

    /// The part of people who had to solve a captcha, in percent.
    pub(crate) fn inconvenienced(&self) -> f64 {
        percent(self.people.stepped_up, self.people.asked)
    }
}

/// Runs the traffic; people solve captchas, the attacker's machines do not.
pub(crate) fn run(asks: &[Ask], rules: &TollFraud) -> Outcome {
    let mut model = GuardModel::new();
    let mut outcome = Outcome::default();
    let mut typing: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let tenant = Tenant::default();
    for (index, ask) in asks.iter().enumerate() {
        while let Some(Reverse((at_seconds, typed))) = typing.peek().copied() {
            if at_seconds > ask.at_seconds {
                break;
            }
            typing.pop();
            let number = number(&asks[typed]);
            model.on_verified(&sending(&tenant, &asks[typed], &number), at(at_seconds));
        }
        let number = number(ask);
        let sending = sending(&tenant, ask, &number);
        let now = at(ask.at_seconds);
        let action = model
            .judge(rules, &sending, &FleetFigures::default(), now)
            .action;
        let tally = match ask.who {
            Who::Person => &mut outcome.people,
            Who::Attacker => &mut outcome.attacker,
        };
        tally.asked += 1;
        tally.stepped_up += u64::from(action == Action::StepUp);
        tally.denied += u64::from(action == Action::Deny);
        let goes = match action {
            Action::Allow => true,
            Action::StepUp => ask.who == Who::Person,
            _ => false,
        };
        if goes {
            tally.sent += 1;
            model.on_sent(&sending, now);
            let typed = ask.types_after.map(|after| ask.at_seconds + after);
            typing.extend(typed.map(|at_seconds| Reverse((at_seconds, index))));
        }
    }
    outcome
}

fn number(ask: &Ask) -> SubjectKey {
    SubjectKey::of_destination(&Destination::Phone(ask.phone.clone()))
}

fn sending<'a>(tenant: &'a Tenant, ask: &'a Ask, number: &'a SubjectKey) -> Sending<'a> {
    Sending {
        tenant,
        subject: None,
        phone: &ask.phone,
        number,
        address: ask.client.into(),
        lane: Lane::Public,
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).saturating_add(Duration::from_secs(seconds))
}

fn percent(part: u64, whole: u64) -> f64 {
    let float = |count: u64| u32::try_from(count).map_or(f64::INFINITY, f64::from);
    if whole == 0 {
        0.0
    } else {
        100.0 * float(part) / float(whole)
    }
}
