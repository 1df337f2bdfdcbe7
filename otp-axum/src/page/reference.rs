//! What a page names and a form brings back, sealed: no address is in the page in full, and nothing
//! else comes back than what was shown.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use otp_core::destination::Destination;
use otp_core::key::{Sealed, open, seal};
use otp_core::operator::Whom;
use otp_core::request::{SubjectId, SubjectKey};
use otp_core::store::{Block, BlockKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Page;
use super::access::Visitor;
use super::trouble::Trouble;

/// What a sealed text is for; one is worth nothing in the place of another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    /// It names somebody.
    Whom,
    /// It names an entry of the blocklist.
    Entry,
    /// It says what is to be confirmed.
    Ticket,
    /// It says what was done.
    Notice,
}

impl Use {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Whom => b"whom",
            Self::Entry => b"entry",
            Self::Ticket => b"ticket",
            Self::Notice => b"notice",
        }
    }
}

impl Page {
    /// Seals a value for the eyes of this server, from the hands of this operator.
    pub(super) fn seal(
        &self,
        visitor: &Visitor,
        r#use: Use,
        value: &impl Serialize,
    ) -> Result<String, Trouble> {
        let plain = serde_json::to_vec(value).map_err(|_| Trouble::Ours)?;
        let keys = self.verifier.keys().snapshot();
        let sealed = seal(&keys, self.random.as_ref(), &place(visitor, r#use), &plain);
        let sealed = sealed.map_err(|_| Trouble::Ours)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed.as_bytes()))
    }

    /// Opens what came back.
    pub(super) fn open<T: DeserializeOwned>(
        &self,
        visitor: &Visitor,
        r#use: Use,
        text: &str,
    ) -> Result<T, Trouble> {
        let opened = || {
            let sealed = Sealed::from_bytes(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let keys = self.verifier.keys().snapshot();
            let plain = open(&keys, &place(visitor, r#use), &sealed).ok()?;
            serde_json::from_slice(plain.expose()).ok()
        };
        opened().ok_or(Trouble::Stale)
    }

    pub(super) fn name_whom(&self, visitor: &Visitor, whom: &Whom) -> Result<String, Trouble> {
        let pair = match whom {
            Whom::Subject(id) => ("user", id.as_str().to_owned()),
            Whom::Account(key) => ("account", key.as_str().to_owned()),
            Whom::Destination(Destination::Phone(phone)) => ("to", phone.e164().to_owned()),
            Whom::Destination(Destination::Email(email)) => ("to", email.address().to_owned()),
            Whom::Address(address) => ("ip", address.to_string()),
            _ => return Err(Trouble::Whom),
        };
        self.seal(visitor, Use::Whom, &pair)
    }

    pub(super) fn read_whom(&self, visitor: &Visitor, text: &str) -> Result<Whom, Trouble> {
        let (kind, value): (String, String) = self.open(visitor, Use::Whom, text)?;
        let whom = match kind.as_str() {
            "user" => SubjectId::new(&value).ok().map(Whom::Subject),
            "account" => Some(Whom::Account(SubjectKey::from_stored(value))),
            "to" => Destination::parse(&value, None).ok().map(Whom::Destination),
            "ip" => value.parse().ok().map(Whom::Address),
            _ => None,
        };
        whom.ok_or(Trouble::Stale)
    }

    pub(super) fn name_entry(&self, visitor: &Visitor, block: &Block) -> Result<String, Trouble> {
        self.seal(visitor, Use::Entry, &(block.kind().name(), block.value()))
    }

    pub(super) fn read_entry(&self, visitor: &Visitor, text: &str) -> Result<Block, Trouble> {
        let (kind, value): (String, String) = self.open(visitor, Use::Entry, text)?;
        let kind = BlockKind::from_name(&kind).ok_or(Trouble::Stale)?;
        Block::new(kind, &value).map_err(|_| Trouble::Stale)
    }
}

fn place(visitor: &Visitor, r#use: Use) -> [&[u8]; 3] {
    let name = visitor.name.as_str().as_bytes();
    [b"operator page", r#use.label(), name]
}
