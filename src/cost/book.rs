//! Price books: what each provider asks for what is counted, with the source and the day of every price.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::measure::Measure;
use super::money::Money;
use super::provider::Provider;
use super::sheet::{Date, Every, Group, Row, Sheet, Step, Text, Unreadable};

const AWS: &str = include_str!("books/aws.yaml");
const AWS_ARM: &str = include_str!("books/aws-arm.yaml");
const FIREBASE: &str = include_str!("books/firebase.yaml");
const GCP: &str = include_str!("books/gcp.yaml");
const CLOUDFLARE: &str = include_str!("books/cloudflare.yaml");
const AZURE: &str = include_str!("books/azure.yaml");
/// Days of a month, for allowances by the day. Source: the worked examples of "Cloud Firestore billing".
const DAYS: u128 = 30;
/// Largest product of an item's `per` and `size`: prices stay exact to ten figures at least.
const LOT_MAX: u128 = 10u128.pow(21);

/// What one provider asks.
#[derive(Clone, Debug)]
pub struct Book {
    pub provider: Provider,
    /// What people call it.
    pub name: String,
    /// Where the prices hold.
    pub region: String,
    /// When they were last read.
    pub date: Date,
    /// By group, then by key.
    pub items: Vec<Arc<Item>>,
    /// What is billed by way of something else that is counted.
    pub covered: BTreeSet<Measure>,
    /// What this provider has no counterpart for, and why.
    pub none: BTreeMap<Measure, String>,
}

/// One price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub key: String,
    pub name: String,
    pub group: Group,
    /// What is counted, and how many parts each one makes.
    pub counts: BTreeMap<Measure, u64>,
    /// Parts in one of the provider's unit.
    pub size: u64,
    /// The provider's unit, in the plural.
    pub unit: String,
    /// Each price is for so many units.
    pub per: u64,
    /// By rising amount; the first is above nothing.
    pub tiers: Vec<Tier>,
    /// Units that are free in a month.
    pub free: Option<Allowance>,
    /// Begun lots of `per` are billed whole.
    pub whole: bool,
    /// A fee for the month, whatever is used.
    pub fee: bool,
    pub source: String,
    pub date: Date,
    pub uncertain: bool,
    pub note: Option<String>,
}

/// A price for what is above an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// In the provider's unit.
    pub above: u64,
    /// For `per` units.
    pub price: Money,
    /// For one part.
    pub each: Money,
}

/// What is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Of the provider's unit.
    pub amount: u64,
    pub every: Every,
}

