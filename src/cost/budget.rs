//! Budgets: what a route or a function may cost, and what it did cost before.
//!
//! A budget is compared with what one call costs at list prices. Against a baseline only what was counted is compared: it is the same in
//! every run, where times are not.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::bill::{Terms, price};
use super::book::Book;
use super::measure::Measure;
use super::money::{Money, NotMoney, Range};
use super::work::{Amount, Work};
use crate::base::Unit;

/// Largest baseline that is read, in bytes.
pub const BASELINE_BYTES_MAX: usize = 4 << 20;
/// Most routes and functions of a baseline.
pub const BASELINE_ENTRIES_MAX: usize = 10_000;
/// The version of the baseline's form.
const VERSION: u32 = 1;
/// Units of a baseline are kept in thousandths.
const THOUSANDTHS: u64 = 1000;

/// What one call of something may cost: `POST /orders<=0.00004`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// A route (`POST /orders`) or a function's name.
    pub subject: String,
    pub most: Money,
}

/// A text that is no budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBudget {
    #[error("`{0}` is not a budget; write WHAT<=DOLLARS for one call, e.g. 'POST /orders<=0.00004' or 'resize<=0.0001'")]
    Form(String),
    #[error(transparent)]
    Money(#[from] NotMoney),
}

impl FromStr for Budget {
    type Err = NoBudget;

    fn from_str(text: &str) -> Result<Budget, NoBudget> {
        let form = || NoBudget::Form(text.chars().take(80).collect());
        let (subject, most) = text.split_once("<=").ok_or_else(form)?;
        let mut words: Vec<String> = subject.split_whitespace().map(str::to_owned).collect();
        match words.as_mut_slice() {
            [] => return Err(form()),
            [_] => {}
            [method, ..] => *method = method.to_uppercase(),
        }
        Ok(Budget { subject: words.join(" "), most: most.trim().trim_start_matches('$').parse()? })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <= ${}", self.subject, self.most.decimal())
    }
}

/// How a cost stands to a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Even the most that it may cost is within.
    Within,
    /// The estimate's ends lie on both sides.
    Perhaps,
    /// Even the least is more.
    Over,
}

impl Budget {
    /// How the cost of one call stands to it.
    pub fn verdict(&self, cost: Range) -> Verdict {
        if cost.high <= self.most {
            Verdict::Within
        } else if cost.low > self.most {
            Verdict::Over
        } else {
            Verdict::Perhaps
        }
    }

    /// The verdict in words; nothing where all is well.
    pub fn complaint(&self, cost: Range) -> Option<String> {
        match self.verdict(cost) {
            Verdict::Within => None,
            Verdict::Over => Some(format!("{}: {cost} a call is more than its budget of ${}", self.subject, self.most.decimal())),
            Verdict::Perhaps => Some(format!(
                "{}: {cost} a call may be more than its budget of ${}: functions' time is an estimate",
                self.subject,
                self.most.decimal()
            )),
        }
    }
}

/// What one call of something used: counted units only, in thousandths, so that means stay whole numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PerCall(BTreeMap<Unit, u64>);

/// Units that depend on how fast the machine is.
fn is_time(unit: Unit) -> bool {
    matches!(unit, Unit::InvocationMicros | Unit::InvocationMibMicros | Unit::InvocationCpuMicros)
}

impl PerCall {
    /// The mean of `calls` calls that together did this work; times and stocks are left out.
    pub fn of(work: &Work, calls: u64) -> PerCall {
        let calls = u128::from(calls.max(1));
        let units = work.iter().filter_map(|(measure, amount)| match measure {
            Measure::Unit(unit) if !is_time(unit) && !unit.is_stock() => {
                let mean = (amount.high.saturating_mul(u128::from(THOUSANDTHS)) + calls / 2) / calls;
                Some((unit, u64::try_from(mean).unwrap_or(u64::MAX)))
            }
            _ => None,
        });
        PerCall(units.filter(|(_, mean)| *mean > 0).collect())
    }

