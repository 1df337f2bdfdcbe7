//! A lost phone: an operator takes the factors away, with a proof of their own beside the token.

use serde_json::{Value, json};

use super::{CODES, is_wrong, otp};
use crate::support::authenticator::{CONFIRM, ENROL, SHOW};
use crate::support::{PHONE, Reply, Server, body_of_request, body_of_verify};

const TOKENS: &str = "mike:token-of-mike-0123456789,anna:token-of-anna-0123456789";
const MIKE: &str = "token-of-mike-0123456789";
pub(super) const ANNA: &str = "token-of-anna-0123456789";

pub(super) fn server() -> Server {
    Server::with(&[("ADMIN_TOKENS", TOKENS), ("RATE_LIMIT_REQUESTS", "1000")])
}

/// Acts as mike, with what he shows of himself.
pub(super) async fn act(
    server: &Server,
    path: &str,
    shown: &[(&str, &str)],
    body: &Value,
) -> Reply {
    let url = format!("http://{}{path}", server.admin);
    let mut request = server.client.post(url).header("x-admin-token", MIKE);
    for (name, value) in shown {
        request = request.header(*name, *value);
    }
    Reply::of(request.json(body)).await
}

pub(super) fn path(user: &Reply, query: &str) -> String {
    let id = user.json()["user"]["id"].as_str().unwrap().to_owned();
    format!("/api/v1/admin/users/{id}/2fa/disable{query}")
}

fn because() -> Value {
    json!({ "reason": "ticket 7: the phone is lost" })
}

/// What is on record, as the export has it: what was done, its reason, and by which operator.
async fn records(server: &Server) -> Vec<[String; 3]> {
    let url = format!("http://{}/admin/otp/audit", server.admin);
    let export = Reply::of(server.client.get(url).header("x-admin-token", MIKE)).await;
    assert_eq!(export.status, 200, "{export:?}");
    let lines = export.body.lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| {
            ["action", "reason", "operator"]
                .map(|name| line[name].as_str().unwrap_or_default().to_owned())
        })
        .collect()
}

#[tokio::test]
async fn one_call_ends_factors_codes_sessions_and_pending_challenges() {
    let server = server();
    let tokens = server.sign_in(PHONE).await;
    let (phone, confirmed) = server.authenticator_of(&tokens).await;
    let sign_in = server
        .post("/api/auth/otp/request", &body_of_request(PHONE))
        .await;
    let mfa = server
        .post_as(&tokens, "/api/auth/mfa/send-code", &json!({}))
        .await;
    assert_eq!(mfa.status, 200, "{mfa:?}");
    let second = [("x-admin-second", ANNA)];

    let would = path(&tokens, "?dry_run=true");
    let would = act(&server, &would, &second, &because()).await;
    assert_eq!(would.status, 200, "{would:?}");
    let told = would.json();
    assert_eq!(
        (&told["dry_run"], &told["count"]),
        (&json!(true), &json!(14))
    );
    assert_eq!(server.get_as(&tokens, "/api/me").await.status, 200);
    let shown = server.post_as(&tokens, SHOW, &otp(&phone.next())).await;
    assert_eq!(shown.status, 200, "a dry run changes nothing");

    let done = act(&server, &path(&tokens, ""), &second, &because()).await;
    assert_eq!(done.status, 200, "{done:?}");
    let told = done.json();
    assert_eq!(
        (&told["dry_run"], &told["count"]),
        (&json!(false), &json!(15))
    );
    assert_eq!(told["sample"][0], "totp active authenticator");
    for tokens in [&tokens, &confirmed, &shown] {
        let reply = server.get_as(tokens, "/api/me").await;
        reply.is_error(401, "not_signed_in", "Not signed in");
        let body = json!({ "refresh_token": tokens.text("refresh_token") });
        let refresh = server.post("/api/auth/token/refresh", &body).await;
        assert_eq!(refresh.status, 401, "{refresh:?}");
    }
    let late = body_of_verify(PHONE, &sign_in.text("preview_code"));
    is_wrong(&server.post("/api/auth/verify-otp", &late).await);

    let again = server.sign_in(PHONE).await;
    let body = json!({ "otp": mfa.text("preview_code") });
    is_wrong(&server.post_as(&again, "/api/auth/mfa/verify", &body).await);
    is_wrong(&server.post_as(&again, SHOW, &otp(&phone.next())).await);
    let code = json!({ "recovery_code": confirmed.json()["recovery_codes"][0] });
    is_wrong(&server.post_as(&again, SHOW, &code).await);
    // A new one is bound as the first one was.
    let (phone, _) = server.authenticator_of(&again).await;
    let shown = server.post_as(&again, SHOW, &otp(&phone.next())).await;
    assert_eq!(shown.status, 200, "{shown:?}");

    let records = records(&server).await;
    for (action, reason) in [
        ("OPERATOR_ACTION", "preview_reset_factors:second:anna"),
        ("OPERATOR_ACTION", "reset_factors:second:anna"),
        ("FACTORS_RESET", "reset_factors:second:anna"),
        ("OPERATOR_ACTION", "revoke_devices"),
    ] {
        let found = records.iter().any(|record| {
            record[0] == action && record[1].starts_with(reason) && record[2] == "mike"
        });
        assert!(found, "{action} {reason} in {records:?}");
    }
}

