//! Tokens that name another algorithm, or say too little.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;

use super::super::mac::{hex, hmac_sha256, sha256};
use super::super::{VonageWebhook, WebhookError};
use super::support::{NOW, Sent, secret};

const BODY: &[u8] = br#"{"message_uuid":"u","status":"delivered"}"#;
const HS256: &str = r#"{"alg":"HS256"}"#;

fn claims() -> String {
    let hash = hex(&sha256(BODY));
    format!(r#"{{"iat":1700000000,"jti":"j","payload_hash":"{hash}"}}"#)
}

fn head(header: &str, claims: &str) -> String {
    [header, claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".")
}

fn token(header: &str, claims: &str) -> String {
    let head = head(header, claims);
    let mac = hmac_sha256(b"secret", &[head.as_bytes()]).expect("any key");
    format!("{head}.{}", URL_SAFE_NO_PAD.encode(mac))
}

fn read(authorization: &str) -> Result<(), WebhookError> {
    let reader = VonageWebhook::new(secret("secret"));
    let headers = vec![("authorization", authorization.to_owned())];
    Sent::post("https://a.example/", headers, BODY)
        .read(&reader, NOW)
        .map(drop)
}

#[test]
fn a_token_is_hs256_whatever_it_says_of_itself() {
    assert_eq!(read(&format!("Bearer {}", token(HS256, &claims()))), Ok(()));
    assert_eq!(read(&format!("bearer {}", token(HS256, &claims()))), Ok(()));
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS256","crit":["b64"]}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":["HS256"]}"#,
        "{}",
        "[]",
    ] {
        assert!(
            read(&format!("Bearer {}", token(header, &claims()))).is_err(),
            "{header}"
        );
    }
    let unsigned = format!("Bearer {}.", head(r#"{"alg":"none"}"#, &claims()));
    assert_eq!(read(&unsigned), Err(WebhookError::BadSignature));
    let wide = head(r#"{"alg":"HS512"}"#, &claims());
    let mac = Hmac::<Sha512>::new_from_slice(b"secret").expect("any key");
    let mac = mac.chain_update(&wide).finalize().into_bytes();
    let wide = format!("Bearer {wide}.{}", URL_SAFE_NO_PAD.encode(mac));
    assert_eq!(read(&wide), Err(WebhookError::BadSignature));
}

#[test]
fn a_token_without_time_or_hash_of_the_body_is_worth_nothing() {
    let hash = hex(&sha256(BODY));
    for claims in [
        format!(r#"{{"payload_hash":"{hash}"}}"#),
        format!(r#"{{"iat":"1700000000","payload_hash":"{hash}"}}"#),
        format!(r#"{{"iat":-1,"payload_hash":"{hash}"}}"#),
        format!(r#"{{"iat":1e300,"payload_hash":"{hash}"}}"#),
        format!(
            r#"{{"iat":1700000000,"payload_hash":"{}"}}"#,
            hash.to_uppercase()
        ),
        format!(r#"{{"iat":1700000000,"payload_hash":"{}"}}"#, &hash[..63]),
        format!(r#"{{"iat":1700000000,"exp":1700000000,"payload_hash":"{hash}"}}"#),
        format!(r#"{{"iat":1,"iat":1700000000,"payload_hash":"{hash}"}}"#),
        r#"{"iat":1700000000}"#.to_owned(),
        r#"{"iat":1700000000,"payload_hash":""}"#.to_owned(),
        "null".to_owned(),
    ] {
        assert!(
            read(&format!("Bearer {}", token(HS256, &claims))).is_err(),
            "{claims}"
        );
    }
}

#[test]
fn what_is_no_bearer_token_of_three_parts_is_unsigned() {
    let good = token(HS256, &claims());
    for bad in [
        good.clone(),
        format!("Basic {good}"),
        format!("Bearer  {good}"),
        format!("Bearer {good}."),
        format!("Bearer {}", good.replace('.', "")),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer ..".to_owned(),
    ] {
        assert!(read(&bad).is_err(), "{bad}");
    }
}
