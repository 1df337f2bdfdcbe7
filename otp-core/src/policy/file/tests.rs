use std::time::Duration;

use super::*;
use crate::destination::Region;
use crate::policy::{FleetAlarm, GuardMode, Starts, TollFraud};
use crate::quota::{Quota, Scope};

fn yaml(text: &str) -> PolicyFile {
    PolicyFile::from_yaml(text).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    PolicyFile::from_yaml(text)
        .expect_err("refused")
        .to_string()
}

fn quotas(policy: &Policy, scope: Scope) -> Vec<(u32, u64)> {
    let own = policy
        .limits()
        .issue()
        .iter()
        .filter(|one| one.scope == scope);
    own.map(|one| (one.quota.max(), one.quota.period().as_secs()))
        .collect()
}

#[test]
fn the_runbooks_fragments_load_as_they_stand_there() {
    let file = yaml(
        r#"
   delivery:
     sms:
       primary_provider: "twilio"
       backup_provider: "plivo"
       failover_threshold: 5  # Switch after 5 consecutive failures
     email:
       primary_provider: "sendgrid"
       backup_provider: "ses"
       failover_threshold: 3
"#,
    );
    let sms = &file.routes[&Channel::Sms];
    assert_eq!(
        (sms.primary.as_str(), sms.failover_threshold),
        ("twilio", Some(5))
    );
    assert_eq!(sms.backups, ["plivo"]);
    assert_eq!(file.routes[&Channel::Email].backups, ["ses"]);

    let file = yaml(
        r"
   # Allow email-only auth if SMS unavailable
   auth:
     sms_otp:
       enabled: false  # Disable SMS temporarily
     magic_link:
       enabled: true   # Keep email working
",
    );
    assert!(!file.policy.channels().is_on(Channel::Sms));
    assert!(file.policy.channels().is_on(Channel::Email));

    let back = "delivery:\n  sms:\n    primary_provider: \"twilio\"\n    enabled: true\n";
    let off = file.policy.clone();
    let file = PolicyFile::from_yaml_over(back, off).expect("a policy");
    assert!(file.policy.channels().is_on(Channel::Sms));

    let file = yaml(
        r"
   rate_limiting:
     per_user:
       window: 5m
       max_attempts: 3  # Reduced from 10
     per_ip:
       window: 5m
       max_attempts: 10  # Reduced from 50
",
    );
    let tight = quotas(&file.policy, Scope::Subject);
    assert_eq!(tight, [(5, 3_600), (10, 86_400), (3, 300)]);
    assert_eq!(quotas(&file.policy, Scope::Address), [(10, 300)]);
    assert_eq!(file.policy.limits().verify()[0].quota.max(), 10);

    let file = yaml(
        r#"
   auth:
     captcha:
       enabled: true
       provider: "hcaptcha"
       site_key_file: "/run/secrets/hcaptcha_site_key.secret"
       secret_key_file: "/run/secrets/hcaptcha_secret_key.secret"
       threshold: 3  # Require CAPTCHA after 3 failed attempts
"#,
    );
    let plan = file.captcha.expect("a vendor");
    assert_eq!(plan.provider.as_deref(), Some("hcaptcha"));
    let after = file.policy.captcha().thresholds();
    assert_eq!(after, Some((3, 3, Duration::from_secs(900))));

    let file = yaml(
        r#"
   database:
     max_open_conns: 50  # Increased from 25
     max_idle_conns: 10  # Increased from 5
     conn_max_lifetime: 5m
     primary: "postgres"
     fallback: "sqlite"
     fallback_mode: "readonly"  # Allow reads, block writes
"#,
    );
    let database = file.database;
    assert_eq!(database.max_open_conns.map(u32::from), Some(50));
    assert_eq!(database.fallback, Some(DatabaseKind::Sqlite));
    assert_eq!(database.conn_max_lifetime, Some(Duration::from_secs(300)));

    let file = yaml("rate_limiting:\n  per_user: { windowMs: 60_000, max: 5 }\n");
    assert!(quotas(&file.policy, Scope::Subject).contains(&(5, 60)));
}

