//! The shipped words as data, a language a file.
//!
//! Words of text messages keep to GSM-7 where the language can: Spanish says `clave` and
//! Portuguese `token`, because `ó` would halve the length of a message.

mod ar;
mod de;
mod en;
mod es;
mod fr;
mod it;
mod ja;
mod nl;
mod pl;
mod pt;

use std::fmt::Write as _;

use super::{Direction, LinkSpeech, LinkWords, Locale};
use crate::request::Purpose;

/// Every language that is shipped, the default first.
pub(super) const ALL: [&Phrases; 10] = [
    &en::PHRASES,
    &ar::PHRASES,
    &de::PHRASES,
    &es::PHRASES,
    &fr::PHRASES,
    &it::PHRASES,
    &ja::PHRASES,
    &nl::PHRASES,
    &pl::PHRASES,
    &pt::PHRASES,
];

/// Gives what pages say where nothing else is asked for.
pub(super) const fn english_pages() -> LinkSpeech<'static> {
    en::PHRASES.link_speech()
}

/// The words of one language. `{code}`, `{brand}`, `{noun}` and `{minutes}` stand for values.
#[derive(Debug)]
pub(super) struct Phrases {
    /// The tag of the language.
    pub(super) tag: &'static str,
    /// Which way it is written.
    pub(super) direction: Direction,
    /// What stands between sentences.
    pub(super) gap: &'static str,
    /// The first sentence, where a brand speaks.
    pub(super) branded: &'static str,
    /// The first sentence, where nobody is named.
    pub(super) plain: &'static str,
    /// How long the code lives, by the number of minutes.
    pub(super) life: fn(u64) -> &'static str,
    /// What each kind of code is called in a text message.
    pub(super) text: Nouns,
    /// What to do with the code, in a text message.
    pub(super) text_advice: &'static str,
    /// What each kind of code is called in a mail.
    pub(super) mail: Nouns,
    /// What to do with the code, in a mail.
    pub(super) mail_advice: &'static str,
    /// What to do with a mail that nobody asked for.
    pub(super) unasked: &'static str,
    /// What to do with the link of a mail, where it has one.
    pub(super) link: &'static str,
    /// What the link is called.
    pub(super) link_label: &'static str,
    /// What to do with a mail with a link that nobody asked for.
    pub(super) disown: &'static str,
    /// What the link for that is called.
    pub(super) disown_label: &'static str,
    /// The subject of a mail, where a brand speaks.
    pub(super) branded_subject: &'static str,
    /// The subject of a mail, where nobody is named.
    pub(super) plain_subject: &'static str,
    /// What the pages say that a link opens.
    pub(super) pages: LinkWords<'static>,
}

impl Phrases {
    /// Finds the language nearest to a locale; `None` where none is near.
    pub(super) fn near(locale: &Locale, among: &[&'static Self]) -> Option<&'static Self> {
        locale.ranges().find_map(|range| {
            let mut there = among.iter().copied();
            there.find(|one| one.tag.eq_ignore_ascii_case(range))
        })
    }

    pub(super) const fn link_speech(&self) -> LinkSpeech<'static> {
        LinkSpeech {
            language: Locale::shipped(self.tag),
            direction: self.direction,
            words: self.pages,
        }
    }
}

/// What a code is called, by its purpose.
#[derive(Debug)]
pub(super) struct Nouns {
    pub(super) login: &'static str,
    pub(super) mfa: &'static str,
    pub(super) sign_up: &'static str,
    pub(super) confirm: &'static str,
    pub(super) recovery: &'static str,
    /// For the host's own purposes, and where the others are too long.
    pub(super) other: &'static str,
}

impl Nouns {
    pub(super) fn of(&self, purpose: &Purpose) -> &'static str {
        let known = [
            (Purpose::LOGIN, self.login),
            (Purpose::MFA, self.mfa),
            (Purpose::SIGN_UP, self.sign_up),
            (Purpose::CONFIRM_ADDRESS, self.confirm),
            (Purpose::RECOVERY, self.recovery),
        ];
        let found = known.into_iter().find(|(known, _)| known == purpose);
        found.map_or(self.other, |(_, noun)| noun)
    }
}

/// What stands for the braces of a sentence.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) code: &'a str,
    pub(super) brand: &'a str,
    pub(super) noun: &'a str,
    pub(super) minutes: u64,
}

impl Values<'_> {
    /// Puts the values into a sentence in one pass: braces in a value are not read again.
    pub(super) fn fill(self, sentence: &str) -> String {
        let mut out = String::with_capacity(sentence.len().saturating_add(64));
        self.fill_into(&mut out, sentence);
        out
    }

    /// Writes it behind what is there.
    pub(super) fn fill_into(self, out: &mut String, sentence: &str) {
        let mut rest = sentence;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            match name {
                "code" => out.push_str(self.code),
                "brand" => out.push_str(self.brand),
                "noun" => out.push_str(self.noun),
                // Writing to a string does not fail.
                "minutes" => drop(write!(out, "{}", self.minutes)),
                _ => {}
            }
            rest = after;
        }
        out.push_str(rest);
    }
}
