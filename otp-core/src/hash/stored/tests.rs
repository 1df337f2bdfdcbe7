use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clock::Stopwatch;

const SALT: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const TAG: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn argon2id(params: &str) -> String {
    format!("$argon2id$v=19${params},keyid=k1${SALT}${TAG}")
}

/// Refuses the text in under a millisecond; the best of a few tries, since the machine may be busy.
fn refusal(text: &str) -> MalformedHash {
    let tries = (0..20).map(|_| {
        let watch = Stopwatch::start();
        let refused = StoredHash::parse(text).err();
        (watch.elapsed(), refused)
    });
    let (took, refused) = tries.min_by_key(|(took, _)| *took).unwrap();
    assert!(took < Duration::from_millis(1), "{took:?} for {text}");
    refused.expect(text)
}

#[test]
fn argon2id_beyond_a_ceiling_or_below_the_possible_is_refused_at_once() {
    let params = [
        "m=4294967295,t=2,p=1",
        "m=262145,t=2,p=1",
        "m=7,t=1,p=1",
        "m=0,t=1,p=1",
        "m=19456,t=4294967295,p=1",
        "m=19456,t=11,p=1",
        "m=19456,t=0,p=1",
        "m=19456,t=2,p=16777215",
        "m=19456,t=2,p=5",
        "m=19456,t=2,p=0",
        "m=8,t=1,p=475",
        "m=31,t=1,p=4",
        "m=4294967296,t=2,p=1",
        "m=99999999999999999999999999999999,t=2,p=1",
    ];
    for params in params {
        assert_eq!(
            refusal(&argon2id(params)),
            MalformedHash::OutOfRange,
            "{params}"
        );
    }
    for params in ["m=262144,t=10,p=4", "m=8,t=1,p=1", "m=32,t=1,p=4"] {
        assert!(StoredHash::parse(&argon2id(params)).is_ok(), "{params}");
    }
}

#[test]
fn argon2id_with_a_salt_or_tag_of_an_impossible_length_is_refused() {
    let form = |salt: &[u8], tag: &[u8]| {
        let (salt, tag) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(tag));
        format!("$argon2id$v=19$m=19456,t=2,p=1,keyid=k1${salt}${tag}")
    };
    for salt in [0, 1, 7, 65, 200] {
        assert_eq!(
            refusal(&form(&vec![1; salt], &[1; 32])),
            MalformedHash::OutOfRange,
            "{salt}"
        );
    }
    for tag in [0, 4, 15, 65, 200] {
        assert_eq!(
            refusal(&form(&[1; 16], &vec![1; tag])),
            MalformedHash::OutOfRange,
            "{tag}"
        );
    }
    for (salt, tag) in [(8, 16), (64, 64), (16, 32)] {
        assert!(StoredHash::parse(&form(&vec![1; salt], &vec![1; tag])).is_ok());
    }
}

#[test]
fn bcrypt_beyond_a_ceiling_is_refused_at_once() {
    let form = |cost: &str| {
        format!(
            "$2b$c={cost},keyid=k1${}${}",
            ".".repeat(22),
            ".".repeat(31)
        )
    };
    for cost in ["0", "4", "9", "15", "31", "32", "4294967306", "256"] {
        assert_eq!(refusal(&form(cost)), MalformedHash::OutOfRange, "{cost}");
    }
    for cost in ["", "010", "+10", "-1", "1O", "10 ", "¹⁰"] {
        assert_eq!(refusal(&form(cost)), MalformedHash::Syntax, "{cost}");
    }
    for cost in ["10", "14"] {
        assert!(StoredHash::parse(&form(cost)).is_ok(), "{cost}");
    }
    refusal("$2b$31$......................................................");
    refusal("$2b$04$......................................................");
}

