//! What nobody got, and sending it again.

use reqwest::Method;
use serde_json::{Map, Value};

use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::show::{self, Table};

const HEAD: [&str; 8] = [
    "failed_at",
    "user_id",
    "to",
    "channel",
    "provider",
    "kind",
    "reason",
    "resent_at",
];

pub(crate) async fn list(desk: &Desk, arguments: Arguments) -> Result<(), Failure> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in window(arguments)? {
        query.append_pair(&name, value.as_str().unwrap_or(&value.to_string()));
    }
    let path = format!("/admin/otp/deliveries/failed?{}", query.finish());
    let answer = desk.get(&path).await?;
    if desk.speaks_json() {
        println!("{answer}");
    } else {
        println!(
            "from {} until {}",
            show::text(answer.get("from")),
            show::text(answer.get("until"))
        );
        Table::of(&HEAD, answer.get("failed")).print();
    }
    Ok(())
}

pub(crate) async fn resend(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let meant = Value::Object(window(arguments)?);
    let answer = acting
        .act(Method::POST, "/admin/otp/deliveries/resend", &meant)
        .await?;
    if desk.speaks_json() {
        println!("{answer}");
    } else {
        show::done(&answer, "sent to");
        println!("messages: {}", show::text(answer.get("messages")));
        println!("not sent to: {}", show::text(answer.get("refusals")));
    }
    Ok(())
}

/// Reads from when until when, and how many.
fn window(mut arguments: Arguments) -> Result<Map<String, Value>, Failure> {
    let mut window = Map::new();
    for name in ["from", "until"] {
        if let Some(value) = arguments.flag(name) {
            window.insert(name.to_owned(), value.into());
        }
    }
    if let Some(limit) = arguments.number::<u64>("limit")? {
        window.insert("limit".to_owned(), limit.into());
    }
    arguments.end()?;
    Ok(window)
}
