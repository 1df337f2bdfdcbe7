//! A try that is sent again because its answer was lost.

use super::*;

#[tokio::test]
async fn a_try_that_is_sent_again_by_its_name_gets_the_same_tokens_for_a_minute() {
    let host = host();
    let acme = host.factors("acme");
    let ann = host.signed_in("acme", "ann").await;
    let phone = host.enrolled(&acme, &ann).await;
    let recovery = &phone.recovery[0];
    for (typed, other) in [
        (
            json!({ "otp": host.code(&phone.app, 1) }),
            json!({ "otp": "000000" }),
        ),
        (
            json!({ "recovery_code": recovery }),
            json!({ "recovery_code": phone.recovery[1] }),
        ),
    ] {
        let named = |body: &Value, id: &str| {
            let mut body = body.clone();
            body["attempt_id"] = json!(id);
            body
        };
        let (status, first) = post(&acme, SHOW, &ann, named(&typed, "one")).await;
        assert_eq!(status, StatusCode::OK, "{first}");
        for _ in 0..3 {
            let (status, again) = post(&acme, SHOW, &ann, named(&typed, "one")).await;
            assert_eq!(status, StatusCode::OK, "{again}");
            assert_eq!(again, first, "the recorded answer");
        }
        // Neither the code alone nor another name is the try, and a name is one code's.
        for body in [typed.clone(), named(&typed, "two")] {
            assert_eq!(
                post(&acme, SHOW, &ann, body).await.0,
                StatusCode::BAD_REQUEST
            );
        }
        if other["otp"].is_string() {
            let swapped = post(&acme, SHOW, &ann, named(&other, "one")).await;
            assert_eq!(swapped.0, StatusCode::BAD_REQUEST);
        }
        let bob = host.signed_in("acme", "bob").await;
        let elsewhere = post(&acme, SHOW, &bob, named(&typed, "one")).await;
        assert_eq!(elsewhere.0, StatusCode::BAD_REQUEST, "another account's");
        host.clock.advance(std::time::Duration::from_secs(61));
        let (status, late) = post(&acme, SHOW, &ann, named(&typed, "one")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{late}");
    }
    let left = post(
        &acme,
        SHOW,
        &ann,
        json!({ "recovery_code": phone.recovery[1] }),
    )
    .await;
    assert_eq!(left.0, StatusCode::OK, "{}", left.1);
}

#[tokio::test]
async fn attack_a_wrong_code_does_not_become_right_by_the_name_of_a_right_one() {
    let host = host();
    let acme = host.factors("acme");
    let ann = host.signed_in("acme", "ann").await;
    let phone = host.enrolled(&acme, &ann).await;
    let right = json!({ "otp": host.code(&phone.app, 1), "attempt_id": "one" });
    assert_eq!(post(&acme, SHOW, &ann, right).await.0, StatusCode::OK);
    let mut statuses = Vec::new();
    for guess in 0..12 {
        let wrong = json!({ "otp": format!("{guess:06}"), "attempt_id": "one" });
        statuses.push(post(&acme, SHOW, &ann, wrong).await.0);
    }
    assert!(!statuses.contains(&StatusCode::OK));
    assert_eq!(
        statuses.last(),
        Some(&StatusCode::TOO_MANY_REQUESTS),
        "each is counted"
    );
}

#[tokio::test]
async fn a_wrong_try_that_is_sent_again_by_its_name_is_refused_again_and_counted_once() {
    let host = host();
    let acme = host.factors("acme");
    let ann = host.signed_in("acme", "ann").await;
    let phone = host.enrolled(&acme, &ann).await;
    for wrong in [
        json!({ "otp": "000000", "attempt_id": "one" }),
        json!({ "recovery_code": "AAAA-AAAA-AAAA-AAAA", "attempt_id": "one" }),
    ] {
        for _ in 0..12 {
            let refused = post(&acme, SHOW, &ann, wrong.clone()).await;
            assert_eq!(refused.0, StatusCode::BAD_REQUEST, "{}", refused.1);
        }
    }
    let right = json!({ "otp": host.code(&phone.app, 1) });
    let shown = post(&acme, SHOW, &ann, right).await;
    assert_eq!(shown.0, StatusCode::OK, "{}", shown.1);
}

#[tokio::test]
async fn a_confirmation_that_is_sent_again_by_its_name_gets_the_same_tokens_and_no_codes() {
    let host = host();
    let acme = host.factors("acme");
    let ann = host.signed_in("acme", "ann").await;
    let (_, enrolled) = post(&acme, ENROL, &ann, json!({})).await;
    let app = scan(&enrolled);
    let first = json!({ "otp": host.code(&app, 0), "attempt_id": "one" });
    let (status, confirmed) = post(&acme, CONFIRM, &ann, first.clone()).await;
    assert_eq!(status, StatusCode::OK, "{confirmed}");
    for _ in 0..3 {
        let (status, again) = post(&acme, CONFIRM, &ann, first.clone()).await;
        assert_eq!(status, StatusCode::OK, "{again}");
        for same in ["access_token", "refresh_token", "factor_id"] {
            assert_eq!(again[same], confirmed[same], "{same}");
        }
        assert_eq!(again["recovery_codes"], Value::Null, "they are shown once");
    }
    let other = json!({ "otp": first["otp"], "attempt_id": "two" });
    let (status, refused) = post(&acme, CONFIRM, &ann, other).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    let wrong = json!({ "otp": first["otp"], "attempt_id": 7 });
    let (_, refused) = post(&acme, CONFIRM, &ann, wrong).await;
    assert_eq!(refused["code"], "invalid_attempt_id");
}
