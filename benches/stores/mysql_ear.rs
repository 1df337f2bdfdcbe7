//! Hears what a client says to MySQL or MariaDB: a proxy that reads the commands as they pass
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html>).

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode, MySqlTypeInfo};
use sqlx::types::time::PrimitiveDateTime;
use sqlx::{Encode, MySql, Type};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Something that was said to the server.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// Statements as text.
    Text(Arc<str>),
    /// A prepared one, with what was bound.
    Prepared { sql: Arc<str>, values: Vec<Value> },
}

/// A value as it stood on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    kind: MySqlTypeInfo,
    /// `None` is `NULL`.
    bytes: Option<Vec<u8>>,
}

impl Type<MySql> for Value {
    fn type_info() -> MySqlTypeInfo {
        <[u8] as Type<MySql>>::type_info()
    }
}

impl Encode<'_, MySql> for Value {
    fn encode_by_ref(&self, out: &mut Vec<u8>) -> Result<IsNull, BoxDynError> {
        Ok(match &self.bytes {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn produces(&self) -> Option<MySqlTypeInfo> {
        Some(self.kind.clone())
    }
}

/// A proxy and what it has heard.
pub(crate) struct Ear {
    port: u16,
    heard: Arc<Mutex<Vec<Said>>>,
}

impl Ear {
    /// Listens before a server, until the runtime ends.
    pub(crate) async fn before(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let ear = Self {
            port: listener.local_addr().expect("a port").port(),
            heard: Arc::default(),
        };
        let (server, heard) = ((host.to_owned(), port), Arc::clone(&ear.heard));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server.clone()).await.expect("a server");
                // A small packet that waited for company would take 40 ms.
                let at_once = client.set_nodelay(true).and(server.set_nodelay(true));
                at_once.expect("a socket");
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, to_server) = server.into_split();
                tokio::spawn(
                    async move { tokio::io::copy(&mut from_server, &mut to_client).await },
                );
                tokio::spawn(pass_on(from_client, to_server, Arc::clone(&heard)));
            }
        });
        ear
    }

    /// Has a client come by here, and speak openly.
    pub(crate) fn on_the_way(&self, options: MySqlConnectOptions) -> MySqlConnectOptions {
        let options = options.host("127.0.0.1").port(self.port);
        options.ssl_mode(MySqlSslMode::Disabled)
    }

    /// Takes what was heard since the last time, in its order.
    pub(crate) fn take(&self) -> Vec<Said> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Hands one connection's packets on, and writes down what they say, before the server answers.
async fn pass_on(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    heard: Arc<Mutex<Vec<Said>>>,
) -> io::Result<()> {
    let mut statements = HashMap::new();
    loop {
        let mut head = [0; 4];
        client.read_exact(&mut head).await?;
        let [a, b, c, number] = head;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, 0])).expect("24 bits");
        let mut packet = head.to_vec();
        packet.resize(head.len() + length, 0);
        let (_, body) = packet.split_at_mut(head.len());
        client.read_exact(body).await?;
        // A command begins a conversation; what comes later in one is of the greeting.
        if number == 0
            && let Some(said) = command(body, &mut statements)
        {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push(said);
        }
        server.write_all(&packet).await?;
    }
}

/// Reads a command. The server numbers the statements of a connection in the order in which they are
/// prepared, beginning with one.
fn command(body: &[u8], statements: &mut HashMap<u32, Arc<str>>) -> Option<Said> {
    let (command, rest) = body.split_first()?;
    let text = || Arc::from(String::from_utf8_lossy(rest));
    match command {
        0x03 => Some(Said::Text(text())),
        0x16 => {
            let number = u32::try_from(statements.len() + 1).expect("few");
            statements.insert(number, text());
            None
        }
        0x17 => {
            let (number, rest) = rest.split_first_chunk::<4>()?;
            let sql = statements.get(&u32::from_le_bytes(*number))?;
            let places = sql.matches('?').count();
            Some(Said::Prepared {
                sql: Arc::clone(sql),
                // Flags and a number of times stand before.
                values: values(places, rest.get(5..)?).expect("kinds that are known here"),
            })
        }
        _ => None,
    }
}

/// Reads what is bound: a bit for each that is `NULL`, the kinds, then the values that are not.
fn values(places: usize, bytes: &[u8]) -> Option<Vec<Value>> {
    if places == 0 {
        return Some(Vec::new());
    }
    let (nulls, bytes) = bytes.split_at_checked(places.div_ceil(8))?;
    let (kinds, mut bytes) = bytes.get(1..)?.split_at_checked(places * 2)?;
    let mut values = Vec::with_capacity(places);
    for (place, kind) in kinds.chunks(2).enumerate() {
        let is_null = nulls.get(place / 8)? >> (place % 8) & 1 == 1;
        let first = usize::from(bytes.first().copied().unwrap_or_default());
        let (kind, length) = match kind.first()? {
            0x08 => (<i64 as Type<MySql>>::type_info(), 8),
            0x0c => (<PrimitiveDateTime as Type<MySql>>::type_info(), 1 + first),
            0xfc => (<[u8] as Type<MySql>>::type_info(), counted(bytes)?),
            0xfd => (<str as Type<MySql>>::type_info(), counted(bytes)?),
            _ => return None,
        };
        let bytes = if is_null {
            None
        } else {
            let (value, after) = bytes.split_at_checked(length)?;
            bytes = after;
            Some(value.to_vec())
        };
        values.push(Value { kind, bytes });
    }
    bytes.is_empty().then_some(values)
}

/// Measures bytes that stand after their own number.
fn counted(bytes: &[u8]) -> Option<usize> {
    Some(match bytes {
        [] => 0,
        [0xfc, low, high, ..] => 3 + usize::from(u16::from_le_bytes([*low, *high])),
        [length @ ..=0xfa, ..] => 1 + usize::from(*length),
        _ => return None,
    })
}
