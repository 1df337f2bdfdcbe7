use std::cell::RefCell;

use super::*;
use proptest::prelude::*;

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn secret(length: usize) -> OtpSecret {
    let bytes: Vec<u8> = b"1234567890".iter().copied().cycle().take(length).collect();
    OtpSecret::new(bytes).unwrap()
}

fn totp() -> Totp {
    Totp::new(&secret(20))
}

/// RFC 6238 appendix B, with the seeds of its errata: one of each hash's length.
#[test]
fn the_codes_of_rfc_6238_come_out() {
    let cases = [
        (59, ["94287082", "46119246", "90693936"]),
        (1_111_111_109, ["07081804", "68084774", "25091201"]),
        (1_111_111_111, ["14050471", "67062674", "99943326"]),
        (1_234_567_890, ["89005924", "91819424", "93441116"]),
        (2_000_000_000, ["69279037", "90698825", "38618901"]),
        (20_000_000_000, ["65353130", "77737706", "47863826"]),
    ];
    let algorithms = [
        (OtpAlgorithm::Sha1, 20),
        (OtpAlgorithm::Sha256, 32),
        (OtpAlgorithm::Sha512, 64),
    ];
    for (at, codes) in cases {
        for ((algorithm, length), code) in algorithms.into_iter().zip(codes) {
            let totp = Totp::with(&secret(length), algorithm, OtpDigits::Eight, PERIOD).unwrap();
            assert_eq!(totp.code(seconds(at)).expose(), code);
            let step = totp.verify(code, seconds(at), None).unwrap();
            assert_eq!(step, totp.step(seconds(at)));
        }
    }
}

#[test]
fn one_step_each_way_is_accepted_and_two_are_not() {
    let totp = totp();
    let now = seconds(1_000_000);
    for (away, accepted) in [
        (-60, false),
        (-30, true),
        (0, true),
        (30, true),
        (60, false),
    ] {
        let code = totp.code(seconds(1_000_000 + away));
        let verified = totp.verify(code.expose(), now, None);
        assert_eq!(verified.is_ok(), accepted, "{away}");
    }
    let strict = totp.clone().skew(TotpSkew::NONE);
    let before = totp.code(seconds(1_000_000 - 30));
    let refused = strict.verify(before.expose(), now, None);
    assert_eq!(refused, Err(TotpRefusal::Wrong));
    assert_eq!(TotpSkew::new(3, 0), None);
}

#[test]
fn a_step_is_accepted_once_and_those_before_it_never_again() {
    let totp = totp();
    let now = seconds(1_000_000);
    let next = totp.code(seconds(1_000_030));
    let accepted = totp.verify(next.expose(), now, None).unwrap();
    for away in [30, 0, -30] {
        let code = totp.code(seconds(1_000_000 + away));
        let refused = totp.verify(code.expose(), now, Some(accepted));
        assert_eq!(refused, Err(TotpRefusal::Replayed), "{away}");
    }
    let later = totp.code(seconds(1_000_060));
    assert!(
        totp.verify(later.expose(), seconds(1_000_060), Some(accepted))
            .is_ok()
    );
}

#[test]
fn of_two_steps_with_one_code_the_one_that_is_left_is_accepted() {
    let totp = totp();
    let mut step = 1_u64;
    // Two neighbours with the same code: one in a million pairs.
    while totp.counter.number(step) != totp.counter.number(step + 1) {
        step += 1;
    }
    let at = seconds(i64::try_from(step * 30).unwrap());
    let code = totp.code(at);
    let first = totp.verify(code.expose(), at, None).unwrap();
    assert_eq!(first, TimeStep::new(step));
    let second = totp.verify(code.expose(), at, Some(first)).unwrap();
    assert_eq!(second, TimeStep::new(step + 1));
    let third = totp.verify(code.expose(), at, Some(second));
    assert_eq!(third, Err(TotpRefusal::Replayed));
}

#[test]
fn times_at_either_end_neither_panic_nor_wrap() {
    let totp = totp();
    for at in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
        let code = totp.code(at);
        assert!(totp.verify(code.expose(), at, None).is_ok());
        let last = Some(TimeStep::new(u64::MAX));
        assert!(totp.verify(code.expose(), at, last).is_err());
        assert!(totp.drift([code.expose(), "000000"], at).is_none());
    }
}

