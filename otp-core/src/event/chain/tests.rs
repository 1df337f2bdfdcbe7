use std::sync::Arc;

use super::*;
use crate::clock::Timestamp;
use crate::event::{Act, Event, EventKind, Outcome};
use crate::key::{Key, KeyId, KeyRing};
use crate::request::{SubjectId, SubjectKey, Tenant};
use crate::secret::SecretBytes;

const RECORDS: u64 = 8;

fn key(id: &str, byte: u8) -> Key {
    let secret = SecretBytes::new(vec![byte; 32]);
    Key::new(KeyId::new(id).expect("an id"), &secret).expect("a key")
}

fn ring() -> KeyRing {
    KeyRing::new(key("k1", 7))
}

fn event(number: u64) -> Event {
    let subject = SubjectId::new(format!("user-{number}")).expect("an id");
    let act = Act::new("mike", "incident \"7\" \\ \u{e9}").expect("an act");
    let mut event = Event::new(EventKind::ValidationAttempt, &Tenant::default())
        .about(&SubjectKey::of_subject(&subject))
        .with_outcome(Outcome::Refused, "wrong\n\u{1b}[0m")
        .by(&Arc::new(act))
        .at(Timestamp::from_millis(1_795_253_400_000));
    event.address = Some("2001:db8::1".parse().expect("an address"));
    event
}

fn chained(ring: &KeyRing, after: Head, count: u64) -> Vec<ChainedRecord> {
    let mut chain = Chain::after(after, ring.snapshot());
    let next = after.sequence + 1;
    let records = (next..next + count).map(|number| Record::new(number, event(number)));
    records.map(|record| chain.add(record)).collect()
}

/// An export's lines, the checkpoint last.
fn export(ring: &KeyRing, records: &[ChainedRecord], scope: Scope) -> Vec<String> {
    let mut tally = Tally::new(scope);
    let mut lines = Vec::new();
    if scope == Scope::Filtered {
        lines.push(Opening(scope).to_string());
    }
    for record in records {
        tally.add(&record.link);
        lines.push(record.to_string());
    }
    let end = tally.close(Timestamp::from_millis(1_795_253_500_000), &ring.snapshot());
    lines.push(end.to_string());
    lines
}

fn whole() -> Vec<String> {
    let ring = ring();
    export(&ring, &chained(&ring, Head::START, RECORDS), Scope::Whole)
}

fn check(lines: &[String], ring: Option<&KeyRing>) -> Result<Verified, BrokenAt> {
    let file: String = lines.iter().map(|line| format!("{line}\n")).collect();
    verify(file.as_bytes(), ring).map_err(|error| match error {
        VerifyError::Broken(broken) => broken,
        VerifyError::Read(error) => unreachable!("a slice is read: {error}"),
    })
}

/// What is found without a key; with one it must be found too.
fn found(lines: &[String]) -> (Option<u64>, Fault) {
    let broken = check(lines, None).expect_err("it is not as it was");
    check(lines, Some(&ring())).expect_err("a key hides nothing");
    (broken.place, broken.fault)
}

#[test]
fn an_export_is_verified_with_and_without_the_keys() {
    let verified = check(&whole(), Some(&ring())).expect("whole");
    assert_eq!((verified.records, verified.first), (RECORDS, 1));
    assert_eq!(verified.last.0, RECORDS);
    assert_eq!(verified.unknown_seals, Some(0));
    assert_eq!(verified.at.as_deref(), Some("2026-11-21T09:31:40.000Z"));
    let verified = check(&whole(), None).expect("whole");
    assert_eq!(verified.unknown_seals, None, "no seal was looked at");
}

