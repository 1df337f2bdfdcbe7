use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::{PHONE, Server, body_of_request, body_of_verify, wrong};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";
/// Requests under way at once; each has a connection, and a process has so many.
const ABREAST: usize = 200;

/// Sends one body many times at once and answers how many got each status.
async fn storm(server: &Arc<Server>, times: usize, otp: &str) -> Vec<u16> {
    let places = Arc::new(Semaphore::new(ABREAST));
    let mut tries = JoinSet::new();
    for _ in 0..times {
        let (server, places) = (Arc::clone(server), Arc::clone(&places));
        let body = body_of_verify(PHONE, otp);
        tries.spawn(async move {
            let _place = places.acquire().await.unwrap();
            server.post(VERIFY, &body).await.status
        });
    }
    tries.join_all().await
}

fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|seen| **seen == status).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn e01_of_200_parallel_right_codes_one_signs_in_with_the_default_hasher() {
    one_of(200, &[("RATE_LIMIT_REQUESTS", "10000")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e01_of_1000_parallel_right_codes_one_signs_in() {
    let settings = [("RATE_LIMIT_REQUESTS", "10000"), ("OTP_HASHER", "hmac")];
    one_of(1_000, &settings).await;
}

async fn one_of(times: usize, settings: &[(&str, &str)]) {
    let server = Arc::new(Server::with(settings));
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    let statuses = storm(&server, times, &code).await;
    assert_eq!(
        (count(&statuses, 200), count(&statuses, 400)),
        (1, times - 1),
        "{statuses:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn e02_of_1000_parallel_wrong_codes_five_are_compared_and_the_right_one_is_late() {
    let settings = [("RATE_LIMIT_REQUESTS", "10000"), ("OTP_HASHER", "hmac")];
    let server = Arc::new(Server::with(&settings));
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    let statuses = storm(&server, 1_000, &wrong(&code)).await;
    let (invalid, locked) = (count(&statuses, 400), count(&statuses, 429));
    assert_eq!(invalid + locked, 1_000, "{statuses:?}");
    let mut database = server.database().await;
    let compared: (i64, i64) = sqlx::query_as("SELECT attempts, wrong FROM auth_challenges")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(compared, (5, 5));
    let right = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_ne!(right.status, 200, "{right:?}");
}
