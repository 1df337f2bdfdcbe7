use sqlx::query;

use crate::desk::{Metrics, START, TOKENS, VERIFY, get, log_with, otpctl_ends, server, shell};
use crate::own::Own;
use crate::support::{OTHER_PHONE, PHONE, Server, body_of_request, body_of_verify};

/// Its YAML, as it stands, but for what is named by the environment.
const POOL: &str = "
   # Update database config
   database:
     max_open_conns: 50  # Increased from 25
     max_idle_conns: 10  # Increased from 5
     conn_max_lifetime: 5m
     primary: \"postgres\"
     fallback: \"sqlite\"
     fallback_mode: \"readonly\"  # Allow reads, block writes
";

#[tokio::test(flavor = "multi_thread")]
async fn section_4_database_connectivity_issues() {
    let server = server();
    let started = server.post(START, &body_of_request(PHONE)).await;
    let code = started.text("preview_code");

    // The incident: the database takes no writes.
    let mut database = server.database().await;
    query("BEGIN EXCLUSIVE")
        .execute(&mut database)
        .await
        .unwrap();
    let refused = server.post(START, &body_of_request(OTHER_PHONE)).await;
    refused.is_error(503, "unavailable", "Service unavailable");
    assert!(refused.header("retry-after").is_some());

    // It shows.
    assert_eq!(get(&server, "/readyz").await.status, 503);
    assert_eq!(server.get("/readyz").await.status, 503);
    assert_eq!(
        server.get("/otp/status").await.text("database"),
        "unavailable"
    );
    let log = log_with(&server, "failed to store challenge", 1).await;
    assert!(!shell("grep 'failed to store challenge'", &log).contains("4155550"));

    // It is over: what was begun goes on, and everything is well.
    query("ROLLBACK").execute(&mut database).await.unwrap();
    let verified = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(verified.status, 200, "{verified:?}");
    assert_eq!(get(&server, "/readyz").await.status, 200);
    let metrics = Metrics::of(&server).await;
    let connected = ["engine=\"sqlite\"", "condition=\"connected\""];
    assert_eq!(metrics.sum("otp_store_up", &connected), 1.0);
    assert!(metrics.sum("otp_call_seconds_count", &["operation=\"verify\""]) > 0.0);
    assert_eq!(otpctl_ends(&server, "status").status.code(), Some(0));
    let pools = shell("grep db_connections", metrics.text());
    assert!(pools.contains("state=\"max\""), "{pools}");

    // Is the data consistent: the statement as it stands.
    let orphaned = "SELECT ac.id, ac.user_id FROM auth_challenges ac
        LEFT JOIN users u ON ac.user_id = u.sub WHERE u.sub IS NULL";
    query(orphaned).fetch_all(&mut database).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn section_4_on_postgresql_with_a_read_only_fallback() {
    let mut own = Own::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("production.yml");
    std::fs::write(&file, POOL).unwrap();
    let server = Server::with(&[
        TOKENS,
        ("DATABASE_URL", &own.url),
        ("DATABASE_FALLBACK_URL", "sqlite:beneath.db"),
        ("OTP_CONFIG", file.to_str().unwrap()),
    ]);
    let started = server.post(START, &body_of_request(PHONE)).await;
    let code = started.text("preview_code");
    let metrics = Metrics::of(&server).await;
    let most = ["engine=\"postgres\"", "state=\"max\""];
    assert_eq!(metrics.sum("db_connections", &most), 50.0);
    let count = own.psql("SELECT count(*) FROM pg_stat_activity WHERE datname='DB';");
    assert!(count.parse::<u32>().unwrap() >= 2, "{count}");

    // The incident: the database lets nobody in.
    own.say("ALTER DATABASE DB ALLOW_CONNECTIONS false").await;
    own.say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'DB'")
        .await;
    let refused = server.post(START, &body_of_request(OTHER_PHONE)).await;
    refused.is_error(503, "unavailable", "Service unavailable");
    log_with(&server, "failed to store challenge", 1).await;
    log_with(&server, "postgres: read only", 1).await;
    assert_eq!(
        server.get("/otp/status").await.text("database"),
        "read only"
    );
    let metrics = Metrics::of(&server).await;
    let read_only = ["engine=\"postgres\"", "condition=\"read only\""];
    assert_eq!(metrics.sum("otp_store_up", &read_only), 1.0);
    // The counters are of records, which nobody can read now; what is down is said all the same.
    let away = otpctl_ends(&server, "status");
    assert_eq!(away.status.code(), Some(1), "{away:?}");
    let said = String::from_utf8_lossy(&away.stderr);
    assert!(said.contains("postgres is read only"), "{said}");

    // It is over.
    own.say("ALTER DATABASE DB ALLOW_CONNECTIONS true").await;
    log_with(&server, "postgres: connected again", 1).await;
    let verified = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(verified.status, 200, "{verified:?}");

    // Is the data consistent, and is anything slow or in the way: its lines as they stand.
    let orphaned = "SELECT ac.id, ac.user_id FROM auth_challenges ac
        LEFT JOIN users u ON ac.user_id = u.sub WHERE u.sub IS NULL;";
    own.psql(orphaned);
    let expired = "SELECT COUNT(*) FROM auth_challenges WHERE expires_at < NOW();";
    assert_eq!(own.psql(expired), "0");
    own.psql(
        "SELECT blocked_locks.pid AS blocked_pid, blocking_locks.pid AS blocking_pid
        FROM pg_catalog.pg_locks blocked_locks
        JOIN pg_catalog.pg_locks blocking_locks
          ON blocking_locks.locktype = blocked_locks.locktype LIMIT 1;",
    );
    let sources = "SELECT ip_address, COUNT(DISTINCT actor_id) as accounts FROM audit_logs
        WHERE event_type = 'login_attempt' AND created_at > NOW() - INTERVAL '1 hour'
        GROUP BY ip_address HAVING COUNT(DISTINCT actor_id) > 0;";
    assert_eq!(own.psql(sources), "127.0.0.1|1");
    drop(server);
    own.drop().await;
}
