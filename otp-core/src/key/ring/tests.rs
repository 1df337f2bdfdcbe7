use std::thread;

use super::*;
use crate::random::{BrokenRandom, OsRandom, SeededRandom};

const FIRST: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

fn id(name: &str) -> KeyId {
    KeyId::new(name).unwrap()
}

fn key(name: &str, fill: u8) -> Key {
    Key::new(id(name), &SecretBytes::new(vec![fill; 32])).unwrap()
}

fn ids(ring: &KeyRing) -> Vec<String> {
    ring.snapshot().ids().map(ToString::to_string).collect()
}

#[test]
fn rotation_makes_the_new_key_current_and_keeps_the_old_ones() {
    let ring = KeyRing::new(key("a", 1));
    ring.rotate(key("b", 2)).unwrap();
    ring.rotate(key("c", 3)).unwrap();
    assert_eq!(ids(&ring), ["c", "b", "a"]);
    assert!(ring.snapshot().get(&id("a")).is_some());
}

#[test]
fn a_key_is_published_before_it_makes_anything_and_promoted_when_all_know_it() {
    let ring = KeyRing::new(key("a", 1));
    ring.rotate(key("b", 2)).unwrap();
    ring.publish(key("c", 3)).unwrap();
    assert_eq!(ids(&ring), ["b", "a", "c"], "the current one stays");
    ring.promote(&id("c")).unwrap();
    assert_eq!(ids(&ring), ["c", "b", "a"]);
    ring.promote(&id("c")).unwrap();
    assert_eq!(ids(&ring), ["c", "b", "a"], "once more changes nothing");
    // Back to the old one, where the new one is no good.
    ring.promote(&id("b")).unwrap();
    assert_eq!(ids(&ring), ["b", "c", "a"]);
    let unknown = ring.promote(&id("d")).unwrap_err();
    assert_eq!(unknown, KeyRingError::UnknownKey(id("d")));
    assert_eq!(ids(&ring), ["b", "c", "a"]);
}

#[test]
fn two_keys_with_the_same_id_are_refused_everywhere() {
    let ring = KeyRing::new(key("a", 1));
    let published = ring.publish(key("a", 2)).unwrap_err();
    assert_eq!(published, KeyRingError::DuplicateId(id("a")));
    let duplicate = KeyRingError::DuplicateId(id("a"));
    assert_eq!(ring.rotate(key("a", 2)).unwrap_err(), duplicate);
    assert_eq!(ring.clone().with_older(key("a", 2)).unwrap_err(), duplicate);
    assert_eq!(
        KeyRing::parse(&format!("a:{FIRST},a:{FIRST}")).unwrap_err(),
        duplicate
    );
    assert_eq!(ids(&ring), ["a"]);
}

#[test]
fn the_current_key_cannot_be_retired_and_an_unknown_one_neither() {
    let ring = KeyRing::new(key("a", 1)).with_older(key("b", 2)).unwrap();
    assert_eq!(
        ring.retire(&id("a")),
        Err(KeyRingError::CurrentKey(id("a")))
    );
    assert_eq!(
        ring.retire(&id("x")),
        Err(KeyRingError::UnknownKey(id("x")))
    );
    assert_eq!(ring.retire(&id("b")), Ok(()));
    assert_eq!(ids(&ring), ["a"]);
}

#[test]
fn clones_share_every_change_and_a_snapshot_none() {
    let ring = KeyRing::new(key("a", 1));
    let before = ring.snapshot();
    ring.clone().rotate(key("b", 2)).unwrap();
    assert_eq!(ids(&ring), ["b", "a"]);
    assert_eq!(before.current().id(), &id("a"));
    assert!(before.get(&id("b")).is_none());
}

#[test]
fn a_replaced_ring_takes_over_the_other_keys_and_stays_apart_from_then_on() {
    let (ring, other) = (KeyRing::new(key("a", 1)), KeyRing::new(key("b", 2)));
    ring.replace(&other);
    other.rotate(key("c", 3)).unwrap();
    assert_eq!(ids(&ring), ["b"]);
}

