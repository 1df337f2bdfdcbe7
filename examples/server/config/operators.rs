use otp_kit::event::OperatorName;
use sha2::{Digest as _, Sha256};

use super::{Environment, Refused};

/// The fewest characters of a token: it opens everything, and nobody types it.
const SHORTEST: usize = 16;

/// Who may act by hand, by their tokens. Only hashes are kept, so there is nothing to show.
#[derive(Clone, Default)]
pub(crate) struct Operators(Vec<(OperatorName, [u8; 32])>);

impl Operators {
    /// Takes `ADMIN_TOKENS`, else `ADMIN_TOKEN`; without one there are no operators.
    pub(super) fn read(env: &Environment) -> Result<Self, Refused> {
        let mut operators = Self::default();
        match (env.get("ADMIN_TOKENS"), env.get("ADMIN_TOKEN")) {
            (Some(_), Some(_)) => {
                let problem = "is set beside ADMIN_TOKENS: set one";
                return Err(Refused::new("ADMIN_TOKEN", problem));
            }
            (Some(pairs), None) => {
                let wanted = "name:token pairs, each name and token once, tokens of at least 16 \
                    visible characters";
                for pair in pairs.split(',').map(str::trim) {
                    let pair = pair.split_once(':');
                    let added = pair.and_then(|(name, token)| operators.add(name, token));
                    added.ok_or_else(|| Refused::must_be("ADMIN_TOKENS", wanted))?;
                }
            }
            (None, Some(token)) => {
                let wanted = "at least 16 visible characters";
                let added = operators.add("admin", token);
                added.ok_or_else(|| Refused::must_be("ADMIN_TOKEN", wanted))?;
            }
            (None, None) => {}
        }
        Ok(operators)
    }

    fn add(&mut self, name: &str, token: &str) -> Option<()> {
        let name = OperatorName::new(name.trim()).ok()?;
        let (token, hash) = (token.trim(), hash(token.trim()));
        let fits = token.len() >= SHORTEST && token.bytes().all(|byte| byte.is_ascii_graphic());
        let taken = self
            .0
            .iter()
            .any(|other| other.0 == name || other.1 == hash);
        if !fits || taken {
            return None;
        }
        self.0.push((name, hash));
        Some(())
    }

    /// Says whether nobody may.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Finds whose token this is. How long it takes tells nothing: hashes are compared, each in
    /// full, and all of them.
    pub(crate) fn whose(&self, token: &str) -> Option<&OperatorName> {
        let presented = hash(token);
        let mut found = None;
        for (name, known) in &self.0 {
            let pairs = known.iter().zip(&presented);
            let difference = pairs.fold(0, |difference, (a, b)| difference | (a ^ b));
            if difference == 0 {
                found = Some(name);
            }
        }
        found
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
