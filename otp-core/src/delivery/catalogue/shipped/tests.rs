use std::time::Duration;

use super::*;
use crate::challenge::{ChallengeId, Code, CodeFormat, LinkToken};
use crate::delivery::{
    AppHash, Brand, Direction, LinkSettings, LinkWords, OriginBoundCode, SmsEncoding,
};
use crate::random::OsRandom;
use crate::request::{Purpose, SubjectKey};

const PURPOSES: [Purpose; 5] = [
    Purpose::LOGIN,
    Purpose::MFA,
    Purpose::SIGN_UP,
    Purpose::CONFIRM_ADDRESS,
    Purpose::RECOVERY,
];

fn render(
    channel: Channel,
    purpose: &Purpose,
    locale: &str,
    brand: &Brand,
    code: &str,
) -> Rendered {
    let length = u8::try_from(code.len()).expect("short");
    let format = CodeFormat::digits(length).expect("a format");
    ShippedCatalogue::default().render(&Template {
        channel,
        purpose,
        locale: &Locale::new(locale).expect("a tag"),
        brand,
        code: &Code::normalise(format, code).expect("digits"),
        link: None,
        expires_in: Duration::from_secs(300),
    })
}

fn text(locale: &str, brand: &Brand) -> String {
    render(Channel::Sms, &Purpose::LOGIN, locale, brand, "271828").text
}

fn every_locale() -> Vec<Locale> {
    ShippedCatalogue::default().locales()
}

#[test]
fn a_text_message_names_code_brand_and_life_in_the_language_that_was_asked_for() {
    let brand = Brand::new("Acme").expect("visible");
    for (locale, expected) in [
        (
            "en-GB",
            "271828 is your Acme sign-in code. It expires in 5 minutes. Never share it; we will not ask for it.",
        ),
        (
            "pt-BR",
            "Acme: 271828 é seu token de acesso. Expira em 5 minutos. Nunca o compartilhe.",
        ),
        (
            "FR",
            "271828 est votre code de connexion Acme. Il expire dans 5 minutes. Ne le partagez jamais.",
        ),
        (
            "ja-JP",
            "Acmeのログインコード: 271828。有効期限は5分です。誰にも教えないでください。",
        ),
        (
            "fi",
            "271828 is your Acme sign-in code. It expires in 5 minutes. Never share it; we will not ask for it.",
        ),
    ] {
        assert_eq!(text(locale, &brand), expected);
    }
}

#[test]
fn every_purpose_has_words_of_its_own_and_the_hosts_are_codes() {
    let own = Purpose::new("pay").expect("a name");
    for locale in every_locale() {
        let mut seen = Vec::new();
        for purpose in PURPOSES.iter().chain([&own]) {
            let mail = render(
                Channel::Email,
                purpose,
                locale.as_str(),
                &Brand::default(),
                "271828",
            );
            let subject = mail.subject.expect("a subject");
            assert!(!seen.contains(&subject), "{locale:?} {subject}");
            seen.push(subject);
        }
    }
}

#[test]
fn no_language_and_purpose_takes_a_second_segment() {
    let long = "x".repeat(30);
    let hash = AppHash::new("FA+9qCX9VSu").expect("a hash");
    let plain = Brand::new(&long).expect("visible");
    let bound = plain.clone().with_origin("example.com").expect("a host");
    let brands = [
        Brand::default(),
        plain.clone(),
        bound.clone(),
        bound.with_app(hash.clone()),
        plain.with_app(hash),
    ];
    let own = Purpose::new("pay").expect("a name");
    for locale in every_locale() {
        for purpose in PURPOSES.iter().chain([&own]) {
            // With the app's hash, UCS-2 languages have room for a short brand only.
            let brands = brands
                .iter()
                .filter(|brand| brand.app().is_none() || !["ja", "ar"].contains(&locale.as_str()));
            for brand in brands {
                let sent = render(Channel::Sms, purpose, locale.as_str(), brand, "27182818").text;
                assert_eq!(SmsLength::of(&sent).segments(), 1, "{sent}");
                assert!(brand.app().is_none() || sent.len() <= 140, "{sent}");
                assert!(sent.contains(brand.name()), "{sent}");
            }
        }
    }
}

