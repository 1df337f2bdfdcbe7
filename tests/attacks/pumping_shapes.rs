//! The shapes of traffic of the example, and what the guard must make of them.

#[path = "../../examples/pumping_simulation/shapes.rs"]
pub(crate) mod shapes;
#[path = "../../examples/pumping_simulation/simulation.rs"]
mod simulation;

use otp_kit::policy::{GuardMode, TollFraud};

use self::simulation::{Outcome, run};

fn outcome(asks: &[shapes::Ask]) -> Outcome {
    assert!(asks.len() > 3_000, "the traffic is no traffic");
    run(asks, &TollFraud::new(GuardMode::Enforce))
}

#[test]
fn an_attack_is_stopped_after_its_first_hundred_messages() {
    let outcome = outcome(&shapes::attack());
    assert!(outcome.stopped() >= 95.0, "{outcome:?}");
}

#[test]
fn an_attack_among_people_is_stopped_and_they_go_on() {
    let outcome = outcome(&shapes::mixed());
    assert!(outcome.stopped() >= 95.0, "{outcome:?}");
    assert!(outcome.false_positives() < 0.5, "{outcome:?}");
}

#[test]
fn usual_hours_meet_no_guard() {
    let outcome = outcome(&shapes::honest());
    assert!(outcome.false_positives() < 0.5, "{outcome:?}");
    assert!(outcome.inconvenienced() < 0.5, "{outcome:?}");
}

#[test]
fn a_launch_that_goes_round_is_let_through() {
    let outcome = outcome(&shapes::launch());
    assert!(outcome.false_positives() < 1.0, "{outcome:?}");
    assert!(outcome.inconvenienced() < 1.0, "{outcome:?}");
}
