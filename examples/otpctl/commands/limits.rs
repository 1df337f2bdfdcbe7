//! Locks, and what is counted against somebody.

use reqwest::Method;
use serde_json::{Map, Value};

use super::revoke::show_done;
use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::show::{self, Table};

pub(crate) async fn unlock(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let whom = whom(arguments)?;
    let answer = acting.act(Method::POST, "/admin/otp/unlock", &whom).await?;
    show_done(desk, &answer, "unlocked");
    Ok(())
}

pub(crate) async fn run(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    match arguments.needed("show or clear")?.as_str() {
        "show" => show(desk, arguments).await,
        "clear" => clear(desk, arguments).await,
        other => Err(Failure::usage(format!(
            "limits show or clear, not {other:?}"
        ))),
    }
}

async fn clear(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let whom = whom(arguments)?;
    let answer = acting
        .act(Method::POST, "/admin/otp/limits/clear", &whom)
        .await?;
    show_done(desk, &answer, "cleared");
    Ok(())
}

async fn show(desk: &Desk, arguments: Arguments) -> Result<(), Failure> {
    let whom = whom(arguments)?;
    let told = desk.ask("/admin/otp/explain", &whom).await?;
    if desk.speaks_json() {
        println!("{told}");
        return Ok(());
    }
    println!("{}", show::text(told.get("whom")));
    println!("in records: {}", show::text(told.get("recorded_as")));
    println!("refused by: {}", show::text(told.get("refused_by")));
    println!("limits: {}", show::text(told.get("limits")));
    println!("captcha: {}", show::text(told.get("captcha")));
    println!("allowed: {}", show::text(told.get("allowed")));
    println!("live codes: {}", show::text(told.get("live_challenges")));
    println!();
    Table::of(
        &["whom", "class", "guesses", "public", "known_device"],
        told.get("budgets"),
    )
    .print();
    println!("\nblocks");
    Table::of(
        &["type", "value", "author", "note", "expires_at"],
        told.get("blocks"),
    )
    .print();
    println!("\nlatest refusals");
    Table::of(&["at", "event", "reason", "ip"], told.get("refusals")).print();
    Ok(())
}

/// Reads whom a command names; exactly one.
pub(crate) fn whom(mut arguments: Arguments) -> Result<Value, Failure> {
    let mut named = Map::new();
    for (flag, member) in [
        ("user", "user_id"),
        ("phone", "phone"),
        ("email", "email"),
        ("ip", "ip"),
    ] {
        if let Some(value) = arguments.flag(flag) {
            named.insert(member.to_owned(), value.into());
        }
    }
    arguments.end()?;
    match named.len() {
        1 => Ok(Value::Object(named)),
        _ => Err(Failure::usage(
            "name one of --user, --phone, --email and --ip",
        )),
    }
}
