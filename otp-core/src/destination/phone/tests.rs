use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use proptest::prelude::*;

use super::{
    InvalidPhoneNumberKind::{
        self, Empty, Malformed, NeedsRegion, NotAssigned, NotCanonical, TooLong, TooShort,
        UnknownCallingCode,
    },
    LineType, PhoneNumber, Region,
};

fn region(code: &str) -> Option<Region> {
    Some(Region::parse(code).unwrap())
}

fn strict(input: &str) -> PhoneNumber {
    PhoneNumber::parse(input).unwrap()
}

fn strict_refusal(input: &str) -> InvalidPhoneNumberKind {
    PhoneNumber::parse(input).unwrap_err().kind()
}

fn lenient_refusal(input: &str, from: Option<Region>) -> InvalidPhoneNumberKind {
    PhoneNumber::parse_lenient(input, from).unwrap_err().kind()
}

#[test]
fn a01_punctuation_passes_the_lenient_parse_only_and_gives_the_same_value() {
    let number = strict("+14155550100");
    assert_eq!(number.e164(), "+14155550100");
    assert_eq!(strict_refusal("+1 (415) 555-0100"), Malformed);
    let typed = PhoneNumber::parse_lenient(" +1 (415) 555-0100 ", None).unwrap();
    assert_eq!(typed, number);
    assert_eq!(typed.limit_key(), number.limit_key());
}

#[test]
fn a02_digits_of_other_scripts_become_ascii_before_any_limit_key() {
    let number = strict("+14155550100");
    for typed in [
        "+١٤١٥٥٥٥٠١٠٠",
        "\u{FF0B}\u{FF11}\u{FF14}\u{FF11}\u{FF15}\u{FF15}\u{FF15}\u{FF15}\u{FF10}\u{FF11}\u{FF10}\u{FF10}",
    ] {
        assert!(PhoneNumber::parse(typed).is_err(), "{typed}");
        let mapped = PhoneNumber::parse_lenient(typed, None).unwrap();
        assert_eq!(mapped.e164(), "+14155550100");
        assert_eq!(mapped.limit_key(), number.limit_key());
    }
}

#[test]
fn a03_invisible_characters_and_line_breaks_are_refused_in_both_modes() {
    for hidden in [
        '\u{A0}', '\u{3000}', '\u{2028}', '\0', '\r', '\n', '\t', '\u{7F}', '\u{85}',
    ] {
        for input in [
            format!("+1415{hidden}5550100"),
            format!("{hidden}+14155550100"),
            format!("+14155550100{hidden}"),
        ] {
            assert!(PhoneNumber::parse(&input).is_err(), "{input:?}");
            assert_eq!(
                lenient_refusal(&input, region("US")),
                Malformed,
                "{input:?}"
            );
        }
    }
    for mark in [
        '\u{202E}', '\u{202A}', '\u{2066}', '\u{200B}', '\u{200D}', '\u{FEFF}',
    ] {
        for input in [format!("+1415{mark}5550100"), format!("+{mark}14155550100")] {
            assert!(PhoneNumber::parse(&input).is_err(), "{input:?}");
            assert_eq!(
                lenient_refusal(&input, region("US")),
                Malformed,
                "{input:?}"
            );
        }
        let pasted = format!("{mark}+1 (415) 555-0100{mark}");
        assert!(PhoneNumber::parse(&pasted).is_err(), "{pasted:?}");
        let pasted = PhoneNumber::parse_lenient(&pasted, None).unwrap();
        assert_eq!(pasted.limit_key(), strict("+14155550100").limit_key());
    }
}

#[test]
fn a04_extensions_and_letters_are_refused() {
    for input in [
        "tel:+14155550100;ext=55",
        "tel:+14155550100",
        "+14155550100x55",
        "+14155550100 ext. 55",
        "+14155550100,,55#",
        "+14155550100;55",
        "+14155550100#55",
        "+1800FLOWERS",
        "+1650-253-0000/x",
    ] {
        assert!(PhoneNumber::parse(input).is_err(), "{input}");
        assert_eq!(lenient_refusal(input, region("US")), Malformed, "{input}");
    }
}

#[test]
fn a05_phone_context_parameters_are_refused_without_a_panic() {
    for input in [
        ".;phone-context=",
        "+dwPAA;phone-context=AA",
        ";phone-context=+1tel:",
        "5550100;phone-context=+1415",
    ] {
        assert!(PhoneNumber::parse(input).is_err(), "{input}");
        assert_eq!(lenient_refusal(input, region("US")), Malformed, "{input}");
    }
}

