//! The policy of the fleet, and what overrides it for a while.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::blocks::read;
use super::revoke::show_done;
use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;

const POLICY: &str = "/admin/otp/policy";
const OVERRIDE: &str = "/admin/otp/override";
const TEMPLATE: &str = "/admin/otp/template";
/// The flags of an override, and the members that they are.
const MEMBERS: [(&str, &str); 9] = [
    ("channel", "channel"),
    ("country", "country"),
    ("operation", "operation"),
    ("scope", "scope"),
    ("user", "user_id"),
    ("phone", "phone"),
    ("email", "email"),
    ("prefix", "prefix"),
    ("domain", "domain"),
];

pub(crate) async fn run(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    if let Some(store) = desk.store() {
        store.check_policy()?;
    }
    match arguments
        .needed("show, set, override or template")?
        .as_str()
    {
        "show" => show(desk, &arguments).await,
        "set" => set(desk, arguments).await,
        "override" => overrides(desk, arguments).await,
        "template" => template(desk, arguments).await,
        other => Err(Failure::usage(format!(
            "policy show, set, override or template, not {other:?}"
        ))),
    }
}

async fn show(desk: &Desk, arguments: &Arguments) -> Result<(), Failure> {
    arguments.end()?;
    let kind = if desk.speaks_json() {
        "application/json"
    } else {
        "application/yaml"
    };
    println!("{}", desk.text(POLICY, kind).await?.trim_end());
    Ok(())
}

async fn set(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let file = arguments.needed("the file")?;
    let over = arguments.number::<u64>("over")?;
    arguments.end()?;
    let text = read(&file)?;
    let kind = if file.ends_with(".toml") {
        "application/toml"
    } else {
        "application/yaml"
    };
    let path = over.map_or_else(
        || POLICY.to_owned(),
        |version| format!("{POLICY}?version={version}"),
    );
    let answer = acting.put(&path, kind, text).await?;
    show_done(desk, &answer, "in force");
    Ok(())
}

async fn overrides(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let what = arguments.needed("what to override")?;
    if what == "end" {
        let id = arguments.needed("the id")?;
        arguments.end()?;
        let answer = acting
            .act(Method::DELETE, OVERRIDE, &json!({ "id": id }))
            .await?;
        show_done(desk, &answer, "ended");
        return Ok(());
    }
    let mut wanted = Map::from_iter([("what".to_owned(), Value::from(what))]);
    for (flag, member) in MEMBERS {
        if let Some(value) = arguments.flag(flag) {
            wanted.insert(member.to_owned(), value.into());
        }
    }
    let numbers = [
        ("max", arguments.number::<u64>("max")?),
        ("times", arguments.number::<u64>("times")?),
        ("window_seconds", arguments.span("window")?),
        ("expires_in", arguments.span("for")?),
    ];
    arguments.end()?;
    for (member, number) in numbers {
        if let Some(number) = number {
            wanted.insert(member.to_owned(), number.into());
        }
    }
    let answer = acting
        .act(Method::POST, OVERRIDE, &Value::Object(wanted))
        .await?;
    show_done(desk, &answer, "overridden");
    Ok(())
}

async fn template(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let channel = arguments.needed("the channel")?;
    let state = arguments.needed("approved, pending, rejected, paused or disabled")?;
    arguments.end()?;
    let said = json!({ "channel": channel, "state": state });
    let answer = acting.act(Method::POST, TEMPLATE, &said).await?;
    show_done(desk, &answer, "declared");
    Ok(())
}
