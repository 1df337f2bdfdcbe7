//! One code hashed slowly, with the same parameters everywhere.

use std::hint::black_box;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use otp_kit::hash::{BcryptCost, Binding, CodeHasher};
use otp_kit::key::KeyRing;
use otp_kit::random::OsRandom;

use super::unknown;
use crate::side::{Outcome, play as side};

const CODE: &str = "271828";
const SALT: &[u8; 16] = b"0123456789abcdef";
const BCRYPT_COST: u32 = 10;
const BINDING: Binding<'static> = Binding {
    tenant: "default",
    challenge: "AAAAAAAAAAAAAAAAAAAAAAAA",
    subject: "sub:user-1",
    purpose: "login",
    channel: "sms",
    destination: "dst:AAAAAAAAAAAAAAAAAAAAAAAA",
};

pub(super) fn play(who: &str) -> Outcome {
    match who {
        "ours-argon2id" => ours(&CodeHasher::argon2id()),
        "ours-bcrypt" => ours(&CodeHasher::bcrypt(BcryptCost::new(BCRYPT_COST)?)),
        "argon2-fresh" => fresh(),
        "argon2-reused" => reused(),
        "bcrypt" => bcrypt(),
        _ => unknown(who),
    }
}

fn ours(hasher: &CodeHasher) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let keys = KeyRing::generate(&OsRandom)?.snapshot();
    side(|count| {
        runtime.block_on(async {
            for _ in 0..count {
                let slot = hasher.reserve()?;
                black_box(slot.hash(&keys, &OsRandom, &BINDING, CODE).await?);
            }
            Ok(())
        })
    })
}

fn argon2() -> Outcome<Argon2<'static>> {
    let params = Params::new(19_456, 2, 1, Some(32))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// As its documentation shows it: memory is asked for each time.
fn fresh() -> Outcome {
    let argon2 = argon2()?;
    side(|count| {
        for _ in 0..count {
            let mut tag = [0; 32];
            argon2.hash_password_into(CODE.as_bytes(), SALT, &mut tag)?;
            black_box(tag);
        }
        Ok(())
    })
}

/// As well as it can be had.
fn reused() -> Outcome {
    let argon2 = argon2()?;
    let mut memory = vec![Block::default(); argon2.params().block_count()];
    side(|count| {
        for _ in 0..count {
            let mut tag = [0; 32];
            argon2.hash_password_into_with_memory(CODE.as_bytes(), SALT, &mut tag, &mut memory)?;
            black_box(tag);
        }
        Ok(())
    })
}

fn bcrypt() -> Outcome {
    side(|count| {
        for _ in 0..count {
            black_box(bcrypt::hash(CODE, BCRYPT_COST)?);
        }
        Ok(())
    })
}
