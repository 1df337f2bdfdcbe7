use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use proptest::prelude::*;

use super::{
    EmailAddress,
    InvalidEmailAddressKind::{self, Domain, Empty, LocalPart, MissingAt, TooLong},
};

fn address(input: &str) -> EmailAddress {
    EmailAddress::parse(input).unwrap()
}

fn refusal(input: &str) -> InvalidEmailAddressKind {
    EmailAddress::parse(input).unwrap_err().kind()
}

#[test]
fn b01_letter_case_opens_no_second_budget_and_delivery_keeps_what_was_typed() {
    let (upper, lower) = (address("MIKE@Example.ORG"), address("mike@example.org"));
    assert_eq!(upper, lower);
    assert_eq!(upper.limit_key(), lower.limit_key());
    assert_eq!(upper.address(), "MIKE@example.org");
    assert_eq!(upper.canonical(), "mike@example.org");
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    assert_eq!(hasher.hash_one(&upper), hasher.hash_one(&lower));
}

#[test]
fn b02_look_alikes_never_equal_the_ascii_account() {
    for input in [
        "m\u{131}ke@example.org",
        "\u{212A}elvin@example.org",
        "\u{FB01}sh@example.org",
        "ｍike@example.org",
        "mike\u{301}@example.org",
    ] {
        assert_eq!(refusal(input), LocalPart, "{input}");
    }
    for input in [
        "mike@\u{212A}elvin.org",
        "mike@\u{FB01}sh.org",
        "mike@ｅxample.org",
        "mike＠example.org",
    ] {
        assert!(EmailAddress::parse(input).is_err(), "{input}");
    }
    assert_ne!(
        address("mike@ex\u{E4}mple.org"),
        address("mike@example.org")
    );
}

#[test]
fn b03_line_breaks_are_refused_in_every_disguise() {
    for input in [
        "a@b.c\r\nBcc: x@y",
        "a@example.org\r\nBcc: x@example.org",
        "a\r\n@example.org",
        "a@example.org\n",
        "a%0d%0aBcc@example.org",
        "a%0A@example.org",
        "a@example.org%0d%0aBcc:x",
        "a\u{2028}b@example.org",
        "a@exam\u{2028}ple.org",
        "a@example.org\u{2029}",
        "a\0@example.org",
        "a@example.org\0",
        "\u{85}a@example.org",
    ] {
        assert!(EmailAddress::parse(input).is_err(), "{input:?}");
    }
}

#[test]
fn b04_quoted_local_parts_and_hosts_that_are_not_public_are_refused() {
    assert_eq!(refusal("\"a b\"@x.org"), LocalPart);
    assert_eq!(refusal("\"a@b\"@x.org"), LocalPart);
    assert_eq!(refusal("Mike <a@x.org>"), LocalPart);
    for input in [
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@localhost",
        "a@x.localhost",
        "a@-x.org",
        "a@x",
        "a@",
        "a@x.org.",
    ] {
        assert_eq!(refusal(input), Domain, "{input}");
    }
    assert_eq!(refusal("a.example.org"), MissingAt);
    assert_eq!(refusal(""), Empty);
    for input in [
        "@x.org",
        ".a@x.org",
        "a.@x.org",
        "a..b@x.org",
        " a@x.org",
        "a@b@x.org",
    ] {
        assert_eq!(refusal(input), LocalPart, "{input}");
    }
}

#[test]
fn b05_addresses_over_their_bounds_are_refused() {
    let label = "d".repeat(61);
    let domain = format!("{label}.{label}.{label}.org");
    let longest = format!("{}@{domain}", "a".repeat(64));
    assert_eq!(longest.len(), 254);
    assert_eq!(address(&longest).address(), longest);
    assert_eq!(refusal(&format!("{}@{domain}x", "a".repeat(64))), TooLong);
    assert_eq!(refusal(&format!("{}@x.org", "a".repeat(65))), TooLong);
    for huge in [
        "a@".repeat(5_000_000),
        format!("a@{}org", "d.".repeat(5_000_000)),
    ] {
        assert_eq!(refusal(&huge), TooLong);
    }
}

