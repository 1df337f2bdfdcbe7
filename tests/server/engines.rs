//! The server on every engine that its configuration can name.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection, raw_sql};

use crate::proxy::{Line, Proxy};
use crate::support::redis::Redis;
use crate::support::{
    OTHER_PHONE, PHONE, Reply, Server, body_of_request, body_of_verify, port, wrong,
};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";
const INITIATE: &str = "/browser/api/v1/identity/auth/otp/initiate";

/// Signs somebody in, and tries what must not work.
async fn signs_in(server: &Server, phone: &str) {
    let started = server.post(START, &body_of_request(phone)).await;
    assert_eq!(started.status, 200, "{started:?}\n{}", server.log());
    let code = started.text("preview_code");
    let typo = server
        .post(VERIFY, &body_of_verify(phone, &wrong(&code)))
        .await;
    typo.is_error(400, "invalid_otp", "Invalid OTP");
    let body = json!({ "phone": phone, "otp": code, "attempt_id": "try-1" });
    let reply = server.post(VERIFY, &body).await;
    assert_eq!(reply.status, 200, "{reply:?}\n{}", server.log());
    let repeated = server.post(VERIFY, &body).await;
    assert_eq!(repeated.text("access_token"), reply.text("access_token"));
    let again = server.post(VERIFY, &body_of_verify(phone, &code)).await;
    again.is_error(400, "invalid_otp", "Invalid OTP");
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} names a server"))
}

/// Makes a name that nobody else has.
fn fresh() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("otp_server_{}_{number}", std::process::id())
}

