//! R18, row by row: what every public route that starts or checks answers about somebody whom the
//! server knows, and about somebody whom it does not. Routes of the signed-in ask about nobody else,
//! and a link or a signed payload says by itself whose it is.

mod time;

use serde_json::{Value, json};

use crate::support::{Reply, Server, wrong};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";
const BY_PHONE: &str = "/browser/api/v1/identity/auth/otp/initiate";
const BY_EMAIL: &str = "/browser/api/v1/identity/auth/magic-link/initiate";
const TOKEN: &str = "token-of-mike-0123456789";

/// Somebody whom the server may know.
#[derive(Clone, Copy)]
struct Whom {
    user: &'static str,
    phone: &'static str,
    email: &'static str,
}

const KNOWN: Whom = Whom {
    user: "user-1",
    phone: "+14155550177",
    email: "user-1@example.org",
};
const UNKNOWN: Whom = Whom {
    user: "user-2",
    phone: "+14155557177",
    email: "user-2@example.org",
};

/// Asks as a client of one address after the other: none of them meets a limit of its own.
struct Asker<'s> {
    server: &'s Server,
    from: u32,
}

impl Asker<'_> {
    async fn post(&mut self, path: &str, body: &Value) -> Reply {
        self.from += 1;
        let [_, _, high, low] = self.from.to_be_bytes();
        let request = self.server.client.post(self.server.url(path));
        let request = request.header("x-forwarded-for", format!("198.{high}.{low}.7"));
        Reply::of(request.json(body)).await
    }

    /// Asks an operator's route.
    async fn order(&self, method: reqwest::Method, path: &str, body: reqwest::Body, kind: &str) {
        let url = format!("http://{}{path}", self.server.admin);
        let request = self.server.client.request(method, url).body(body);
        let request = request.header("x-admin-token", TOKEN);
        let request = request.header("x-admin-reason", "an incident");
        let reply = Reply::of(request.header("content-type", kind)).await;
        assert!((200..300).contains(&reply.status), "{reply:?}");
    }

    async fn block(&self, kind: &str, value: &str) {
        let body = json!({ "type": kind, "value": value, "note": "test" }).to_string();
        let post = reqwest::Method::POST;
        let path = "/admin/otp/blacklist";
        self.order(post, path, body.into(), "application/json")
            .await;
    }
}

fn server() -> Server {
    Server::with(&[
        ("ADMIN_TOKENS", "mike:token-of-mike-0123456789"),
        ("TRUSTED_PROXIES", "127.0.0.1/32"),
    ])
}

async fn add(server: &Server, whom: Whom) {
    let mut database = server.database().await;
    sqlx::query("INSERT INTO users (sub, phone, email) VALUES (?, ?, ?)")
        .bind(whom.user)
        .bind(whom.phone)
        .bind(whom.email)
        .execute(&mut database)
        .await
        .unwrap();
}

/// What an outsider sees of an answer: its status, every header with its value, and every byte of its
/// body but for ids, codes and the time of day.
fn seen(reply: &Reply) -> String {
    let digits = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    let headers = reply.headers.iter().map(|(name, value)| {
        let value = value.to_str().unwrap();
        let value = match (name.as_str(), value.split_once(";t=")) {
            ("retry-after", _) => "so many".to_owned(),
            ("set-cookie", _) => {
                let (name, rest) = value.split_once('=').unwrap();
                let (drawn, rest) = rest.split_once(';').unwrap();
                format!("{name}={};{rest}", drawn.len())
            }
            ("ratelimit", Some((left, _))) => left.to_owned(),
            ("ratelimit-policy", _) if value.starts_with("\"locked\"") => digits(value),
            _ => value.to_owned(),
        };
        format!("{name}: {value}")
    });
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    let mut body = reply.json();
    if reply.status == 200 {
        let id = reply.text("challenge_id").len();
        body["challenge_id"] = id.into();
        body["cooldown"] = between(&reply.text("resend_at"), &reply.text("expires_at")).into();
        for member in ["resend_at", "expires_at", "preview_code", "preview_link"] {
            if let Some(text) = body.get(member).and_then(Value::as_str) {
                let shown = match member {
                    "preview_link" => text.len().to_string(),
                    _ => digits(text),
                };
                body[member] = shown.into();
            }
        }
    }
    format!("{} {headers:?} {body}", reply.status)
}

/// The milliseconds between two times of day.
fn between(from: &str, to: &str) -> u64 {
    let of = |time: &str| {
        let part = |range: std::ops::Range<usize>| time[range].parse::<u64>().unwrap();
        ((part(11..13) * 60 + part(14..16)) * 60 + part(17..19)) * 1_000 + part(20..23)
    };
    (of(to) + 86_400_000 - of(from)) % 86_400_000
}

