//! The allow-list: whom blocks of ranges and the toll-fraud guard must not meet.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::{BLACKLIST, MIKE, START, VERIFY, call, get, phone_block, post, server};
use crate::support::{OTHER_PHONE, PHONE, Reply, Server, body_of_request, body_of_verify, wrong};

const OVERRIDE: &str = "/admin/otp/override";
const POLICY: &str = "/admin/otp/policy";
const RANGE: &str = "+1415555";

async fn start(server: &Server, phone: &str) -> Reply {
    server.post(START, &body_of_request(phone)).await
}

async fn publish(server: &Server, document: &'static str) -> Reply {
    let request = server
        .client
        .put(format!("http://{}{POLICY}", server.admin));
    let request = request.header("x-admin-token", MIKE);
    let request = request.header(CONTENT_TYPE, "application/yaml");
    Reply::of(request.body(document)).await
}

async fn explained(server: &Server, phone: &str) -> Value {
    let whom = json!({ "phone": phone });
    post(server, "/admin/otp/explain", &whom).await.json()
}

#[tokio::test]
async fn a_number_in_a_blocked_range_is_sent_to_while_it_is_allowed() {
    let server = server();
    let range = json!({ "type": "prefix", "value": RANGE, "note": "Incident #123" });
    post(&server, BLACKLIST, &range).await;
    assert_eq!(start(&server, PHONE).await.text("code"), "blocked");
    let allow = json!({
        "what": "allowed", "phone": PHONE, "expires_in": 3600, "reason": "our own office",
    });
    let dry = post(&server, "/admin/otp/override?dry_run=true", &allow).await;
    assert_eq!(dry.status, 200, "{dry:?}");
    assert_eq!(start(&server, PHONE).await.text("code"), "blocked");
    let begun = post(&server, OVERRIDE, &allow).await.json();
    let id = begun["sample"][0].clone();
    assert_eq!(start(&server, PHONE).await.status, 200);
    assert_eq!(start(&server, OTHER_PHONE).await.text("code"), "blocked");
    let told = explained(&server, PHONE).await;
    assert_eq!(told["allowed"], "phone +1415•••0123");
    assert_eq!(told["refused_by"], json!([]));
    assert_eq!(
        explained(&server, OTHER_PHONE).await["allowed"],
        Value::Null
    );

    post(&server, BLACKLIST, &phone_block(PHONE)).await;
    let itself = start(&server, PHONE).await;
    assert_eq!(
        itself.text("code"),
        "blocked",
        "a block of the number holds"
    );
    call(
        &server,
        Method::DELETE,
        BLACKLIST,
        Some(&phone_block(PHONE)),
    )
    .await;
    let end = json!({ "id": id, "reason": "over" });
    let ended = call(&server, Method::DELETE, OVERRIDE, Some(&end)).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    assert_eq!(start(&server, PHONE).await.text("code"), "blocked");
    let audit = get(&server, "/admin/otp/audit").await.body;
    assert!(audit.contains("allowed phone +1415•••0123"), "{audit}");
    assert!(!audit.contains("4155550123"), "{audit}");
}

#[tokio::test]
async fn a_range_that_the_policy_allows_is_no_toll_fraud_and_guesses_count_there_as_everywhere() {
    let guarded = "toll_fraud: { mode: enforce, tells: refusal }\n";
    let allowed =
        "toll_fraud: { mode: enforce, tells: refusal }\nallow_list: { prefixes: [\"+1415555\"] }\n";
    for (document, refused) in [(guarded, true), (allowed, false)] {
        let server = server();
        assert_eq!(publish(&server, document).await.status, 200);
        let mut statuses = Vec::new();
        for last in 0..20 {
            let phone = format!("+1415555{:04}", 200 + last);
            statuses.push(start(&server, &phone).await.status);
        }
        let met = statuses.iter().any(|status| *status != 200);
        assert_eq!(met, refused, "{document}: {statuses:?}");
        let verdict = explained(&server, "+14155550230").await["toll_fraud"].clone();
        assert_eq!(verdict["exempt"], !refused, "{verdict}");
        if refused {
            continue;
        }
        let code = start(&server, PHONE).await.text("preview_code");
        for _ in 0..5 {
            let guess = body_of_verify(PHONE, &wrong(&code));
            server.post(VERIFY, &guess).await;
        }
        assert_eq!(start(&server, PHONE).await.text("code"), "locked");
        let shown = get(&server, POLICY).await.body;
        assert!(shown.contains(RANGE), "{shown}");
    }
}

#[tokio::test]
async fn a_country_a_client_and_nobody_are_not_allowed() {
    let server = server();
    let kinds = "allowed are phones, prefixes of at least 4 digits, e-mail addresses and domains";
    let one = "phone, prefix, email or domain, exactly one";
    for (members, detail) in [
        (json!({ "prefix": "+1" }), kinds),
        (json!({ "phone": "12" }), kinds),
        (json!({}), one),
        (json!({ "phone": PHONE, "domain": "example.org" }), one),
    ] {
        let mut body = json!({ "what": "allowed", "expires_in": 60 });
        body.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        let reply = post(&server, OVERRIDE, &body).await;
        reply.is_error(400, "invalid_override", detail);
    }
    let document = "allow_list:\n  prefixes: [\"+250\"]\n";
    let reply = publish(&server, document).await;
    let detail = "line 2: allow_list.prefixes[0]: must be a prefix of at least 4 digits such as \
        +1415";
    reply.is_error(400, "invalid_policy", detail);
}
