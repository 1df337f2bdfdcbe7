use serde_json::json;

use crate::desk::{MIKE, asks, records};
use crate::support::authenticator::{SHOW, claims};
use crate::support::{PHONE, Reply, Server};

const ANNA: &str = "token-of-anna-0123456789";

#[tokio::test(flavor = "multi_thread")]
async fn section_9_user_lost_2fa_device() {
    let tokens = format!("mike:{MIKE},anna:{ANNA}");
    let server = Server::with(&[("ADMIN_TOKENS", &tokens)]);
    let user = server.sign_in(PHONE).await;
    let (lost, confirmed) = server.authenticator_of(&user).await;
    // There are backup codes, which the person has lost as well.
    assert_eq!(
        confirmed.json()["recovery_codes"].as_array().map(Vec::len),
        Some(10)
    );
    let id = user.json()["user"]["id"].as_str().unwrap().to_owned();
    let url = format!(
        "http://{}/api/v1/admin/users/{id}/2fa/disable",
        server.admin
    );
    let disable = async |second: Option<&str>| {
        let mut request = server.client.post(&url).header("x-admin-token", MIKE);
        if let Some(second) = second {
            request = request.header("x-admin-second", second);
        }
        Reply::of(request.json(&json!({ "reason": "ticket 7: the phone is lost" }))).await
    };
    // It asks for more than the operator's token.
    let alone = disable(None).await;
    alone.is_error(403, "fresh_proof_required", "Fresh proof required");
    let done = disable(Some(ANNA)).await;
    assert_eq!(done.status, 200, "{done:?}");
    // The lost one is worth nothing, and a new one is enrolled.
    let user = server.sign_in(PHONE).await;
    let old = server
        .post_as(&user, SHOW, &json!({ "otp": lost.next() }))
        .await;
    old.is_error(400, "invalid_otp", "Invalid OTP");
    let (new, _) = server.authenticator_of(&user).await;
    let shown = server
        .post_as(&user, SHOW, &json!({ "otp": new.next() }))
        .await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let all = records(&server).await;
    let why = |record: &serde_json::Value| record["why"] == "ticket 7: the phone is lost";
    assert!(all.iter().any(why), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn section_10_totp_time_sync_issues() {
    let server = Server::start();
    let user = server.sign_in(PHONE).await;
    let (app, _) = server.authenticator_of(&user).await;
    // A code of a clock that is a minute and a half off, either way, is wrong; one that is one step
    // ahead is right.
    for steps in [-3, 3] {
        let body = json!({ "otp": app.code_of(steps) });
        let off = server.post_as(&user, SHOW, &body).await;
        off.is_error(400, "invalid_otp", "Invalid OTP");
    }
    let ahead = server
        .post_as(&user, SHOW, &json!({ "otp": app.next() }))
        .await;
    assert_eq!(ahead.status, 200, "{ahead:?}");
    // The server's clock is the one that its line shows.
    let date = asks(&server, "date +%s").trim().parse::<i64>().unwrap();
    let issued = claims(&user)["iat"].as_i64().unwrap();
    assert!((date - issued).abs() < 3_600, "{date} {issued}");
}