/// Starts and checks by an address until nothing is let in any more, and says what was seen.
async fn by_address(asker: &mut Asker<'_>, address: &Value) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let with = |members: Value| {
        let mut body = address.clone();
        let members = members.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(members);
        body
    };
    let early = asker.post(VERIFY, &with(json!({ "otp": "000000" }))).await;
    all.push(("a check before any start", seen(&early)));
    let start = asker.post(START, address).await;
    all.push(("a start", seen(&start)));
    let (code, id) = match start.status {
        200 => (
            wrong(&start.text("preview_code")),
            start.text("challenge_id"),
        ),
        _ => ("000000".to_owned(), "A".repeat(36)),
    };
    for (row, members) in [
        ("a wrong code", json!({ "otp": code })),
        (
            "a wrong code by the id",
            json!({ "otp": code, "challenge_id": id }),
        ),
        (
            "a code by no id",
            json!({ "otp": code, "challenge_id": "A".repeat(36) }),
        ),
        ("a code that is none", json!({ "otp": "1234567" })),
    ] {
        let reply = asker.post(VERIFY, &with(members)).await;
        all.push((row, seen(&reply)));
    }
    let again = asker.post(START, address).await;
    all.push(("a second start", seen(&again)));
    for _ in 0..6 {
        let reply = asker.post(VERIFY, &with(json!({ "otp": code }))).await;
        all.push(("wrong codes until the lock", seen(&reply)));
    }
    let locked = asker.post(START, address).await;
    all.push(("a start of who is locked", seen(&locked)));
    all
}

/// Starts by the same body until the limit.
async fn to_the_limit(asker: &mut Asker<'_>, path: &str, body: &Value) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for number in 0..7 {
        let reply = asker.post(path, body).await;
        all.push((format!("start {number} on {path}"), seen(&reply)));
    }
    all
}

async fn every_row(asker: &mut Asker<'_>, whom: Whom) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for address in [
        json!({ "phone": whom.phone }),
        json!({ "email": whom.email }),
    ] {
        let rows = by_address(asker, &address).await;
        all.extend(rows.into_iter().map(|(row, seen)| (row.to_owned(), seen)));
    }
    for path in [BY_PHONE, BY_EMAIL] {
        all.extend(to_the_limit(asker, path, &json!({ "user_id": whom.user })).await);
    }
    all
}

#[track_caller]
fn alike(one: &[(String, String)], other: &[(String, String)]) {
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(other) {
        assert_eq!(one, other);
    }
}

#[tokio::test]
async fn r18_every_row_is_alike_of_who_is_known_and_who_is_not() {
    for blocked in [false, true] {
        let server = server();
        add(&server, KNOWN).await;
        let mut asker = Asker {
            server: &server,
            from: 0,
        };
        let mut rows = Vec::new();
        for whom in [KNOWN, UNKNOWN] {
            if blocked {
                asker.block("phone", whom.phone).await;
                asker.block("email", whom.email).await;
            }
            rows.push(every_row(&mut asker, whom).await);
        }
        alike(&rows[0], &rows[1]);
        let text = format!("{:?}", rows[0]);
        let met = |word: &str| text.contains(word);
        if blocked {
            assert!(met("403") && met("blocked"), "{text}");
        } else {
            assert!(met("locked") && met("invalid_otp"), "{text}");
        }
    }
}

#[tokio::test]
async fn r18_every_row_is_alike_of_who_is_sent_a_code_and_whose_is_kept_back() {
    let server = server();
    let mut asker = Asker {
        server: &server,
        from: 0,
    };
    // A customer of the range, and one who waits with a code.
    let customer = json!({ "phone": KNOWN.phone });
    let code = asker.post(START, &customer).await.text("preview_code");
    let body = json!({ "phone": KNOWN.phone, "otp": code });
    assert_eq!(asker.post(VERIFY, &body).await.status, 200);
    let enforce = "toll_fraud: { mode: enforce }\n";
    let put = reqwest::Method::PUT;
    asker
        .order(put, "/admin/otp/policy", enforce.into(), "application/yaml")
        .await;
    for line in 0..40 {
        let pumped = json!({ "phone": format!("+1415555{:04}", 2_000 + line * 101) });
        let reply = asker.post(START, &pumped).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let sent = by_address(&mut asker, &customer).await;
    let stranger = json!({ "phone": UNKNOWN.phone });
    let kept_back = by_address(&mut asker, &stranger).await;
    for (sent, kept_back) in sent.iter().zip(&kept_back) {
        assert_eq!(sent, kept_back);
    }
    // It was kept back: the code that is shown is worth nothing.
    let other = json!({ "phone": "+14155558800" });
    let key = "one-start";
    let mut shown = Vec::new();
    for _ in 0..2 {
        let request = server.client.post(server.url(START));
        let reply = Reply::of(request.header("idempotency-key", key).json(&other)).await;
        shown.push(reply.text("preview_code"));
    }
    assert_eq!(shown[0], shown[1], "nor does asking again tell");
    let body = json!({ "phone": "+14155558800", "otp": shown[0] });
    let reply = asker.post(VERIFY, &body).await;
    reply.is_error(400, "invalid_otp", "Invalid OTP");
    // Somebody elsewhere gets a code that is worth something.
    let elsewhere = json!({ "phone": "+12125550123" });
    let code = asker.post(START, &elsewhere).await.text("preview_code");
    let body = json!({ "phone": "+12125550123", "otp": code });
    assert_eq!(asker.post(VERIFY, &body).await.status, 200);
}