    /// Thousandths of one unit.
    fn get(&self, unit: Unit) -> u64 {
        self.0.get(&unit).copied().unwrap_or(0)
    }

    /// What a thousand calls cost, for what was counted.
    fn thousand(&self, book: &Book) -> Money {
        let mut work = Work::default();
        for (unit, thousandths) in &self.0 {
            work.put(Measure::Unit(*unit), Amount::exactly(u128::from(*thousandths)));
        }
        price(&work, book, Terms::List).total().high
    }
}

impl Serialize for PerCall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(unit, thousandths)| (unit.label(), thousandths_text(*thousandths))))
    }
}

/// Units of a newer version are left out.
impl<'de> Deserialize<'de> for PerCall {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PerCall, D::Error> {
        let written = BTreeMap::<String, String>::deserialize(deserializer)?;
        let mut units = BTreeMap::new();
        for (label, text) in written {
            let Some(unit) = Unit::of(&label) else { continue };
            let thousandths = thousandths(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not an amount of {label}")))?;
            units.insert(unit, thousandths);
        }
        Ok(PerCall(units))
    }
}

/// `21`, `0.5`, `1.333`.
fn thousandths_text(thousandths: u64) -> String {
    let text = format!("{}.{:03}", thousandths / THOUSANDTHS, thousandths % THOUSANDTHS);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn thousandths(text: &str) -> Option<u64> {
    let (whole, parts) = text.split_once('.').unwrap_or((text, "0"));
    if parts.is_empty() || parts.len() > 3 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let parts: u64 = format!("{parts:0<3}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(THOUSANDTHS)?.checked_add(parts)
}

/// What one call of each route and function used at some time: a file to be kept with the project. Written byte for byte alike for alike
/// contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    version: u32,
    /// By route or function.
    pub calls: BTreeMap<String, PerCall>,
}

/// A baseline that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBaseline {
    #[error("the baseline {file} has {bytes} bytes; {BASELINE_BYTES_MAX} are read at most")]
    TooLarge { file: String, bytes: usize },
    #[error("the baseline {file} is not one: {why}; write it anew where it is beyond repair")]
    Form { file: String, why: String },
    #[error("the baseline {file} has version {version}; this emu reads version {VERSION}")]
    Version { file: String, version: u32 },
}

impl Default for Baseline {
    fn default() -> Baseline {
        Baseline::new(BTreeMap::new())
    }
}

impl Baseline {
    /// Of what one call of each did.
    pub fn new(calls: BTreeMap<String, PerCall>) -> Baseline {
        Baseline { version: VERSION, calls }
    }

    /// Reads a baseline; `file` is named in errors.
    pub fn read(text: &str, file: &str) -> Result<Baseline, NoBaseline> {
        let file = file.to_owned();
        if text.len() > BASELINE_BYTES_MAX {
            return Err(NoBaseline::TooLarge { file, bytes: text.len() });
        }
        let baseline: Baseline =
            serde_json::from_str(text).map_err(|error| NoBaseline::Form { file: file.clone(), why: error.to_string() })?;
        if baseline.version != VERSION {
            return Err(NoBaseline::Version { file, version: baseline.version });
        }
        if baseline.calls.len() > BASELINE_ENTRIES_MAX {
            return Err(NoBaseline::Form { file, why: format!("it has {} entries", baseline.calls.len()) });
        }
        Ok(baseline)
    }

    /// As it is kept: sorted, a line each, with a line break at the end.
    pub fn text(&self) -> String {
        format!("{:#}\n", serde_json::to_value(self).expect("plain data"))
    }

    /// What got dearer since, by more than the tolerance; new routes and functions have nothing to be compared with.
    pub fn growth(&self, now: &Baseline, book: &Book, tolerance_permille: u64) -> Vec<Growth> {
        let both = now.calls.iter().filter_map(|(subject, now)| Some((subject, self.calls.get(subject)?, now)));
        both.filter_map(|(subject, before, now)| {
            let (was, is) = (before.thousand(book), now.thousand(book));
            let most = was + was.times(u128::from(tolerance_permille)).over(1000);
            let units = Unit::ALL.iter().map(|unit| Grown { unit: *unit, before: before.get(*unit), now: now.get(*unit) });
            (is > most).then(|| Growth {
                subject: subject.clone(),
                before: was.over(1000),
                now: is.over(1000),
                units: units.filter(|grown| grown.is_paid(book)).collect(),
            })
        })
        .collect()
    }
}

/// Something that got dearer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    pub subject: String,
    /// What was counted of one call, priced.
    pub before: Money,
    pub now: Money,
    /// What it uses more of, of all that costs something.
    pub units: Vec<Grown>,
}