#[test]
fn a06_costly_lines_tell_themselves_apart() {
    for (input, line_type) in [
        ("+19002123456", LineType::PremiumRate),
        ("+979123456789", LineType::PremiumRate),
        ("+447012345678", LineType::PersonalNumber),
        ("+4918012345", LineType::SharedCost),
        ("+35650112345", LineType::Uan),
    ] {
        let number = strict(input);
        assert_eq!(number.line_type(), line_type, "{input}");
        assert!(!number.is_satellite(), "{input}");
    }
    for input in [
        "+870301234567",
        "+881612345678",
        "+8823421234",
        "+883510012345",
    ] {
        let number = strict(input);
        assert!(number.is_satellite(), "{input}");
        assert_eq!(number.country(), None, "{input}");
    }
}

#[test]
fn a06_emergency_and_short_numbers_are_refused_everywhere() {
    let regions = ["US", "GB", "DE", "AT", "IT", "IN", "AU", "BR", "SH", "NU"];
    for short in [
        "911", "112", "999", "110", "000", "+112", "+911", "1-1-2", "١١٢",
    ] {
        assert!(PhoneNumber::parse(short).is_err(), "{short}");
        assert!(PhoneNumber::parse_lenient(short, None).is_err(), "{short}");
        for from in regions {
            assert_eq!(
                lenient_refusal(short, region(from)),
                TooShort,
                "{short} {from}"
            );
        }
    }
}

#[test]
fn a07_malformed_and_oversized_input_is_refused() {
    assert_eq!(strict_refusal(""), Empty);
    assert_eq!(lenient_refusal("", None), Empty);
    assert_eq!(lenient_refusal("   ", region("US")), Empty);
    for (input, kind) in [
        ("+", Malformed),
        ("+014155550100", Malformed),
        ("++14155550100", Malformed),
        ("14155550100", Malformed),
        ("+1415555010O", Malformed),
        ("+123456", TooShort),
        ("+1111111111111111", TooLong),
    ] {
        assert_eq!(strict_refusal(input), kind, "{input}");
        assert!(PhoneNumber::parse_lenient(input, None).is_err(), "{input}");
    }
    let huge = format!("+1{}", "5".repeat(10_000_000));
    assert_eq!(strict_refusal(&huge), TooLong);
    assert_eq!(lenient_refusal(&huge, region("US")), TooLong);
}

/// Japan's plan has toll-free numbers of up to 17 national digits.
#[test]
fn a07_numbers_past_fifteen_digits_are_refused_even_where_a_plan_has_them() {
    let fifteen = PhoneNumber::parse_lenient("+81 0037 123456789", None).unwrap();
    assert_eq!(fifteen.e164(), "+810037123456789");
    for longer in ["+81 0037 1234567890", "+81 0037 1234567890123"] {
        assert_eq!(lenient_refusal(longer, None), TooLong, "{longer}");
    }
}

#[test]
fn a08_a_dialling_prefix_needs_a_region_and_a_leading_zero_survives() {
    assert_eq!(lenient_refusal("0014155550100", None), NeedsRegion);
    assert_eq!(strict_refusal("0014155550100"), Malformed);
    let dialled = PhoneNumber::parse_lenient("0014155550100", region("DE")).unwrap();
    assert_eq!(dialled.e164(), "+14155550100");
    assert_eq!(strict("+390612345678").e164(), "+390612345678");
    assert_eq!(
        strict("+390612345678").limit_key().expose(),
        "+390612345678"
    );
}

#[test]
fn a08_a_number_from_abroad_is_never_rewritten_to_a_local_one() {
    let dialled = PhoneNumber::parse_lenient("011 49 1512 3456789", region("US")).unwrap();
    assert_eq!(dialled.e164(), "+4915123456789");
}

#[test]
fn a09_mexico_with_and_without_the_retired_1_is_one_number() {
    let plain = strict("+525512345678");
    for alias in [
        strict("+5215512345678"),
        PhoneNumber::parse_lenient("+52 1 55 1234 5678", None).unwrap(),
    ] {
        assert_eq!(alias.e164(), "+525512345678");
        assert_eq!(alias, plain);
        assert_eq!(alias.limit_key(), plain.limit_key());
    }
}

#[test]
fn a09_argentina_with_and_without_the_mobile_9_shares_a_budget() {
    let mobile = strict("+5491123456789");
    let inland = strict("+541123456789");
    assert_eq!(mobile.e164(), "+5491123456789");
    assert_eq!(inland.e164(), "+541123456789");
    assert_ne!(mobile, inland);
    assert_eq!(mobile.limit_key(), inland.limit_key());
    let typed = PhoneNumber::parse_lenient("011 15-2345-6789", region("AR")).unwrap();
    assert_eq!(typed, mobile);
}

#[test]
fn a09_brazil_with_and_without_the_ninth_digit_shares_a_budget() {
    let nine = strict("+5511971234567");
    let eight = strict("+551171234567");
    assert_eq!(nine.e164(), "+5511971234567");
    assert_ne!(nine, eight);
    assert_eq!(nine.limit_key(), eight.limit_key());
    let landline = strict("+551123456789");
    assert_ne!(landline.limit_key(), strict("+5511923456789").limit_key());
}