#[test]
fn every_changed_member_of_every_record_is_found_and_named() {
    let lines = whole();
    for place in 1..=RECORDS {
        let line = usize::try_from(place - 1).expect("small");
        let object: serde::Line = serde::line(&lines[line]);
        for (name, value) in &object {
            let mut forged = lines.clone();
            forged[line] = lines[line].replacen(
                &format!("\"{name}\":{value}"),
                &format!("\"{name}\":{}", serde::other(value)),
                1,
            );
            assert_ne!(forged[line], lines[line], "{name}");
            let (named, fault) = found(&forged);
            let readable = !["hash", "prev", "seal"].contains(&name.as_str());
            assert_eq!(readable, fault != Fault::Unreadable, "{name}: {fault}");
            if name != "place" {
                assert_eq!(named, Some(place), "{name}: {fault}");
            }
        }
        let mut forged = lines.clone();
        forged[line] = lines[line].replacen('{', "{\"more\":\"1\",", 1);
        assert_eq!(found(&forged), (Some(place), Fault::Changed));
    }
}

#[test]
fn a_record_that_was_dropped_is_named() {
    for line in 1..7 {
        let mut lines = whole();
        lines.remove(line);
        let place = u64::try_from(line).expect("small") + 1;
        assert_eq!(found(&lines), (Some(place), Fault::Missing));
    }
    // What goes before the first cannot be told from an export that begins there, but for its end.
    let mut lines = whole();
    lines.remove(0);
    assert_eq!(found(&lines).1, Fault::Checkpoint);
}

#[test]
fn records_that_changed_places_are_found() {
    for line in 0..6 {
        let mut lines = whole();
        lines.swap(line, line + 1);
        let place = u64::try_from(line).expect("small") + 1;
        let first = if line == 0 {
            (Some(1), Fault::OutOfOrder)
        } else {
            (Some(place), Fault::Missing)
        };
        assert_eq!(found(&lines), first);
    }
}

#[test]
fn a_record_that_was_put_in_or_repeated_is_found() {
    let mut lines = whole();
    lines.insert(3, lines[2].clone());
    assert_eq!(found(&lines), (Some(3), Fault::OutOfOrder));
    // One that was made with all care, but without the key.
    let strangers = KeyRing::new(key("k1", 8));
    let genuine = chained(&ring(), Head::START, RECORDS);
    let head = Head {
        place: 2,
        hash: genuine[1].link.hash,
        sequence: 90,
    };
    let invented = chained(&strangers, head, 1);
    let mut lines = export(&ring(), &genuine, Scope::Whole);
    lines.insert(2, invented[0].to_string());
    assert_eq!(found(&lines), (Some(3), Fault::OutOfOrder));
    let keyed = check(&lines, Some(&ring())).expect_err("it has no seal of ours");
    assert_eq!((keyed.place, keyed.fault), (Some(3), Fault::WrongSeal));
    assert_eq!(keyed.line, 3);
}

#[test]
fn an_end_that_was_cut_off_is_found() {
    let lines = whole();
    for kept in 0..lines.len() - 1 {
        let (place, fault) = found(&lines[..kept]);
        assert_eq!(fault, Fault::CutOff);
        let last = u64::try_from(kept).expect("small");
        assert_eq!(place, (kept > 0).then_some(last + 1));
        // The last line was kept, and the records before it were not.
        let mut cut = lines[..kept].to_vec();
        cut.extend(lines.last().cloned());
        if kept < lines.len() - 1 {
            assert_eq!(found(&cut).1, Fault::CutOff);
        }
    }
    let half = &lines[7][..lines[7].len() / 2];
    let mut torn = lines[..7].to_vec();
    torn.push(half.to_owned());
    assert_eq!(found(&torn), (Some(8), Fault::Unreadable));
}

#[test]
fn whoever_makes_all_hashes_anew_without_the_key_is_found_at_the_first_one() {
    let ring = ring();
    let genuine = chained(&ring, Head::START, RECORDS);
    // An insider writes another record 5 and chains all after it anew, under a key of their own.
    let strangers = KeyRing::new(key("k1", 8));
    let head = Head {
        place: 4,
        hash: genuine[3].link.hash,
        sequence: 4,
    };
    let mut forged = genuine[..4].to_vec();
    forged.extend(chained(&strangers, head, RECORDS - 4));
    let lines = export(&ring, &forged, Scope::Whole);
    check(&lines, None).expect("hashes alone do not tell");
    let broken = check(&lines, Some(&ring)).expect_err("the seals do");
    assert_eq!((broken.place, broken.fault), (Some(5), Fault::WrongSeal));
    assert!(broken.to_string().starts_with("line 5: record 5 ("));
    let mut forged = genuine;
    forged[4].link.hash = LinkHash::from([1; 32]);
    let lines = export(&ring, &forged, Scope::Whole);
    assert_eq!(found(&lines), (Some(5), Fault::Changed));
}

