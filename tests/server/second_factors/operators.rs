//! The operators' own authenticators.

use serde_json::json;

use super::disable::{ANNA, act, path, server};
use super::is_wrong;
use crate::support::authenticator::Authenticator;
use crate::support::{PHONE, Server};

const ENROL: &str = "/admin/otp/operators/totp/enrol";
const CONFIRM: &str = "/admin/otp/operators/totp/confirm";

/// Gives mike an authenticator, whose next code is unused.
async fn authenticator_of_mike(server: &Server, shown: &[(&str, &str)]) -> Authenticator {
    let enrolled = act(server, ENROL, shown, &json!({})).await;
    assert_eq!(enrolled.status, 200, "{enrolled:?}");
    let own = Authenticator::scan(&enrolled);
    let body = json!({ "factor_id": own.factor, "otp": own.code() });
    let confirmed = act(server, CONFIRM, &[], &body).await;
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    is_wrong(&act(server, CONFIRM, &[], &body).await);
    own
}

#[tokio::test]
async fn a_code_of_an_operators_own_authenticator_takes_a_users_factors_away_once() {
    let server = server();
    let tokens = server.sign_in(PHONE).await;
    let own = authenticator_of_mike(&server, &[("x-admin-second", ANNA)]).await;
    let code = own.next();
    let shown = [("x-admin-otp", code.as_str())];
    let done = act(&server, &path(&tokens, ""), &shown, &json!({})).await;
    assert_eq!(done.status, 200, "{done:?}");
    is_wrong(&act(&server, &path(&tokens, ""), &shown, &json!({})).await);
    for _ in 0..8 {
        let wrong = own.wrong();
        let shown = [("x-admin-otp", wrong.as_str())];
        act(&server, &path(&tokens, ""), &shown, &json!({})).await;
    }
    let code = own.next();
    let shown = [("x-admin-otp", code.as_str())];
    let locked = act(&server, &path(&tokens, ""), &shown, &json!({})).await;
    locked.is_error(429, "locked", "Account temporarily locked");
}

#[tokio::test]
async fn attack_a_stolen_operators_token_enrols_no_authenticator() {
    let server = server();
    for shown in [&[][..], &[("x-admin-second", "token-of-nobody-0123456789")]] {
        let reply = act(&server, ENROL, shown, &json!({})).await;
        reply.is_error(403, "fresh_proof_required", "Fresh proof required");
    }
    let preview = format!("{ENROL}?dry_run=true");
    let reply = act(&server, &preview, &[("x-admin-second", ANNA)], &json!({})).await;
    reply.is_error(400, "unknown_query", "Unknown query");
}

#[tokio::test]
async fn an_operator_who_is_alone_enrols_the_first_one_and_shows_it_before_the_next() {
    let alone = [("ADMIN_TOKENS", "mike:token-of-mike-0123456789")];
    let server = Server::with(&alone);
    let own = authenticator_of_mike(&server, &[]).await;
    let reply = act(&server, ENROL, &[], &json!({})).await;
    reply.is_error(403, "fresh_proof_required", "Fresh proof required");
    let code = own.next();
    let reply = act(&server, ENROL, &[("x-admin-otp", &code)], &json!({})).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}
