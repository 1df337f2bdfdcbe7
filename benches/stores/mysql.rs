//! MySQL and MariaDB. "Bare" is as many short transactions as the store commits, each the least that
//! a decision takes: a lock on one row, a row written, a commit, by the same client.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use otp_kit::store::{MysqlOptions, MysqlStore};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, MySqlPool, query, raw_sql};

use crate::contest::{CALLERS, Rounds, contest, crowd};
use crate::service::{Part, Service};

const CONNECTIONS: u32 = 16;
const TABLES: &str = "CREATE TABLE bare_locks (id INT PRIMARY KEY);
    INSERT INTO bare_locks SELECT seq FROM (SELECT 0 AS seq UNION SELECT 1 UNION SELECT 2 UNION
    SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7) AS eight;
    CREATE TABLE bare_rows (id BIGINT AUTO_INCREMENT PRIMARY KEY, body TEXT NOT NULL)";
const LOCKS: usize = 8;
const BEGIN: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION READ WRITE";

pub(crate) async fn run(url: &str, rounds: Rounds) {
    let bench = Bench {
        url: url.to_owned(),
    };
    for callers in CALLERS {
        for part in Part::ALL {
            let ours = async |calls| {
                let place = bench.place().await;
                MysqlStore::migrate(&place.pool).await.expect("tables");
                let store = MysqlStore::with_options(MysqlOptions::pool(place.pool.clone()));
                let service = Service::on(store.await.expect("a store"));
                let took = service.play(part, callers, calls).await;
                place.sweep().await;
                took
            };
            let bare = async |calls| {
                let place = bench.place().await;
                place.say(TABLES.to_owned()).await;
                let took = bare(&place.pool, part.steps(), callers, calls).await;
                place.sweep().await;
                took
            };
            let name = format!("mysql {part}, {callers} at once, transactions");
            contest(&name, rounds, ours, bare).await;
        }
    }
}

struct Bench {
    url: String,
}

/// A database of its own.
struct Place {
    pool: MySqlPool,
    name: String,
}

impl Place {
    async fn say(&self, sql: String) {
        let said = raw_sql(AssertSqlSafe(sql)).execute(&self.pool).await;
        said.expect("it is done");
    }

    async fn sweep(&self) {
        self.say(format!("DROP DATABASE {}", self.name)).await;
        self.pool.close().await;
    }
}

impl Bench {
    async fn pool(&self, database: Option<&str>) -> MySqlPool {
        let mut options: MySqlConnectOptions = self.url.parse().expect("a URL");
        if let Some(database) = database {
            options = options.database(database);
        }
        MySqlPoolOptions::new()
            .max_connections(CONNECTIONS)
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .expect("a MySQL or MariaDB")
    }

    async fn place(&self) -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("otp_bench_{}_{number}", std::process::id());
        let outside = self.pool(None).await;
        let made = raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")));
        made.execute(&outside).await.expect("a database");
        outside.close().await;
        let pool = self.pool(Some(&name)).await;
        Place { pool, name }
    }
}

async fn bare(pool: &MySqlPool, steps: usize, callers: usize, calls: usize) -> Duration {
    let pool = pool.clone();
    let work = move |number: usize| {
        let pool = pool.clone();
        async move {
            let mut conn = pool.acquire().await.expect("a connection");
            for step in 0..steps {
                let begun = raw_sql(BEGIN).execute(&mut *conn).await;
                begun.expect("a transaction");
                let lock = query("SELECT id FROM bare_locks WHERE id = ? FOR UPDATE")
                    .bind(u32::try_from((number + step) % LOCKS).expect("small"));
                lock.fetch_one(&mut *conn).await.expect("a lock");
                let put = query("INSERT INTO bare_rows (body) VALUES (?)");
                let put = put.bind(Service::about_a_row());
                put.execute(&mut *conn).await.expect("a row");
                let ended = raw_sql("COMMIT").execute(&mut *conn).await;
                ended.expect("it is kept");
            }
        }
    };
    crowd(callers, calls, work).await
}