#[tokio::test]
async fn nothing_less_than_a_fresh_proof_takes_factors_away() {
    let server = server();
    let tokens = server.sign_in(PHONE).await;
    let (phone, _) = server.authenticator_of(&tokens).await;
    let code = phone.next();
    for shown in [
        &[][..],
        &[("x-admin-second", MIKE)],
        &[("x-admin-second", "")],
        &[("x-admin-second", "token-of-nobody-0123456789")],
        &[("x-admin-second", ANNA), ("x-admin-second", ANNA)],
        &[("x-admin-second", MIKE), ("x-admin-otp", "123456")],
    ] {
        for query in ["", "?dry_run=true"] {
            let reply = act(&server, &path(&tokens, query), shown, &because()).await;
            reply.is_error(403, "fresh_proof_required", "Fresh proof required");
        }
    }
    // A user's own code is no operator's, and is not used up.
    for otp in ["", "12", code.as_str()] {
        for shown in [
            &[("x-admin-otp", otp)][..],
            &[("x-admin-otp", otp), ("x-admin-second", ANNA)],
        ] {
            is_wrong(&act(&server, &path(&tokens, ""), shown, &because()).await);
        }
    }
    let public = server.post(&path(&tokens, ""), &because()).await;
    public.is_error(404, "not_found", "Not found");
    let shown = server.post_as(&tokens, SHOW, &otp(&code)).await;
    assert_eq!(shown.status, 200, "nothing was taken away");
    let records = records(&server).await;
    let refused = records
        .iter()
        .filter(|record| record[1].ends_with("fresh_proof_refused"));
    assert_eq!(refused.count(), 12, "what proves nothing is on record");
}

#[tokio::test]
async fn a_user_who_is_not_there_or_a_reason_that_is_none_is_said() {
    let server = server();
    let tokens = server.sign_in(PHONE).await;
    let second = [("x-admin-second", ANNA)];
    let nobody = "/api/v1/admin/users/nobody/2fa/disable";
    let reply = act(&server, nobody, &second, &because()).await;
    reply.is_error(404, "unknown_user", "Unknown user");
    let misspelt = path(&tokens, "?dryrun=true");
    let reply = act(&server, &misspelt, &second, &because()).await;
    reply.is_error(400, "unknown_query", "Unknown query");
    let empty = json!({ "reason": "" });
    let reply = act(&server, &path(&tokens, ""), &second, &empty).await;
    assert_eq!(reply.text("code"), "invalid_reason");
    // Who has nothing but a session loses that.
    let reply = act(&server, &path(&tokens, ""), &second, &because()).await;
    assert_eq!(reply.json()["count"], 1, "{reply:?}");
    assert_eq!(reply.json()["sample"], json!(["session sms"]));
    for route in [ENROL, CONFIRM, SHOW, CODES] {
        let reply = server.post_as(&tokens, route, &json!({})).await;
        reply.is_error(401, "not_signed_in", "Not signed in");
    }
}