/// A unit of which one call uses more than before; in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grown {
    pub unit: Unit,
    pub before: u64,
    pub now: u64,
}

impl Grown {
    /// Whether it is more than before, and costs something there.
    fn is_paid(&self, book: &Book) -> bool {
        let mut more = Work::default();
        more.put(Measure::Unit(self.unit), Amount::exactly(u128::from(self.now.saturating_sub(self.before))));
        price(&more, book, Terms::List).total().high > Money::ZERO
    }
}

/// `21 → 201 document reads`.
impl fmt::Display for Grown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.unit.label().replace('-', " ");
        let (noun, each) = match self.unit {
            Unit::TableReadHalves => ("read request units", 2),
            Unit::TableWrites => ("write request units", 1),
            Unit::TableItemsRead => ("document reads", 1),
            Unit::TableItemsPut => ("document writes", 1),
            Unit::TableItemsDeleted => ("document deletes", 1),
            _ => (plain.as_str(), 1),
        };
        write!(f, "{} → {} {noun}", thousandths_text(self.before / each), thousandths_text(self.now / each))
    }
}

impl Growth {
    /// In words, a line for the price and one for each unit; `place` tells where a unit is used, where that is known: `Query of `posts`
    /// without a limit at functions/feed.ts:14`.
    pub fn text(&self, place: impl Fn(Unit) -> Option<String>) -> String {
        let mut text = format!("{}: {} → {} a call", self.subject, self.before, self.now);
        for grown in &self.units {
            text.push_str(&format!("\n  {}: {grown}", self.subject));
            if let Some(place) = place(grown.unit) {
                text.push_str(&format!(": {place}"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::Usage;
    use crate::cost::Provider;

    fn work(units: &[(Unit, u64)]) -> Work {
        let mut usage = Usage::default();
        units.iter().for_each(|(unit, amount)| usage.add(*unit, *amount));
        Work::counted(&usage)
    }

    fn baseline(subject: &str, units: &[(Unit, u64)], calls: u64) -> Baseline {
        Baseline { calls: [(subject.to_owned(), PerCall::of(&work(units), calls))].into(), ..Baseline::default() }
    }

    fn dollars(text: &str) -> Money {
        text.parse().expect(text)
    }

    #[test]
    fn a_budget_is_read_and_a_wrong_one_says_what_is_right() {
        for (text, subject, most) in
            [("POST /orders<=0.00004", "POST /orders", "0.00004"), (" resize <= $1 ", "resize", "1"), ("get  /a<=0", "GET /a", "0")]
        {
            assert_eq!(text.parse(), Ok(Budget { subject: subject.to_owned(), most: dollars(most) }), "{text}");
        }
        for (text, wanted) in [
            ("POST /orders", "write WHAT<=DOLLARS"),
            ("<=1", "write WHAT<=DOLLARS"),
            ("a<=b", "`b` is not an amount"),
            ("a<=-1", "`-1` is not"),
        ] {
            let error = text.parse::<Budget>().expect_err(text).to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn an_estimate_across_the_budget_is_no_certain_excess() {
        let budget: Budget = "f<=0.00002".parse().expect("a budget");
        for (low, high, wanted) in [
            ("0.00001", "0.00002", None),
            (
                "0.00001",
                "0.00003",
                Some("f: $0.00001–0.000030 a call may be more than its budget of $0.00002: functions' time is an estimate"),
            ),
            ("0.000021", "0.000021", Some("f: $0.000021 a call is more than its budget of $0.00002")),
        ] {
            let complaint = budget.complaint(Range { low: dollars(low), high: dollars(high) });
            assert_eq!(complaint.as_deref(), wanted.map(|text| text.replace("$0.00001–", "$0.000010–")).as_deref());
        }
    }

    #[test]
    fn a_baseline_is_the_same_to_the_byte_and_has_no_times() {
        let made = baseline(
            "GET /feed",
            &[(Unit::TableReadHalves, 63), (Unit::RouteRequests, 3), (Unit::TableWrites, 1), (Unit::InvocationMicros, 12_345)],
            3,
        );
        let text = "{\n  \"version\": 1,\n  \"calls\": {\n    \"GET /feed\": {\n      \"table-read-halves\": \"21\",\n      \"table-writes\": \"0.333\",\n      \"route-requests\": \"1\"\n    }\n  }\n}\n";
        assert_eq!(made.text(), text);
        assert_eq!(Baseline::read(text, "b.json"), Ok(made));
    }

    #[test]
    fn a_baseline_that_is_none_says_so() {
        for (text, wanted) in [
            ("{", "b.json is not one: EOF"),
            (r#"{"version":2,"calls":{}}"#, "has version 2; this emu reads version 1"),
            (r#"{"version":1,"calls":{"a":{"table-writes":"many"}}}"#, "`many` is not an amount of table-writes"),
            (r#"{"version":1,"calls":{"a":{"table-writes":"1.2345"}}}"#, "`1.2345` is not an amount"),
            (r#"{"version":1,"calls":{"a":{"table-writes":"99999999999999999999"}}}"#, "is not an amount"),
        ] {
            let error = Baseline::read(text, "b.json").expect_err(text).to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
        assert!(Baseline::read(r#"{"version":1,"calls":{"a":{"of-tomorrow":"1"}}}"#, "b.json").is_ok());
    }

    #[test]
    fn what_grew_is_told_with_before_and_now_and_where() {
        let before = baseline("GET /feed", &[(Unit::TableItemsRead, 21), (Unit::TableReadHalves, 1), (Unit::TableItemsPut, 2)], 1);
        let now = baseline("GET /feed", &[(Unit::TableItemsRead, 201), (Unit::TableReadHalves, 9), (Unit::TableItemsPut, 1)], 1);
        let grown = before.growth(&now, &Book::of(Provider::Firebase), 100);
        let place = |unit| (unit == Unit::TableItemsRead).then(|| "query without limit at functions/feed.ts:14".to_owned());
        let texts: Vec<String> = grown.iter().map(|growth| growth.text(place)).collect();
        assert_eq!(
            texts,
            ["GET /feed: $0.0000081 → $0.000061 a call\n  GET /feed: 21 → 201 document reads: query without limit at functions/feed.ts:14"]
        );
        assert!(now.growth(&before, &Book::of(Provider::Firebase), 0).is_empty(), "cheaper is no growth");
    }

    #[test]
    fn growth_within_the_tolerance_is_let_pass() {
        let book = Book::of(Provider::Aws);
        let (before, now) = (baseline("f", &[(Unit::TableWrites, 100)], 1), baseline("f", &[(Unit::TableWrites, 110)], 1));
        assert_eq!(before.growth(&now, &book, 100).len(), 0);
        assert_eq!(before.growth(&now, &book, 99).len(), 1);
        assert_eq!(Baseline::default().growth(&now, &book, 0).len(), 0, "a new function has nothing to be compared with");
    }

    proptest! {
        #[test]
        fn a_baseline_is_read_as_it_was_written(amounts in proptest::collection::vec((0..Unit::ALL.len(), 0u64..1 << 40), 0..8), calls in 1u64..1000) {
            let units: Vec<_> = amounts.iter().map(|(at, amount)| (Unit::ALL[*at], *amount)).collect();
            let made = baseline("f", &units, calls);
            prop_assert_eq!(Baseline::read(&made.text(), "b.json"), Ok(made.clone()));
            prop_assert!(made.growth(&made, &Book::of(Provider::Aws), 0).is_empty());
        }
    }
}
