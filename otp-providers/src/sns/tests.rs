use http::header::AUTHORIZATION;
use otp_core::delivery::DispatchCertainty::{NotSent, Unknown};

use super::*;
use crate::aws::AwsCredentials;
use crate::http::ScriptedTransport;
use crate::kit;

const ACCEPTED: &str = r#"<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishResponse>"#;

fn builder() -> SnsBuilder {
    let credentials = AwsCredentials::new("AKIDEXAMPLE", "the-secret-key").expect("credentials");
    Sns::builder(Arc::new(credentials), "us-west-2")
}

async fn sent_by(builder: SnsBuilder) -> HttpRequest {
    let vendor = ScriptedTransport::new().then(200, ACCEPTED);
    let sns = builder
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider");
    let receipt = sns
        .deliver(&kit::to_phone(Channel::Sms, 300))
        .await
        .expect("accepted");
    assert_eq!(
        receipt.reference(),
        Some("567910cd-659e-55d4-8ccb-5aaf14679dc0")
    );
    let [request] = vendor.requests().try_into().expect("one request");
    request
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

const PUBLISH: [(&str, &str); 7] = [
    ("Action", "Publish"),
    ("Version", "2010-03-31"),
    ("PhoneNumber", kit::PHONE),
    ("Message", kit::TEXT),
    ("MessageAttributes.entry.1.Name", "AWS.SNS.SMS.SMSType"),
    ("MessageAttributes.entry.1.Value.DataType", "String"),
    (
        "MessageAttributes.entry.1.Value.StringValue",
        "Transactional",
    ),
];

#[tokio::test]
async fn the_request_is_the_documented_form_and_signed() {
    let request = sent_by(builder()).await;
    assert_eq!(
        request.url().as_str(),
        "https://sns.us-west-2.amazonaws.com/"
    );
    assert_eq!(kit::form(&request), pairs(&PUBLISH));
    let authorization = request.headers()[AUTHORIZATION].to_str().expect("text");
    assert!(
        authorization
            .contains("/us-west-2/sns/aws4_request, SignedHeaders=content-type;host;x-amz-date,")
    );
}

#[tokio::test]
async fn a_number_and_an_id_take_the_attribute_of_their_form() {
    for (from, name) in [
        ("+14155550199", "AWS.MM.SMS.OriginationNumber"),
        ("ACME", "AWS.SNS.SMS.SenderID"),
    ] {
        let form = kit::form(&sent_by(builder().from(from)).await);
        let sender = pairs(&[
            ("MessageAttributes.entry.2.Name", name),
            ("MessageAttributes.entry.2.Value.DataType", "String"),
            ("MessageAttributes.entry.2.Value.StringValue", from),
        ]);
        assert_eq!(form.get(7..), Some(sender.as_slice()));
    }
    assert!(matches!(
        builder().from("<x>").build(),
        Err(ConfigError::Sender)
    ));
}

#[test]
fn errors_are_classified_by_code() {
    use DeliveryErrorKind as Kind;
    let cases = [
        (400, "OptedOut", Kind::OptedOut),
        (429, "Throttled", Kind::Throttled),
        (400, "Throttling", Kind::Throttled),
        (403, "AuthorizationError", Kind::Unauthorized),
        (400, "InvalidParameter", Kind::Invalid),
        (400, "ParameterValueInvalid", Kind::Invalid),
        (400, "EndpointDisabled", Kind::Invalid),
        (500, "InternalError", Kind::Unavailable),
    ];
    for (status, code, kind) in cases {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"
        );
        let certainty = if status < 500 { NotSent } else { Unknown };
        kit::assert_read(
            &classify_api(status, body.as_bytes()),
            kind,
            certainty,
            code,
        );
    }
    for body in ["", "<Code>", "<Code>904173</Code>", "{}"] {
        kit::assert_read(
            &classify_api(400, body.as_bytes()),
            Kind::Invalid,
            NotSent,
            "400",
        );
        kit::assert_read(
            &classify_api(502, body.as_bytes()),
            Kind::Unavailable,
            Unknown,
            "502",
        );
    }
    kit::assert_read(
        &classify_api(500, &[0xff, 0xfe]),
        Kind::Unavailable,
        Unknown,
        "500",
    );
}

#[tokio::test]
async fn an_answer_without_an_id_is_not_a_receipt() {
    for body in [
        "",
        "<MessageId></MessageId>",
        "<MessageId>a b</MessageId>",
        "<MessageId>a",
    ] {
        let vendor = ScriptedTransport::new().then(200, body);
        let sns = builder()
            .transport(Arc::new(vendor))
            .build()
            .expect("a provider");
        let error = sns
            .deliver(&kit::to_phone(Channel::Sms, 300))
            .await
            .expect_err(body);
        assert_eq!(
            (error.kind(), error.certainty()),
            (DeliveryErrorKind::Protocol, Unknown),
            "{body}"
        );
    }
}

#[tokio::test]
async fn the_sender_that_a_country_asks_for_stands_before_the_own_one() {
    let vendor = ScriptedTransport::new().then(200, ACCEPTED);
    let transport = Arc::new(vendor.clone());
    let sns = builder().from("OWN").transport(transport).build();
    let message = kit::asking(Channel::Sms, "+33644600001", "any");
    let sent = sns.expect("a provider").deliver(&message).await;
    sent.expect("accepted");
    let [request] = vendor.requests().try_into().expect("one request");
    let form = kit::form(&request);
    let has = |value: &str| form.iter().any(|(_, found)| found == value);
    assert!(has("AWS.MM.SMS.OriginationNumber") && has("+33644600001"));
    assert!(!has("OWN") && !has("AWS.SNS.SMS.SenderID"));
}
