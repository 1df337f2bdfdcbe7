//! Peers whose crates cannot stand in one build with otp-kit's: `peers-apart NAME`.

mod phones;
#[path = "../../src/side.rs"]
mod side;
mod sign_in;

fn main() -> side::Outcome {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.split_once('/').unwrap_or((&name, "")) {
        ("phones", list) => phones::play(list),
        ("sign-in", _) => sign_in::play(),
        _ => Err("phones/eight, phones/everywhere or sign-in".into()),
    }
}
