use crate::support::twilio::{Answer, Twilio};
use crate::support::{OTHER_PHONE, PHONE, Reply, Server, body_of_request, body_of_verify};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

#[tokio::test]
async fn both_listeners_answer_the_probes_and_the_operators_one_nothing_else() {
    let server = Server::start();
    for address in [&server.address, &server.admin] {
        for path in ["/healthz", "/readyz"] {
            let url = format!("http://{address}{path}");
            assert_eq!(Reply::of(server.client.get(url)).await.status, 200);
        }
    }
    let url = format!("http://{}{START}", server.admin);
    let reply = Reply::of(server.client.post(url).json(&body_of_request(PHONE))).await;
    reply.is_error(404, "not_found", "Not found");
}

#[tokio::test]
async fn sigterm_ends_the_process_well() {
    let mut server = Server::start();
    assert_eq!(server.get("/healthz").await.status, 200);
    assert!(server.terminate().success());
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_process_ends() {
    let twilio = Twilio::start(Answer::Held).await;
    let mut server = Server::with(&twilio.settings());
    let request = server
        .client
        .post(server.url(START))
        .json(&body_of_request(PHONE));
    let under_way = tokio::spawn(Reply::of(request));
    twilio.reached().await;
    server.signal();
    server.hears("stopping");
    twilio.release();
    assert_eq!(under_way.await.unwrap().status, 200);
    assert!(server.wait().success());
}

#[tokio::test]
async fn after_a_crash_a_used_code_stays_used_and_a_live_one_works() {
    let server = Server::start();
    let used = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    let live = server
        .post(START, &body_of_request(OTHER_PHONE))
        .await
        .text("preview_code");
    let first = server.post(VERIFY, &body_of_verify(PHONE, &used)).await;
    assert_eq!(first.status, 200);

    let server = server.kill_and_restart();
    let again = server.post(VERIFY, &body_of_verify(PHONE, &used)).await;
    again.is_error(400, "invalid_otp", "Invalid OTP");
    let works = server
        .post(VERIFY, &body_of_verify(OTHER_PHONE, &live))
        .await;
    assert_eq!(works.status, 200, "{works:?}");
}

#[tokio::test]
async fn the_same_phone_is_the_same_user_after_a_restart() {
    let mut server = Server::start();
    let mut users = Vec::new();
    for _ in 0..2 {
        let code = server
            .post(START, &body_of_request(PHONE))
            .await
            .text("preview_code");
        let reply = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
        users.push(reply.json()["user"].clone());
        server = server.kill_and_restart();
    }
    assert_eq!(users[0], users[1]);
}

#[tokio::test]
async fn keys_that_change_in_their_file_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let old = "old:b2xkLXNlY3JldC1vZi10ZXN0cy1vbmx5LTMyLWJ5dGVz";
    let new = "new:bmV3LXNlY3JldC1vZi10ZXN0cy1vbmx5LTMyLWJ5dGVz";
    std::fs::write(&file, old).unwrap();
    let settings = [("OTP_KEYS", ""), ("OTP_KEYS_FILE", file.to_str().unwrap())];
    let server = Server::with(&settings);
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    std::fs::write(&file, format!("{new}\n{old}\n")).unwrap();
    server.hears("keys were read again");
    let reply = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}
