//! What was asked for.

use crate::vendors::Primary;

pub(crate) const HELP: &str = "\
load [--site http://127.0.0.1:8080] [--rate VISITS A SECOND] [--seconds N] [--hostile PERCENT]
     [--primary works|fails|hangs] [--json]";

/// How much, for how long, and of which kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) site: String,
    pub(crate) rate: u32,
    pub(crate) seconds: u32,
    /// Of a hundred visits, those that guess.
    pub(crate) hostile: u32,
    /// Where codes come by messages: what the first of two vendors does.
    pub(crate) primary: Option<Primary>,
    pub(crate) json: bool,
}

impl Plan {
    pub(crate) fn of(mut typed: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut plan = Self {
            site: "http://127.0.0.1:8080".to_owned(),
            rate: 20,
            seconds: 10,
            hostile: 20,
            primary: None,
            json: false,
        };
        while let Some(flag) = typed.next() {
            if flag == "--json" {
                plan.json = true;
                continue;
            }
            let value = typed
                .next()
                .ok_or_else(|| format!("{flag} needs a value"))?;
            let number = |most: u32| {
                let number = value.parse::<u32>().ok();
                let number = number.filter(|number| *number <= most);
                number.ok_or_else(|| format!("{flag} must be a number up to {most}"))
            };
            match flag.as_str() {
                "--site" => value.trim_end_matches('/').clone_into(&mut plan.site),
                "--rate" => plan.rate = number(10_000)?.max(1),
                "--seconds" => plan.seconds = number(3_600)?,
                "--hostile" => plan.hostile = number(100)?,
                "--primary" => {
                    let named = Primary::named(&value);
                    let named = named.ok_or("--primary must be works, fails or hangs")?;
                    plan.primary = Some(named);
                }
                _ => return Err(format!("{flag} is not a flag of this command")),
            }
        }
        Ok(plan)
    }

    /// Says whether a visit guesses; they are spread evenly.
    pub(crate) const fn is_hostile(&self, number: u32) -> bool {
        number.wrapping_mul(61) % 100 < self.hostile
    }
}

#[cfg(test)]
mod tests {
    use super::{Plan, Primary};

    #[test]
    fn of_a_hundred_visits_as_many_guess_as_were_asked_for() {
        let typed = "--rate 50 --hostile 30 --primary hangs --json"
            .split(' ')
            .map(str::to_owned);
        let plan = Plan::of(typed).unwrap();
        assert_eq!((plan.rate, plan.seconds, plan.json), (50, 10, true));
        assert_eq!(plan.primary, Some(Primary::Hangs));
        let guess = (0..100).filter(|number| plan.is_hostile(*number)).count();
        assert_eq!(guess, 30);
        for wrong in [
            "--rate",
            "--rate many",
            "--hostile 101",
            "--primary sleeps",
            "--speed 1",
        ] {
            assert!(
                Plan::of(wrong.split(' ').map(str::to_owned)).is_err(),
                "{wrong}"
            );
        }
    }
}
