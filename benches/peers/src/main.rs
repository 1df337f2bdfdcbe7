//! otp-kit beside what else one could pick. See `README.md` in this folder.
//!
//! ```text
//! peers compare [NAME...]   lets the sides take turns, and prints how they compare
//! peers side NAME           is one side, for `compare`
//! peers growth [NAME...]    how the cost of a sign-in grows
//! ```

mod contest;
mod crowd;
mod growth;
mod referee;
mod service;
mod side;
mod sides;
mod table;

use side::Outcome;

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let names: Vec<String> = arguments.collect();
    match (command.as_str(), names.as_slice()) {
        ("compare", names) => referee::run(names),
        ("side", [name]) => sides::play(name),
        ("growth", names) => growth::run(names),
        _ => Err("compare [NAME...], side NAME or growth [NAME...]".into()),
    }
}
