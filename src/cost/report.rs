//! Bills as tables for people and as JSON for programs. Pure: text in, text out; who prints it decides where.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::bill::{Bill, Terms, price};
use super::book::{Book, Item};
use super::list::{NOTHING, UNCERTAIN, count, prices};
use super::money::{Money, Range, money};
use super::sheet::Group;
use super::table::{Table, finish};
use super::work::{Amount, Work};

/// Stands where a provider bills something by way of something else.
const INCLUDED: &str = "incl.";

/// What is compared: some work, done so often.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// `POST /orders`, `all functions`.
    pub subject: &'a str,
    /// What was recorded.
    pub work: &'a Work,
    /// In how many calls.
    pub recorded: u64,
    /// How many calls to price.
    pub calls: u64,
    pub terms: Terms,
    /// The assumptions that were made of functions' time, in words.
    pub assumptions: &'a str,
}

impl Question<'_> {
    /// The bill at one provider.
    pub fn bill(&self, book: &Book) -> Bill {
        price(&self.work.scaled(self.calls, self.recorded), book, self.terms)
    }

    fn title(&self) -> String {
        let calls = match self.calls {
            // More calls do not multiply what is kept.
            _ if !self.work.is_empty() && self.work.iter().all(|(measure, _)| measure.is_stock()) => "whatever is called,".to_owned(),
            1 => "1 call".to_owned(),
            calls => format!("{} calls", count(calls)),
        };
        let terms = match self.terms {
            Terms::List => "at list prices",
            Terms::Month { free_tier: true } => "a month, with what is free",
            Terms::Month { free_tier: false } => "a month, without what is free",
        };
        format!("{}: {calls} {terms}", self.subject)
    }
}

/// The same work at every provider, side by side: a row each, a column for each kind of service that was used.
pub fn comparison(question: &Question<'_>, books: &[Book]) -> String {
    let bills: Vec<(&Book, Bill)> = books.iter().map(|book| (book, question.bill(book))).collect();
    let used: BTreeSet<Group> =
        bills.iter().flat_map(|(_, bill)| bill.groups().into_keys().chain(bill.missing().map(|(measure, _)| Group::of(measure)))).collect();
    let mut table = Table::new(["provider", "total"].into_iter().chain(used.iter().map(|group| group.label())));
    for (book, bill) in &bills {
        let mut row = vec![book.name.clone(), mark(bill.total(), bill.is_uncertain(), bill.missing().next().is_some())];
        for group in &used {
            let lines = || bill.lines().filter(|line| line.item.group == *group);
            let missing = bill.missing().any(|(measure, _)| Group::of(measure) == *group);
            row.push(match lines().next() {
                None if missing => format!("{NOTHING}*"),
                None if question.work.iter().any(|(measure, _)| Group::of(measure) == *group) => INCLUDED.to_owned(),
                None => NOTHING.to_owned(),
                Some(_) => {
                    let uncertain = lines().any(|line| line.item.uncertain && line.amount.high > Money::ZERO);
                    mark(lines().map(|line| line.amount).sum(), uncertain, missing)
                }
            });
        }
        table.row(row);
    }
    let mut out = format!("{}\n\n{}", question.title(), table.text());
    let mut foot = Vec::new();
    if bills.iter().any(|(_, bill)| bill.is_uncertain()) {
        foot.push(format!("{UNCERTAIN} the source of a price is second-hand or old; `emu prices` shows which"));
    }
    for (book, bill) in &bills {
        for (measure, missing) in bill.missing() {
            let measure = measure.label();
            foot.push(format!("* {}: {} {} not priced: {}", book.name, amount(missing.amount), measure, missing.why));
        }
    }
    if bills.iter().any(|(_, bill)| !bill.total().is_exact()) {
        foot.push(format!("Functions' time is estimated, all else counted: {}.", question.assumptions));
    }
    foot.push(dates(books));
    finish(&mut out, &foot);
    out
}

/// One provider's bill, line by line.
pub fn invoice(question: &Question<'_>, book: &Book) -> String {
    let bill = question.bill(book);
    let mut table = Table::new(["item", "quantity", "price", "amount"]);
    for line in bill.lines() {
        let item = &line.item;
        let name = format!("{}{}", item.name, if item.uncertain { format!(" {UNCERTAIN}") } else { String::new() });
        table.row(vec![name, quantity(item, line.parts), prices(item), line.amount.to_string()]);
    }
    for (measure, missing) in bill.missing() {
        table.row(vec![format!("{} *", measure.label()), amount(missing.amount), NOTHING.to_owned(), NOTHING.to_owned()]);
    }
    table.row(vec!["total".to_owned(), String::new(), String::new(), bill.total().to_string()]);
    let mut out = format!("{}\n{}, {}\n\n{}", question.title(), book.name, book.region, table.text());
    let mut foot: Vec<String> =
        bill.lines().filter_map(|line| line.item.note.as_ref().map(|note| format!("{}: {note}", line.item.name))).collect();
    foot.extend(bill.missing().map(|(_, missing)| format!("* {}", missing.why)));
    if bill.is_uncertain() {
        foot.push(format!("{UNCERTAIN} the source of the price is second-hand or old"));
    }
    if !bill.total().is_exact() {
        foot.push(format!("Functions' time is estimated, all else counted: {}.", question.assumptions));
    }
    foot.push(dates(std::slice::from_ref(book)));
    finish(&mut out, &foot);
    out
}

