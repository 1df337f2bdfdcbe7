use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_millis(1_000_000);
const REST: Duration = Duration::from_secs(30);

fn rules(threshold: u32) -> BreakerRules {
    BreakerRules::new(NonZeroU32::new(threshold).expect("not zero"))
}

fn opened(threshold: u32) -> Breaker {
    let mut breaker = Breaker::new();
    for _ in 0..threshold {
        let ticket = breaker.ask(START, &rules(threshold)).expect("closed");
        breaker.failed(ticket, START, &rules(threshold));
    }
    breaker
}

#[test]
fn it_opens_after_so_many_failures_in_a_row_and_not_one_before() {
    // What is answered, and where it stands then, for a threshold of three.
    let table: [(&str, BreakerState); 8] = [
        ("", BreakerState::Closed),
        ("f", BreakerState::Closed),
        ("ff", BreakerState::Closed),
        ("fff", BreakerState::Open),
        ("ffsff", BreakerState::Closed),
        ("ffsfff", BreakerState::Open),
        ("ffaf", BreakerState::Open),
        ("aaaa", BreakerState::Closed),
    ];
    for (answers, expected) in table {
        let mut breaker = Breaker::new();
        for answer in answers.chars() {
            let ticket = breaker.ask(START, &rules(3)).expect("closed so far");
            match answer {
                'f' => breaker.failed(ticket, START, &rules(3)),
                's' => breaker.succeeded(ticket),
                _ => breaker.abandoned(ticket),
            }
        }
        assert_eq!(breaker.state(), expected, "{answers}");
    }
}

#[test]
fn it_says_how_long_it_rests_and_lets_one_probe_through_afterwards() {
    let mut breaker = opened(3);
    let early = START.saturating_add(Duration::from_secs(10));
    let resting = breaker.ask(early, &rules(3)).expect_err("it rests");
    assert_eq!(resting.retry_after, Duration::from_secs(20));
    let later = START.saturating_add(REST);
    let probes = (0..100)
        .filter(|_| breaker.ask(later, &rules(3)).is_ok())
        .count();
    assert_eq!((probes, breaker.state()), (1, BreakerState::HalfOpen));
}

#[test]
fn a_failed_probe_rests_for_a_whole_rest_again() {
    let mut breaker = opened(1);
    let later = START.saturating_add(REST);
    let probe = breaker.ask(later, &rules(1)).expect("rested");
    breaker.failed(probe, later, &rules(1));
    let resting = breaker.ask(later, &rules(1)).expect_err("open again");
    assert_eq!(resting.retry_after, REST);
}

