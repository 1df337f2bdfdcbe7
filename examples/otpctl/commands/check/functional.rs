//! Does it work: tried where numbers and users are given, read from the metrics where not.

use serde_json::{Value, json};

use super::answers::{Answer, Box, Sheet};
use super::{Evidence, Given};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";
const LINK: &str = "/browser/api/v1/identity/auth/magic-link/initiate";
/// As many as the checklist asks for.
const ENOUGH: usize = 3;
/// A number of the range that is set aside for stories; it is sent nothing.
const NOBODY: &str = "+14155550199";

/// What came of trying.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// Starts by number and by user that were taken.
    sms: usize,
    links: usize,
    /// Codes that the server showed, and how many of them signed in.
    shown: usize,
    signed_in: usize,
    /// What a code that nobody was sent was answered; `None` where there was no answer.
    made_up: Option<(u16, Value)>,
}

impl Tried {
    pub(super) async fn with(given: &Given) -> Self {
        let mut tried = Self::default();
        for phone in &given.phones {
            let started = given.site.post(START, &json!({ "phone": phone })).await;
            let Some((200, answer)) = started else {
                continue;
            };
            tried.sms = tried.sms.saturating_add(1);
            let Some(code) = answer.get("preview_code") else {
                continue;
            };
            tried.shown = tried.shown.saturating_add(1);
            let body = json!({ "phone": phone, "otp": code });
            if let Some((200, _)) = given.site.post(VERIFY, &body).await {
                tried.signed_in = tried.signed_in.saturating_add(1);
            }
        }
        for user in &given.users {
            let started = given.site.post(LINK, &json!({ "user_id": user })).await;
            if let Some((200, _)) = started {
                tried.links = tried.links.saturating_add(1);
            }
        }
        let made_up = json!({ "phone": NOBODY, "otp": "000000" });
        tried.made_up = given.site.post(VERIFY, &made_up).await;
        tried
    }

    /// Says whether the site answered at all.
    pub(super) fn is_heard(&self) -> bool {
        self.made_up.is_some()
    }
}

pub(super) async fn fill(sheet: &mut Sheet, evidence: &Evidence, given: &Given) {
    let tried = &evidence.tried;
    sheet.put(
        Box::Sms,
        sent(evidence, "sms", given.phones.len(), tried.sms, "--phones"),
    );
    sheet.put(
        Box::Link,
        sent(evidence, "email", given.users.len(), tried.links, "--users"),
    );
    sheet.put(Box::Valid, valid(evidence));
    sheet.put(Box::Invalid, invalid(tried));
    let status = given.site.get("/otp/status").await;
    sheet.put(Box::Limits, limits(status.map(|(_, status)| status)));
    sheet.put(Box::Audit, audit(evidence));
}

/// Judges a channel by the messages that left while it was tried, else by all that left.
fn sent(evidence: &Evidence, channel: &str, asked: usize, taken: usize, flag: &str) -> Answer {
    let label = format!("channel=\"{channel}\"");
    let messages = |numbers: &super::Numbers, outcome: &str| {
        let outcome = format!("outcome=\"{outcome}\"");
        let found = numbers.sum("otp_messages_total", &[&label, &outcome]);
        found.unwrap_or_default()
    };
    let up = evidence.after.sum("otp_channel_up", &[&label]);
    if up != Some(1.0) {
        let why = up.map_or(
            "no provider is configured",
            |_| "its first provider is left alone",
        );
        return Answer::No(why.to_owned());
    }
    let left = messages(&evidence.after, "success") - messages(&evidence.before, "success");
    let left = format!("{left:.0}").parse::<usize>().unwrap_or_default();
    if asked > 0 {
        let why = format!("{asked} asked for, {taken} taken, {left} left");
        return Answer::of(asked >= ENOUGH && taken == asked && left >= asked, why);
    }
    let (good, bad) = (
        messages(&evidence.after, "success"),
        messages(&evidence.after, "failed"),
    );
    if good + bad < 3.0 {
        return Answer::Look(format!(
            "fewer than {ENOUGH} were sent: name some by {flag}"
        ));
    }
    let share = good / (good + bad) * 100.0;
    Answer::of(
        share >= 95.0,
        format!("{share:.1} % of {:.0} left", good + bad),
    )
}

fn valid(evidence: &Evidence) -> Answer {
    let tried = &evidence.tried;
    if tried.shown > 0 {
        let why = format!("{} of {} codes signed in", tried.signed_in, tried.shown);
        return Answer::of(tried.signed_in == tried.shown, why);
    }
    let done = ["operation=\"verify\"", "answer=\"done\""];
    let done = evidence.after.sum("otp_call_seconds_count", &done);
    match done.unwrap_or_default() {
        0.0 => Answer::Look("nobody has signed in since the start: sign in once".to_owned()),
        number => Answer::Yes(format!("{number:.0} signed in since the start")),
    }
}

fn invalid(tried: &Tried) -> Answer {
    match &tried.made_up {
        None => Answer::Look("the public listener does not answer: name it by --site".to_owned()),
        Some((status, answer)) => {
            let code = answer.get("code").and_then(Value::as_str).unwrap_or("-");
            let refused = *status == 400 && code == "invalid_otp";
            let limited = *status == 429;
            let why = format!("a code that nobody was sent is answered {status} {code}");
            Answer::of(refused || limited, why)
        }
    }
}

fn limits(status: Option<Value>) -> Answer {
    let Some(status) = status else {
        return Answer::Look("the public listener does not answer: name it by --site".to_owned());
    };
    let scopes = |operation: &str| -> Vec<String> {
        let windows = status.get("rateLimits").and_then(|all| all.get(operation));
        let windows = windows.and_then(Value::as_array).into_iter().flatten();
        windows
            .filter_map(|window| window.get("scope")?.as_str().map(str::to_owned))
            .collect()
    };
    let has = |operation: &str, names: &[&str]| {
        let found = scopes(operation);
        found.iter().any(|scope| names.contains(&scope.as_str()))
    };
    let person = ["subject", "destination", "device"];
    let holds = has("issue", &person) && has("issue", &["address"]) && has("verify", &["address"]);
    let why = format!(
        "starts by {}; checks by {}",
        join(&scopes("issue")),
        join(&scopes("verify"))
    );
    Answer::of(holds, why)
}

fn join(scopes: &[String]) -> String {
    let mut scopes = scopes.to_vec();
    scopes.dedup();
    match scopes.is_empty() {
        true => "nothing".to_owned(),
        false => scopes.join(", "),
    }
}

/// Generation, validation and invalidation. A code ends by being used, by the next one, or by an
/// operator; each is a record of what ended it.
fn audit(evidence: &Evidence) -> Answer {
    let records = &evidence.records;
    let missing: Vec<&str> = [
        ("identity.auth.challenge_issued", "generation"),
        ("identity.auth.validation_attempt", "validation"),
    ]
    .into_iter()
    .filter(|(event, _)| records.of_event(event) == 0)
    .map(|(_, word)| word)
    .collect();
    let ended = records.of_event("identity.auth.challenge_cancelled")
        + records.of_event("identity.auth.challenge_disowned")
        + usize::from(records.last_deed("revoke").is_some());
    match (missing.is_empty(), ended) {
        (false, _) => Answer::No(format!("no record of {}", missing.join(", "))),
        (true, 0) => Answer::Look(format!(
            "{} records, and none of a code that was ended by hand: otpctl revoke one",
            records.number()
        )),
        (true, _) => Answer::Yes(format!("{} records of every kind", records.number())),
    }
}