#[test]
fn a_slow_device_is_told_by_how_much() {
    let totp = totp();
    let now = seconds(1_000_000);
    for (away, expected, words) in [
        (0, Drift::None, "this device's clock is right"),
        (
            -240,
            Drift::Behind(Duration::from_secs(240)),
            "this device is 4 minutes behind",
        ),
        (
            90,
            Drift::Ahead(Duration::from_secs(90)),
            "this device is 1 min 30 s ahead",
        ),
    ] {
        let at = seconds(1_000_000 + away);
        let before = totp.code(seconds(1_000_000 + away - 30));
        let pair = [before.expose(), totp.code(at).expose()].map(str::to_owned);
        let drift = totp.drift([&pair[0], &pair[1]], now).unwrap();
        assert_eq!(drift, expected);
        assert_eq!(drift.to_string(), words);
    }
    let far = [totp.code(seconds(0)), totp.code(seconds(30))];
    assert_eq!(totp.drift([far[0].expose(), far[1].expose()], now), None);
}

#[test]
fn a_period_is_one_that_people_can_work_with() {
    let with = |period| Totp::with(&secret(20), OtpAlgorithm::Sha1, OtpDigits::Six, period);
    for period in [0, 14, 121] {
        assert!(with(Duration::from_secs(period)).is_err(), "{period}");
    }
    assert!(with(Duration::from_millis(30_500)).is_err());
    let minute = with(Duration::from_secs(60)).unwrap();
    assert_eq!(minute.step(seconds(119)), TimeStep::new(1));
}

#[test]
fn nothing_shown_holds_the_secret() {
    let shown = format!("{:?} {:?}", totp(), totp().code(seconds(0)));
    assert!(
        !shown.contains("1234567890") && !shown.contains("755224"),
        "{shown}"
    );
}

/// Looks at every step whatever it finds, and only then decides.
fn by_looking_at_all(
    window: RangeInclusive<u64>,
    floor: u64,
    fits: impl Fn(u64) -> bool,
) -> Result<TimeStep, TotpRefusal> {
    let fitting: Vec<u64> = window.filter(|step| fits(*step)).collect();
    match fitting.iter().find(|step| **step >= floor) {
        Some(step) => Ok(TimeStep::new(*step)),
        None if fitting.is_empty() => Err(TotpRefusal::Wrong),
        None => Err(TotpRefusal::Replayed),
    }
}

proptest! {
    /// Codes of six digits hardly ever fit twice; here they often do.
    #[test]
    fn a_search_that_ends_early_finds_what_one_of_all_steps_finds(
        first in 0_u64..1_000,
        steps in 1_u64..=5,
        used in 0_u64..=6,
        fitting in prop::collection::vec(any::<bool>(), 5),
    ) {
        let (window, floor) = (first..=first + steps - 1, first + used);
        let fits = |step: u64| fitting[usize::try_from(step - first).unwrap()];
        let looked = RefCell::new(Vec::new());
        let found = accepted(window.clone(), floor, |step| {
            looked.borrow_mut().push(step);
            Choice::from(u8::from(fits(step)))
        });
        prop_assert_eq!(found, by_looking_at_all(window.clone(), floor, fits));
        let mut looked = looked.into_inner();
        looked.sort_unstable();
        if found.is_err() {
            prop_assert_eq!(looked, window.collect::<Vec<_>>(), "time tells of a refusal");
        }
    }

    #[test]
    fn another_implementation_makes_the_same_codes(
        bytes in prop::collection::vec(any::<u8>(), 16..=128),
        at in 0_u32..,
        algorithm in prop::sample::select(vec![
            (OtpAlgorithm::Sha1, totp_rs::Algorithm::SHA1),
            (OtpAlgorithm::Sha256, totp_rs::Algorithm::SHA256),
            (OtpAlgorithm::Sha512, totp_rs::Algorithm::SHA512),
        ]),
        digits in 6_u8..=8,
        period in 15_u64..=120,
    ) {
        let theirs = totp_rs::Builder::new()
            .with_algorithm(algorithm.1)
            .with_digits(digits)
            .with_step_duration(period)
            .with_secret(bytes.clone())
            .build_noncompliant();
        let digits = OtpDigits::from_count(digits).unwrap();
        let period = Duration::from_secs(period);
        let ours = Totp::with(&OtpSecret::new(bytes).unwrap(), algorithm.0, digits, period);
        let code = ours.unwrap().code(seconds(i64::from(at)));
        prop_assert!(theirs.check(code.expose(), u64::from(at)).is_some());
    }
}
