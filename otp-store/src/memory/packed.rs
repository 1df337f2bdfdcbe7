//! A challenge in as few bytes as it takes: one allocation instead of a dozen.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use otp_core::challenge::{
    AttemptAnswer, AttemptEntry, Challenge, ChallengeId, ChallengeState, CodeFormat, Lane,
    Separators,
};
use otp_core::clock::Timestamp;
use otp_core::destination::Channel;
use otp_core::key::{KeyId, Sealed};
use otp_core::request::{AttemptId, FactorClass, Purpose, SessionBinding, SubjectKey, Tenant};

/// A packed challenge. What is asked for without unpacking stands in front: its state, and when it
/// ends.
#[derive(Debug)]
pub(super) struct Packed(Box<[u8]>);

impl Packed {
    /// Packs. What is written goes through `room`, so that it takes one allocation of its length.
    pub(super) fn new(challenge: &Challenge, room: &mut Vec<u8>) -> Self {
        room.clear();
        let mut out = Writer(room);
        out.byte(state_number(&challenge.state));
        out.0
            .extend_from_slice(&challenge.expires_at.as_millis().to_le_bytes());
        out.text(challenge.tenant.as_str());
        out.text(challenge.subject.as_str());
        out.text(challenge.purpose.as_str());
        out.byte(position(&Channel::ALL, |c| *c == challenge.channel));
        out.byte(position(&Lane::ALL, |l| *l == challenge.lane));
        out.byte(position(&CLASSES, |c| *c == challenge.class));
        out.byte(challenge.format.length());
        out.byte(match challenge.format.separators() {
            Separators::Refuse => 0,
            Separators::Strip => 1,
        });
        out.byte(u8::from(
            challenge.format.alphabet().characters().len() > 10,
        ));
        let id = challenge.key_id.as_str();
        out.text(id);
        out.optional(challenge.destination.as_ref().map(Sealed::as_bytes));
        let own = challenge.destination_key != challenge.subject;
        out.optional(own.then(|| challenge.destination_key.as_str().as_bytes()));
        out.text(&challenge.destination_masked);
        let (before, after) = around(id, &challenge.digest);
        out.text(before);
        out.optional(after.map(str::as_bytes));
        out.optional(challenge.sealed_code.as_ref().map(Sealed::as_bytes));
        match challenge.address {
            None => out.optional(None),
            Some(IpAddr::V4(v4)) => out.optional(Some(&v4.octets())),
            Some(IpAddr::V6(v6)) => out.optional(Some(&v6.octets())),
        }
        out.optional(challenge.binding.as_ref().map(|b| b.as_bytes().as_slice()));
        out.time(challenge.created_at, challenge.expires_at);
        out.time(challenge.next_send_at, challenge.expires_at);
        for count in [
            challenge.attempts,
            challenge.wrong,
            challenge.attempt_limit,
            challenge.sends,
        ] {
            out.number(count.into());
        }
        if let ChallengeState::Consumed { at, by } = &challenge.state {
            out.time(*at, challenge.expires_at);
            out.optional(by.as_ref().map(|by| by.as_str().as_bytes()));
        }
        for entry in &challenge.attempt_log {
            out.text(entry.id.as_str());
            out.0.extend_from_slice(&entry.fingerprint);
            out.byte(position(&ANSWERS, |a| *a == entry.answer));
        }
        Self(room.as_slice().into())
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        let (_, rest) = self.0.split_first()?;
        let bytes = rest.first_chunk::<8>()?;
        Some(Timestamp::from_millis(i64::from_le_bytes(*bytes)))
    }

