//! What whoever can send a request tries, against the reader of every vendor.

use std::time::Duration;

use http::Method;
use proptest::prelude::*;

use super::super::WebhookError;
use super::support::{NOW, Sent};
use super::vendors::{Covers, FORM, SECONDS, Vendor, all};

fn refused(vendor: &Vendor, sent: &Sent, how: &str) {
    let answer = sent.read(&*vendor.webhook, NOW);
    assert!(
        answer.is_err(),
        "{}: {how}: {answer:?}",
        vendor.webhook.name()
    );
}

#[test]
fn a_good_request_is_read_the_same_way_twice_so_a_replay_has_the_same_key() {
    for vendor in all() {
        let first = vendor.good().events(&*vendor.webhook);
        let again = vendor.good().events(&*vendor.webhook);
        assert_eq!(first.len(), 1, "{}", vendor.webhook.name());
        assert_eq!(first[0].replay(), again[0].replay());
        assert!(
            first[0]
                .replay()
                .as_str()
                .starts_with(vendor.webhook.name())
        );
    }
}

#[test]
fn the_old_secret_still_reads_in_a_rotation_and_a_foreign_one_never() {
    for vendor in all() {
        let sent = vendor.good();
        assert!(
            sent.read(&*vendor.rotated, NOW).is_ok(),
            "{}",
            vendor.webhook.name()
        );
        assert_eq!(
            sent.read(&*vendor.other, NOW),
            Err(WebhookError::BadSignature),
            "{}",
            vendor.webhook.name()
        );
    }
}

#[test]
fn every_prefix_and_extension_of_a_signature_is_refused() {
    for vendor in all() {
        let Some(name) = vendor.signature else {
            continue;
        };
        let good = vendor.good().header(name).clone();
        for end in 0..good.len() {
            let mut sent = vendor.good();
            sent.header(name).truncate(end);
            refused(&vendor, &sent, &format!("the first {end} letters"));
        }
        for extended in [
            format!("{good}="),
            format!("{good}A"),
            format!("{good}{good}"),
        ] {
            let mut sent = vendor.good();
            *sent.header(name) = extended;
            refused(&vendor, &sent, "more letters");
        }
    }
}

#[test]
fn a_signature_that_is_missing_or_sent_twice_is_refused() {
    for vendor in all() {
        let Some(name) = vendor.signature else {
            continue;
        };
        let mut twice = vendor.good();
        let good = twice.header(name).clone();
        for value in [good.clone(), "v1,".to_owned(), String::new()] {
            twice.headers.push((name, value));
            assert_eq!(
                twice.read(&*vendor.webhook, NOW),
                Err(WebhookError::Unsigned),
                "{}",
                vendor.webhook.name()
            );
            twice.headers.pop();
        }
        refused(&vendor, &vendor.good().without(name), "no signature");
    }
}

#[test]
fn one_changed_byte_of_a_signed_body_is_refused() {
    for vendor in all() {
        if vendor.covers == Covers::Nothing {
            continue;
        }
        let good = vendor.good();
        for at in 0..good.body.len() {
            let mut sent = good.clone();
            sent.body[at] ^= 1;
            refused(&vendor, &sent, &format!("byte {at}"));
        }
        let mut longer = good.clone();
        longer.body.extend(b"&x=");
        refused(&vendor, &longer, "more bytes");
        let mut cut = good.clone();
        cut.body.pop();
        refused(&vendor, &cut, "a byte less");
    }
}

#[test]
fn a_json_body_that_was_written_again_is_refused() {
    for vendor in all()
        .into_iter()
        .filter(|vendor| vendor.covers == Covers::Body)
    {
        let mut sent = vendor.good();
        sent.body.push(b'\n');
        refused(&vendor, &sent, "a line break");
    }
}

#[test]
fn the_order_of_fields_changes_nothing_and_a_field_given_twice_is_refused() {
    for vendor in all()
        .into_iter()
        .filter(|vendor| vendor.covers == Covers::Fields)
    {
        let good = vendor.good();
        let text = String::from_utf8(good.body.clone()).expect("ascii");
        let mut turned: Vec<&str> = text.split('&').collect();
        turned.reverse();
        let mut sent = good.clone();
        sent.body = turned.join("&").into_bytes();
        assert!(
            sent.read(&*vendor.webhook, NOW).is_ok(),
            "{}",
            vendor.webhook.name()
        );

        for field in text.split('&') {
            let (key, _) = field.split_once('=').expect("a field");
            let mut sent = good.clone();
            sent.body.extend(format!("&{key}=other").bytes());
            refused(&vendor, &sent, "a second value");
            // Twilio signs the same value twice as once, and it is still two fields to read.
            let mut sent = good.clone();
            sent.body.extend(format!("&{field}").bytes());
            refused(&vendor, &sent, "the same value again");
        }
    }
}

#[test]
fn a_signed_time_of_301_seconds_ago_or_ahead_is_stale_and_of_300_is_not() {
    let second = Duration::from_secs(1);
    let near = Duration::from_secs(300);
    for vendor in all().into_iter().filter(|vendor| vendor.timed) {
        let sent = vendor.good();
        for now in [NOW.saturating_add(near), NOW.saturating_sub(near)] {
            assert!(
                sent.read(&*vendor.webhook, now).is_ok(),
                "{}",
                vendor.webhook.name()
            );
        }
        let far = near + second;
        for now in [NOW.saturating_add(far), NOW.saturating_sub(far)] {
            let answer = sent.read(&*vendor.webhook, now);
            assert_eq!(
                answer,
                Err(WebhookError::Stale),
                "{}",
                vendor.webhook.name()
            );
        }
    }
}

