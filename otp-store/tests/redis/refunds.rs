use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::fixture::Place;
use crate::script::{Script, list};

/// One hit a second, as a request names it.
fn rate(place: &Place, burst: u32) -> Json {
    json!({
        "place": 0,
        "key": format!("{}:q:r:rate", place.prefix),
        "scope": "address",
        "own": false,
        "kind": "rate",
        "burst": burst,
        "step": 1_000_000,
    })
}

/// Charges it, and answers what is to be named where that is given back; nothing where it refuses.
fn hold(script: &Script<'_>, rate: &Json) -> Option<String> {
    let request = json!({"blocks": [], "quotas": [rate]});
    list(&script.ask("hold", request), 3).pop()
}

fn refund(script: &Script<'_>, mut rate: Json, hit: &str) {
    let parts = rate.as_object_mut().expect("an object");
    parts.insert("hit".to_owned(), hit.into());
    script.ask("refund", json!({"quotas": [rate]}));
}

#[test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
fn a_hit_of_a_rate_that_is_given_back_late_is_no_other_callers_hit() {
    for after in [1_000, 1_200, 5_000] {
        let place = Place::new();
        let (script, rate) = (Script::of(&place), rate(&place, 1));
        let held = hold(&script, &rate).unwrap();
        place.clock.advance(Duration::from_millis(after));
        assert!(
            hold(&script, &rate).is_some(),
            "another one, after {after} ms"
        );
        refund(&script, rate.clone(), &held);
        place.clock.advance(Duration::from_millis(900));
        assert!(hold(&script, &rate).is_none(), "after {after} ms");
        place.clock.advance(Duration::from_millis(100));
        assert!(hold(&script, &rate).is_some(), "after {after} ms");
    }
}

#[test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
fn a_hit_of_a_rate_that_is_given_back_at_once_is_free_and_one_half_gone_never_lets_more_in() {
    let place = Place::new();
    let (script, rate) = (Script::of(&place), rate(&place, 2));
    for _ in 0..5 {
        let held = hold(&script, &rate).unwrap();
        refund(&script, rate.clone(), &held);
    }
    let held = hold(&script, &rate).unwrap();
    place.clock.advance(Duration::from_millis(500));
    // Without the first this one is gone after another second, and then there are two.
    assert!(hold(&script, &rate).is_some());
    refund(&script, rate.clone(), &held);
    assert!(
        hold(&script, &rate).is_some(),
        "the place that was given back"
    );
    assert!(hold(&script, &rate).is_none());
    place.clock.advance(Duration::from_millis(999));
    assert!(hold(&script, &rate).is_none());
    place.clock.advance(Duration::from_millis(1));
    assert!(hold(&script, &rate).is_some());
}
