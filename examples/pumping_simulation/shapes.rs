//! The shapes of traffic, drawn with a seed of their own: each run is the same.

use std::net::{IpAddr, Ipv4Addr};

use otp_kit::destination::PhoneNumber;

/// Who asks for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Person,
    Attacker,
}

/// Somebody asks for a code.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) at_seconds: u64,
    pub(crate) phone: PhoneNumber,
    pub(crate) client: IpAddr,
    pub(crate) who: Who,
    /// How long it takes them to type the code; `None` where they never do.
    pub(crate) types_after: Option<u64>,
}

const HOUR: u64 = 3_600;
/// Area codes of a country with many ranges.
const AREAS: [u32; 12] = [202, 206, 212, 213, 305, 312, 404, 415, 512, 617, 646, 702];

/// Numbers that look random and are the same in every run (xorshift, Marsaglia 2003).
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// People who sign up: so many a minute, of whom so many in a hundred type their code.
struct People {
    minutes: u64,
    percent: u64,
}

impl People {
    /// Draws them; `rate` says how many come in a minute.
    fn asks(&self, draws: &mut Draws, rate: impl Fn(u64) -> u64) -> Vec<Ask> {
        let mut asks = Vec::new();
        for minute in 0..self.minutes {
            for _ in 0..rate(minute) {
                let at_seconds = minute * 60 + draws.below(60);
                let person = Ask {
                    at_seconds,
                    phone: persons_number(draws),
                    client: household(draws),
                    who: Who::Person,
                    // Most type within half a minute, some need three.
                    types_after: draws.chance(self.percent).then(|| {
                        let slow = draws.chance(15);
                        8 + draws.below(if slow { 170 } else { 30 })
                    }),
                };
                // Who does not get the message asks once more.
                if person.types_after.is_none() && draws.chance(30) {
                    let again = at_seconds + 60 + draws.below(60);
                    asks.push(Ask {
                        at_seconds: again,
                        ..person.clone()
                    });
                }
                asks.push(person);
            }
        }
        asks
    }
}

/// Seven in ten in the United States, the others in Britain and Germany.
fn persons_number(draws: &mut Draws) -> PhoneNumber {
    loop {
        let line = draws.below(10_000);
        let text = match draws.below(10) {
            0..7 => {
                let area = AREAS[usize::try_from(draws.below(12)).unwrap_or(0)];
                format!("+1{area}{}{line:04}", 220 + draws.below(8))
            }
            7 | 8 => format!("+4474{:04}{line:04}", draws.below(1_000)),
            _ => format!(
                "+4915{:02}{:03}{line:04}",
                11 + draws.below(9),
                draws.below(1_000)
            ),
        };
        if let Ok(phone) = PhoneNumber::parse(&text) {
            return phone;
        }
    }
}

/// One in ten shares a carrier's address with many others.
fn household(draws: &mut Draws) -> IpAddr {
    let host = if draws.chance(10) {
        draws.below(64)
    } else {
        draws.below(1 << 24)
    };
    Ipv4Addr::from_bits(0x3000_0000 | u32::try_from(host).unwrap_or(0)).into()
}

/// An attacker with a rented botnet: `ask_for` messages in `minutes`, to ranges of one prefix.
fn pumping(draws: &mut Draws, prefix: &str, ranges: u64, ask_for: u64, minutes: u64) -> Vec<Ask> {
    let mut next = 0;
    let asks = (0..ask_for).filter_map(|_| {
        let range = draws.below(ranges);
        // Half of them count up, half draw within their ranges.
        let line = if draws.chance(50) {
            next += 1;
            next % 10_000
        } else {
            draws.below(10_000)
        };
        let client = u32::try_from(draws.below(3_000)).unwrap_or(0);
        let at_seconds = draws.below(minutes * 60);
        let phone = PhoneNumber::parse(&format!("{prefix}{range:02}{line:04}")).ok()?;
        Some(Ask {
            at_seconds,
            phone,
            client: Ipv4Addr::from_bits(0x5000_0000 | client).into(),
            who: Who::Attacker,
            types_after: None,
        })
    });
    asks.collect()
}

fn in_order(mut asks: Vec<Ask>) -> Vec<Ask> {
    asks.sort_by_key(|ask| ask.at_seconds);
    asks
}

/// Six usual hours of a service: some twelve people a minute, four in five of whom sign up.
pub(crate) fn honest() -> Vec<Ask> {
    let people = People {
        minutes: 6 * 60,
        percent: 80,
    };
    in_order(people.asks(&mut Draws(0x0BAD_5EED), |_| 12))
}

/// Two hours of an attack on two countries in which the service has nobody.
pub(crate) fn attack() -> Vec<Ask> {
    let mut draws = Draws(0xF00D_5EED);
    let mut asks = pumping(&mut draws, "+77011", 20, 6_000, 120);
    asks.extend(pumping(&mut draws, "+992901", 20, 6_000, 120));
    in_order(asks)
}

/// The usual hours, and in their midst an attack in a country where people sign up.
pub(crate) fn mixed() -> Vec<Ask> {
    let mut draws = Draws(0xCAFE_5EED);
    let mut asks = honest();
    let attack = pumping(&mut draws, "+447471", 12, 10_000, 120);
    asks.extend(attack.into_iter().map(|ask| Ask {
        at_seconds: ask.at_seconds + 2 * HOUR,
        ..ask
    }));
    in_order(asks)
}

/// A launch that goes round: from nobody to 300 people a minute in half an hour, three in four of
/// whom sign up.
pub(crate) fn launch() -> Vec<Ask> {
    let people = People {
        minutes: 60,
        percent: 75,
    };
    in_order(people.asks(&mut Draws(0xBEEF_5EED), |minute| 10 * minute.min(30)))
}
