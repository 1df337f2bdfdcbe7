//! Keys: what hangs on them, and how a fleet gets a new one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{START, TOKENS, VERIFY, acts, get, post};
use crate::support::{OTHER_PHONE, PHONE, Reply, Server, body_of_request, body_of_verify};

const OLD: &str = "old:c2VjcmV0LW9mLXRlc3RzLW9ubHktbm90aGluZy1lbHNl\n";
const ROTATE: &str = "/admin/otp/keys/rotate";
const REPORT: &str = "/admin/otp/keys";

/// A server whose keys are in a file, and the folder of it.
fn with_key_file() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    std::fs::write(&file, OLD).unwrap();
    let path = file.to_str().unwrap();
    let tokens = ("ADMIN_TOKENS", TOKENS);
    let server = Server::with(&[tokens, ("OTP_KEYS", ""), ("OTP_KEYS_FILE", path)]);
    (server, folder)
}

async fn sign_in(server: &Server) -> Reply {
    let started = server.post(START, &body_of_request(PHONE)).await;
    let body = body_of_verify(PHONE, &started.text("preview_code"));
    server.post(VERIFY, &body).await
}

fn header(tokens: &Reply) -> Value {
    let token = tokens.text("access_token");
    let (header, _) = token.split_once('.').unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

async fn public_ids(server: &Server) -> Vec<String> {
    let reply = server.get("/.well-known/jwks.json").await;
    assert_eq!(
        reply.header("content-type"),
        Some("application/jwk-set+json")
    );
    let document = reply.json();
    let keys = document["keys"].as_array().unwrap();
    for key in keys {
        let names: Vec<&String> = key.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            ["alg", "crv", "kid", "kty", "use", "x"],
            "nothing else"
        );
    }
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn id_of(done: &Reply) -> String {
    assert_eq!(done.status, 200, "{done:?}");
    done.json()["sample"][0].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_new_key_is_known_to_readers_of_tokens_before_it_signs_any() {
    let (server, _folder) = with_key_file();
    assert_eq!(public_ids(&server).await, ["old"]);
    let before = sign_in(&server).await;
    assert_eq!(
        header(&before),
        json!({ "alg": "EdDSA", "kid": "old", "typ": "at+jwt" })
    );
    let publish = json!({ "step": "publish", "reason": "quarterly" });
    let new = id_of(&post(&server, ROTATE, &publish).await);
    assert_eq!(public_ids(&server).await, ["old", new.as_str()]);
    assert_eq!(header(&sign_in(&server).await)["kid"], "old");

    let promote = json!({ "step": "promote", "key_id": new, "reason": "quarterly" });
    assert_eq!(id_of(&post(&server, ROTATE, &promote).await), new);
    assert_eq!(public_ids(&server).await, [new.as_str(), "old"]);
    assert_eq!(header(&sign_in(&server).await)["kid"], new.as_str());
    let bearer = format!("Bearer {}", before.text("access_token"));
    let me = server.client.get(server.url("/api/me"));
    let me = Reply::of(me.header("authorization", bearer)).await;
    assert_eq!(me.status, 200, "keys overlap: {me:?}");

    for bad in [
        json!({ "step": "promote", "key_id": "nobody" }),
        json!({ "step": "promote" }),
        json!({ "step": "publish", "key_id": "old" }),
    ] {
        let reply = post(&server, ROTATE, &bad).await;
        reply.is_error(400, "unknown_key", "Invalid key_id");
    }
    let expected = [
        "mike: publish_key: quarterly",
        "mike: promote_key: quarterly",
    ];
    assert_eq!(acts(&server).await, expected);
}

#[tokio::test]
async fn the_report_says_what_hangs_on_each_key_and_which_may_go() {
    let (server, _folder) = with_key_file();
    assert_eq!(sign_in(&server).await.status, 200);
    server.post(START, &body_of_request(OTHER_PHONE)).await;
    let new = id_of(&post(&server, ROTATE, &json!({})).await);
    let published = id_of(&post(&server, ROTATE, &json!({ "step": "publish" })).await);
    // The export seals what is on record.
    assert_eq!(get(&server, "/admin/otp/audit").await.status, 200);
    let reply = get(&server, REPORT).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let report = reply.json();
    assert_eq!(report["overlap_seconds"], 910);
    let keys = report["keys"].as_array().unwrap();
    let told: Vec<_> = keys
        .iter()
        .map(|key| {
            (
                key["id"].as_str().unwrap(),
                key["verdict"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (new.as_str(), "stays"),
            ("old", "may_go_at"),
            (published.as_str(), "may_go"),
        ]
    );
    let old = &keys[1];
    let used = |key: &Value| key["uses"].as_array().unwrap().clone();
    let seals = |held: &Value| held["what"] == "chain";
    let sealed = keys.iter().flat_map(used).filter(seals);
    let sealed: u64 = sealed.map(|held| held["count"].as_u64().unwrap()).sum();
    assert!(sealed > 0, "the audit log's seals: {reply:?}");
    let hangs: Vec<_> = used(old).into_iter().filter(|held| !seals(held)).collect();
    let counts: Vec<_> = hangs
        .iter()
        .map(|held| {
            (
                held["what"].as_str().unwrap(),
                held["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(counts, [("challenges", 1), ("sessions", 1)]);
    let ends = hangs[1]["until"].as_str().unwrap();
    assert_eq!(old["may_go_at"], ends, "the last of them decides");
    assert!(!reply.body.contains(PHONE) && !reply.body.contains("c2Vjc"));
}

#[tokio::test]
async fn tokens_are_signed_by_the_algorithm_that_is_asked_for() {
    let server = Server::with(&[("OTP_TOKEN_ALGORITHM", "HS256")]);
    assert_eq!(header(&sign_in(&server).await)["alg"], "HS256");
    for bad in ["none", "hs256", "RS256"] {
        let refusal = Server::refused(&[("OTP_TOKEN_ALGORITHM", bad)]);
        let line = "error: OTP_TOKEN_ALGORITHM: must be EdDSA or HS256";
        assert!(refusal.stderr.contains(line), "{}", refusal.stderr);
    }
}
