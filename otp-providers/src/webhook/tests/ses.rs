//! Messages of Amazon SNS, signed with a key that was made for these tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryErrorKind, DeliveryState};
use serde_json::Value;

use super::super::{
    Answer, CertificateSource, CertificateUnavailable, CertificateUrl, Event, SesWebhook, Topic,
    WebhookError, async_trait,
};
use super::support::Sent;

/// 2025-06-01T12:00:00Z, when the messages were signed.
const SIGNED: Timestamp = Timestamp::from_millis(1_748_779_200_000);

#[derive(Debug)]
struct Certificates {
    pem: Option<String>,
    fetched: AtomicUsize,
}

#[async_trait]
impl CertificateSource for Certificates {
    async fn fetch(&self, _url: &CertificateUrl) -> Result<Vec<u8>, CertificateUnavailable> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        let pem = self.pem.clone().ok_or(CertificateUnavailable)?;
        Ok(pem.into_bytes())
    }
}

struct Bench {
    cases: Value,
    source: Arc<Certificates>,
}

impl Bench {
    fn new() -> Self {
        let cases: Value = serde_json::from_str(include_str!("sns.json")).expect("json");
        let pem = cases["certificate"].as_str().map(str::to_owned);
        Self {
            cases,
            source: Arc::new(Certificates {
                pem,
                fetched: AtomicUsize::new(0),
            }),
        }
    }

    fn webhook(&self) -> SesWebhook {
        let topic = self.cases["topic"].as_str().expect("a topic");
        SesWebhook::new(
            topic,
            Arc::clone(&self.source) as Arc<dyn CertificateSource>,
        )
    }

    fn sent(&self, case: &str) -> Sent {
        let body = self.cases[case].to_string();
        Sent::post("https://a.example/", Vec::new(), body.as_bytes())
    }

    fn read(&self, case: &str) -> Result<Answer, WebhookError> {
        self.sent(case).read(&self.webhook(), SIGNED)
    }

    fn event(&self, case: &str) -> Event {
        match self.read(case) {
            Ok(Answer::Events(mut events)) if events.len() == 1 => events.remove(0),
            other => panic!("{other:?}"),
        }
    }

    fn fetched(&self) -> usize {
        self.source.fetched.load(Ordering::Relaxed)
    }
}

#[test]
fn events_of_both_forms_and_both_signature_versions_are_reports() {
    let bench = Bench::new();
    for (case, state, code) in [
        ("delivery", DeliveryState::Delivered, None),
        (
            "bounce",
            DeliveryState::Failed(DeliveryErrorKind::Unreachable),
            Some("Permanent/General"),
        ),
        ("complaint", DeliveryState::Complained, None),
    ] {
        let Event::Report(report) = bench.event(case) else {
            panic!("{case} is no report");
        };
        assert_eq!((report.provider(), report.reference()), ("ses", "m-1"));
        assert_eq!((report.state(), report.code()), (state, code), "{case}");
        assert_eq!(report.replay().as_str(), "ses/id-1");
    }
}

#[test]
fn opened_mail_plain_text_and_unsubscription_are_notices() {
    let bench = Bench::new();
    for (case, topic) in [
        ("open", Topic::Engagement),
        ("plain", Topic::Other),
        ("unsubscribe", Topic::Account),
    ] {
        assert!(
            matches!(bench.event(case), Event::Notice(notice) if notice.topic == topic),
            "{case}"
        );
    }
}

#[test]
fn a_subscription_is_confirmed_at_amazon_only() {
    let bench = Bench::new();
    let Ok(Answer::Confirm(url)) = bench.read("subscribe") else {
        panic!("no confirmation");
    };
    assert_eq!(url.host_str(), Some("sns.eu-west-1.amazonaws.com"));
    assert_eq!(
        bench.read("subscribe_elsewhere"),
        Err(WebhookError::Malformed("SubscribeURL"))
    );
    assert!(!format!("{:?}", Answer::Confirm(url)).contains("Token"));
}

#[test]
fn nothing_is_fetched_for_a_foreign_topic_an_old_message_or_another_host() {
    let bench = Bench::new();
    assert_eq!(bench.read("foreign"), Err(WebhookError::BadSignature));
    assert_eq!(bench.read("elsewhere"), Err(WebhookError::BadSignature));
    for now in [
        SIGNED.saturating_add(Duration::from_secs(301)),
        SIGNED.saturating_sub(Duration::from_secs(301)),
    ] {
        let answer = bench.sent("delivery").read(&bench.webhook(), now);
        assert_eq!(answer, Err(WebhookError::Stale));
    }
    assert_eq!(bench.fetched(), 0);
}

#[test]
fn a_certificate_is_fetched_once_and_its_absence_is_our_fault_not_the_vendors() {
    let bench = Bench::new();
    let webhook = bench.webhook();
    for case in ["delivery", "complaint", "open"] {
        assert!(bench.sent(case).read(&webhook, SIGNED).is_ok());
    }
    assert_eq!(bench.fetched(), 1);
    for pem in [None, Some("no certificate".to_owned())] {
        let topic = bench.cases["topic"].as_str().expect("a topic");
        let source = Arc::new(Certificates {
            pem,
            fetched: AtomicUsize::new(0),
        });
        let answer = bench
            .sent("delivery")
            .read(&SesWebhook::new(topic, source), SIGNED);
        assert_eq!(answer, Err(WebhookError::KeyUnavailable));
    }
    assert_eq!(WebhookError::KeyUnavailable.status().as_u16(), 503);
}

#[test]
fn every_signed_field_that_is_changed_is_refused() {
    let bench = Bench::new();
    for (case, field) in [
        ("delivery", "Message"),
        ("delivery", "MessageId"),
        ("delivery", "Subject"),
        ("delivery", "Signature"),
        ("delivery", "SignatureVersion"),
        ("bounce", "SignatureVersion"),
        ("subscribe", "SubscribeURL"),
        ("subscribe", "Token"),
        ("subscribe", "Message"),
    ] {
        let mut body = bench.cases[case].clone();
        body[field] = match field {
            "SignatureVersion" => {
                if case == "bounce" {
                    "2"
                } else {
                    "1"
                }
            }
            "Signature" => "AAAA",
            _ => "changed",
        }
        .into();
        let sent = Sent::post(
            "https://a.example/",
            Vec::new(),
            body.to_string().as_bytes(),
        );
        let answer = sent.read(&bench.webhook(), SIGNED);
        assert_eq!(answer, Err(WebhookError::BadSignature), "{case} {field}");
    }
}

#[test]
fn sha1_is_refused_where_sha256_is_required() {
    let bench = Bench::new();
    let strict = bench.webhook().require_sha256();
    assert_eq!(
        bench.sent("bounce").read(&strict, SIGNED),
        Err(WebhookError::BadSignature)
    );
    assert!(bench.sent("delivery").read(&strict, SIGNED).is_ok());
}

#[test]
fn a_signed_event_with_a_name_twice_is_malformed() {
    assert_eq!(
        Bench::new().read("twice"),
        Err(WebhookError::Malformed("Message"))
    );
}
