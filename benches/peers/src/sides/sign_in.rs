//! A whole sign-in by calls of the library: a code is made, limited, stored, sent, checked and
//! spent, and a session begins.

use otp_kit::store::{MemoryStore, SqliteStore};

use super::unknown;
use crate::service::{Person, Service};
use crate::side::{Outcome, play as side};

/// As many as every peer has.
pub(super) const PEOPLE: u64 = 100;

pub(super) fn play(who: &str) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    let service = match who {
        "ours-memory" => Service::on(MemoryStore::new())?,
        "ours-sqlite" => {
            let file = folder.path().join("ours.db");
            Service::on(runtime.block_on(SqliteStore::open(file))?)?
        }
        _ => return unknown(who),
    };
    let people = Person::several(PEOPLE)?;
    let mut next = people.iter().cycle();
    side(|count| {
        runtime.block_on(async {
            for person in next.by_ref().take(usize::try_from(count)?) {
                service.sign_in(person).await?;
            }
            Ok(())
        })
    })
}
