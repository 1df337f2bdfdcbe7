//! Which of the vendor's codes is which class.

use super::*;

#[test]
fn codes_of_the_api_are_classified_and_the_status_decides_the_rest() {
    use DeliveryErrorKind as Kind;
    let cases = [
        (401, 20003, Kind::Unauthorized),
        (429, 20429, Kind::Throttled),
        (500, 20500, Kind::Unavailable),
        (503, 20503, Kind::Unavailable),
        (404, 20404, Kind::Invalid),
        (400, 21211, Kind::Unreachable),
        (400, 21408, Kind::Invalid),
        (400, 21606, Kind::Invalid),
        (400, 21608, Kind::Unauthorized),
        (400, 21610, Kind::OptedOut),
        (400, 21611, Kind::Throttled),
        (400, 21612, Kind::Invalid),
        (400, 21614, Kind::Unreachable),
        (400, 21617, Kind::Invalid),
        (403, 30450, Kind::Protected),
        (403, 30453, Kind::Protected),
        (429, 60203, Kind::Protected),
        (403, 60410, Kind::Protected),
        (400, 99_999, Kind::Invalid),
        (403, 99_999, Kind::Unauthorized),
        (429, 99_999, Kind::Throttled),
        (502, 99_999, Kind::Unavailable),
    ];
    for (status, code, kind) in cases {
        let classic = format!(
            r#"{{"code":{code},"message":"m","more_info":"https://www.twilio.com/docs/errors/{code}","status":{status}}}"#
        );
        let problem = format!(
            r#"{{"type":"about:blank","title":"t","status":{status},"code":{code},"detail":"d","errors":[]}}"#
        );
        let nested = format!(r#"{{"title":"t","status":{status},"errors":[{{"code":"{code}"}}]}}"#);
        for body in [classic, problem, nested] {
            let read = classify_api(status, body.as_bytes());
            assert_eq!(
                (read.kind, read.code.as_str()),
                (kind, code.to_string().as_str()),
                "{body}"
            );
            assert_eq!(
                read.certainty == DispatchCertainty::NotSent,
                status < 500,
                "{body}"
            );
        }
    }
}

#[test]
fn a_body_that_says_nothing_leaves_the_status_to_decide() {
    for body in [
        "",
        "<html><h1>502</h1></html>",
        "{",
        "{}",
        r#"{"code":null}"#,
        r#"{"code":-1}"#,
        r#"{"code":1e99}"#,
        r#"{"code":904173}"#,
        r#"{"code":"0904173"}"#,
    ] {
        assert_eq!(
            classify_api(502, body.as_bytes()).kind,
            DeliveryErrorKind::Unavailable
        );
        assert_eq!(
            classify_api(401, body.as_bytes()).kind,
            DeliveryErrorKind::Unauthorized
        );
        assert_eq!(classify_api(400, body.as_bytes()).code, "400");
    }
    assert_eq!(
        classify_api(302, br#"{"code":21610}"#).kind,
        DeliveryErrorKind::Protocol
    );
    let deep = "[".repeat(60_000);
    assert_eq!(
        classify_api(500, deep.as_bytes()).kind,
        DeliveryErrorKind::Unavailable
    );
}

#[test]
fn codes_of_status_reports_are_classified() {
    use ErrorClass::{Blocked, Permanent, Recipient, Retryable};
    let cases: [(ErrorClass, &[u32]); 4] = [
        (
            Retryable,
            &[
                30001, 30008, 30017, 30022, 30023, 30027, 30036, 30410, 63009, 63018, 63038,
            ],
        ),
        (
            Permanent,
            &[
                30002, 30007, 30018, 30024, 30032, 30034, 30035, 63001, 63007, 63016, 63028, 63042,
            ],
        ),
        (
            Recipient,
            &[30004, 30005, 30006, 63003, 63014, 63024, 63033],
        ),
        (Blocked, &[30450, 30453]),
    ];
    for (class, codes) in cases {
        for code in codes {
            assert_eq!(classify_status(*code).class(), class, "{code}");
        }
    }
    assert_eq!(classify_status(63014), DeliveryErrorKind::OptedOut);
    assert_eq!(classify_status(1), DeliveryErrorKind::Unavailable);
}