#[test]
fn latin_languages_keep_to_gsm_7_for_every_purpose() {
    let brand = Brand::new("Acme").expect("visible");
    for locale in ["en", "es", "pt", "fr", "de", "it", "nl", "pl"] {
        for purpose in &PURPOSES {
            let sent = render(Channel::Sms, purpose, locale, &brand, "271828").text;
            assert_eq!(SmsLength::of(&sent).encoding(), SmsEncoding::Gsm7, "{sent}");
        }
    }
}

#[test]
fn what_is_said_shrinks_from_the_life_to_the_advice_and_the_code_stays() {
    let host = format!("{}.example", "h".repeat(80));
    let brand = Brand::new("Acme").expect("visible");
    let brand = brand.with_origin(&host).expect("a host");
    let sent = text("en", &brand);
    assert!(
        sent.starts_with("271828 is your Acme sign-in code.\n\n@"),
        "{sent}"
    );
    assert_eq!(SmsLength::of(&sent).segments(), 1);
}

#[test]
fn in_every_language_a_browser_reads_the_last_line_and_android_finds_its_hash() {
    let brand = Brand::default().with_origin("example.com").expect("a host");
    let brand = brand.with_app(AppHash::new("FA+9qCX9VSu").expect("a hash"));
    for locale in every_locale() {
        let sent = text(locale.as_str(), &brand);
        let bound = OriginBoundCode::parse(&sent).expect("bound");
        assert_eq!((bound.host(), bound.code()), ("example.com", "271828"));
        assert!(
            sent.ends_with("\n\nFA+9qCX9VSu\n@example.com #271828"),
            "{sent}"
        );
    }
    let app_only = Brand::default().with_app(AppHash::new("FA+9qCX9VSu").expect("a hash"));
    assert!(text("en", &app_only).ends_with("\n\nFA+9qCX9VSu"));
}

#[test]
fn lines_for_programs_are_in_text_messages_only() {
    let brand = Brand::default().with_origin("example.com").expect("a host");
    for channel in [
        Channel::WhatsApp,
        Channel::Telegram,
        Channel::Voice,
        Channel::Email,
    ] {
        let sent = render(channel, &Purpose::LOGIN, "en", &brand, "271828").text;
        assert_eq!(sent.matches("271828").count(), 1, "{sent}");
    }
}

#[test]
fn a_mail_says_the_same_in_text_and_html_without_the_code_in_its_subject() {
    for locale in every_locale() {
        let brand = Brand::new("A <b> & \"C\" {code}").expect("visible");
        let mail = render(
            Channel::Email,
            &Purpose::MFA,
            locale.as_str(),
            &brand,
            "271828",
        );
        let subject = mail.subject.expect("a subject");
        assert!(!subject.contains("271828") && subject.contains("A <b> & \"C\" {code}"));
        let html = mail.html.expect("html");
        assert!(html.contains(&format!("<html lang=\"{}\"", locale.as_str())));
        assert!(html.contains("A &lt;b&gt; &amp; &quot;C&quot; {code}") && !html.contains("<b>"));
        assert!(!html.contains("http") && !html.contains("<img"), "{html}");
        for part in [&html, &mail.text] {
            assert_eq!(part.matches("271828").count(), 1, "{part}");
            assert!(part.contains('5'), "{part}");
        }
    }
    let arabic = render(
        Channel::Email,
        &Purpose::MFA,
        "ar",
        &Brand::default(),
        "271828",
    );
    assert!(arabic.html.expect("html").contains("dir=\"rtl\""));
}

