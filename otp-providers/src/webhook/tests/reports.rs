//! What good requests say.

use otp_core::delivery::{DeliveryErrorKind as Kind, DeliveryState as State, Report};

use super::super::{Answer, Event, Topic, WebhookError, WhatsAppWebhook};
use super::support::{NOW, Sent, secret};
use super::vendors::{Vendor, all};

fn vendor(name: &str) -> Vendor {
    let mut all = all().into_iter();
    all.find(|vendor| vendor.webhook.name() == name)
        .expect(name)
}

fn report(vendor: &Vendor, body: &str) -> Report {
    match (vendor.sign)(body.as_bytes())
        .events(&*vendor.webhook)
        .as_slice()
    {
        [Event::Report(report)] => report.clone(),
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn the_good_request_of_every_vendor_reports_one_delivered_message() {
    for vendor in all() {
        let events = vendor.good().events(&*vendor.webhook);
        let [Event::Report(report)] = events.as_slice() else {
            panic!("{}: {events:?}", vendor.webhook.name());
        };
        assert_eq!(report.state(), State::Delivered);
        assert_eq!(report.provider(), vendor.webhook.name());
        assert_eq!(report.at(), NOW);
    }
}

#[test]
fn twilio_words_become_states_and_codes_become_kinds() {
    let twilio = vendor("twilio");
    let sid = format!("SM{}", "0a".repeat(16));
    for (status, code, state) in [
        ("queued", "", State::Queued),
        ("sent", "", State::Sent),
        ("read", "", State::Read),
        ("canceled", "", State::Cancelled),
        ("failed", "21610", State::Failed(Kind::OptedOut)),
        ("undelivered", "30005", State::Failed(Kind::Unreachable)),
        ("undelivered", "30450", State::Failed(Kind::Protected)),
        ("undelivered", "", State::Failed(Kind::Unavailable)),
    ] {
        let body = format!("ErrorCode={code}&MessageSid={sid}&MessageStatus={status}");
        let report = report(&twilio, &body);
        assert_eq!(report.state(), state, "{status} {code}");
        assert_eq!(report.replay().as_str(), format!("twilio/{sid}/{status}"));
    }
    let body = format!("MessageSid={sid}&MessageStatus=teleported");
    let events = (twilio.sign)(body.as_bytes()).events(&*twilio.webhook);
    assert!(matches!(&events[0], Event::Notice(notice) if notice.topic == Topic::Other));
}

#[test]
fn a_batch_of_sendgrid_is_read_in_order_and_opening_a_mail_moves_nothing() {
    let sendgrid = vendor("sendgrid");
    let event = |word: &str, id: &str, more: &str| {
        format!(
            r#"{{"event":"{word}","timestamp":1700000000,"sg_event_id":"{id}","sg_message_id":"m.x.0"{more}}}"#
        )
    };
    let body = format!(
        "[{},{},{},{},{}]",
        event("processed", "1", ""),
        event("open", "2", ""),
        event("bounce", "3", r#","type":"bounce","status":"5.1.1""#),
        event("spamreport", "4", ""),
        event("processed", "1", ""),
    );
    let events = (sendgrid.sign)(body.as_bytes()).events(&*sendgrid.webhook);
    let states: Vec<Option<State>> = events
        .iter()
        .map(|event| match event {
            Event::Report(report) => Some(report.state()),
            Event::Notice(_) => None,
        })
        .collect();
    assert_eq!(
        states,
        [
            Some(State::Queued),
            None,
            Some(State::Failed(Kind::Unreachable)),
            Some(State::Complained),
            Some(State::Queued),
        ]
    );
    assert_eq!(events[0].replay(), events[4].replay());
    let Event::Report(bounce) = &events[2] else {
        panic!("no report")
    };
    assert_eq!((bounce.reference(), bounce.code()), ("m", Some("5.1.1")));
}

#[test]
fn a_thousand_events_of_one_id_have_one_replay_key() {
    let sendgrid = vendor("sendgrid");
    let event = r#"{"event":"open","sg_event_id":"1"}"#;
    let body = format!("[{}]", [event; 1000].join(","));
    let events = (sendgrid.sign)(body.as_bytes()).events(&*sendgrid.webhook);
    assert_eq!(events.len(), 1000);
    assert!(
        events
            .iter()
            .all(|event| event.replay() == events[0].replay())
    );
}

#[test]
fn vendors_words_for_failure_and_recall_are_told_apart() {
    for (name, body, state, code) in [
        (
            "plivo",
            "ErrorCode=200&MessageUUID=u&Status=failed",
            State::Failed(Kind::OptedOut),
            Some("200"),
        ),
        (
            "plivo",
            "ErrorCode=000&MessageUUID=u&Status=sent",
            State::Sent,
            None,
        ),
        (
            "resend",
            r#"{"type":"email.bounced","data":{"email_id":"m","bounce":{"type":"Transient"}}}"#,
            State::Failed(Kind::Unavailable),
            Some("Transient"),
        ),
        (
            "resend",
            r#"{"type":"email.complained","data":{"email_id":"m"}}"#,
            State::Complained,
            None,
        ),
        (
            "telegram-gateway",
            r#"{"request_id":"r","delivery_status":{"status":"revoked"}}"#,
            State::Cancelled,
            None,
        ),
        (
            "telegram-gateway",
            r#"{"request_id":"r","delivery_status":{"status":"expired"}}"#,
            State::Failed(Kind::Timeout),
            None,
        ),
        (
            "mailgun",
            r#"{"event":"failed","severity":"permanent","delivery-status":{"code":550},"message":{"headers":{"message-id":"m"}}}"#,
            State::Failed(Kind::Unreachable),
            Some("550"),
        ),
        (
            "mailgun",
            r#"{"event":"failed","severity":"temporary","message":{"headers":{"message-id":"m"}}}"#,
            State::Sent,
            None,
        ),
        (
            "vonage",
            r#"{"message_uuid":"u","status":"undeliverable","error":{"title":"1290"}}"#,
            State::Failed(Kind::Unreachable),
            Some("1290"),
        ),
    ] {
        let report = report(&vendor(name), body);
        assert_eq!((report.state(), report.code()), (state, code), "{body}");
    }
}

#[test]
fn a_whatsapp_batch_holds_statuses_and_a_paused_template() {
    let whatsapp = vendor("whatsapp");
    let body = r#"{"entry":[{"changes":[
        {"field":"messages","value":{"statuses":[
            {"id":"w1","status":"failed","timestamp":"1700000000","errors":[{"code":131026}]},
            {"id":"w2","status":"read","timestamp":"1700000000"}]}},
        {"field":"message_template_status_update","value":{
            "event":"PAUSED","message_template_id":7,"message_template_name":"otp",
            "message_template_language":"en_US","reason":"NONE"}}]}]}"#;
    let events = (whatsapp.sign)(body.as_bytes()).events(&*whatsapp.webhook);
    let [
        Event::Report(failed),
        Event::Report(read),
        Event::Notice(template),
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(failed.state(), State::Failed(Kind::Unreachable));
    assert_eq!((failed.code(), read.state()), (Some("131026"), State::Read));
    assert_eq!(template.word, "PAUSED");
    assert!(
        matches!(&template.topic, Topic::Template(update) if update.name == "otp" && update.reason.is_none())
    );
}

