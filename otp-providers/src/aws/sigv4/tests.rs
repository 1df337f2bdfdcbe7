use super::*;

const KEY_ID: &str = "AKIDEXAMPLE";
const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NEW_YEAR: Timestamp = Timestamp::from_millis(1_735_689_600_000);

fn credentials() -> AwsCredentials {
    AwsCredentials::new(KEY_ID, KEY).expect("credentials")
}

fn signed(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Signature {
    signed_by(&credentials(), method, url, headers, body)
}

fn signed_by(
    credentials: &AwsCredentials,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Signature {
    let input = SigningInput {
        method,
        url: &Url::parse(url).expect("a url"),
        headers,
        body,
        region: "us-west-2",
        service: "ses",
    };
    sign(&input, credentials, NEW_YEAR)
}

#[test]
fn a_post_is_signed_as_amazons_own_client_signs_it() {
    let url = "https://email.us-west-2.amazonaws.com/v2/email/outbound-emails";
    let json = [("Content-Type", "application/json")];
    let signature = signed("POST", url, &json, br#"{"Content":{}}"#);
    assert_eq!(signature.date(), "20250101T000000Z");
    assert_eq!(
        signature.canonical_request().expose(),
        "POST\n/v2/email/outbound-emails\n\ncontent-type:application/json\n\
         host:email.us-west-2.amazonaws.com\nx-amz-date:20250101T000000Z\n\n\
         content-type;host;x-amz-date\n\
         2585ec52127b81c54cc88c900206dc4398a92f02198560a97fe8e54d6323792f"
    );
    assert_eq!(
        signature.string_to_sign(),
        "AWS4-HMAC-SHA256\n20250101T000000Z\n20250101/us-west-2/ses/aws4_request\n\
         1cb1c911d33c05cb3951f7e972e2df5ac369fffda3b8fa422b40f972c5e45d38"
    );
    assert_eq!(
        signature.authorization().expose(),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20250101/us-west-2/ses/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=a71380ff8a12abe0071c7015882fd6f35c325ac24d2954841d2adcc9b073a805"
    );
}

#[test]
fn a_session_token_is_signed_along() {
    let session = credentials().with_session_token("TOKEN").expect("a token");
    let signature = signed_by(
        &session,
        "POST",
        "https://email.us-west-2.amazonaws.com/v2/email/outbound-emails",
        &[("content-type", "application/json")],
        br#"{"Content":{}}"#,
    );
    assert!(signature.authorization().expose().ends_with(
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, \
         Signature=561f23c6158461f5b3080b9e0c95447db40b538e6e9491d8847b641b5c2f29d0"
    ));
}

#[test]
fn a_request_without_a_body_signs_the_hash_of_nothing() {
    let url = "https://email.us-west-2.amazonaws.com/v2/email/account";
    assert!(
        signed("GET", url, &[], b"")
            .authorization()
            .expose()
            .ends_with(
                "SignedHeaders=host;x-amz-date, \
         Signature=159c4fb468d4c1a7f6ac01b961d7b8c6c73964c1edb58577fe969d7fd599d117"
            )
    );
}

#[test]
fn paths_are_escaped_twice_and_queries_sorted() {
    assert_eq!(
        canonical_path("/v2/user%40example.com/"),
        "/v2/user%2540example.com/"
    );
    assert_eq!(
        canonical_path("/v2/user@example.com"),
        "/v2/user%40example.com"
    );
    assert_eq!(canonical_path("//a/./b/../c"), "/a/c");
    assert_eq!(canonical_path("/"), "/");
    assert_eq!(canonical_path("/../"), "/");
    assert_eq!(canonical_query("b=2&a=1&a=0&c&"), "a=0&a=1&b=2&c=");
}

#[test]
fn a_port_of_its_own_is_part_of_the_host() {
    let signature = signed("GET", "http://127.0.0.1:8080/", &[("A", "  b   c ")], b"");
    let request = signature.canonical_request().expose();
    assert!(request.contains("\nhost:127.0.0.1:8080\n"), "{request}");
    assert!(request.contains("\na:b c\n"), "{request}");
}

#[test]
fn what_is_signed_always_is_not_taken_from_the_caller() {
    let forged = [("Host", "elsewhere"), ("X-Amz-Date", "19700101T000000Z")];
    let signature = signed(
        "GET",
        "https://email.us-west-2.amazonaws.com/",
        &forged,
        b"",
    );
    let request = signature.canonical_request().expose();
    assert!(
        !request.contains("elsewhere") && !request.contains("1970"),
        "{request}"
    );
}

#[test]
fn debug_shows_no_key() {
    let session = credentials().with_session_token("canary").expect("a token");
    let signature = signed_by(&session, "GET", "https://example.com/", &[], b"");
    let shown = format!("{session:?} {signature:?}");
    for secret in ["canary", KEY_ID, KEY, "Credential="] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn malformed_credentials_are_refused() {
    for (id, secret) in [
        ("", KEY),
        ("AK", KEY),
        ("AKID\nX", KEY),
        ("A/B/C/D", KEY),
        (KEY_ID, ""),
        (KEY_ID, "a b"),
    ] {
        assert!(AwsCredentials::new(id, secret).is_err(), "{id:?}");
    }
    assert!(credentials().with_session_token("a\r\nb").is_err());
}