    /// Says whether it lives, as [`Challenge::is_live`] does.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        let live = self.0.first() == Some(&LIVE);
        live && self.expires_at().is_some_and(|end| now < end)
    }

    /// Unpacks. `None` would mean that these bytes are not what [`new`](Self::new) wrote.
    pub(super) fn open(&self, id: ChallengeId) -> Option<Challenge> {
        let expires_at = self.expires_at()?;
        let mut bytes = Reader(&self.0);
        let state = bytes.byte()?;
        bytes.take(8)?;
        let tenant = Tenant::new(bytes.text()?).ok()?;
        let subject = SubjectKey::from_stored(bytes.text()?);
        let purpose = Purpose::new(bytes.text()?).ok()?;
        let channel = *Channel::ALL.get(usize::from(bytes.byte()?))?;
        let lane = *Lane::ALL.get(usize::from(bytes.byte()?))?;
        let class = *CLASSES.get(usize::from(bytes.byte()?))?;
        let (length, separators, alphabet) = (bytes.byte()?, bytes.byte()?, bytes.byte()?);
        let format = match alphabet {
            0 => CodeFormat::digits(length),
            _ => CodeFormat::unambiguous(length),
        };
        let separators = match separators {
            0 => Separators::Refuse,
            _ => Separators::Strip,
        };
        let key_id = bytes.text()?;
        let destination = bytes.optional()?.map(Sealed::from_bytes);
        let destination_key = match bytes.optional()? {
            Some(own) => SubjectKey::from_stored(std::str::from_utf8(own).ok()?),
            None => subject.clone(),
        };
        Some(Challenge {
            id,
            tenant,
            subject,
            purpose,
            channel,
            lane,
            class,
            format: format.ok()?.with_separators(separators),
            destination: destination.transpose().ok()?,
            destination_key,
            destination_masked: bytes.text()?.to_owned(),
            digest: match (bytes.text()?, bytes.optional()?) {
                (all, None) => all.to_owned(),
                (before, Some(after)) => {
                    [before, key_id, std::str::from_utf8(after).ok()?].concat()
                }
            },
            sealed_code: bytes.optional()?.map(Sealed::from_bytes).transpose().ok()?,
            key_id: KeyId::new(key_id).ok()?,
            address: match bytes.optional()? {
                None => None,
                Some(octets) => Some(address(octets)?),
            },
            binding: match bytes.optional()? {
                None => None,
                Some(hash) => Some(SessionBinding::from_bytes(hash.try_into().ok()?)),
            },
            created_at: bytes.time(expires_at)?,
            next_send_at: bytes.time(expires_at)?,
            expires_at,
            attempts: bytes.count()?,
            wrong: bytes.count()?,
            attempt_limit: bytes.count()?,
            sends: bytes.count()?,
            state: bytes.state(state, expires_at)?,
            attempt_log: bytes.log()?,
        })
    }
}

const LIVE: u8 = 0;

const fn state_number(state: &ChallengeState) -> u8 {
    match state {
        ChallengeState::Live => LIVE,
        ChallengeState::Exhausted => 1,
        ChallengeState::Superseded => 2,
        ChallengeState::Revoked => 3,
        ChallengeState::Consumed { .. } => 4,
    }
}

const CLASSES: [FactorClass; 3] = [
    FactorClass::OutOfBand,
    FactorClass::Totp,
    FactorClass::Recovery,
];

const ANSWERS: [AttemptAnswer; 3] = [
    AttemptAnswer::Pending,
    AttemptAnswer::Right,
    AttemptAnswer::Wrong,
];

fn position<T>(all: &[T], is: impl Fn(&T) -> bool) -> u8 {
    let found = all.iter().position(is);
    found
        .and_then(|at| u8::try_from(at).ok())
        .unwrap_or(u8::MAX)
}

/// Takes a stored form apart at its key's id, which the challenge names anyway.
fn around<'a>(id: &str, digest: &'a str) -> (&'a str, Option<&'a str>) {
    match digest.split_once(id) {
        Some((before, after)) => (before, Some(after)),
        None => (digest, None),
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Some(Ipv4Addr::from(v4).into());
    }
    let v6 = <[u8; 16]>::try_from(octets).ok()?;
    Some(Ipv6Addr::from(v6).into())
}

struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Writes bytes behind their length; nothing in a challenge is longer than 64 KiB.
    fn bytes(&mut self, bytes: &[u8]) {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.number(length.into());
        self.0
            .extend_from_slice(bytes.get(..usize::from(length)).unwrap_or(bytes));
    }

    /// Writes a number in as many bytes as it takes, seven bits each.
    fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            let [low, ..] = number.to_le_bytes();
            self.byte(low | 0x80);
            number >>= 7;
        }
        let [low, ..] = number.to_le_bytes();
        self.byte(low);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            None => self.byte(0),
            Some(bytes) => {
                self.byte(1);
                self.bytes(bytes);
            }
        }
    }

    /// Writes a time by how far it is from another.
    fn time(&mut self, time: Timestamp, from: Timestamp) {
        let apart = time.as_millis().wrapping_sub(from.as_millis());
        // The sign goes last, so that what is near is short.
        self.number((apart.cast_unsigned() << 1) ^ (apart >> 63).cast_unsigned());
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn optional(&mut self) -> Option<Option<&'a [u8]>> {
        match self.byte()? {
            0 => Some(None),
            _ => self.bytes().map(Some),
        }
    }

    fn time(&mut self, from: Timestamp) -> Option<Timestamp> {
        let number = self.number()?;
        let apart = (number >> 1).cast_signed() ^ (number & 1).cast_signed().wrapping_neg();
        Some(Timestamp::from_millis(from.as_millis().wrapping_add(apart)))
    }

    fn count(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn state(&mut self, number: u8, expires_at: Timestamp) -> Option<ChallengeState> {
        Some(match number {
            LIVE => ChallengeState::Live,
            1 => ChallengeState::Exhausted,
            2 => ChallengeState::Superseded,
            3 => ChallengeState::Revoked,
            _ => ChallengeState::Consumed {
                at: self.time(expires_at)?,
                by: match self.optional()? {
                    None => None,
                    Some(id) => Some(AttemptId::new(std::str::from_utf8(id).ok()?).ok()?),
                },
            },
        })
    }

    fn log(&mut self) -> Option<Vec<AttemptEntry>> {
        let mut log = Vec::new();
        while !self.0.is_empty() {
            log.push(AttemptEntry {
                id: AttemptId::new(self.text()?).ok()?,
                fingerprint: self.take(16)?.try_into().ok()?,
                answer: *ANSWERS.get(usize::from(self.byte()?))?,
            });
        }
        Some(log)
    }
}

#[cfg(test)]
mod tests {
    use otp_core::testing::store::kit;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn pack(challenge: &Challenge) -> Packed {
        Packed::new(challenge, &mut Vec::new())
    }

    /// One of each state, with everything and with nothing that may be there or not.
    fn challenges() -> Vec<Challenge> {
        let full = kit::challenge("person-1", NOW);
        let by = AttemptId::new("try-1").ok();
        let consumed = ChallengeState::Consumed { at: NOW, by };
        let bare = Challenge {
            destination: None,
            sealed_code: None,
            address: None,
            binding: None,
            digest: String::new(),
            destination_masked: String::new(),
            ..full.clone()
        };
        let mut all = vec![bare];
        for state in [
            ChallengeState::Live,
            ChallengeState::Exhausted,
            ChallengeState::Superseded,
            ChallengeState::Revoked,
            consumed,
        ] {
            all.push(Challenge {
                state,
                attempts: u32::MAX,
                address: "2001:db8::7".parse().ok(),
                created_at: Timestamp::from_millis(i64::MIN),
                next_send_at: Timestamp::from_millis(i64::MAX),
                ..full.clone()
            });
        }
        all.push(full);
        all
    }

    #[test]
    fn a_challenge_comes_back_as_it_was_and_cut_short_not_at_all() {
        for challenge in challenges() {
            let packed = pack(&challenge);
            assert_eq!(packed.expires_at(), Some(challenge.expires_at));
            let opened = packed.open(challenge.id).expect("it was packed");
            // Nothing that is different packs to the same bytes.
            assert_eq!(pack(&opened).0, packed.0);
            assert_eq!(opened.state, challenge.state);
            assert_eq!(opened.digest, challenge.digest);
            assert_eq!(opened.created_at, challenge.created_at);
            assert_eq!(opened.next_send_at, challenge.next_send_at);
            let log = challenge.attempt_log.is_empty();
            for cut in (0..packed.0.len()).filter(|_| log) {
                let short = Packed(packed.0.get(..cut).unwrap().into());
                assert!(short.open(challenge.id).is_none(), "{cut}");
            }
        }
    }

    #[test]
    fn it_lives_where_the_challenge_does() {
        for challenge in challenges() {
            for now in [NOW, challenge.expires_at] {
                let live = pack(&challenge).is_live(now);
                assert_eq!(live, challenge.is_live(now), "{:?}", challenge.state);
            }
        }
    }

    #[test]
    fn it_takes_less_than_300_bytes() {
        let challenge = kit::challenge("person-1", NOW);
        let length = pack(&challenge).0.len();
        assert!(length < 300, "{length}");
    }
}
