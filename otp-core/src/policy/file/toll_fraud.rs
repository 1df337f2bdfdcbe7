//! `toll_fraud:`, when codes that nobody types are too many.

use super::PolicyFile;
use super::error::PolicyFileError;
use super::node::Node;
use super::read::Entry;
use super::write as put;
use crate::destination::Region;
use crate::policy::{GuardMode, Told, TollFraud};

pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    let mut rules = file.policy.toll_fraud().clone();
    for field in entry.fields()? {
        rules = match field.name() {
            "mode" => rules.with_mode(field.word("off, shadow or enforce", GuardMode::from_name)?),
            "tells" => rules.telling(field.word("nothing or refusal", Told::from_name)?),
            "range_budget" => rules.with_range_budget(field.number()?),
            "country_budget" => rules.with_country_budget(field.number()?),
            "country_budgets" => countries(rules, &field)?,
            "address_budget" => rules.with_address_budget(field.number()?),
            "tenant_budget" => rules.with_tenant_budget(field.number()?),
            "credit" => rules.with_credit(field.number()?),
            "conversion" => conversion(rules, &field)?,
            "neighbours" => rules.with_neighbours(field.number()?),
            _ => return Err(field.unknown()),
        };
    }
    file.policy = file.policy.clone().with_toll_fraud(rules);
    Ok(())
}

/// Reads the budgets of single countries; those that are not named stay.
fn countries(rules: TollFraud, entry: &Entry<'_>) -> Result<TollFraud, PolicyFileError> {
    entry.fields()?.iter().try_fold(rules, |rules, field| {
        let country = Region::parse(field.name());
        let country = country.map_err(|_| field.wrong("is not a country of two letters"))?;
        Ok(rules.with_country_budget_of(country, field.number()?))
    })
}

fn conversion(rules: TollFraud, entry: &Entry<'_>) -> Result<TollFraud, PolicyFileError> {
    let (mut percent, mut from) = rules.conversion();
    for field in entry.fields()? {
        match field.name() {
            "percent" => percent = field.number()?,
            "from" => from = field.number()?,
            _ => return Err(field.unknown()),
        }
    }
    Ok(rules.with_conversion(percent, from))
}

pub(super) fn write(file: &PolicyFile) -> Option<Node> {
    let rules = file.policy.toll_fraud();
    let own = rules.country_budgets();
    let own = own.map(|(country, budget)| (country.to_string(), budget));
    let own: Vec<_> = own.collect();
    let own = own
        .iter()
        .map(|(country, budget)| (country.as_str(), put::text(budget)));
    let (percent, from) = rules.conversion();
    Some(put::map([
        ("mode", put::text(rules.mode().name())),
        ("tells", put::text(rules.told().name())),
        ("range_budget", put::text(rules.range_budget())),
        ("country_budget", put::text(rules.country_budget(None))),
        ("country_budgets", put::map(own)),
        ("address_budget", put::text(rules.address_budget())),
        ("tenant_budget", put::text(rules.tenant_budget())),
        ("credit", put::text(rules.credit())),
        (
            "conversion",
            put::map([("percent", put::text(percent)), ("from", put::text(from))]),
        ),
        ("neighbours", put::text(rules.neighbours())),
    ]))
}
