use otp_axum::operators::OperatorTokens;

use super::{Environment, Refused};

/// Takes `ADMIN_TOKENS`, else `ADMIN_TOKEN`; without one there are no operators.
pub(super) fn read(env: &Environment) -> Result<OperatorTokens, Refused> {
    let nobody = OperatorTokens::new();
    match (env.get("ADMIN_TOKENS"), env.get("ADMIN_TOKEN")) {
        (Some(_), Some(_)) => {
            let problem = "is set beside ADMIN_TOKENS: set one";
            Err(Refused::new("ADMIN_TOKEN", problem))
        }
        (Some(pairs), None) => {
            let wanted = "name:token pairs, each name and token once, tokens of at least 16 \
                visible characters";
            pairs
                .split(',')
                .try_fold(nobody, |tokens, pair| {
                    let (name, token) = pair.split_once(':')?;
                    tokens.with(name.trim(), token.trim()).ok()
                })
                .ok_or_else(|| Refused::must_be("ADMIN_TOKENS", wanted))
        }
        (None, Some(token)) => nobody
            .with("admin", token)
            .map_err(|_| Refused::must_be("ADMIN_TOKEN", "at least 16 visible characters")),
        (None, None) => Ok(nobody),
    }
}