/// Names another database of the same server.
fn beside(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_sign_in_on_postgres_and_a_file_to_read_from() {
    let (url, name) = (variable("TEST_POSTGRES_URL"), fresh());
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let made = raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")));
    made.execute(&mut admin).await.unwrap();
    let server = Server::with(&[
        ("DATABASE_URL", &beside(&url, &name)),
        ("DATABASE_FALLBACK_URL", "sqlite:beneath.db"),
    ]);
    signs_in(&server, PHONE).await;
    let status = server.get("/otp/status").await;
    assert_eq!(status.text("redis"), "not configured");
    assert_eq!(status.text("database"), "connected");
    let server = server.kill_and_restart();
    signs_in(&server, OTHER_PHONE).await;
    drop(server);
    let gone = raw_sql(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")));
    gone.execute(&mut admin).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_database_that_hangs_is_an_outage_and_keeps_nobody_waiting_for_ever() {
    let (url, name) = (variable("TEST_POSTGRES_URL"), fresh());
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let made = raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")));
    made.execute(&mut admin).await.unwrap();
    let mut through: url::Url = beside(&url, &name).parse().unwrap();
    let address = through.socket_addrs(|| Some(5432)).unwrap()[0];
    let proxy = Proxy::before(address).await;
    let (host, port) = (proxy.address().ip(), proxy.address().port());
    through.set_ip_host(host).unwrap();
    through.set_port(Some(port)).unwrap();
    let server = Server::with(&[("DATABASE_URL", through.as_str())]);
    let body = json!({ "user_id": "test-user" });
    let started = server.post(INITIATE, &body).await;
    assert_eq!(started.status, 200, "{started:?}");
    proxy.set(Line::Silent);
    let hanging = server.post(INITIATE, &body).await;
    hanging.is_error(503, "unavailable", "Service unavailable");
    assert!(hanging.header("retry-after").is_some());
    proxy.set(Line::Whole);
    drop(server);
    let gone = raw_sql(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")));
    gone.execute(&mut admin).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_sign_in_on_mysql() {
    let (url, name) = (variable("TEST_MYSQL_URL"), fresh());
    let mut admin = MySqlConnection::connect(&url).await.unwrap();
    let made = raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")));
    made.execute(&mut admin).await.unwrap();
    let server = Server::with(&[("DATABASE_URL", &beside(&url, &name))]);
    signs_in(&server, PHONE).await;
    let status = server.get("/otp/status").await;
    assert_eq!(status.text("database"), "connected");
    drop(server);
    let gone = raw_sql(AssertSqlSafe(format!("DROP DATABASE {name}")));
    gone.execute(&mut admin).await.unwrap();
}

#[tokio::test]
#[ignore = "needs redis-server, which it kills (./test.sh runs it)"]
async fn without_its_redis_the_server_signs_in_from_memory_and_says_so() {
    let mut redis = Redis::start();
    let url = redis.url();
    let settings = [
        ("REDIS_URL", url.as_str()),
        ("OTP_REDIS_OUTAGE", "memory"),
        ("OTP_INSTANCES", "2"),
    ];
    let server = Server::with(&settings);
    signs_in(&server, PHONE).await;
    assert_eq!(
        server.get("/otp/status").await.text("redis"),
        "redis connected"
    );
    let above = server
        .post(START, &body_of_request(OTHER_PHONE))
        .await
        .text("preview_code");
    redis.kill();
    let lost = server
        .post(VERIFY, &body_of_verify(OTHER_PHONE, &above))
        .await;
    lost.is_error(503, "unavailable", "Service unavailable");
    // The first start finds out for itself.
    let started = server.post(START, &body_of_request("+14155550177")).await;
    assert_eq!(started.status, 200, "{started:?}");
    let beneath = started.text("preview_code");
    let status = server.get("/otp/status").await;
    assert_eq!(status.text("redis"), "memory fallback", "{status:?}");
    assert_eq!(server.get("/readyz").await.status, 200);
    let reply = server
        .post(VERIFY, &body_of_verify("+14155550177", &beneath))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    server.hears("redis: memory fallback");
    redis.restart();
    server.hears("redis: connected again");
}

#[tokio::test]
async fn a_redis_that_is_not_there_yet_keeps_no_service_from_starting_but_one_told_to_close() {
    let url = format!("redis://127.0.0.1:{}", port::free());
    let server = Server::with(&[("REDIS_URL", &url), ("OTP_REDIS_OUTAGE", "memory")]);
    let started = server.post(START, &body_of_request(PHONE)).await;
    let code = started.text("preview_code");
    let body = json!({ "phone": PHONE, "otp": code, "attempt_id": "try-1" });
    let reply = server.post(VERIFY, &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let repeated = server.post(VERIFY, &body).await;
    assert_eq!(repeated.text("access_token"), reply.text("access_token"));
    let status = server.get("/otp/status").await;
    assert_eq!(status.text("redis"), "memory fallback", "{status:?}");
    let refusal = Server::refused(&[("REDIS_URL", &url), ("OTP_REDIS_OUTAGE", "closed")]);
    assert!(
        refusal.stderr.contains("error: REDIS_URL: "),
        "{}",
        refusal.stderr
    );
}

#[tokio::test]
#[ignore = "needs redis-server, which it kills (./test.sh runs it)"]
async fn without_its_redis_a_server_that_is_told_to_close_refuses_everybody() {
    let mut redis = Redis::start();
    let url = redis.url();
    let token = "token-of-mike-0123456789";
    let server = Server::with(&[
        ("REDIS_URL", &url),
        ("OTP_REDIS_OUTAGE", "closed"),
        ("ADMIN_TOKENS", &format!("mike:{token}")),
    ]);
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    redis.kill();
    for (path, body) in [
        (START, body_of_request(OTHER_PHONE)),
        (VERIFY, body_of_verify(PHONE, &code)),
    ] {
        let reply = server.post(path, &body).await;
        reply.is_error(503, "unavailable", "Service unavailable");
        assert!(reply.header("retry-after").is_some());
    }
    assert_eq!(server.get("/readyz").await.status, 503);
    let status = server.get("/otp/status").await;
    assert_eq!(status.text("redis"), "unavailable", "{status:?}");

    let log = server.log();
    assert!(log.contains("redis takes no connection"), "{log}");

    // What is down is seen all the same, and that an operator looked is in the log.
    let board = format!("http://{}/admin/otp/dashboard", server.admin);
    let board = server.client.get(board).header("x-admin-token", token);
    let board = Reply::of(board).await;
    assert_eq!(board.status, 200, "{board:?}");
    assert_eq!(board.json()["complete"], false);
    let engines = board.json()["engines"].clone();
    let is_down = |engine: &Value| engine["condition"] == "unavailable";
    assert!(engines.as_array().unwrap().iter().any(is_down), "{engines}");
    server.hears("an operator's look is in the log alone");
}

#[tokio::test]
#[ignore = "needs redis-server (./test.sh runs it)"]
async fn instances_that_share_a_redis_share_sessions_and_what_ends_them() {
    const KEYS: &str = "one:c2VjcmV0LW9mLXRlc3RzLW9ubHktbm90aGluZy1lbHNl";
    let redis = Redis::start();
    let url = redis.url();
    // Each has a database file of its own.
    let settings = [("REDIS_URL", url.as_str()), ("OTP_KEYS", KEYS)];
    let (one, other) = (Server::with(&settings), Server::with(&settings));
    let code = one.post(START, &body_of_request(PHONE)).await;
    let code = code.text("preview_code");
    let tokens = one.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    let refresh = async |server: &Server, tokens: &Reply| {
        let body = json!({ "refresh_token": tokens.text("refresh_token") });
        server.post("/api/auth/token/refresh", &body).await
    };
    let next = refresh(&other, &tokens).await;
    assert_eq!(next.status, 200, "{next:?}");
    let bearer = format!("Bearer {}", next.text("access_token"));
    let logout = one.client.post(one.url("/api/v1/auth/logout-all"));
    let ended = Reply::of(logout.header("authorization", bearer)).await;
    assert_eq!(ended.json(), json!({ "ended": 1 }));
    let refused = refresh(&other, &next).await;
    refused.is_error(401, "invalid_refresh_token", "Invalid refresh token");
}

#[tokio::test]
#[ignore = "needs redis-server (./test.sh runs it)"]
async fn attack_a_flush_of_codes_gives_no_session_of_an_operator_back() {
    const TOKEN: &str = "token-of-mike-0123456789";
    let redis = Redis::start();
    let url = redis.url();
    let server = Server::with(&[("REDIS_URL", url.as_str()), ("ADMIN_TOKEN", TOKEN)]);
    let page = format!("http://{}/admin/sms/otp", server.admin);
    let client = server.client_that_stays();
    let post = |rest: &str, body: String| {
        let request = client.post(format!("{page}{rest}")).body(body);
        let request = request.header("origin", format!("http://{}", server.admin));
        request.header("content-type", "application/x-www-form-urlencoded")
    };
    let signed_in = Reply::of(post("/sign-in", format!("token={TOKEN}"))).await;
    assert_eq!(signed_in.status, 303, "{signed_in:?}");
    let cookie = signed_in.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let look = async || Reply::of(client.get(&page).header("cookie", cookie)).await;
    let shown = look().await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let (_, form) = shown.body.split_once("name=\"form\" value=\"").unwrap();
    let form = form.split('"').next().unwrap().to_owned();
    let out = post("/sign-out", format!("form={form}")).header("cookie", cookie);
    assert_eq!(Reply::of(out).await.status, 303);
    assert_eq!(look().await.status, 401);
    // The runbook's own line.
    let port = url.rsplit(':').next().unwrap();
    let line =
        format!("redis-cli -p {port} --scan --pattern 'otp:*' | xargs redis-cli -p {port} del");
    let flushed = std::process::Command::new("sh")
        .args(["-c", &line])
        .output();
    assert!(flushed.unwrap().status.success());
    assert_eq!(look().await.status, 401);
}