#[test]
fn one_line_names_the_line_and_the_key_and_no_value() {
    for (text, expected) in [
        ("rate_limitng: {}", "line 1: rate_limitng: is not a setting"),
        (
            "auth:\n  sms_otp:\n    enabled: secret\n",
            "line 3: auth.sms_otp.enabled: must be true or false",
        ),
        (
            "rate_limiting:\n  per_ip:\n    window: 5\n    max: 3\n",
            "line 3: rate_limiting.per_ip.window: must be a time such as 90s, 5m, 1h or 30d",
        ),
        (
            "rate_limiting:\n  issue:\n    per_user: [{ window: 1h, max: 5 }, { window: 1h }]\n",
            "line 3: rate_limiting.issue.per_user[1]: must be a window and a max, or a burst and its per",
        ),
        (
            "rate_limiting:\n  per_ip: { window: 5m, max: 0 }\n",
            "line 2: rate_limiting.per_ip: a quota and its period must be more than zero",
        ),
        (
            "delivery:\n  sms:\n    failover_threshold: 5\n",
            "line 2: delivery.sms: has no primary_provider",
        ),
        (
            "delivery:\n  channel_order: sms\n",
            "line 2: delivery.channel_order: must be a list",
        ),
        (
            "delivery:\n  channel_order: [sms, pigeon]\n",
            "line 2: delivery.channel_order[1]: must be a channel such as sms",
        ),
        (
            "delivery:\n  channel_order: [sms, email, sms]\n",
            "line 2: delivery.channel_order[2]: is there twice",
        ),
        (
            "delivery:\n  pigeon: {}\n",
            "line 2: delivery.pigeon: is not a setting",
        ),
        (
            "auth: {}\nlevel: low\n",
            "line 2: level: must be basic, standard or high",
        ),
        (
            "level: high\n",
            "guessing succeeds with probability 7.8e-4 a year, 7.8 times what level \
          high allows (1e-4): use longer codes or a smaller budget",
        ),
        ("auth: {}\nauth: {}\n", "line 2: auth: is there twice"),
        (
            "challenge: 5\n",
            "line 1: challenge: must be settings by name",
        ),
        (
            "toll_fraud:\n  mode: on\n",
            "line 2: toll_fraud.mode: must be off, shadow or enforce",
        ),
        (
            "toll_fraud: { country_budgets: { Europe: 5 } }\n",
            "line 1: toll_fraud.country_budgets.Europe: is not a country of two letters",
        ),
        ("auth: &a {}\n", "line 1: has an anchor, an alias or a tag"),
        ("auth: {}\n---\nauth: {}\n", "line 2: is a second document"),
        ("auth: [\n", "line 2: is not YAML"),
        (
            "rate_limiting:\n  issue: { per_ip: [] }\n",
            "issue has no limit by client address",
        ),
    ] {
        assert_eq!(refused(text), expected);
    }
}

#[test]
fn a_document_that_is_huge_or_deep_is_refused_at_once() {
    assert_eq!(refused(&"#".repeat(65_537)), "is longer than 65536 bytes");
    let deep = format!("auth: {}", "[".repeat(30_000));
    assert!(refused(&deep).starts_with("line 1: is "));
    let nested = "[".repeat(20) + &"]".repeat(20);
    assert_eq!(refused(&format!("auth: {nested}")), "line 1: is too deep");
    let deep = format!("auth = {}", "[".repeat(30_000));
    assert!(PolicyFile::from_toml(&deep).is_err());
}

#[test]
fn toml_says_the_same_as_yaml() {
    let file = PolicyFile::from_toml(
        "level = \"standard\"\n[rate_limiting]\nper_ip = { window = \"5m\", max_attempts = 1_0 }\n\
         [auth.sms_otp]\nenabled = false\n[delivery.sms]\nprimary_provider = \"twilio\"\n",
    )
    .expect("a policy");
    assert_eq!(quotas(&file.policy, Scope::Address), [(10, 300)]);
    assert!(!file.policy.channels().is_on(Channel::Sms));
    let wrong = PolicyFile::from_toml("[auth.sms_otp]\n\nenabled = 1\n").expect_err("no flag");
    assert_eq!(
        wrong.to_string(),
        "line 3: auth.sms_otp.enabled: must be true or false"
    );
    let wrong = PolicyFile::from_toml("auth = \n").expect_err("no value");
    assert_eq!(wrong.to_string(), "line 1: is not TOML");
}