#[test]
fn a_time_in_a_header_cannot_be_moved_without_the_secret() {
    for vendor in all() {
        for name in [
            "svix-timestamp",
            "x-request-timestamp",
            "x-twilio-email-event-webhook-timestamp",
        ] {
            if !vendor
                .good()
                .headers
                .iter()
                .any(|(given, _)| *given == name)
            {
                continue;
            }
            for value in [
                "1700000001",
                "-1700000000",
                "+1700000000",
                "1700000000.0",
                "NaN",
                "9223372036854775808",
                "",
                " 1700000000",
            ] {
                let mut sent = vendor.good();
                *sent.header(name) = value.to_owned();
                refused(&vendor, &sent, value);
            }
            refused(&vendor, &vendor.good().without(name), "no time");
        }
    }
}

#[test]
fn signed_bodies_of_bad_utf8_duplicate_names_or_endless_depth_are_malformed() {
    for vendor in all() {
        let deep = "[".repeat(10_000);
        let json: [&[u8]; 6] = [
            b"\xff\xfe",
            b"",
            b"null",
            deep.as_bytes(),
            br#"{"event":"delivered","event":"failed"}"#,
            b"{\"event\":\"\xff\"}",
        ];
        let forms: [&[u8]; 4] = [
            b"MessageSid=%ff&MessageStatus=%ff",
            b"MessageSid=SM1&MessageStatus=delivered",
            b"MessageUUID=%ff&Status=delivered",
            b"a=1",
        ];
        let bodies = if vendor.covers == Covers::Fields {
            &forms[..]
        } else {
            &json[..]
        };
        for body in bodies {
            let answer = (vendor.sign)(body).read(&*vendor.webhook, NOW);
            assert!(
                matches!(answer, Err(WebhookError::Malformed(_))),
                "{}: {:?}: {answer:?}",
                vendor.webhook.name(),
                String::from_utf8_lossy(&body[..body.len().min(40)])
            );
        }
    }
}

#[test]
fn sixty_five_kib_are_refused_before_anything_is_looked_at() {
    for vendor in all() {
        let mut sent = vendor.good();
        sent.body.resize(65 * 1024, b'x');
        assert_eq!(
            sent.read(&*vendor.webhook, NOW),
            Err(WebhookError::TooLarge)
        );
    }
}

#[test]
fn a_host_header_or_a_forwarding_header_changes_nothing() {
    for vendor in all() {
        let mut sent = vendor.good();
        sent.headers.push(("host", "evil.example".to_owned()));
        sent.headers
            .push(("x-forwarded-host", "evil.example".to_owned()));
        sent.headers.push(("x-forwarded-proto", "http".to_owned()));
        sent.headers
            .push(("forwarded", "host=evil.example".to_owned()));
        assert!(
            sent.read(&*vendor.webhook, NOW).is_ok(),
            "{}",
            vendor.webhook.name()
        );
    }
}

#[test]
fn a_signature_for_another_url_is_refused_where_the_url_is_signed() {
    for vendor in all().into_iter().filter(|vendor| vendor.url_signed) {
        for url in [
            "https://evil.example/in?tenant=7",
            "http://hooks.example.com/in?tenant=7",
            "https://hooks.example.com/in/?tenant=7",
            "https://hooks.example.com/in?tenant=8",
            "https://hooks.example.com/in",
            "https://hooks.example.com:8443/other?tenant=7",
            "",
        ] {
            let mut sent = vendor.good();
            sent.url = url.to_owned();
            refused(&vendor, &sent, url);
        }
    }
}

#[test]
fn errors_and_debug_show_neither_secret_nor_body_nor_url() {
    for vendor in all() {
        let mut sent = vendor.good();
        sent.body.extend(b"canary");
        let shown = format!(
            "{:?} {:?}",
            vendor.webhook,
            sent.read(&*vendor.webhook, NOW)
        );
        for canary in [
            "canary",
            "hooks.example",
            "\"token\"",
            "\"secret\"",
            "\"key\"",
        ] {
            assert!(!shown.contains(canary), "{shown}");
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,80}",
        Just(SECONDS.to_owned()),
        Just("v1,".to_owned()),
        Just("sha256=".to_owned()),
        Just("Bearer a.b.c".to_owned()),
        Just("Bearer eyJhbGciOiJub25lIn0.e30.".to_owned()),
        "[A-Za-z0-9+/]{0,90}={0,2}",
        "[0-9a-f]{64}",
        Just(FORM.to_owned()),
        Just("application/json".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_that_anybody_sends_panics_or_is_believed(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            "[\\[\\]{}\",:a-z0-9%&=]{0,200}".prop_map(String::into_bytes),
        ],
        values in prop::collection::vec(text(), 12),
        url in "\\PC{0,60}|https://[a-z:@.\\[\\]]{0,20}[/?#]{0,3}[a-zA-Z0-9=&%+]{0,40}",
        get in any::<bool>(),
        seconds in any::<i64>(),
    ) {
        let names = [
            "x-twilio-signature", "x-twilio-webhooks-signature-settings",
            "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp",
            "x-plivo-signature-v3", "x-plivo-signature-v3-nonce", "authorization",
            "x-hub-signature-256", "x-request-timestamp", "x-request-signature",
            "content-type", "svix-signature",
        ];
        let sent = Sent {
            method: if get { Method::GET } else { Method::POST },
            url,
            headers: names.into_iter().zip(values).collect(),
            body,
        };
        for vendor in all() {
            let now = otp_core::clock::Timestamp::from_millis(seconds);
            prop_assert!(sent.read(&*vendor.webhook, now).is_err());
        }
    }
}