/// The bill of all parts, and each part's share of it, the dearest first. The shares of a month add up to the month.
fn shares<'a>(question: &Question<'_>, parts: &'a [(String, Work)], book: &Book) -> (Bill, Vec<(&'a str, Bill)>) {
    let scaled: Vec<Work> = parts.iter().map(|(_, work)| work.scaled(question.calls, question.recorded)).collect();
    let whole: Work = super::work::sum(&scaled);
    let bill = price(&whole, book, question.terms);
    let shares = bill.shares(&scaled.iter().collect::<Vec<_>>());
    let mut rows: Vec<(&str, Bill)> = parts.iter().map(|(name, _)| name.as_str()).zip(shares).collect();
    rows.sort_by(|a, b| (b.1.total().high, a.0).cmp(&(a.1.total().high, b.0)));
    (bill, rows)
}

/// Who did how much of the work: a row each, the dearest first.
pub fn breakdown(question: &Question<'_>, parts: &[(String, Work)], book: &Book) -> String {
    let (bill, rows) = shares(question, parts, book);
    let mut table = Table::new(["", "amount", "share"]);
    for (name, share) in &rows {
        let percent = percent(share.total().high, bill.total().high);
        table.row(vec![(*name).to_owned(), mark(share.total(), share.is_uncertain(), share.missing().next().is_some()), percent]);
    }
    table.row(vec!["total".to_owned(), mark(bill.total(), bill.is_uncertain(), bill.missing().next().is_some()), String::new()]);
    let mut out = format!("{}\n{}, {}\n\n{}", question.title(), book.name, book.region, table.text());
    let mut foot = Vec::new();
    foot.extend(bill.missing().map(|(measure, missing)| format!("* {} {} not priced: {}", amount(missing.amount), measure, missing.why)));
    if !bill.total().is_exact() {
        foot.push(format!("Functions' time is estimated, all else counted: {}.", question.assumptions));
    }
    foot.push(dates(std::slice::from_ref(book)));
    finish(&mut out, &foot);
    out
}

/// The same work at every provider, for programs: amounts are decimal texts.
pub fn comparison_json(question: &Question<'_>, books: &[Book]) -> Value {
    let providers = books.iter().map(|book| bill_json(&question.bill(book), book));
    json!({
        "subject": question.subject, "calls": question.calls, "recorded": question.recorded,
        "terms": terms_json(question.terms), "currency": "USD", "assumptions": question.assumptions,
        "providers": providers.collect::<Vec<_>>(),
    })
}

/// One provider's bill with the share of each part, for programs.
pub fn breakdown_json(question: &Question<'_>, parts: &[(String, Work)], book: &Book) -> Value {
    let (bill, rows) = shares(question, parts, book);
    let parts = rows.iter().map(|(name, share)| json!({ "name": name, "total": share.total(), "groups": share.groups() }));
    let mut whole = bill_json(&bill, book);
    whole["parts"] = parts.collect();
    whole
}

fn terms_json(terms: Terms) -> Value {
    match terms {
        Terms::List => json!({ "list": true }),
        Terms::Month { free_tier } => json!({ "list": false, "freeTier": free_tier }),
    }
}

/// One bill for programs.
fn bill_json(bill: &Bill, book: &Book) -> Value {
    #[derive(Serialize)]
    struct Row<'a> {
        key: &'a str,
        name: &'a str,
        group: Group,
        unit: &'a str,
        quantity: [String; 2],
        amount: Range,
        uncertain: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'a str>,
    }
    let lines = bill.lines().map(|line| Row {
        key: &line.item.key,
        name: &line.item.name,
        group: line.item.group,
        unit: &line.item.unit,
        quantity: [line.parts.low, line.parts.high].map(|parts| units(&line.item, parts).decimal()),
        amount: line.amount,
        uncertain: line.item.uncertain,
        note: line.item.note.as_deref(),
    });
    let missing = bill
        .missing()
        .map(|(measure, missing)| json!({ "measure": measure, "amount": missing.amount.high.to_string(), "why": missing.why }));
    json!({
        "provider": book.provider, "name": book.name, "region": book.region, "date": book.date,
        "total": bill.total(), "uncertain": bill.is_uncertain(),
        "groups": bill.groups(), "lines": lines.collect::<Vec<_>>(), "missing": missing.collect::<Vec<_>>(),
    })
}

fn mark(amount: Range, uncertain: bool, missing: bool) -> String {
    format!("{amount}{}{}", if uncertain { UNCERTAIN } else { "" }, if missing { "*" } else { "" })
}

fn percent(part: Money, whole: Money) -> String {
    let permille = part.atoms() / (whole.atoms() / 1000).max(1);
    format!("{} %", (permille.min(1000) + 5) / 10)
}

/// Parts in the provider's unit, as a decimal number of twelve decimals.
fn units(item: &Item, parts: u128) -> Money {
    // In two steps, so that a month of a large account does not saturate.
    Money::from_atoms(10u128.pow(15)).times(parts).over(u128::from(item.size)).times(10u128.pow(12))
}

fn quantity(item: &Item, parts: Amount) -> String {
    if item.fee {
        return String::new();
    }
    let number = |parts: u128| money(units(item, parts), units(item, parts)).replace('$', "").trim_end_matches(".00").to_owned();
    let shown =
        if parts.low == parts.high { number(parts.high) } else { money(units(item, parts.low), units(item, parts.high)).replace('$', "") };
    format!("{shown} {}", item.unit)
}

fn amount(amount: Amount) -> String {
    let shown = |parts: u128| u64::try_from(parts).map_or_else(|_| parts.to_string(), count);
    if amount.low == amount.high { shown(amount.high) } else { format!("{}–{}", shown(amount.low), shown(amount.high)) }
}

fn dates(books: &[Book]) -> String {
    let dates: BTreeSet<&str> = books.iter().map(|book| book.date.0.as_str()).collect();
    format!("List prices of {}, US dollars.", dates.into_iter().collect::<Vec<_>>().join(", "))
}
