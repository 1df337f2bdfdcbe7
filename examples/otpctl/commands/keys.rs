//! The key ring.

use reqwest::Method;
use serde_json::json;

use super::revoke::show_done;
use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;

pub(crate) async fn run(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let action = arguments.needed("rotate")?;
    arguments.end()?;
    if action != "rotate" {
        return Err(Failure::usage(format!("keys rotate, not {action:?}")));
    }
    let answer = desk
        .act(Method::POST, "/admin/otp/keys/rotate", &json!({}))
        .await?;
    show_done(desk, &answer, "new key");
    Ok(())
}
