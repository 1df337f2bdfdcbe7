use super::*;
use proptest::prelude::*;

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn secret() -> OtpSecret {
    OtpSecret::from_base32(SECRET).unwrap()
}

#[test]
fn what_other_services_write_is_read() {
    let cases = [
        (
            format!("otpauth://totp/Example:alice@google.com?secret={SECRET}&issuer=Example"),
            ("Example", "alice@google.com"),
        ),
        (
            format!(
                "OTPAUTH://TOTP/Big+Corp%3A%20alice?secret={}&image=x#f",
                SECRET.to_lowercase()
            ),
            ("Big Corp", "alice"),
        ),
        (
            format!("otpauth://totp/alice?issuer=Example&secret={SECRET}&period=30&digits=6"),
            ("Example", "alice"),
        ),
        (
            format!("otpauth://totp/alice?secret={SECRET}%3D%3D"),
            ("alice", "alice"),
        ),
    ];
    for (text, (issuer, name)) in cases {
        let read = OtpUri::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(
            (read.account().issuer(), read.account().name()),
            (issuer, name),
            "{text}"
        );
        assert_eq!(read.secret().expose(), b"12345678901234567890");
        let totp = read.as_totp().unwrap();
        assert_eq!(totp.period(), Duration::from_secs(30));
        assert!(read.as_hotp().is_none());
    }
}

#[test]
fn a_counting_one_keeps_its_counter_and_its_parameters() {
    let account = OtpAccount::new("Acme", "ann").unwrap();
    let uri = OtpUri::hotp(account, secret(), 41)
        .algorithm(OtpAlgorithm::Sha512)
        .digits(OtpDigits::Eight);
    let read = OtpUri::parse(uri.to_text().expose()).unwrap();
    let (hotp, counter) = read.as_hotp().unwrap();
    assert_eq!(counter, 41);
    let (written, _) = uri.as_hotp().unwrap();
    assert_eq!(hotp.code(41).expose(), written.code(41).expose());
    assert_eq!(hotp.code(41).expose().len(), 8);
    assert!(read.as_totp().is_none());
}

#[test]
fn what_cannot_be_worked_with_is_refused_by_name() {
    let uri = |rest: &str| format!("otpauth://totp/Acme:ann?secret={SECRET}{rest}");
    for (text, problem) in [
        ("https://example.com/".to_owned(), InvalidOtpUri::Form),
        (
            format!("otpauth://sotp/a?secret={SECRET}"),
            InvalidOtpUri::Form,
        ),
        ("otpauth://totp/ann".to_owned(), InvalidOtpUri::Form),
        ("x".repeat(3_000), InvalidOtpUri::Form),
        (
            "otpauth://totp/Acme:ann?issuer=Acme".to_owned(),
            InvalidOtpUri::Secret,
        ),
        (
            "otpauth://totp/Acme:ann?secret=GEZDGNBV".to_owned(),
            InvalidOtpUri::Secret,
        ),
        (uri("&issuer=Other"), InvalidOtpUri::Account),
        (
            format!("otpauth://totp/A:b:c?secret={SECRET}"),
            InvalidOtpUri::Account,
        ),
        (
            format!("otpauth://totp/%ff?secret={SECRET}"),
            InvalidOtpUri::Account,
        ),
        (
            format!("otpauth://totp/%0a?secret={SECRET}"),
            InvalidOtpUri::Account,
        ),
        (
            uri("&digits=5"),
            InvalidOtpUri::Parameter("number of digits"),
        ),
        (
            uri("&digits=+6"),
            InvalidOtpUri::Parameter("number of digits"),
        ),
        (uri("&algorithm=MD5"), InvalidOtpUri::Parameter("algorithm")),
        (uri("&period=0"), InvalidOtpUri::Parameter("period")),
        (
            uri("&period=99999999999999999999"),
            InvalidOtpUri::Parameter("period"),
        ),
        (
            format!("otpauth://hotp/Acme:ann?secret={SECRET}"),
            InvalidOtpUri::Parameter("counter"),
        ),
        (uri("&digits=6&digits=8"), InvalidOtpUri::Twice),
    ] {
        let shown: String = text.chars().take(80).collect();
        assert_eq!(OtpUri::parse(&text).err(), Some(problem), "{shown}");
    }
    for (issuer, name) in [
        ("", "ann"),
        ("Acme", ""),
        ("A:B", "ann"),
        ("Acme", " ann"),
        ("A\n", "b"),
    ] {
        assert!(
            OtpAccount::new(issuer, name).is_err(),
            "{issuer:?} {name:?}"
        );
    }
}

#[test]
fn nothing_shown_holds_the_secret() {
    let uri = OtpUri::totp(OtpAccount::new("Acme", "ann").unwrap(), secret());
    let shown = format!("{uri:?} {:?}", uri.to_text());
    assert!(!shown.contains("GEZD"), "{shown}");
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_back(issuer in "[^:\\p{C}\\p{Z}]{1,64}", name in "[^:\\p{C}\\p{Z}]{1,64}") {
        let account = OtpAccount::new(&issuer, &name).unwrap();
        let text = OtpUri::totp(account.clone(), secret()).to_text();
        prop_assume!(text.expose().len() <= LONGEST);
        let read = OtpUri::parse(text.expose()).unwrap();
        prop_assert_eq!(read.account(), &account);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        drop(OtpUri::parse(&text));
        drop(OtpUri::parse(&format!("otpauth://totp/{text}")));
    }
}