#[test]
fn a_multibyte_character_at_any_place_is_refused_and_never_a_panic() {
    let forms = [
        format!("$otp-hmac$v=1$keyid=k1${TAG}"),
        argon2id("m=19456,t=2,p=1"),
        format!("$2b$c=10,keyid=k1${}${}", ".".repeat(22), ".".repeat(31)),
        format!("$2b$10${}", ".".repeat(53)),
    ];
    for form in forms {
        for at in 0..form.len() {
            let mut hostile = form.clone();
            hostile.replace_range(at..=at, "é");
            refusal(&hostile);
        }
    }
}

#[test]
fn truncated_extended_and_foreign_values_are_refused() {
    let good = argon2id("m=19456,t=2,p=1");
    for cut in 0..good.len() {
        assert!(
            StoredHash::parse(&good[..cut]).is_err() || cut > good.len() - 22,
            "{cut}"
        );
    }
    let foreign = [
        "",
        "null",
        "$",
        "$$$$",
        "123456",
        "$otp-hmac$v=2$keyid=k1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2i$v=19$m=19456,t=2,p=1,keyid=k1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=16$m=19456,t=2,p=1,keyid=k1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$m=19456,t=2,p=1,keyid=k1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$t=2,m=19456,p=1,keyid=k1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$2y$c=10,keyid=k1$......................$...............................",
        "$2a$c=10,keyid=k1$......................$...............................",
        "$none$v=1$keyid=k1$",
    ];
    for text in foreign {
        refusal(text);
    }
    for tail in ["$", "$x", "=", "\0", " ", "\n"] {
        refusal(&format!("{good}{tail}"));
        refusal(&format!("{tail}{good}"));
    }
    assert_eq!(refusal(&"$".repeat(513)), MalformedHash::TooLong);
    assert_eq!(refusal(&"x".repeat(10_000_000)), MalformedHash::TooLong);
}

#[test]
fn stray_bits_other_alphabets_and_padding_are_refused() {
    let form = |digest: &str| format!("$otp-hmac$v=1$keyid=k1${digest}");
    let stray = format!("{}B", &TAG[..42]);
    let url_safe = format!("-_{}", &TAG[2..]);
    let padded = format!("{TAG}=");
    for digest in [
        stray,
        url_safe,
        padded,
        TAG[..42].to_owned(),
        format!("{TAG}A"),
    ] {
        refusal(&form(&digest));
    }
    assert!(StoredHash::parse(&form(TAG)).is_ok());
}

#[test]
fn hostile_key_ids_are_refused() {
    let long = "k".repeat(33);
    for id in ["", "../../k", "k 1", "k,m=1", "k$", "'; drop table", &long] {
        refusal(&format!("$otp-hmac$v=1$keyid={id}${TAG}"));
    }
}

#[test]
fn what_is_written_reads_back_and_debug_hides_the_digest() {
    let id = KeyId::new("2026-11").unwrap();
    let written = [
        (StoredHash::keyed(id, &[3; 32]), Algorithm::Keyed),
        (
            StoredHash::argon2id(id, Argon2Params::default(), &[3; 16], &[4; 32]),
            Algorithm::Argon2id,
        ),
        (
            StoredHash::bcrypt(id, BcryptCost::MIN, &[3; 16], &[4; 23]),
            Algorithm::Bcrypt,
        ),
    ];
    for (hash, algorithm) in written {
        let read = StoredHash::parse(hash.as_str()).unwrap();
        assert_eq!(
            (read.algorithm(), read.key_id(), read.as_str()),
            (algorithm, &id, hash.as_str())
        );
        assert_eq!((hash.algorithm(), hash.key_id()), (algorithm, &id));
        let digest = hash.as_str().rsplit('$').next().unwrap();
        assert!(!format!("{hash:?}").contains(digest));
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
        let _ = StoredHash::parse(&text);
        let _ = StoredHash::parse(&format!("$argon2id$v=19${text}"));
        let _ = StoredHash::parse(&format!("$2b${text}"));
    }
}