/// A book that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the price book has no `{0}`")]
    Missing(&'static str),
    #[error("the price `{item}` has no `{field}`; a new item needs name, group, counts, unit, price or tiers, source")]
    Incomplete { item: String, field: &'static str },
    #[error("the price `{item}`: {why}")]
    Wrong { item: String, why: String },
    #[error("{file} does not say whose prices it has: begin it with `provider: aws` (or aws-arm, firebase, gcp, cloudflare, azure)")]
    NoProvider { file: String },
}

impl Book {
    /// emu's own book of a provider's list prices.
    pub fn of(provider: Provider) -> Book {
        Book::from_sheet(sheet(provider)).expect("emu's own books are read by its tests")
    }

    /// A book that is complete in one text; `file` is named in errors.
    pub fn read(text: &str, file: &str) -> Result<Book, Error> {
        Book::from_sheet(Sheet::read(text, file)?)
    }

    /// emu's own books with the users' sheets laid over those of their providers, in the order of [`Provider::ALL`].
    pub fn with(sheets: Vec<(String, Sheet)>) -> Result<Vec<Book>, Error> {
        let mut own: BTreeMap<Provider, Sheet> = Provider::ALL.iter().map(|provider| (*provider, sheet(*provider))).collect();
        for (file, over) in sheets {
            let provider = over.provider.ok_or(Error::NoProvider { file })?;
            own.entry(provider).or_default().lay(over);
        }
        own.into_values().map(Book::from_sheet).collect()
    }

    /// The price of that key.
    pub fn item(&self, key: &str) -> Option<&Arc<Item>> {
        self.items.iter().find(|item| item.key == key)
    }

    fn from_sheet(sheet: Sheet) -> Result<Book, Error> {
        let provider = sheet.provider.ok_or(Error::Missing("provider"))?;
        let date = sheet.date.ok_or(Error::Missing("date"))?;
        let mut items =
            sheet.items.into_iter().map(|(Text(key), row)| item(key, row, &date).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        items.sort_by(|a, b| (a.group, !a.fee, &a.key).cmp(&(b.group, !b.fee, &b.key)));
        let date = items.iter().map(|item| item.date.clone()).max().map_or(date.clone(), |latest| latest.max(date));
        Ok(Book {
            provider,
            name: sheet.name.ok_or(Error::Missing("name"))?.0,
            region: sheet.region.ok_or(Error::Missing("region"))?.0,
            date,
            items,
            covered: sheet.covered,
            none: sheet.none.into_iter().map(|(measure, Text(why))| (measure, why)).collect(),
        })
    }
}

impl Item {
    /// Parts in one lot of `per` units.
    pub fn lot(&self) -> u128 {
        u128::from(self.per) * u128::from(self.size)
    }

    /// Parts that are free in a month.
    pub fn free_parts(&self) -> u128 {
        self.free.map_or(0, |free| {
            let days = if free.every == Every::Day { DAYS } else { 1 };
            u128::from(free.amount).saturating_mul(days).saturating_mul(u128::from(self.size))
        })
    }
}

fn sheet(provider: Provider) -> Sheet {
    let own = |text, file| Sheet::read(text, file).expect("emu's own books are read by its tests");
    let laid = |mut under: Sheet, over: Sheet| {
        under.lay(over);
        under
    };
    match provider {
        Provider::Aws => own(AWS, "aws.yaml"),
        Provider::AwsArm => laid(own(AWS, "aws.yaml"), own(AWS_ARM, "aws-arm.yaml")),
        Provider::Gcp => own(GCP, "gcp.yaml"),
        Provider::Firebase => laid(own(GCP, "gcp.yaml"), own(FIREBASE, "firebase.yaml")),
        Provider::Cloudflare => own(CLOUDFLARE, "cloudflare.yaml"),
        Provider::Azure => own(AZURE, "azure.yaml"),
    }
}

fn item(key: String, row: Row, date: &Date) -> Result<Item, Error> {
    let lacks = |field| Error::Incomplete { item: key.clone(), field };
    let wrong = |why: &str| Error::Wrong { item: key.clone(), why: why.to_owned() };
    let fee = row.fee.unwrap_or(false);
    let counts = match row.counts {
        Some(counts) => counts,
        None if fee => BTreeMap::new(),
        None => return Err(lacks("counts")),
    };
    if counts.is_empty() != fee {
        return Err(wrong(if fee { "a fee counts nothing" } else { "counts nothing and is no fee (`fee: true`)" }));
    }
    if counts.values().any(|weight| *weight == 0) {
        return Err(wrong("counts something zero times"));
    }
    let (per, size) = (row.per.unwrap_or(1), row.size.unwrap_or(1));
    let lot = u128::from(per) * u128::from(size);
    if lot == 0 || lot > LOT_MAX {
        return Err(wrong("`per` times `size` is zero, or too much to be exact"));
    }
    let steps = match (row.price, row.tiers) {
        (Some(price), None) => vec![Step { above: 0, price }],
        (None, Some(steps)) => steps,
        (None, None) => return Err(lacks("price")),
        (Some(_), Some(_)) => return Err(wrong("has both a price and tiers")),
    };
    if steps.first().is_none_or(|step| step.above != 0) || !steps.is_sorted_by(|a, b| a.above < b.above) {
        return Err(wrong("tiers rise from `above: 0`"));
    }
    let whole = row.whole.unwrap_or(false);
    if whole && steps.len() > 1 {
        return Err(wrong("tiers of whole lots are not known"));
    }
    Ok(Item {
        name: row.name.ok_or_else(|| lacks("name"))?.0,
        group: row.group.ok_or_else(|| lacks("group"))?,
        counts,
        size,
        unit: row.unit.ok_or_else(|| lacks("unit"))?.0,
        per,
        tiers: steps.iter().map(|step| Tier { above: step.above, price: step.price, each: step.price.over(lot) }).collect(),
        free: row.free.map(|free| Allowance { amount: free.amount, every: free.every }),
        whole,
        fee,
        source: row.source.ok_or_else(|| lacks("source"))?.0,
        date: row.date.unwrap_or_else(|| date.clone()),
        uncertain: row.uncertain.unwrap_or(false),
        note: row.note.map(|Text(note)| note),
        key,
    })
}
