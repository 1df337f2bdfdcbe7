use otp_axum::operators::OperatorTokens;

use super::{Environment, Refused};

/// How the placeholders of examples begin: everybody has read them.
const PLACEHOLDER: &str = "change-me";

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
                visible characters that are no placeholder";
            pairs
                .split(',')
                .try_fold(nobody, |tokens, pair| {
                    let (name, token) = pair.split_once(':')?;
                    let token = Some(token.trim()).filter(|token| is_own(token))?;
                    tokens.with(name.trim(), token).ok()
                })
                .ok_or_else(|| Refused::must_be("ADMIN_TOKENS", wanted))
        }
        (None, Some(token)) => Some(token)
            .filter(|token| is_own(token))
            .and_then(|token| nobody.with("admin", token).ok())
            .ok_or_else(|| {
                let wanted = "at least 16 visible characters that are no placeholder";
                Refused::must_be("ADMIN_TOKEN", wanted)
            }),
        (None, None) => Ok(nobody),
    }
}

fn is_own(token: &str) -> bool {
    !token.to_ascii_lowercase().starts_with(PLACEHOLDER)
}
