use proptest::prelude::*;

use super::{
    Channel, Destination, DestinationKind, InvalidDestination, InvalidEmailAddressKind,
    InvalidPhoneNumberKind, Region,
};

fn destination(input: &str) -> Destination {
    Destination::parse(input, None).unwrap()
}

#[test]
fn an_at_sign_decides_for_e_mail() {
    let email = destination("+14155550100@example.org");
    assert_eq!(email.kind(), DestinationKind::Email);
    assert_eq!(email.kind().name(), "email");
    assert_eq!(email.default_channel(), Channel::Email);
    assert!(email.as_email().is_some() && email.as_phone().is_none());

    let phone = destination("+14155550100");
    assert_eq!(phone.kind(), DestinationKind::Phone);
    assert_eq!(phone.kind().name(), "phone");
    assert_eq!(phone.default_channel(), Channel::Sms);
    assert!(phone.as_phone().is_some() && phone.as_email().is_none());
}

#[test]
fn the_default_channel_always_fits() {
    for input in ["+14155550100", "mike@example.org"] {
        let destination = destination(input);
        assert_eq!(destination.default_channel().fits(&destination), Ok(()));
    }
}

#[test]
fn delivery_keeps_what_was_typed_and_lookups_do_not() {
    let email = destination("Mike@Example.org");
    assert_eq!(email.expose(), "Mike@example.org");
    assert_eq!(email.canonical(), "mike@example.org");
    assert_eq!(email, destination("mike@example.org"));
    let phone = Destination::parse("0151 23456789", Some(Region::parse("DE").unwrap())).unwrap();
    assert_eq!(phone.expose(), "+4915123456789");
    assert_eq!(phone.canonical(), phone.expose());
}

#[test]
fn limit_keys_of_phones_and_addresses_never_meet() {
    let phone = destination("+14155550100");
    let email = destination("+14155550100@example.org");
    assert_ne!(phone.limit_key(), email.limit_key());
    assert_ne!(phone.alias_key(), email.alias_key());
    assert_eq!(phone.alias_key(), phone.limit_key());
}

#[test]
fn a_refusal_names_what_it_was_read_as() {
    let Err(InvalidDestination::Email(email)) = Destination::parse("a@localhost", None) else {
        panic!("read as something else");
    };
    assert_eq!(email.kind(), InvalidEmailAddressKind::Domain);
    for input in ["911".to_owned(), "1".repeat(10_000_000)] {
        let Err(InvalidDestination::Phone(phone)) = Destination::parse(&input, None) else {
            panic!("read as something else");
        };
        assert_ne!(phone.kind(), InvalidPhoneNumberKind::NotAssigned);
    }
}

#[test]
fn neither_kind_shows_its_value_when_printed() {
    for input in ["+14155550100", "mike@example.org"] {
        let destination = destination(input);
        for text in [destination.to_string(), format!("{destination:?}")] {
            assert!(text.contains("•••") && !text.contains(input), "{text}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(input in any::<String>()) {
        if let Ok(destination) = Destination::parse(&input, None) {
            prop_assert_eq!(destination.limit_key(), Destination::parse(destination.expose(), None).unwrap().limit_key());
        }
    }
}
