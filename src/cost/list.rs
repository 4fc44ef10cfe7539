//! The prices themselves, for people and for programs: `emu prices`.

use std::fmt::Write;

use serde_json::{Value, json};

use super::book::{Book, Item};
use super::money::Money;
use super::sheet::Every;
use super::table::{Table, finish};

/// Marks a price whose source is second-hand or old.
pub const UNCERTAIN: &str = "?";
/// Most calls that are reckoned with.
pub const COUNT_MAX: u64 = 1_000_000_000_000;
/// Stands where a provider has no price.
pub const NOTHING: &str = "–";

/// The prices of books: `emu prices`.
pub fn price_list(books: &[Book]) -> String {
    let mut out = String::new();
    for book in books {
        let mut table = Table::new(["item", "price", "free in a month", "source", "read"]);
        for item in &book.items {
            let name = format!("{}{}", item.name, if item.uncertain { format!(" {UNCERTAIN}") } else { String::new() });
            table.row(vec![name, first_price(item), free(item), item.source.clone(), item.date.to_string()]);
            for tier in item.tiers.iter().skip(1) {
                let blank = String::new;
                table.row(vec![blank(), format!("  {} over {}", plain(tier.price), count(tier.above)), blank(), blank(), blank()]);
            }
        }
        let separator = if out.is_empty() { "" } else { "\n" };
        let _ = write!(out, "{separator}{} ({}), {}, {}\n\n{}", book.name, book.provider, book.region, book.date, table.left().text());
        let notes: Vec<String> =
            book.items.iter().filter_map(|item| item.note.as_ref().map(|note| format!("{}: {note}", item.name))).collect();
        let none = book.none.iter().map(|(measure, why)| format!("no counterpart of {measure}: {why}"));
        finish(&mut out, &notes.into_iter().chain(none).collect::<Vec<_>>());
    }
    let _ =
        write!(out, "\n{UNCERTAIN} the source is second-hand or old. Another price? Lay your own file over these: `emu prices --help`.\n");
    out
}

/// The prices of books for programs.
pub fn price_list_json(books: &[Book]) -> Value {
    let list = books.iter().map(|book| {
        json!({
            "provider": book.provider, "name": book.name, "region": book.region, "date": book.date,
            "items": book.items.iter().map(|item| item_json(item)).collect::<Vec<_>>(),
            "covered": book.covered, "none": book.none,
        })
    });
    json!({ "currency": "USD", "books": list.collect::<Vec<_>>() })
}

fn item_json(item: &Item) -> Value {
    json!({
        "key": item.key, "name": item.name, "group": item.group, "counts": item.counts, "size": item.size,
        "unit": item.unit, "per": item.per, "whole": item.whole, "fee": item.fee,
        "tiers": item.tiers.iter().map(|tier| json!({ "above": tier.above, "price": tier.price })).collect::<Vec<_>>(),
        "free": item.free.map(|free| json!({ "amount": free.amount, "every": if free.every == Every::Day { "day" } else { "month" } })),
        "source": item.source, "date": item.date, "uncertain": item.uncertain, "note": item.note,
    })
}

/// `$0.40 per 1M requests, 0.30 over 100B`.
pub fn prices(item: &Item) -> String {
    let further = item.tiers.iter().skip(1).map(|tier| format!(", {} over {}", plain(tier.price), count(tier.above)));
    std::iter::once(first_price(item)).chain(further).collect()
}

/// `$0.20 per 1M requests`.
fn first_price(item: &Item) -> String {
    let Some(tier) = item.tiers.first() else { return NOTHING.to_owned() };
    let price = format!("${}", plain(tier.price));
    if tier.price == Money::ZERO {
        return "free".to_owned();
    }
    if item.fee {
        return format!("{price} a month");
    }
    let unit = if item.per == 1 { item.unit.trim_end_matches('s').to_owned() } else { format!("{} {}", count(item.per), item.unit) };
    format!("{price} per {unit}{}", if item.whole { ", begun lots whole" } else { "" })
}

/// A price as it is listed: all its digits, two decimals at least.
fn plain(price: Money) -> String {
    let text = price.decimal();
    match text.split_once('.') {
        None => format!("{text}.00"),
        Some((_, decimals)) if decimals.len() == 1 => format!("{text}0"),
        Some(_) => text,
    }
}

fn free(item: &Item) -> String {
    match item.free {
        None => NOTHING.to_owned(),
        Some(free) if free.every == Every::Day => format!("{} a day", count(free.amount)),
        Some(free) => format!("{} {}", count(free.amount), item.unit),
    }
}

/// `1M`, `2.5M`, `400k`, `50,000` is `50k`.
pub fn count(number: u64) -> String {
    for (unit, sign) in [(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")] {
        if number >= unit && number.is_multiple_of(unit / 100) {
            let hundredths = number / (unit / 100);
            let decimals = format!("{:02}", hundredths % 100);
            let decimals = decimals.trim_end_matches('0');
            let point = if decimals.is_empty() { "" } else { "." };
            return format!("{}{point}{decimals}{sign}", hundredths / 100);
        }
    }
    number.to_string()
}

/// Reads `1000000`, `1M`, `2.5M`, `400k`, `1_000`.
pub fn parse_count(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{}` is not a number of calls; write e.g. 500000, 500k or 1M", text.chars().take(40).collect::<String>());
    let (digits, times) = match text.chars().last() {
        Some('k' | 'K') => (&text[..text.len() - 1], 1_000),
        Some('M' | 'm') => (&text[..text.len() - 1], 1_000_000),
        Some('B' | 'b' | 'G') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let amount: Money = digits.replace('_', "").parse().map_err(|_| wrong())?;
    let one = 10u128.pow(super::money::DECIMALS as u32);
    let scaled = amount.times(times).atoms();
    match u64::try_from(scaled / one) {
        Ok(count) if scaled.is_multiple_of(one) && count > 0 && count <= COUNT_MAX => Ok(count),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short() {
        for (number, wanted) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1k"),
            (1_005, "1005"),
            (1_010, "1.01k"),
            (50_000, "50k"),
            (2_500_000, "2.5M"),
            (1_234_567, "1234567"),
            (18_750_000_000, "18.75B"),
        ] {
            assert_eq!(count(number), wanted);
        }
    }

    #[test]
    fn numbers_of_calls_are_read() {
        for (text, wanted) in
            [("1M", Some(1_000_000)), ("2.5k", Some(2_500)), ("1_000", Some(1_000)), ("7", Some(7)), ("1B", Some(1_000_000_000))]
        {
            assert_eq!(parse_count(text).ok(), wanted, "{text}");
        }
        for text in ["", "M", "0", "-1", "1.5", "0.0001k", "1e6", "1000001B", "é"] {
            assert!(parse_count(text).is_err_and(|error| error.contains("write e.g.")), "{text}");
        }
    }
}