#[test]
fn a_mail_with_a_link_has_it_once_beside_the_way_to_stop_it_in_every_language() {
    let subject = SubjectKey::of_claim("someone");
    let id = ChallengeId::generate(&OsRandom, &subject).expect("an id");
    let token = LinkToken::generate(id, &OsRandom).expect("a token");
    let settings = LinkSettings::at("https://id.example.com/auth/link").expect("settings");
    let link = settings.links(&token);
    let mut said: Vec<String> = Vec::new();
    for locale in every_locale() {
        let mail = ShippedCatalogue::default().render(&Template {
            channel: Channel::Email,
            purpose: &Purpose::LOGIN,
            locale: &locale,
            brand: &Brand::default(),
            code: &Code::normalise(CodeFormat::SIX_DIGITS, "271828").expect("digits"),
            link: Some(&link),
            expires_in: Duration::from_secs(300),
        });
        let lines = mail
            .text
            .lines()
            .filter(|line| line.starts_with("https://"));
        assert_eq!(lines.collect::<Vec<_>>(), [link.open(), link.disown()]);
        let html = mail.html.expect("html");
        for address in [link.open(), link.disown()] {
            let address = address.replace('&', "&amp;");
            assert_eq!(
                html.matches(&format!("href=\"{address}\"")).count(),
                1,
                "{html}"
            );
        }
        assert!(!mail.subject.expect("a subject").contains("http"));
        said.extend(
            mail.text
                .lines()
                .find(|line| line.ends_with([':', '。']))
                .map(str::to_owned),
        );
    }
    said.sort();
    said.dedup();
    assert_eq!(said.len(), every_locale().len(), "{said:?}");
}

#[test]
fn a_minute_has_its_own_form() {
    let one = |locale: &str| {
        let template = Template {
            channel: Channel::Voice,
            purpose: &Purpose::LOGIN,
            locale: &Locale::new(locale).expect("a tag"),
            brand: &Brand::default(),
            code: &Code::normalise(CodeFormat::SIX_DIGITS, "271828").expect("digits"),
            link: None,
            expires_in: Duration::from_secs(20),
        };
        ShippedCatalogue::default().render(&template).text
    };
    assert!(one("en").contains("in 1 minute."));
    assert!(one("de").contains("1 Minute."));
    assert!(one("ar").contains("دقيقة واحدة"));
}

#[test]
fn a_host_narrows_the_languages_and_the_first_one_is_the_default() {
    let fr = Locale::new("fr-CA").expect("a tag");
    let unknown = Locale::new("fi").expect("a tag");
    let catalogue = ShippedCatalogue::in_languages(&[unknown.clone(), fr.clone(), fr]);
    assert_eq!(catalogue.locales(), [Locale::shipped("fr")]);
    assert_eq!(
        catalogue.speaking(&Locale::default()).map(|p| p.tag),
        Some("fr")
    );
    assert_eq!(
        ShippedCatalogue::in_languages(&[unknown]).locales(),
        [Locale::default()]
    );
}

/// Every sentence of a link's pages.
fn sentences<'a>(words: &LinkWords<'a>) -> [&'a str; 15] {
    [
        words.sign_in,
        words.opened,
        words.stop,
        words.not_me,
        words.was_me,
        words.signed_in_title,
        words.signed_in,
        words.signed_in_already,
        words.relay_title,
        words.relay,
        words.relay_warning,
        words.stopped_title,
        words.stopped,
        words.refused_title,
        words.refused,
    ]
}

#[test]
fn the_pages_of_a_link_have_all_their_words_in_every_language_and_share_none() {
    let catalogue = ShippedCatalogue::default();
    let english = sentences(&LinkSpeech::default().words);
    for locale in every_locale() {
        let speech = catalogue.link_speech(&locale).expect("it is spoken");
        assert_eq!(speech.language, locale);
        let said = sentences(&speech.words);
        for (own, english) in said.into_iter().zip(english) {
            assert!(!own.trim().is_empty() && !own.contains('{'), "{own}");
            assert_eq!(own == english, locale == Locale::default(), "{own}");
        }
        let mut different = said.to_vec();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), said.len(), "{locale:?}");
        let rtl = locale.as_str() == "ar";
        assert_eq!(speech.direction == Direction::RightToLeft, rtl);
    }
}

#[test]
fn the_page_calls_the_way_to_stop_it_what_the_mail_calls_it() {
    for phrases in phrases::ALL {
        assert_eq!(phrases.pages.not_me, phrases.disown_label);
        assert!(phrases.pages.relay_warning.contains(phrases.disown_label));
    }
}