#[test]
fn a_record_that_took_the_place_of_another_is_named_by_the_one_after_it() {
    let ring = ring();
    let genuine = chained(&ring, Head::START, RECORDS);
    // Its own hash is right and follows upon record 4; only record 6 still knows the old one.
    let head = Head {
        place: 4,
        hash: genuine[3].link.hash,
        sequence: 90,
    };
    let mut lines = export(&ring, &genuine, Scope::Whole);
    lines[4] = chained(&KeyRing::new(key("k1", 8)), head, 1)[0].to_string();
    let broken = check(&lines, None).expect_err("it is another one");
    assert_eq!((broken.place, broken.fault), (Some(5), Fault::Replaced));
    let keyed = check(&lines, Some(&ring)).expect_err("it has no seal of ours");
    assert_eq!((keyed.place, keyed.fault), (Some(5), Fault::WrongSeal));
}

#[test]
fn a_checkpoint_that_was_made_anew_without_the_key_is_found() {
    let genuine = chained(&ring(), Head::START, RECORDS);
    let lines = export(&KeyRing::new(key("k1", 8)), &genuine[..5], Scope::Whole);
    let broken = check(&lines, Some(&ring())).expect_err("it has no seal of ours");
    assert_eq!(broken.fault, Fault::CheckpointSeal);
    let lines = export(&KeyRing::new(key("k9", 8)), &genuine[..5], Scope::Whole);
    let broken = check(&lines, Some(&ring())).expect_err("nobody knows the key");
    assert_eq!(broken.fault, Fault::UnknownKey);
}

#[test]
fn a_seal_of_a_record_is_none_of_a_checkpoint() {
    let keys = ring().snapshot();
    let hash = LinkHash::from([3; 32]);
    let seal = Seal::over(seal::Subject::Record, &hash, keys.current());
    assert_eq!(
        seal.look(seal::Subject::Record, &hash, &keys),
        seal::Look::Right
    );
    assert_eq!(
        seal.look(seal::Subject::Checkpoint, &hash, &keys),
        seal::Look::Wrong
    );
}

#[test]
fn records_of_a_retired_key_are_counted_and_the_checkpoint_covers_them() {
    let ring = ring();
    let old = chained(&ring, Head::START, 3);
    ring.rotate(key("k2", 9)).expect("a new id");
    ring.retire(&KeyId::new("k1").expect("an id")).expect("old");
    let head = Head {
        place: 3,
        hash: old[2].link.hash,
        sequence: 3,
    };
    let mut all = old;
    all.extend(chained(&ring, head, 2));
    let verified = check(&export(&ring, &all, Scope::Whole), Some(&ring)).expect("whole");
    assert_eq!((verified.records, verified.unknown_seals), (5, Some(3)));
}

#[test]
fn a_filtered_export_may_have_gaps_and_shows_what_was_taken_out_of_it() {
    let ring = ring();
    let all = chained(&ring, Head::START, RECORDS);
    let some: Vec<_> = [1, 3, 4, 6].map(|place| all[place].clone()).into();
    let lines = export(&ring, &some, Scope::Filtered);
    let verified = check(&lines, Some(&ring)).expect("whole");
    assert_eq!((verified.records, verified.scope), (4, Scope::Filtered));
    let mut fewer = lines.clone();
    fewer.remove(2);
    assert_eq!(found(&fewer).1, Fault::Checkpoint);
    let mut as_whole = lines.clone();
    as_whole.remove(0);
    assert_eq!(found(&as_whole), (Some(3), Fault::Missing));
    // Nor is a whole one that says it is filtered.
    let mut gap = whole();
    gap.remove(3);
    gap.insert(0, Opening(Scope::Filtered).to_string());
    assert_eq!(found(&gap).1, Fault::Checkpoint);
}