#[test]
fn every_word_for_a_template_is_a_state_or_changes_none() {
    use otp_core::delivery::TemplateState::{Approved, Disabled, Paused, Pending, Rejected};
    let whatsapp = vendor("whatsapp");
    for (word, expected) in [
        ("APPROVED", Some(Approved)),
        ("REINSTATED", Some(Approved)),
        ("PENDING", Some(Pending)),
        ("IN_APPEAL", Some(Pending)),
        ("REJECTED", Some(Rejected)),
        ("PAUSED", Some(Paused)),
        ("LIMIT_EXCEEDED", Some(Paused)),
        ("DISABLED", Some(Disabled)),
        ("PENDING_DELETION", Some(Disabled)),
        ("ARCHIVED", Some(Disabled)),
        ("FLAGGED", None),
        ("approved", None),
    ] {
        let body = format!(
            r#"{{"entry":[{{"changes":[{{"field":"message_template_status_update","value":{{
                "event":"{word}","message_template_id":7,"message_template_name":"otp"}}}}]}}]}}"#
        );
        let events = (whatsapp.sign)(body.as_bytes()).events(&*whatsapp.webhook);
        let [Event::Notice(notice)] = events.as_slice() else {
            panic!("{events:?}");
        };
        let Topic::Template(update) = &notice.topic else {
            panic!("{notice:?}");
        };
        assert_eq!(update.state, expected, "{word}");
    }
}

#[test]
fn a_handshake_echoes_the_challenge_to_whoever_knows_the_token_and_nobody_else() {
    let reader = WhatsAppWebhook::new(secret("app"), secret("verify"));
    let read = |query: &str| {
        let mut sent = Sent::post(&format!("https://a.example/in?{query}"), Vec::new(), b"");
        sent.method = http::Method::GET;
        sent.read(&reader, NOW)
    };
    let good = "hub.mode=subscribe&hub.challenge=77&hub.verify_token=verify";
    assert_eq!(read(good), Ok(Answer::Echo("77".to_owned())));
    for bad in [
        "",
        "hub.mode=subscribe&hub.challenge=77",
        "hub.mode=subscribe&hub.challenge=77&hub.verify_token=",
        "hub.mode=subscribe&hub.challenge=77&hub.verify_token=verif",
        "hub.mode=subscribe&hub.challenge=77&hub.verify_token=verifyy",
        "hub.mode=subscribe&hub.challenge=77&hub.verify_token=app",
        "hub.mode=unsubscribe&hub.challenge=77&hub.verify_token=verify",
        "hub.mode=subscribe&hub.verify_token=verify",
        "hub.mode=subscribe&hub.challenge=%0d%0a&hub.verify_token=verify",
        "hub.mode=subscribe&hub.challenge=1&hub.challenge=2&hub.verify_token=verify",
    ] {
        assert_eq!(read(bad), Err(WebhookError::HandshakeRefused), "{bad}");
    }
}

#[test]
fn refusals_name_the_status_to_answer() {
    for (error, status) in [
        (WebhookError::TooLarge, 413),
        (WebhookError::Unsigned, 401),
        (WebhookError::BadSignature, 401),
        (WebhookError::Stale, 401),
        (WebhookError::HandshakeRefused, 403),
        (WebhookError::Malformed("body"), 400),
    ] {
        assert_eq!(error.status().as_u16(), status);
    }
}