#[test]
fn pairs_are_read_in_every_usual_spelling_of_base64() {
    // 32 bytes of 0xFB: its base64 uses both of the characters in which the alphabets differ.
    let standard = "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=";
    let url_safe = standard.replace('+', "-").replace('/', "_");
    let bare = url_safe.trim_end_matches('=');
    let pairs = format!(" a:{standard}\n\nb:{url_safe},\r\nc:{bare} ,");
    let ring = KeyRing::parse(&pairs).unwrap();
    assert_eq!(ids(&ring), ["a", "b", "c"]);
    let set = ring.snapshot();
    let code_key = |name| *set.get(&id(name)).unwrap().code_key().expose();
    assert_eq!(code_key("a"), code_key("b"));
    assert_eq!(code_key("a"), code_key("c"));
}

#[test]
fn malformed_pairs_are_refused_with_their_place_and_without_their_content() {
    let zeros = "A".repeat(43);
    let cases = [
        (String::new(), "there is no key"),
        (" ,\n".to_owned(), "there is no key"),
        (
            "canary".to_owned(),
            "entry 1 is not a key id, a colon and base64",
        ),
        (
            format!("a:{FIRST}, ../../k:{FIRST}"),
            "entry 2 is not a key id, a colon and base64",
        ),
        (
            format!(":{FIRST}"),
            "entry 1 is not a key id, a colon and base64",
        ),
        (
            "a:canary!".to_owned(),
            "entry 1 is not a key id, a colon and base64",
        ),
        (
            format!("a:{FIRST}=="),
            "entry 1 is not a key id, a colon and base64",
        ),
        ("a:".to_owned(), "the key of entry 1 is refused"),
        ("a:Y2FuYXJ5".to_owned(), "the key of entry 1 is refused"),
        (format!("a:{zeros}"), "the key of entry 1 is refused"),
    ];
    for (pairs, message) in cases {
        let error = KeyRing::parse(&pairs).unwrap_err();
        assert_eq!(error.to_string(), message, "{pairs:?}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn a_seed_gives_the_same_key_every_time_and_another_seed_another_id() {
    let seed = |text: &str| KeyRing::from_seed(&SecretString::from(text));
    let text = "a long enough secret key for a test";
    let (one, again) = (seed(text).unwrap(), seed(text).unwrap());
    assert_eq!(ids(&one), ids(&again));
    assert_eq!(
        one.snapshot().current().code_key().expose(),
        again.snapshot().current().code_key().expose()
    );
    assert_ne!(
        ids(&one),
        ids(&seed("a long enough secret key for a tesT").unwrap())
    );
    assert_eq!(seed("short").unwrap_err(), InvalidKey::TooShort);
    assert_eq!(seed(&"0".repeat(64)).unwrap_err(), InvalidKey::TooPlain);
}

#[test]
fn a_generated_ring_differs_every_time_and_a_failing_source_gives_none() {
    let (one, other) = (
        KeyRing::generate(&OsRandom).unwrap(),
        KeyRing::generate(&OsRandom).unwrap(),
    );
    assert_ne!(ids(&one), ids(&other));
    assert!(KeyRing::generate(&BrokenRandom::new()).is_err());
    assert!(KeyRing::generate(&BrokenRandom::after(1)).is_err());
    assert!(KeyRing::generate(&SeededRandom::new(1)).is_ok());
}

#[test]
fn debug_of_a_ring_shows_ids_only() {
    let ring = KeyRing::new(key("a", 77)).with_older(key("b", 78)).unwrap();
    assert_eq!(format!("{ring:?}"), r#"KeyRing(KeySet["a", "b"])"#);
}

#[test]
fn a_panic_in_a_thread_that_holds_the_lock_does_not_take_the_ring_down() {
    let ring = KeyRing::new(key("a", 1));
    let other = ring.clone();
    let died = thread::spawn(move || {
        let _guard = other.set.write().unwrap();
        panic!("on purpose");
    });
    assert!(died.join().is_err());
    assert!(ring.set.is_poisoned());
    ring.rotate(key("b", 2)).unwrap();
    assert_eq!(ids(&ring), ["b", "a"]);
}

#[test]
fn readers_see_the_old_set_or_the_new_one_and_never_a_mixture() {
    let ring = KeyRing::new(key("k0", 1));
    let reader = ring.clone();
    let reading = thread::spawn(move || {
        let mut most = 0;
        while most < 50 {
            let set = reader.snapshot();
            let names: Vec<_> = set.ids().map(ToString::to_string).collect();
            let newest: usize = names[0][1..].parse().unwrap();
            assert_eq!(names.len(), newest + 1);
            assert!(newest >= most);
            most = newest;
        }
    });
    for n in 1..=50_u8 {
        ring.rotate(key(&format!("k{n}"), n)).unwrap();
    }
    reading.join().unwrap();
}
