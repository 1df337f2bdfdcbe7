//! What is done for single users and to lists of them: passes, notices, passwords, sessions.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};

use super::limits::whom;
use super::revoke::show_done;
use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::show;

/// Where a pass is brought to.
const BRING: &str = "/auth/fan/from-onboarding";

/// Hands out a pass to somebody whom no code reaches.
pub(crate) async fn provision(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let whom = whom(arguments)?;
    if whom.get("ip").is_some() {
        return Err(Failure::usage(
            "a pass is for a --user, a --phone or an --email",
        ));
    }
    let answer = acting
        .act(Method::POST, "/admin/otp/session", &whom)
        .await?;
    if desk.speaks_json() {
        println!("{answer}");
        return Ok(());
    }
    let user = show::text(answer.get("user_id"));
    match answer.get("sessionId") {
        None => println!("{user} would get a pass, nothing was changed"),
        Some(pass) => {
            let until = show::text(answer.get("expires_at"));
            println!("a pass for {user}, good once until {until}; give it to nobody else");
            println!("  POST {BRING} {}", json!({ "sessionId": pass }));
        }
    }
    Ok(())
}

/// Tells a list of users something.
pub(crate) async fn notify(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let list = file(&mut arguments, "users")?;
    let template = file(&mut arguments, "template")?;
    arguments.end()?;
    let users: Vec<&str> = users(&list).collect();
    let body = json!({ "users": users, "template": template });
    let answer = acting.act(Method::POST, "/admin/otp/notify", &body).await?;
    if desk.speaks_json() {
        println!("{answer}");
    } else {
        show::done(&answer, "told");
        for name in ["users", "unknown", "unreachable", "limited", "failed"] {
            println!("{name}: {}", show::text(answer.get(name)));
        }
    }
    match answer.get("failed").and_then(Value::as_u64) {
        None | Some(0) => Ok(()),
        Some(failed) => Err(Failure::No(format!("{failed} could not be told"))),
    }
}

/// Has a user choose another password, or ends their sessions.
pub(crate) async fn users_command(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let acting = desk.acting(&mut arguments);
    let (action, user) = (
        arguments.needed("reset-password or logout")?,
        arguments.needed("the user's id")?,
    );
    arguments.end()?;
    match action.as_str() {
        "reset-password" => {
            let id: String = url::form_urlencoded::byte_serialize(user.as_bytes()).collect();
            // In a path a space is no plus sign.
            let id = id.replace('+', "%20");
            let path = format!("/admin/otp/users/{id}/force-password-reset");
            let answer = acting.act(Method::POST, &path, &json!({})).await?;
            show_done(desk, &answer, "asked for another password");
        }
        "logout" => {
            let body = json!({ "user_id": user });
            let path = "/api/v1/auth/logout-all";
            let answer = acting.act(Method::POST, path, &body).await?;
            show_done(desk, &answer, "sessions ended");
        }
        other => {
            let wrong = format!("users reset-password or logout, not {other:?}");
            return Err(Failure::usage(wrong));
        }
    }
    Ok(())
}

fn file(arguments: &mut Arguments, flag: &str) -> Result<String, Failure> {
    let path = arguments
        .flag(flag)
        .ok_or_else(|| Failure::usage(format!("--{flag} FILE is missing")))?;
    fs::read_to_string(path).map_err(|error| Failure::usage(format!("--{flag}: {}", error.kind())))
}

/// Reads a list: an id a line; what follows a `#` at its beginning is a remark.
fn users(list: &str) -> impl Iterator<Item = &str> {
    let lines = list.trim_start_matches('\u{feff}').lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::users;

    #[test]
    fn a_list_of_users_is_an_id_a_line() {
        let list = "\u{feff}ann\r\n\n# from the export\n  bob \n";
        assert_eq!(users(list).collect::<Vec<_>>(), ["ann", "bob"]);
    }
}
