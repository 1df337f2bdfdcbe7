//! Ends live codes.

use reqwest::Method;
use serde_json::{Map, Value};

use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::show;

/// The flags, and the members that they are.
const MEMBERS: [(&str, &str); 8] = [
    ("user", "user_id"),
    ("phone", "phone"),
    ("email", "email"),
    ("ip", "ip"),
    ("channel", "channel"),
    ("key", "key_id"),
    ("from", "from"),
    ("until", "until"),
];

pub(crate) async fn run(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let mut meant = Map::new();
    for (flag, member) in MEMBERS {
        if let Some(value) = arguments.flag(flag) {
            meant.insert(member.to_owned(), value.into());
        }
    }
    if arguments.switch("all") {
        meant.insert("all".to_owned(), true.into());
    }
    arguments.end()?;
    if meant.is_empty() {
        return Err(Failure::usage("revoke needs to know whose codes, or --all"));
    }
    let answer = acting
        .act(Method::POST, "/admin/otp/revoke", &Value::Object(meant))
        .await?;
    show_done(desk, &answer, "revoked");
    Ok(())
}

/// Prints what was done as the reader wants it.
pub(crate) fn show_done(desk: &Desk, answer: &Value, verb: &str) {
    if desk.speaks_json() {
        println!("{answer}");
    } else {
        show::done(answer, verb);
    }
}