#[test]
fn what_is_written_reads_back_as_the_same_policy() {
    let file = yaml(
        r"
rate_limiting:
  issue:
    per_user: [{ window: 90m, max: 7 }]
    per_tenant: { per: 1m, burst: 500 }
  global: { window: 1s, max: 900 }
challenge:
  attempts: 3
  sends: 2
  cooldowns: [30s]
  resend_code: same
  starts: spaced
  lifetimes: { sms: 2m }
guess_budget:
  windows: [{ window: 1d, public: 1, known_device: 1 }]
  consecutive_limit: 50
purposes:
  pay: { length: 10, alphabet: unambiguous, separators: strip }
countries: { allow: [US, CA], deny: [CA] }
line_types: { allow: [mobile], satellite: true }
toll_fraud:
  mode: enforce
  tells: refusal
  range_budget: 11
  country_budget: 12
  country_budgets: { US: 2_000, GB: 13 }
  address_budget: 14
  tenant_budget: 15
  credit: 0
  conversion: { percent: 16, from: 17 }
  neighbours: 18
fleet_alarm: { wrong_codes_a_minute: 19, least_percent: 20, codes_longer_by: 0 }
auth:
  whatsapp_otp: { enabled: false }
  captcha: { threshold: 4, address_threshold: 9, window: 10m, on_outage: allow, provider: 'turn stile' }
delivery:
  channel_order: [whatsapp, sms]
  sms: { primary_provider: twilio, backup_providers: [plivo, vonage], failover_threshold: 2 }
",
    );
    let written = file.to_yaml();
    let read = yaml(&written);
    assert_eq!(read.to_yaml(), written);
    let sorted = |policy: &Policy| {
        let limits = policy.limits();
        let all = [limits.issue(), limits.resend(), limits.verify()];
        all.map(|quotas| {
            let mut quotas: Vec<_> = quotas.iter().map(|one| format!("{one:?}")).collect();
            quotas.sort();
            quotas
        })
    };
    assert_eq!(sorted(&read.policy), sorted(&file.policy));
    assert_eq!(read.policy.limits().starts(), Starts::Spaced);
    assert_eq!(read.policy.captcha(), file.policy.captcha());
    assert_eq!(read.policy.toll_fraud(), file.policy.toll_fraud());
    assert_eq!(read.policy.fleet_alarm(), file.policy.fleet_alarm());
    assert_eq!((read.routes, read.captcha), (file.routes, file.captcha));
    let order = vec![Channel::WhatsApp, Channel::Sms];
    assert_eq!(read.channel_order, Some(order));
    let whole = PolicyFile::of(Policy::new(Limits::recommended())).to_yaml();
    assert_eq!(yaml(&whole).to_yaml(), whole);
    let rate = Quota::rate(500, Duration::from_secs(60)).expect("a rate");
    assert!(
        read.policy
            .limits()
            .issue()
            .iter()
            .any(|one| one.quota == rate)
    );
}

#[test]
fn the_guards_sections_say_every_figure_and_leave_what_they_do_not_name() {
    let file = yaml(
        "toll_fraud:\n  mode: shadow\n  country_budgets: { US: 2000 }\n  conversion: { percent: 5 }\n\
         fleet_alarm: { codes_longer_by: 0 }\n",
    );
    let us = Region::parse("US").expect("a country");
    let expected = TollFraud::new(GuardMode::Shadow)
        .with_country_budget_of(us, 2_000)
        .with_conversion(5, 50);
    assert_eq!(file.policy.toll_fraud(), &expected);
    let expected = FleetAlarm::default().with_codes_longer_by(0);
    assert_eq!(file.policy.fleet_alarm(), &expected);
    assert_eq!(
        refused("toll_fraud: { range_budget: 0 }\n"),
        "the toll-fraud guard needs budgets of at least 1 and a conversion of 0 to 100 percent"
    );
}

#[test]
fn an_allow_list_changes_the_kinds_that_it_names_and_is_written_back() {
    let base = yaml("allow_list: { phones: [\"+14155550123\"], domains: [Example.ORG] }\n");
    let text = "allow_list:\n  domains: []\n  prefixes: [\"+25078\"]\n";
    let file = PolicyFile::from_yaml_over(text, base.policy).unwrap();
    let shown = |file: &PolicyFile| {
        let list = file.policy.allow_list().iter().map(ToString::to_string);
        list.collect::<Vec<_>>()
    };
    let expected = ["phone +1415\u{2022}\u{2022}\u{2022}0123", "prefix +25078"];
    assert_eq!(shown(&file), expected);
    assert_eq!(shown(&yaml(&file.to_yaml())), expected);
    for (text, problem) in [
        (
            "allow_list: { ips: [] }",
            "line 1: allow_list.ips: is not a setting",
        ),
        (
            "allow_list: { domains: x }",
            "line 1: allow_list.domains: must be a list",
        ),
    ] {
        assert_eq!(
            PolicyFile::from_yaml(text).unwrap_err().to_string(),
            problem
        );
    }
}
