//! What a captcha's widget gave the client: under our name, or under the one that its vendor's
//! script gives the field.

use crate::answer::Refusal;
use crate::json::{Given, Member};

/// Reads the token, of which there is at most one.
pub(super) fn token(members: [&Member; 4]) -> Result<Option<&str>, Refusal> {
    let mut token = None;
    for member in members {
        match (member.given(), token) {
            (Given::Nothing, _) => {}
            (Given::Text(text), None) => token = Some(text),
            (Given::Text(_) | Given::Wrong, _) => return Err(Refusal::CAPTCHA_FAILED),
        }
    }
    Ok(token)
}