#[test]
fn b05_a_domain_that_grows_past_the_bound_in_ascii_is_refused() {
    let domain = format!("{}org", "üa.".repeat(23));
    let ascii = address(&format!("a@{domain}")).domain().len();
    let room = 254 - ascii - 1;
    assert!(room < 64);
    assert!(EmailAddress::parse(&format!("{}@{domain}", "a".repeat(room))).is_ok());
    assert_eq!(
        refusal(&format!("{}@{domain}", "a".repeat(room + 1))),
        TooLong
    );
}

#[test]
fn b06_punycode_that_decodes_to_ascii_is_refused() {
    for input in [
        "a@example.org.xn--",
        "a@xn--example-.org",
        "a@xn--.org",
        "a@xn--a.org",
        "a@XN--EXAMPLE-.org",
    ] {
        assert_eq!(refusal(input), Domain, "{input}");
    }
}

#[test]
fn b07_alias_folding_serves_limits_and_never_delivery() {
    let tagged = address("User+1@example.org");
    assert_eq!(tagged.address(), "User+1@example.org");
    assert_ne!(tagged, address("user@example.org"));
    assert_ne!(tagged.limit_key(), address("user@example.org").limit_key());
    assert_eq!(tagged.alias_key(), address("user@example.org").alias_key());

    let dotted = address("Mi.ke+shop@GoogleMail.com");
    assert_eq!(dotted.address(), "Mi.ke+shop@googlemail.com");
    assert_eq!(dotted.alias_key(), address("mike@gmail.com").alias_key());
    assert_ne!(
        address("mi.ke@example.org").alias_key(),
        address("mike@example.org").alias_key()
    );
    assert_eq!(
        address("+x@example.org").alias_key().expose(),
        "+x@example.org"
    );
}

#[test]
fn b08_a_leading_dash_is_refused() {
    assert_eq!(refusal("-oQx@y.org"), LocalPart);
    assert_eq!(refusal("--help@y.org"), LocalPart);
    assert_eq!(address("o-Qx@y.org").address(), "o-Qx@y.org");
}

#[test]
fn the_masked_form_shows_one_character_at_most() {
    for (input, masked) in [
        ("mike@example.org", "m•••@example.org"),
        ("mi@example.org", "m•••@example.org"),
        ("m@example.org", "•••@example.org"),
        ("mike@bücher.example", "m•••@xn--bcher-kva.example"),
    ] {
        let address = address(input);
        assert_eq!(address.to_string(), masked);
        assert_eq!(address.masked(), masked);
        assert_eq!(format!("{address:?}"), format!("EmailAddress({masked})"));
    }
    assert_eq!(
        format!("{:?}", address("mike@example.org").limit_key()),
        "LimitKey(•••)"
    );
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(local in any::<String>(), domain in any::<String>()) {
        for input in [format!("{local}@{domain}"), local, domain] {
            if let Ok(address) = EmailAddress::parse(&input) {
                prop_assert!(address.address().is_ascii());
            }
        }
    }

    #[test]
    fn an_accepted_address_reads_back_as_itself_and_stays_masked(
        local in "[a-zA-Z0-9.+%_-]{1,20}",
        domain in "[a-zA-Z0-9.äöß\u{FB01}-]{1,20}\\.(org|com|example)",
    ) {
        if let Ok(address) = EmailAddress::parse(&format!("{local}@{domain}")) {
            let again = EmailAddress::parse(address.address()).unwrap();
            prop_assert_eq!(again.address(), address.address());
            let canonical = EmailAddress::parse(address.canonical()).unwrap();
            prop_assert_eq!(canonical.canonical(), address.canonical());
            prop_assert_eq!(&canonical, &address);
            prop_assert!(!address.to_string().contains(address.address()));
        }
    }
}
