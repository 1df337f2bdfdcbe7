//! Peers whose crates cannot stand in one build with otp-kit's: `peers-apart NAME`.

mod phones;
#[path = "../../src/side.rs"]
mod side;
mod sign_in;

fn main() -> side::Outcome {
    match std::env::args().nth(1).as_deref() {
        Some("phones") => phones::play(),
        Some("sign-in") => sign_in::play(),
        _ => Err("phones or sign-in".into()),
    }
}
