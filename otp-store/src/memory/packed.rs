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

/// A packed challenge. What is asked for without unpacking stands in front.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) expires_at: Timestamp,
    bytes: Box<[u8]>,
}

impl Packed {
    /// Packs. What is written goes through `room`, so that it takes one allocation of its length.
    pub(super) fn new(challenge: &Challenge, room: &mut Vec<u8>) -> Self {
        room.clear();
        let mut out = Writer(room);
        out.byte(state_number(&challenge.state));
        out.text(challenge.tenant.as_str());
        out.text(challenge.subject.as_str());
        out.text(challenge.purpose.as_str());
        out.byte(position(&Channel::ALL, |c| *c == challenge.channel));
        out.byte(position(&Lane::ALL, |l| *l == challenge.lane));
        out.text(challenge.class.name());
        out.byte(challenge.format.length());
        out.byte(match challenge.format.separators() {
            Separators::Refuse => 0,
            Separators::Strip => 1,
        });
        out.byte(u8::from(
            challenge.format.alphabet().characters().len() > 10,
        ));
        out.optional(challenge.destination.as_ref().map(Sealed::as_bytes));
        let own = challenge.destination_key != challenge.subject;
        out.optional(own.then(|| challenge.destination_key.as_str().as_bytes()));
        out.text(&challenge.destination_masked);
        out.text(&challenge.digest);
        out.optional(challenge.sealed_code.as_ref().map(Sealed::as_bytes));
        out.text(challenge.key_id.as_str());
        match challenge.address {
            None => out.optional(None),
            Some(IpAddr::V4(v4)) => out.optional(Some(&v4.octets())),
            Some(IpAddr::V6(v6)) => out.optional(Some(&v6.octets())),
        }
        out.optional(challenge.binding.as_ref().map(|b| b.as_bytes().as_slice()));
        out.time(challenge.created_at);
        out.time(challenge.next_send_at);
        for count in [
            challenge.attempts,
            challenge.wrong,
            challenge.attempt_limit,
            challenge.sends,
        ] {
            out.0.extend_from_slice(&count.to_le_bytes());
        }
        if let ChallengeState::Consumed { at, by } = &challenge.state {
            out.time(*at);
            out.optional(by.as_ref().map(|by| by.as_str().as_bytes()));
        }
        for entry in &challenge.attempt_log {
            out.text(entry.id.as_str());
            out.0.extend_from_slice(&entry.fingerprint);
            out.byte(position(&ANSWERS, |a| *a == entry.answer));
        }
        Self {
            expires_at: challenge.expires_at,
            bytes: room.as_slice().into(),
        }
    }

    /// Says whether it lives, as [`Challenge::is_live`] does.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.bytes.first() == Some(&LIVE) && now < self.expires_at
    }

    /// Unpacks. `None` would mean that these bytes are not what [`new`](Self::new) wrote.
    pub(super) fn open(&self, id: ChallengeId) -> Option<Challenge> {
        let mut bytes = Reader(&self.bytes);
        let state = bytes.byte()?;
        let tenant = Tenant::new(bytes.text()?).ok()?;
        let subject = SubjectKey::from_stored(bytes.text()?);
        let purpose = Purpose::new(bytes.text()?).ok()?;
        let channel = *Channel::ALL.get(usize::from(bytes.byte()?))?;
        let lane = *Lane::ALL.get(usize::from(bytes.byte()?))?;
        let class = FactorClass::from_name(bytes.text()?)?;
        let (length, separators, alphabet) = (bytes.byte()?, bytes.byte()?, bytes.byte()?);
        let format = match alphabet {
            0 => CodeFormat::digits(length),
            _ => CodeFormat::unambiguous(length),
        };
        let separators = match separators {
            0 => Separators::Refuse,
            _ => Separators::Strip,
        };
        let destination = bytes.optional()?.map(Sealed::from_bytes).transpose().ok()?;
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
            destination,
            destination_key,
            destination_masked: bytes.text()?.to_owned(),
            digest: bytes.text()?.to_owned(),
            sealed_code: bytes.optional()?.map(Sealed::from_bytes).transpose().ok()?,
            key_id: KeyId::new(bytes.text()?).ok()?,
            address: match bytes.optional()? {
                None => None,
                Some(octets) => Some(address(octets)?),
            },
            binding: match bytes.optional()? {
                None => None,
                Some(hash) => Some(SessionBinding::from_bytes(hash.try_into().ok()?)),
            },
            created_at: bytes.time()?,
            next_send_at: bytes.time()?,
            expires_at: self.expires_at,
            attempts: bytes.count()?,
            wrong: bytes.count()?,
            attempt_limit: bytes.count()?,
            sends: bytes.count()?,
            state: bytes.state(state)?,
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
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0
            .extend_from_slice(bytes.get(..usize::from(length)).unwrap_or(bytes));
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

    fn time(&mut self, time: Timestamp) {
        self.0.extend_from_slice(&time.as_millis().to_le_bytes());
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
        let length = u16::from_le_bytes(self.take(2)?.try_into().ok()?);
        self.take(usize::from(length))
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

    fn time(&mut self) -> Option<Timestamp> {
        let bytes = self.take(8)?.try_into().ok()?;
        Some(Timestamp::from_millis(i64::from_le_bytes(bytes)))
    }

    fn count(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn state(&mut self, number: u8) -> Option<ChallengeState> {
        Some(match number {
            LIVE => ChallengeState::Live,
            1 => ChallengeState::Exhausted,
            2 => ChallengeState::Superseded,
            3 => ChallengeState::Revoked,
            _ => ChallengeState::Consumed {
                at: self.time()?,
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
