//! PostgreSQL. "By hand" is the very statements that the store sends, overheard once by putting a
//! function that writes them down before each of its own, and then sent again by a bare `PgPool`
//! to other tables: the same work for the server, and nothing of ours around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use otp_kit::store::{PostgresOptions, PostgresStore};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Row as _, query, query_scalar, raw_sql};

use crate::contest::{CALLERS, Rounds, contest};
use crate::heard::Heard;
use crate::service::{Part, Service};

const FUNCTIONS: [&str; 5] = [
    "otp_admit_1",
    "otp_insert_1",
    "otp_settle_1",
    "otp_desk_1",
    "otp_delivery_1",
];
const CONNECTIONS: u32 = 16;

pub(crate) async fn run(url: &str, rounds: Rounds) {
    let bench = Bench {
        url: url.to_owned(),
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
            let name = format!("postgres {part}, {callers} at once, by hand");
            contest(&name, rounds, ours, by_hand).await;
        }
    }
}

/// A statement and what was bound to it.
type Statement = (String, String);

struct Bench {
    url: String,
}

/// A schema of its own, with the tables in it.
struct Place {
    pool: PgPool,
    name: String,
}

impl Place {
    async fn service(&self) -> Service {
        let store = PostgresStore::with_options(PostgresOptions::pool(self.pool.clone())).await;
        Service::on(store.expect("a store"))
    }

    async fn say(&self, sql: String) {
        raw_sql(AssertSqlSafe(sql))
            .execute(&self.pool)
            .await
            .expect("it is done");
    }

    async fn sweep(&self) {
        self.say(format!("DROP SCHEMA {} CASCADE", self.name)).await;
        self.pool.close().await;
    }
}

impl Bench {
    async fn place(&self) -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("otp_bench_{}_{number}", std::process::id());
        let options: PgConnectOptions = self.url.parse().expect("a URL");
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .test_before_acquire(false)
            .connect_with(options.options([("search_path", name.as_str())]))
            .await
            .expect("a PostgreSQL");
        let place = Place { pool, name };
        place.say(format!("CREATE SCHEMA {}", place.name)).await;
        PostgresStore::migrate(&place.pool).await.expect("tables");
        place
    }

    /// Writes down what the store asks while it signs people in, one after the other.
    async fn overhear(&self, calls: usize) -> Heard<Statement> {
        let place = self.place().await;
        let service = place.service().await;
        place
            .say("CREATE TABLE heard (place bigserial, said text, given text)".to_owned())
            .await;
        for function in FUNCTIONS {
            place
                .say(format!(
                    "ALTER FUNCTION {function}(jsonb) RENAME TO {function}_own;
                    CREATE FUNCTION {function}(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
                        INSERT INTO heard (said, given) VALUES ('{function}', q::text);
                        RETURN {function}_own(q);
                    END $$"
                ))
                .await;
        }
        for _ in 0..calls {
            service.each().await;
        }
        let rows = query("SELECT said, given FROM heard ORDER BY place")
            .fetch_all(&place.pool)
            .await;
        let statements: Vec<Statement> = rows
            .expect("what was heard")
            .iter()
            .map(|row| {
                (
                    format!("SELECT {}($1::jsonb)::text", row.get::<&str, _>(0)),
                    row.get(1),
                )
            })
            .collect();
        place.sweep().await;
        Heard::new(statements, calls)
    }

    async fn by_hand(&self, heard: &Heard<Statement>, part: Part, callers: usize) -> Duration {
        let place = self.place().await;
        let pool = place.pool.clone();
        let send = move |statement: Arc<Statement>| {
            let pool = pool.clone();
            async move {
                let (said, given) = &*statement;
                let asked = query_scalar::<_, String>(AssertSqlSafe(said.clone())).bind(given);
                let answer = asked.fetch_one(&pool).await.expect("an answer");
                assert!(!answer.is_empty());
            }
        };
        let took = heard.again(part, callers, send).await;
        place.sweep().await;
        took
    }
}
