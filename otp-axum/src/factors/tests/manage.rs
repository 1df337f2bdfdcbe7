//! Factors that are listed, renamed and taken away.

use super::*;

const FACTORS: &str = "/api/v1/2fa/factors";

async fn list(app: &Router, token: &str) -> Value {
    let (status, listed) = ask(app, Method::GET, FACTORS, token, json!(null)).await;
    assert_eq!(status, StatusCode::OK, "{listed}");
    listed
}

#[tokio::test]
async fn a_factor_is_listed_without_its_secret() {
    let host = host();
    let acme = host.factors("acme");
    let ann = host.signed_in("acme", "ann").await;
    let nothing = json!({ "factors": [], "recovery_codes_left": 0 });
    assert_eq!(list(&acme, &ann).await, nothing);
    let phone = host.enrolled(&acme, &ann).await;
    let listed = list(&acme, &ann).await;
    let one = listed["factors"][0].as_object().unwrap();
    assert_eq!(one["factor_id"], json!(phone.factor));
    assert_eq!(
        (&one["state"], &one["kind"]),
        (&json!("active"), &json!("totp"))
    );
    assert!(one["confirmed_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(one.len(), 7, "{one:?}");
    assert_eq!(listed["recovery_codes_left"], 10);
    let namesake = host.signed_in("other", "ann").await;
    assert_eq!(list(&host.factors("other"), &namesake).await, nothing);
}

#[tokio::test]
async fn nothing_less_than_a_fresh_factor_renames_or_takes_one_away() {
    let host = host();
    let acme = host.factors("acme");
    let ann = host.signed_in("acme", "ann").await;
    let phone = host.enrolled(&acme, &ann).await;
    let one = format!("{FACTORS}/{}", phone.factor);
    let name = json!({ "name": "old phone" });
    let stolen = host.signed_in("acme", "ann").await;
    for (method, body) in [(Method::DELETE, json!({})), (Method::PUT, name.clone())] {
        let (status, said) = ask(&acme, method, &one, &stolen, body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{said}");
        assert_eq!(said["code"], "fresh_proof_required");
    }
    let bob = host.signed_in("acme", "bob").await;
    for method in [Method::DELETE, Method::PUT] {
        let (status, said) = ask(&acme, method, &one, &bob, name.clone()).await;
        let another = status == StatusCode::NOT_FOUND || said["code"] == "malformed";
        assert!(another, "another account's: {status} {said}");
    }
    let (status, _) = ask(&acme, Method::DELETE, &one, &bob, json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    // The session that showed the factor a moment ago is proof enough; later it is not.
    let (status, said) = ask(&acme, Method::PUT, &one, &phone.session, name).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{said}");
    assert_eq!(list(&acme, &ann).await["factors"][0]["name"], "old phone");
    host.clock.advance(std::time::Duration::from_secs(700));
    let fresh = host.signed_in("acme", "ann").await;
    let (status, _) = ask(&acme, Method::DELETE, &one, &fresh, json!({})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let code = json!({ "otp": host.code(&phone.app, 0) });
    let (status, said) = ask(&acme, Method::DELETE, &one, &fresh, code).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{said}");
    assert_eq!(list(&acme, &ann).await["factors"], json!([]));
}

#[tokio::test]
async fn a_recovery_code_is_proof_enough_and_a_name_is_one_factors() {
    let host = host();
    let acme = host.factors("acme");
    let ann = host.signed_in("acme", "ann").await;
    let phone = host.enrolled(&acme, &ann).await;
    let body = json!({ "name": "tablet" });
    let (status, second) = post(&acme, ENROL, &phone.session, body).await;
    assert_eq!(status, StatusCode::OK, "{second}");
    let first = json!({ "otp": host.code(&scan(&second), 0), "factor_id": second["factor_id"] });
    assert_eq!(post(&acme, CONFIRM, &ann, first).await.0, StatusCode::OK);
    let one = format!("{FACTORS}/{}", phone.factor);
    for (name, status, code) in [
        (json!("tablet"), StatusCode::CONFLICT, "name_taken"),
        (json!("two\nlines"), StatusCode::BAD_REQUEST, "invalid_name"),
        (json!(7), StatusCode::BAD_REQUEST, "invalid_name"),
        (json!(null), StatusCode::BAD_REQUEST, "invalid_name"),
    ] {
        let body = json!({ "name": name });
        let (said, error) = ask(&acme, Method::PUT, &one, &phone.session, body).await;
        assert_eq!((said, &error["code"]), (status, &json!(code)), "{name}");
    }
    let nobody = format!("{FACTORS}/no-id");
    let (status, _) = ask(&acme, Method::DELETE, &nobody, &phone.session, json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let proof = json!({ "recovery_code": phone.recovery[0] });
    let (status, said) = ask(&acme, Method::DELETE, &one, &ann, proof).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{said}");
    let listed = list(&acme, &ann).await;
    assert_eq!(listed["factors"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["recovery_codes_left"], 9);
}