#[test]
fn an_answer_from_before_it_opened_changes_nothing() {
    let mut breaker = Breaker::new();
    let late = breaker.ask(START, &rules(1)).expect("closed");
    let ticket = breaker.ask(START, &rules(1)).expect("closed");
    breaker.failed(ticket, START, &rules(1));
    breaker.succeeded(late);
    assert_eq!(breaker.state(), BreakerState::Open);
    let later = START.saturating_add(REST);
    let probe = breaker.ask(later, &rules(1)).expect("rested");
    breaker.abandoned(late);
    breaker.failed(late, later, &rules(1));
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.succeeded(probe);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_clock_set_back_delays_the_probe_by_one_rest_at_most() {
    let mut breaker = opened(1);
    let back = START.saturating_sub(Duration::from_secs(86_400));
    assert!(breaker.ask(back, &rules(1)).is_err());
    assert!(breaker.ask(back.saturating_add(REST), &rules(1)).is_ok());
    // The same for a probe that nobody reports.
    assert!(breaker.ask(back.saturating_sub(REST), &rules(1)).is_err());
    let leased = back.saturating_sub(REST).saturating_add(PROBE_LEASE);
    assert!(breaker.ask(leased, &rules(1)).is_ok());
}

#[test]
fn a_probe_that_is_never_reported_frees_its_place() {
    let mut breaker = opened(1);
    let later = START.saturating_add(REST);
    let _lost = breaker.ask(later, &rules(1)).expect("rested");
    let almost = later.saturating_add(PROBE_LEASE - Duration::from_millis(1));
    assert!(breaker.ask(almost, &rules(1)).is_err());
    assert!(
        breaker
            .ask(later.saturating_add(PROBE_LEASE), &rules(1))
            .is_ok()
    );
}

#[test]
fn an_early_probe_is_one_at_a_time_as_well() {
    let mut breaker = opened(1);
    let probe = breaker.ask_early(START, &rules(1)).expect("nobody probes");
    assert!(breaker.ask_early(START, &rules(1)).is_err());
    breaker.succeeded(probe);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

fn asked(breaker: &mut Breaker) -> Ticket {
    breaker.ask(START, &rules(3)).expect("closed")
}

fn overdue(breaker: &mut Breaker, calls: u32) -> Vec<Ticket> {
    let asked: Vec<Ticket> = (0..calls).map(|_| asked(breaker)).collect();
    let late = |ticket| breaker.overdue(ticket, START, &rules(3));
    asked.into_iter().map(late).collect()
}

#[test]
fn silences_open_it_before_anybody_gives_up_and_an_answer_after_all_closes_it() {
    let mut breaker = Breaker::new();
    let waiting = overdue(&mut breaker, 2);
    assert_eq!(breaker.failures(), 2);
    // Each counts once: when it is overdue, and not when it has failed as well.
    for ticket in waiting {
        let _again = breaker.overdue(ticket, START, &rules(3));
        breaker.failed(ticket, START, &rules(3));
    }
    assert_eq!(breaker.failures(), 2);
    let quick = asked(&mut breaker);
    breaker.succeeded(quick);
    let waiting = overdue(&mut breaker, 3);
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker.failed(waiting[0], START, &rules(3));
    breaker.abandoned(waiting[1]);
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker.succeeded(waiting[2]);
    assert_eq!(
        (breaker.state(), breaker.failures()),
        (BreakerState::Closed, 0)
    );
}

#[test]
fn a_late_refusal_that_blames_it_for_nothing_takes_its_own_silence_back_and_no_other() {
    let mut breaker = Breaker::new();
    let waiting = overdue(&mut breaker, 2);
    breaker.answered(waiting[0]);
    assert_eq!(breaker.failures(), 1);
    // What a success has ended is not taken back from the run after it.
    let quick = asked(&mut breaker);
    breaker.succeeded(quick);
    let _later = overdue(&mut breaker, 2);
    breaker.answered(waiting[1]);
    assert_eq!(breaker.failures(), 2);
    let mut breaker = Breaker::new();
    let waiting = overdue(&mut breaker, 3);
    breaker.answered(waiting[1]);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_probe_that_is_overdue_rests_again_and_its_late_answer_alone_closes() {
    let mut breaker = opened(3);
    let later = START.saturating_add(REST);
    let probe = breaker.ask(later, &rules(3)).expect("rested");
    let probe = breaker.overdue(probe, later, &rules(3));
    let resting = breaker.ask(later, &rules(3)).expect_err("open again");
    assert_eq!(resting.retry_after, REST);
    let next = later.saturating_add(REST);
    let second = breaker.ask(next, &rules(3)).expect("rested");
    breaker.succeeded(probe);
    assert_eq!(
        breaker.state(),
        BreakerState::HalfOpen,
        "the second decides"
    );
    let second = breaker.overdue(second, next, &rules(3));
    breaker.abandoned(second);
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker.succeeded(second);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_pass_that_is_dropped_or_lost_in_a_panic_frees_the_probes_place() {
    let breaker = SharedBreaker::new();
    let pass = breaker.ask(START, rules(1)).expect("closed");
    pass.failed(START);
    let later = START.saturating_add(REST);
    drop(breaker.ask(later, rules(1)).expect("rested"));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _pass = breaker.ask(later, rules(1)).expect("free again");
        panic!("in the middle of a probe");
    }));
    assert!(panicked.is_err());
    let pass = breaker.ask(later, rules(1)).expect("free again");
    assert!(breaker.ask(later, rules(1)).is_err(), "one at a time");
    pass.succeeded();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn of_failures_that_race_none_is_lost_and_the_last_allowed_one_opens() {
    const CALLERS: u32 = 64;
    for threshold in [CALLERS, CALLERS + 1] {
        let breaker = SharedBreaker::new();
        std::thread::scope(|scope| {
            for _ in 0..CALLERS {
                let pass = breaker.ask(START, rules(threshold)).expect("closed");
                scope.spawn(move || pass.failed(START));
            }
        });
        let (expected, failures) = if threshold == CALLERS {
            (BreakerState::Open, 0)
        } else {
            (BreakerState::Closed, CALLERS)
        };
        assert_eq!(breaker.state(), expected, "{threshold}");
        assert_eq!(breaker.failures(), failures, "{threshold}");
    }
}

/// The rules in the plainest words, kept apart from the machine: who may ask, by what happened.
#[derive(Debug, Default)]
struct Model {
    run: u32,
    opened_at: Option<i64>,
    probe: Option<usize>,
    /// Tickets that were given while it was closed, since it last closed.
    open_tickets: Vec<usize>,
}

impl Model {
    fn allows(&mut self, now: i64, ticket: usize) -> bool {
        if let Some(opened) = &mut self.opened_at {
            *opened = now.min(*opened);
            let rested = now - *opened >= 30_000;
            if self.probe.is_some() || !rested {
                return false;
            }
            self.probe = Some(ticket);
        } else {
            self.open_tickets.push(ticket);
        }
        true
    }

    fn report(&mut self, ticket: usize, what: u8, now: i64, threshold: u32) {
        if self.probe == Some(ticket) {
            self.probe = None;
            match what {
                0 => *self = Self::default(),
                1 => self.opened_at = Some(now),
                _ => {}
            }
        } else if self.opened_at.is_none() && self.open_tickets.contains(&ticket) {
            match what {
                0 => self.run = 0,
                1 => self.run += 1,
                _ => {}
            }
            if self.run >= threshold {
                *self = Self {
                    opened_at: Some(now),
                    ..Self::default()
                };
            }
        }
    }
}

proptest! {
    #[test]
    fn every_walk_of_calls_reports_and_clock_is_the_models(
        threshold in 1_u32..6,
        steps in proptest::collection::vec((0_u8..4, 0_usize..64, -2_000_i64..9_000), 1..300),
    ) {
        let rules = rules(threshold);
        let (mut breaker, mut model) = (Breaker::new(), Model::default());
        let mut tickets: Vec<Option<Ticket>> = Vec::new();
        // Probes are not left unreported for the length of a lease in this walk.
        let mut now = 1_000_000_i64;
        for (what, which, step) in steps {
            now += step;
            let time = Timestamp::from_millis(now);
            let probed_too_long = matches!(breaker.state, State::Probed { at, .. }
                if time.since(at) >= PROBE_LEASE);
            if probed_too_long {
                break;
            }
            if what == 3 {
                let asked = breaker.ask(time, &rules);
                prop_assert_eq!(asked.is_ok(), model.allows(now, tickets.len()));
                tickets.push(asked.ok());
            } else if !tickets.is_empty() {
                let index = which % tickets.len();
                if let Some(ticket) = tickets[index].take() {
                    match what {
                        0 => breaker.succeeded(ticket),
                        1 => breaker.failed(ticket, time, &rules),
                        _ => breaker.abandoned(ticket),
                    }
                    model.report(index, what, now, threshold);
                }
            }
            prop_assert_eq!(
                breaker.state() == BreakerState::Closed,
                model.opened_at.is_none()
            );
            prop_assert_eq!(breaker.state() == BreakerState::HalfOpen, model.probe.is_some());
        }
    }

    /// One of them takes no lock while all is calm; both are asked and told the same.
    #[test]
    fn a_shared_breaker_says_at_every_step_what_the_machine_says(
        threshold in 1_u32..4,
        steps in proptest::collection::vec((0_u8..7, 0_usize..8, -2_000_i64..20_000), 1..300),
    ) {
        let rules = rules(threshold);
        let (mut machine, shared) = (Breaker::new(), SharedBreaker::new());
        let mut given: Vec<(Ticket, Pass)> = Vec::new();
        let mut now = START.as_millis();
        for (what, which, step) in steps {
            now += step;
            let time = Timestamp::from_millis(now);
            if what == 3 || what == 4 {
                let (ticket, pass) = if what == 3 {
                    (machine.ask(time, &rules), shared.ask(time, rules))
                } else {
                    (machine.ask_early(time, &rules), shared.ask_early(time, rules))
                };
                prop_assert_eq!(ticket.err(), pass.as_ref().err().copied());
                given.extend(ticket.ok().zip(pass.ok()));
            } else if !given.is_empty() {
                let (ticket, mut pass) = given.swap_remove(which % given.len());
                match what {
                    5 => {
                        pass.overdue(time);
                        given.push((machine.overdue(ticket, time, &rules), pass));
                    }
                    6 => {
                        machine.answered(ticket);
                        pass.answered();
                    }
                    0 => {
                        machine.succeeded(ticket);
                        pass.succeeded();
                    }
                    1 => {
                        machine.failed(ticket, time, &rules);
                        pass.failed(time);
                    }
                    _ => {
                        machine.abandoned(ticket);
                        drop(pass);
                    }
                }
            }
            prop_assert_eq!(machine.state(), shared.state());
            prop_assert_eq!(machine.failures(), shared.failures());
            prop_assert_eq!(machine.rested(time), shared.rested(time));
        }
    }
}
