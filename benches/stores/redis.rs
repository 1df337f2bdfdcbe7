//! Redis. "By hand" is the very commands that the store sends, overheard once by `MONITOR` and
//! then sent again by a bare `ConnectionManager` under another prefix: the same scripts with the
//! same work for the server, and nothing of ours around them. "Echo" is as many round trips of a
//! script that answers what it was given: what the wire and the client cost alone.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use otp_kit::store::{RedisOptions, RedisStore};
use redis::aio::ConnectionManager;
use redis::{Client, Cmd, Script, Value};

use crate::contest::{CALLERS, Rounds, contest, crowd};
use crate::service::{Part, Service};

/// About what a question of ours has, in bytes.
const BODY: usize = 1_200;

pub(crate) async fn run(url: &str, rounds: Rounds) {
    let client = Client::open(url).expect("a URL");
    let bench = Bench {
        url: url.to_owned(),
        bare: ConnectionManager::new(client).await.expect("a Redis"),
    };
    let heard = Arc::new(bench.overhear(rounds.calls()).await);
    for callers in CALLERS {
        for part in Part::ALL {
            let ours = async |calls| bench.ours(part, callers, calls).await;
            let by_hand = async |_| bench.by_hand(&heard, part, callers).await;
            let name = format!("redis {part}, {callers} at once, by hand");
            contest(&name, rounds, ours, by_hand).await;
            let echo = async |calls| bench.echo(part.steps(), callers, calls).await;
            let name = format!("redis {part}, {callers} at once, echo");
            contest(&name, rounds, ours, echo).await;
        }
    }
}

/// What the store sent, with the prefix that it sent it under.
struct Heard {
    prefix: String,
    sign_ins: Vec<[Vec<String>; Part::STEPS]>,
}

struct Bench {
    url: String,
    bare: ConnectionManager,
}

impl Bench {
    async fn service(&self, prefix: &str) -> Service {
        let options = RedisOptions::new(&self.url).prefix(prefix);
        Service::on(RedisStore::with_options(options).await.expect("a Redis"))
    }

    async fn ours(&self, part: Part, callers: usize, calls: usize) -> Duration {
        self.service(&fresh())
            .await
            .play(part, callers, calls)
            .await
    }

    /// Listens while the store signs people in, one after the other.
    async fn overhear(&self, calls: usize) -> Heard {
        let prefix = fresh();
        let service = self.service(&prefix).await;
        // The scripts are sent whole once.
        service.each().await;
        let client = Client::open(self.url.as_str()).expect("a URL");
        let mut ear = client.get_connection().expect("a Redis");
        redis::cmd("MONITOR")
            .exec(&mut ear)
            .expect("it may be listened to");
        let of_ours = prefix.clone();
        let listening = tokio::task::spawn_blocking(move || {
            let mut commands = Vec::new();
            while let Ok(Value::SimpleString(line)) = ear.recv_response() {
                if line.contains(END) {
                    break;
                }
                if line.contains("\"EVALSHA\"") && line.contains(&of_ours) {
                    commands.push(words(&line));
                }
            }
            commands
        });
        for _ in 0..calls {
            service.each().await;
        }
        let mut bare = self.bare.clone();
        redis::cmd("ECHO")
            .arg(END)
            .exec_async(&mut bare)
            .await
            .expect("a Redis");
        let mut commands = listening.await.expect("it listened").into_iter();
        let mut sign_ins = Vec::new();
        while let Some(first) = commands.next() {
            let mut next = || commands.next().expect("a whole sign-in");
            sign_ins.push([first, next(), next(), next(), next(), next()]);
        }
        assert_eq!(sign_ins.len(), calls, "a round of all parts each");
        Heard { prefix, sign_ins }
    }

    async fn by_hand(&self, heard: &Arc<Heard>, part: Part, callers: usize) -> Duration {
        let prefix = fresh();
        if part == Part::Verify {
            self.send(heard, &prefix, Part::Issue.places(), callers)
                .await;
        }
        self.send(heard, &prefix, part.places(), callers).await
    }

    async fn send(
        &self,
        heard: &Heard,
        prefix: &str,
        part: Range<usize>,
        callers: usize,
    ) -> Duration {
        let command = |words: &Vec<String>| {
            let mut command = Cmd::new();
            for word in words {
                command.arg(word.replace(&heard.prefix, prefix));
            }
            command
        };
        let commands: Vec<Vec<Cmd>> = heard
            .sign_ins
            .iter()
            .map(|sign_in| {
                sign_in
                    .get(part.clone())
                    .expect("all of them")
                    .iter()
                    .map(command)
                    .collect()
            })
            .collect();
        let (commands, bare) = (Arc::new(commands), self.bare.clone());
        let calls = commands.len();
        let work = move |number: usize| {
            let (commands, mut bare) = (Arc::clone(&commands), bare.clone());
            async move {
                for command in commands.get(number).expect("one each") {
                    let answer: Value = command.query_async(&mut bare).await.expect("an answer");
                    assert!(matches!(answer, Value::Array(_)), "{answer:?}");
                }
            }
        };
        crowd(callers, calls, work).await
    }

    async fn echo(&self, trips: usize, callers: usize, calls: usize) -> Duration {
        let (bare, echo) = (self.bare.clone(), Arc::new(Script::new("return ARGV[1]")));
        let work = move |_| {
            let (mut bare, echo) = (bare.clone(), Arc::clone(&echo));
            async move {
                for _ in 0..trips {
                    let answer = echo
                        .arg("x".repeat(BODY))
                        .invoke_async::<String>(&mut bare)
                        .await;
                    assert_eq!(answer.map(|text| text.len()).ok(), Some(BODY));
                }
            }
        };
        crowd(callers, calls, work).await
    }
}

/// Ends the listening.
const END: &str = "the bench has heard enough";

/// Makes a prefix of a length of its own, under which nobody has written.
fn fresh() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("bench-{:08}-{number:06}", std::process::id())
}

/// Reads the words of a command as `MONITOR` writes them down: quoted, with escapes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.chars();
    while rest.any(|sign| sign == '"') {
        let mut word = Vec::new();
        while let Some(sign) = rest.next() {
            match sign {
                '"' => break,
                '\\' => match rest.next() {
                    Some('n') => word.push(b'\n'),
                    Some('r') => word.push(b'\r'),
                    Some('t') => word.push(b'\t'),
                    Some('x') => {
                        let digits: String = rest.by_ref().take(2).collect();
                        word.push(u8::from_str_radix(&digits, 16).expect("a byte"));
                    }
                    Some(other) => word.extend(other.to_string().bytes()),
                    None => break,
                },
                other => word.extend(other.to_string().bytes()),
            }
        }
        words.push(String::from_utf8(word).expect("text"));
    }
    words
}
