//! The engines with a server, and stores on them.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use otp_kit::store::{
    MysqlOptions, MysqlStore, PostgresOptions, PostgresStore, RedisOptions, RedisStore,
};
use sqlx::Connection as _;
use url::Url;

use crate::bench::Service;
use crate::server::Server;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Redis,
    Postgres,
    Mysql,
}

/// How long a caller waits at the most.
pub(crate) const DEADLINE: Duration = Duration::from_secs(1);

/// A corner of a server that is one test's own.
#[derive(Clone, Debug)]
pub(crate) struct Corner {
    engine: Engine,
    /// The server as it was named.
    server: Url,
    /// The corner.
    url: Url,
    name: String,
}

impl Corner {
    /// Takes a corner of the server that the environment names.
    pub(crate) async fn shared(engine: Engine) -> Self {
        let name = match engine {
            Engine::Redis => "TEST_REDIS_URL",
            Engine::Postgres => "TEST_POSTGRES_URL",
            Engine::Mysql => "TEST_MYSQL_URL",
        };
        let url = std::env::var(name).unwrap_or_else(|_| panic!("{name} names a server"));
        Self::of(engine, url.parse().expect("a URL")).await
    }

    /// Takes a corner of a private server.
    pub(crate) async fn private(server: &Server) -> Self {
        let (engine, address) = (server.engine(), server.address());
        let url = match engine {
            Engine::Redis => format!("redis://{address}"),
            Engine::Postgres => format!("postgres://postgres@{address}/postgres"),
            Engine::Mysql => format!("mysql://root@{address}/mysql"),
        };
        Self::of(engine, url.parse().expect("a URL")).await
    }

    async fn of(engine: Engine, server: Url) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("otp_fault_{}_{number}", process::id());
        let mut url = server.clone();
        if engine != Engine::Redis {
            url.set_path(&name);
        }
        let corner = Self {
            engine,
            server,
            url,
            name,
        };
        let made = format!("CREATE DATABASE {}", corner.name);
        corner.say(&corner.server, &made).await;
        corner
    }

    /// Leaves nothing behind on a server that others use.
    pub(crate) async fn sweep(self) {
        match self.engine {
            Engine::Redis => {
                let client = redis::Client::open(self.server.as_str()).expect("a URL");
                let mut server = client.get_connection().expect("a server");
                let pattern = format!("{}*", self.name);
                let keys = redis::cmd("KEYS")
                    .arg(pattern)
                    .query::<Vec<String>>(&mut server);
                for key in keys.expect("its keys") {
                    redis::cmd("DEL")
                        .arg(key)
                        .exec(&mut server)
                        .expect("it is gone");
                }
            }
            Engine::Postgres => {
                let gone = format!("DROP DATABASE {} WITH (FORCE)", self.name);
                self.say(&self.server, &gone).await;
            }
            Engine::Mysql => {
                let gone = format!("DROP DATABASE {}", self.name);
                self.say(&self.server, &gone).await;
            }
        }
    }

    /// Says something to the corner's tables.
    pub(crate) async fn add(&self, sql: &str) {
        self.say(&self.url, sql).await;
    }

    /// Says something to a server of SQL; a Redis needs no word.
    async fn say(&self, server: &Url, sql: &str) {
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        match self.engine {
            Engine::Redis => {}
            Engine::Postgres => {
                let admin = sqlx::PgConnection::connect(server.as_str()).await;
                statement
                    .execute(&mut admin.expect("a server"))
                    .await
                    .expect(sql);
            }
            Engine::Mysql => {
                let admin = sqlx::MySqlConnection::connect(server.as_str()).await;
                statement
                    .execute(&mut admin.expect("a server"))
                    .await
                    .expect(sql);
            }
        }
    }

    pub(crate) fn server(&self) -> SocketAddr {
        let host = self.url.host_str().expect("a host").to_owned();
        let port = self.url.port().expect("a port");
        let mut found = (host, port).to_socket_addrs().expect("an address");
        found.next().expect("an address")
    }

    /// Names the same corner through another address.
    pub(crate) fn through(&self, address: SocketAddr) -> Self {
        let mut url = self.url.clone();
        url.set_ip_host(address.ip()).expect("a host");
        url.set_port(Some(address.port())).expect("a port");
        Self {
            url,
            ..self.clone()
        }
    }

    /// Says how a Redis is reached.
    pub(crate) fn redis(&self) -> RedisOptions {
        let options = RedisOptions::new(self.url.as_str());
        options.prefix(&self.name).deadline(DEADLINE)
    }

    /// Builds a service on the corner.
    pub(crate) async fn service(&self) -> Service {
        match self.engine {
            Engine::Redis => Service::on(
                RedisStore::with_options(self.redis())
                    .await
                    .expect("a store"),
            ),
            Engine::Postgres => {
                let options = PostgresOptions::new(self.url.as_str())
                    .connections(4)
                    .deadline(DEADLINE);
                Service::on(PostgresStore::with_options(options).await.expect("a store"))
            }
            Engine::Mysql => {
                let options = MysqlOptions::new(self.url.as_str())
                    .connections(4)
                    .deadline(DEADLINE);
                Service::on(MysqlStore::with_options(options).await.expect("a store"))
            }
        }
    }
}

/// Makes one test of a scenario for each engine.
macro_rules! on_every_engine {
    ($($(#[$doc:meta])* $name:ident($corner:ident) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn scenario($corner: crate::engine::Corner) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a Redis: set TEST_REDIS_URL (./test.sh does)"]
            async fn on_redis() {
                let corner = crate::engine::Corner::shared(crate::engine::Engine::Redis).await;
                scenario(corner.clone()).await;
                corner.sweep().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
            async fn on_postgres() {
                let corner = crate::engine::Corner::shared(crate::engine::Engine::Postgres).await;
                scenario(corner.clone()).await;
                corner.sweep().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
            async fn on_mysql() {
                let corner = crate::engine::Corner::shared(crate::engine::Engine::Mysql).await;
                scenario(corner.clone()).await;
                corner.sweep().await;
            }
        }
    )+};
}
pub(crate) use on_every_engine;

/// As [`on_every_engine`], on a private server that the scenario may kill.
macro_rules! on_private_servers {
    ($($(#[$doc:meta])* $name:ident($server:ident) $body:block)+) => {$(
        mod $name {
            use super::*;

            #[allow(unused_mut, reason = "some scenarios kill it, some only pause it")]
            async fn scenario(mut $server: crate::server::Server) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs redis-server, which it kills (./test.sh runs it)"]
            async fn on_redis() {
                scenario(crate::server::Server::start(crate::engine::Engine::Redis)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs PostgreSQL's programs, to kill a server (./test.sh runs it)"]
            async fn on_postgres() {
                scenario(crate::server::Server::start(crate::engine::Engine::Postgres)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs MariaDB's programs, to kill a server (./test.sh runs it)"]
            async fn on_mysql() {
                scenario(crate::server::Server::start(crate::engine::Engine::Mysql)).await;
            }
        }
    )+};
}
pub(crate) use on_private_servers;