#[test]
fn exports_that_follow_each_other_are_verified_as_one() {
    let ring = ring();
    let all = chained(&ring, Head::START, RECORDS);
    let mut lines = export(&ring, &all[..5], Scope::Whole);
    lines.extend(export(&ring, &all[5..], Scope::Whole));
    assert_eq!(check(&lines, Some(&ring)).expect("whole").records, RECORDS);
    let mut gap = export(&ring, &all[..4], Scope::Whole);
    gap.extend(export(&ring, &all[5..], Scope::Whole));
    assert_eq!(found(&gap), (Some(5), Fault::Missing));
}

#[test]
fn an_export_of_nothing_is_verified_and_no_line_at_all_is_not() {
    let lines = export(&ring(), &[], Scope::Whole);
    assert_eq!(check(&lines, Some(&ring())).expect("whole").records, 0);
    assert_eq!(found(&[]), (None, Fault::CutOff));
    assert_eq!(found(&[String::new()]), (None, Fault::Unreadable));
}

#[test]
fn the_chain_of_version_1_is_over_these_bytes_for_good() {
    let mut event = Event::new(EventKind::RateLimitExceeded, &Tenant::default())
        .with_outcome(Outcome::Refused, "quota_address")
        .at(Timestamp::from_millis(1_795_253_400_000));
    event.id = crate::event::EventId::from_hex("000102030405060708090a0b0c0d0e0f").expect("an id");
    let mut chain = Chain::after(Head::START, ring().snapshot());
    let line = chain.add(Record::new(12, event)).to_string();
    let (body, ends) = line.split_at(line.find(",\"hash\"").expect("a hash"));
    assert_eq!(
        body,
        "{\"at\":\"2026-11-21T09:30:00.000Z\",\"event\":\"identity.ratelimit.exceeded\",\
         \"event_type\":\"identity.ratelimit.exceeded\",\"action\":\"RATE_LIMIT_EXCEEDED\",\
         \"outcome\":\"refused\",\"reason\":\"quota_address\",\"message\":\"Rate limit exceeded\",\
         \"tenant\":\"default\",\"id\":\"000102030405060708090a0b0c0d0e0f\",\
         \"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\
         \"sequence\":12,\"place\":1"
    );
    // Made by another program from the same members, the key of 32 bytes of 7, and HKDF.
    let (hash, seal) = (
        "cd955c602a42c375813fcfdc1abd30771e2866fc8f0beaa21ce182fcb1efc957",
        "57901bb27261d3b2f26a3d17770e1a760a140791632d47b96ef6690dd4150047",
    );
    assert_eq!(
        ends,
        format!(",\"hash\":\"{hash}\",\"seal\":\"k1:{seal}\"}}")
    );
}

#[test]
fn a_link_is_read_back_and_what_is_none_is_not() {
    let chained = chained(&ring(), Head::START, 1).remove(0);
    let text = chained.link.to_string();
    assert_eq!(text.parse(), Ok(chained.link));
    for bad in [
        "",
        "1",
        "1:2:3:4",
        &text[1..],
        &text[..text.len() - 1],
        &text.to_uppercase(),
    ] {
        assert_eq!(bad.parse::<Link>(), Err(InvalidLink), "{bad}");
    }
}

/// Enough of JSON to change a member of our own lines.
mod serde {
    pub(super) type Line = Vec<(String, String)>;

    pub(super) fn line(text: &str) -> Line {
        let object = super::json::Object::read(text).expect("a line");
        let written = |value: &super::json::Value| {
            let mut writer = super::json::Writer::new();
            writer.put("", value);
            let text = writer.finish();
            text["{\"\":".len()..text.len() - 1].to_owned()
        };
        let members = object.members();
        members
            .map(|(name, value)| (name.to_owned(), written(value)))
            .collect()
    }

    pub(super) fn other(value: &str) -> String {
        match value.strip_suffix('"') {
            Some(text) => format!("{text}x\""),
            None => format!("{value}0"),
        }
    }
}
