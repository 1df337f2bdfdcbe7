//! MySQL and MariaDB. "By hand" is the very statements that the store sends, overheard once on their
//! way to the server, and then sent again by a bare `MySqlPool` to the same tables in a database of
//! their own: the same transactions and round trips, and nothing of ours around them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use otp_kit::store::{MysqlOptions, MysqlStore};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, MySqlPool, query, raw_sql};

use crate::contest::{CALLERS, Rounds, contest};
use crate::heard::Heard;
use crate::mysql_ear::{Ear, Said};
use crate::service::{Part, Service};

const CONNECTIONS: u32 = 16;

/// What is said from taking a connection until it is given back.
type Transaction = Vec<Said>;

pub(crate) async fn run(url: &str, rounds: Rounds) {
    let bench = Bench {
        server: url.parse().expect("a URL"),
    };
    let heard = bench.overhear(rounds.calls()).await;
    for callers in CALLERS {
        for part in Part::ALL {
            let ours = async |calls| {
                let place = bench.place().await;
                let took = place.service().await.play(part, callers, calls).await;
                place.sweep().await;
                took
            };
            let by_hand = async |_| bench.by_hand(&heard, part, callers).await;
            let name = format!("mysql {part}, {callers} at once, by hand");
            contest(&name, rounds, ours, by_hand).await;
        }
    }
}

struct Bench {
    server: MySqlConnectOptions,
}

/// A database of its own, with the tables in it.
struct Place {
    pool: MySqlPool,
    name: String,
}

impl Place {
    async fn service(&self) -> Service {
        let store = MysqlStore::with_options(MysqlOptions::pool(self.pool.clone())).await;
        Service::on(store.expect("a store"))
    }

    async fn sweep(&self) {
        let dropped = raw_sql(AssertSqlSafe(format!("DROP DATABASE {}", self.name)));
        dropped.execute(&self.pool).await.expect("it is gone");
        self.pool.close().await;
    }
}

impl Bench {
    async fn place(&self) -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("otp_bench_{}_{number}", std::process::id());
        let outside = pool(self.server.clone()).await;
        let made = raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")));
        made.execute(&outside).await.expect("a database");
        outside.close().await;
        let pool = pool(self.server.clone().database(&name)).await;
        MysqlStore::migrate(&pool).await.expect("tables");
        Place { pool, name }
    }

    /// Writes down what the store says while it signs people in, one after the other.
    async fn overhear(&self, calls: usize) -> Heard<Transaction> {
        let place = self.place().await;
        let ear = Ear::before(self.server.get_host(), self.server.get_port()).await;
        let by_ear = self.server.clone().database(&place.name);
        let by_ear = Place {
            pool: pool(ear.on_the_way(by_ear)).await,
            name: place.name.clone(),
        };
        let service = by_ear.service().await;
        drop(ear.take());
        for _ in 0..calls {
            service.each().await;
        }
        let mut transactions: Vec<Transaction> = Vec::new();
        let mut is_open = false;
        for said in ear.take() {
            let (begins, ends) = match &said {
                Said::Text(text) => (
                    text.contains("START TRANSACTION"),
                    text.starts_with("COMMIT"),
                ),
                Said::Prepared { .. } => (false, false),
            };
            if begins {
                assert!(!is_open, "one after the other");
                transactions.push(Vec::new());
                is_open = true;
            }
            if let Some(transaction) = transactions.last_mut().filter(|_| is_open) {
                transaction.push(said);
            }
            is_open &= !ends;
        }
        by_ear.pool.close().await;
        place.sweep().await;
        Heard::new(transactions, calls)
    }

    async fn by_hand(&self, heard: &Heard<Transaction>, part: Part, callers: usize) -> Duration {
        let place = self.place().await;
        let pool = place.pool.clone();
        let send = move |transaction: Arc<Transaction>| {
            let pool = pool.clone();
            async move {
                let mut conn = pool.acquire().await.expect("a connection");
                for said in &*transaction {
                    let done = match said {
                        Said::Text(text) => {
                            let said = raw_sql(AssertSqlSafe(Arc::clone(text)));
                            said.fetch_all(&mut *conn).await
                        }
                        Said::Prepared { sql, values } => {
                            let asked = query(AssertSqlSafe(Arc::clone(sql)));
                            let asked = values.iter().fold(asked, |asked, value| asked.bind(value));
                            asked.fetch_all(&mut *conn).await
                        }
                    };
                    done.expect("it is done");
                }
            }
        };
        let took = heard.again(part, callers, send).await;
        place.sweep().await;
        took
    }
}

async fn pool(options: MySqlConnectOptions) -> MySqlPool {
    MySqlPoolOptions::new()
        .max_connections(CONNECTIONS)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .expect("a MySQL or MariaDB")
}
