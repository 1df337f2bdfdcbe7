//! Who is kept out.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};

use super::revoke::show_done;
use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::show::Table;

const LIST: &str = "/admin/otp/blacklist";

pub(crate) async fn block(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let first = arguments.needed("what to block")?;
    match first.as_str() {
        "list" => list(desk, &arguments).await,
        "export" => export(desk, &arguments).await,
        "import" => import(desk, arguments).await,
        _ => add(desk, first, arguments).await,
    }
}

async fn add(desk: &Desk, kind: String, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let value = arguments.needed("what to block")?;
    let life = arguments.span("for")?;
    let mut entry = json!({ "type": kind, "value": value });
    let members = [
        ("expires_in", life.map(Value::from)),
        ("note", arguments.flag("note").map(Value::from)),
    ];
    arguments.end()?;
    for (name, member) in members {
        if let (Some(entry), Some(member)) = (entry.as_object_mut(), member) {
            entry.insert(name.to_owned(), member);
        }
    }
    let answer = acting.act(Method::POST, LIST, &entry).await?;
    show_done(desk, &answer, "blocked");
    Ok(())
}

pub(crate) async fn unblock(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let kind = arguments.needed("what to unblock")?;
    let value = arguments.needed("what to unblock")?;
    arguments.end()?;
    let entry = json!({ "type": kind, "value": value });
    let answer = acting.act(Method::DELETE, LIST, &entry).await?;
    show_done(desk, &answer, "unblocked");
    Ok(())
}

async fn list(desk: &Desk, arguments: &Arguments) -> Result<(), Failure> {
    arguments.end()?;
    let answer = desk.get(LIST).await?;
    if desk.speaks_json() {
        println!("{answer}");
    } else {
        let head = ["type", "value", "author", "note", "added_at", "expires_at"];
        Table::of(&head, answer.get("entries")).print();
    }
    Ok(())
}

async fn export(desk: &Desk, arguments: &Arguments) -> Result<(), Failure> {
    arguments.end()?;
    print!(
        "{}",
        desk.text("/admin/otp/blacklist/export", "text/csv").await?
    );
    Ok(())
}

async fn import(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let list = read(&arguments.needed("the file")?)?;
    arguments.end()?;
    let answer = acting
        .act(
            Method::POST,
            "/admin/otp/blacklist/import",
            &json!({ "list": list }),
        )
        .await?;
    show_done(desk, &answer, "blocked");
    Ok(())
}

/// Reads a file that somebody named.
pub(crate) fn read(path: &str) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::usage(format!("{path}: {}", error.kind())))
}