#[test]
fn a_mistyped_brazilian_mobile_is_not_completed_to_a_strangers() {
    assert_eq!(strict_refusal("+551196123456"), NotAssigned);
    assert_eq!(lenient_refusal("+55 11 9612 3456", None), NotAssigned);
}

#[test]
fn numbers_that_no_plan_has_are_refused_with_their_reason() {
    assert_eq!(strict_refusal("+99912345678"), UnknownCallingCode);
    assert_eq!(strict_refusal("+7266399924"), NotAssigned);
    assert_eq!(strict_refusal("+330123456789"), NotCanonical);
    let trunk = PhoneNumber::parse_lenient("+33 (0)1 23 45 67 89", None).unwrap();
    assert_eq!(trunk.e164(), "+33123456789");
    assert_eq!(lenient_refusal("650 253 0000", None), NeedsRegion);
}

#[test]
fn country_type_and_calling_code_come_along() {
    for (input, country, code, line_type) in [
        ("+441534456789", Some("JE"), 44, LineType::FixedLine),
        ("+16502530000", Some("US"), 1, LineType::FixedLineOrMobile),
        ("+420700123456", Some("CZ"), 420, LineType::PersonalNumber),
        ("+42093123456789", Some("CZ"), 420, LineType::Voicemail),
        ("+80012345678", None, 800, LineType::TollFree),
    ] {
        let number = strict(input);
        assert_eq!(number.country(), country.and_then(region), "{input}");
        assert_eq!(number.calling_code(), code, "{input}");
        assert_eq!(number.line_type(), line_type, "{input}");
    }
}

#[test]
fn every_region_resolves_its_own_example() {
    let mut seen = 0;
    for first in 'A'..='Z' {
        for second in 'A'..='Z' {
            let Ok(region) = Region::parse(&format!("{first}{second}")) else {
                continue;
            };
            let example = rlibphonenumber::PHONE_NUMBER_UTIL
                .get_example_number(region.to_library().unwrap())
                .unwrap();
            let number = strict(&example.to_string());
            assert_eq!(
                Some(number.calling_code()),
                region.calling_code(),
                "{region}"
            );
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn the_masked_form_hides_more_of_a_shorter_number() {
    for (input, masked) in [
        ("+14155550123", "+1415•••0123"),
        ("+498001234567890", "+49800•••7890"),
        ("+9606701234", "+960•••234"),
        ("+61147101234", "+61•••1234"),
        ("+67630123", "+676•••3"),
        ("+4702000", "+47•••0"),
    ] {
        let number = strict(input);
        assert_eq!(number.to_string(), masked);
        assert_eq!(number.masked(), masked);
        assert_eq!(format!("{number:?}"), format!("PhoneNumber({masked})"));
    }
}

#[test]
fn an_error_says_nothing_of_the_number() {
    let error = PhoneNumber::parse("+7266399924").unwrap_err();
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("726"), "{text}");
    }
}

#[test]
fn equality_hash_and_order_follow_the_canonical_form() {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let (number, same) = (strict("+525512345678"), strict("+5215512345678"));
    assert_eq!(hasher.hash_one(&number), hasher.hash_one(&same));
    assert!(strict("+14155550123") < number);
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(input in any::<String>(), from in "[A-Z]{2}") {
        let from = Region::parse(&from).ok();
        let strict = PhoneNumber::parse(&input);
        let lenient = PhoneNumber::parse_lenient(&input, from);
        prop_assert!(strict.is_err() || strict.ok() == lenient.ok());
    }

    #[test]
    fn what_the_guard_lets_through_never_panics(
        input in "[+\u{FF0B}]?[0-9 ().+\u{0660}-\u{0669}\u{FF10}-\u{FF19}-]{0,48}",
        from in "[A-Z]{2}",
    ) {
        if let Ok(number) = PhoneNumber::parse_lenient(&input, Region::parse(&from).ok()) {
            prop_assert!((8..=16).contains(&number.e164().len()));
            prop_assert!(number.e164().len() - 1 <= 15);
        }
    }

    #[test]
    fn an_accepted_number_reads_back_as_itself_and_stays_masked(
        code in prop::sample::select(vec!["1", "44", "49", "33", "39", "52", "54", "55", "7", "91", "86", "870"]),
        national in "[0-9]{4,13}",
    ) {
        if let Ok(number) = PhoneNumber::parse_lenient(&format!("+{code}{national}"), None) {
            let again = PhoneNumber::parse(number.e164()).unwrap();
            prop_assert_eq!(again.e164(), number.e164());
            prop_assert_eq!(again.line_type(), number.line_type());
            let masked = number.to_string();
            prop_assert!(!masked.contains(number.e164()));
            let shown = masked.chars().filter(char::is_ascii_digit).count();
            prop_assert!(shown + 3 < number.e164().len());
        }
    }
}
