//! The key ring.

use reqwest::Method;
use serde_json::{Value, json};

use super::revoke::show_done;
use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::show::{Table, text};

const ROTATE: &str = "/admin/otp/keys/rotate";

pub(crate) async fn run(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let action = arguments.needed("report, rotate, publish or promote")?;
    if action == "report" {
        arguments.end()?;
        return report(desk).await;
    }
    let acting = desk.acting(&mut arguments);
    let (body, what) = match action.as_str() {
        "rotate" => (json!({}), "made current"),
        "publish" => (json!({ "step": "publish" }), "published"),
        "promote" => {
            let id = arguments.needed("the id of a key")?;
            (json!({ "step": "promote", "key_id": id }), "made current")
        }
        _ => {
            let wrong = format!("keys report, rotate, publish or promote, not {action:?}");
            return Err(Failure::usage(wrong));
        }
    };
    arguments.end()?;
    let answer = acting.act(Method::POST, ROTATE, &body).await?;
    show_done(desk, &answer, what);
    Ok(())
}

/// Shows what hangs on each key, and which may go.
async fn report(desk: &Desk) -> Result<(), Failure> {
    let report = desk.get("/admin/otp/keys").await?;
    if desk.speaks_json() {
        println!("{report}");
        return Ok(());
    }
    let mut table = Table::new(&["key", "role", "may go", "what hangs on it"]);
    for key in report
        .get("keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let verdict = text(key.get("verdict"));
        let may_go = match key.get("may_go_at") {
            Some(Value::String(at)) => at.clone(),
            _ => verdict.replace('_', " "),
        };
        table.add(vec![
            text(key.get("id")),
            text(key.get("role")),
            may_go,
            uses(key),
        ]);
    }
    table.print();
    let overlap = text(report.get("overlap_seconds"));
    println!("\na key that was replaced stays for {overlap} s at the least");
    Ok(())
}

fn uses(key: &Value) -> String {
    let uses = key.get("uses").and_then(Value::as_array);
    let shown: Vec<String> = uses
        .into_iter()
        .flatten()
        .map(|one| format!("{} {}", text(one.get("count")), text(one.get("what"))))
        .collect();
    match shown.is_empty() {
        true => "-".to_owned(),
        false => shown.join(", "),
    }
}
