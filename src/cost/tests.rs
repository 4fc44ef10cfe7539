//! The algebra of bills, and what is in emu's own books.

use proptest::prelude::*;

use super::*;
use crate::base::{Unit, Usage};

fn a_work() -> impl Strategy<Value = Work> {
    let amounts = proptest::collection::vec((0..Measure::all().count(), 0u128..1 << 50, 0u128..1 << 40), 0..12);
    amounts.prop_map(|amounts| {
        let mut work = Work::default();
        for (at, low, more) in amounts {
            let measure = Measure::all().nth(at).expect("within");
            let more = if matches!(measure, Measure::Time(_)) { more } else { 0 };
            work.put(measure, Amount { low, high: low + more });
        }
        work
    })
}

fn a_provider() -> impl Strategy<Value = Provider> {
    proptest::sample::select(Provider::ALL)
}

fn added<V: Add>(a: &V, b: &V) -> V {
    sum([a, b])
}

proptest! {
    #[test]
    fn the_parts_bills_add_up_to_the_bill_of_the_whole(parts in proptest::collection::vec(a_work(), 0..6), provider in a_provider()) {
        let book = Book::of(provider);
        let bills: Vec<Bill> = parts.iter().map(|part| price(part, &book, Terms::List)).collect();
        prop_assert_eq!(sum(&bills), price(&sum(&parts), &book, Terms::List));
    }

    #[test]
    fn the_order_of_records_is_irrelevant(a in a_work(), b in a_work(), c in a_work(), provider in a_provider()) {
        prop_assert_eq!(added(&a, &b), added(&b, &a));
        prop_assert_eq!(added(&added(&a, &b), &c), added(&a, &added(&b, &c)));
        prop_assert_eq!(added(&a, &Work::default()), a.clone());
        let [a, b, c] = [a, b, c].map(|work| price(&work, &Book::of(provider), Terms::List));
        prop_assert_eq!(added(&a, &b), added(&b, &a));
        prop_assert_eq!(added(&added(&a, &b), &c), added(&a, &added(&b, &c)));
        prop_assert_eq!(added(&Bill::default(), &a), a);
    }

    #[test]
    fn groups_add_up_to_the_whole_in_any_order(works in proptest::collection::vec((0..4u8, a_work()), 0..8)) {
        let there = group(works.iter().map(|(key, work)| (key, work)));
        let back = group(works.iter().rev().map(|(key, work)| (key, work)));
        prop_assert_eq!(&there, &back);
        prop_assert_eq!(sum(there.values()), sum(works.iter().map(|(_, work)| work)));
    }

    #[test]
    fn shares_of_a_month_add_up_to_the_month(parts in proptest::collection::vec(a_work(), 1..5), provider in a_provider(), free_tier: bool) {
        let bill = price(&sum(&parts), &Book::of(provider), Terms::Month { free_tier });
        let shares = bill.shares(&parts.iter().collect::<Vec<_>>());
        prop_assert_eq!(sum(&shares).total(), bill.total());
        prop_assert!(shares.iter().flat_map(Bill::lines).all(|line| line.amount.low <= line.amount.high));
    }

    #[test]
    fn more_work_never_costs_less(a in a_work(), b in a_work(), provider in a_provider(), free_tier: bool) {
        let book = Book::of(provider);
        for terms in [Terms::List, Terms::Month { free_tier }] {
            let (less, more) = (price(&a, &book, terms).total(), price(&added(&a, &b), &book, terms).total());
            prop_assert!(less.low <= more.low && less.high <= more.high && more.low <= more.high);
        }
    }

    #[test]
    fn what_is_free_makes_no_month_dearer(work in a_work(), provider in a_provider()) {
        let book = Book::of(provider);
        let total = |free_tier| price(&work, &book, Terms::Month { free_tier }).total();
        prop_assert!(total(true).high <= total(false).high && total(true).low <= total(false).low);
    }

    #[test]
    fn a_thousand_calls_are_a_thousand_times_one(work in a_work()) {
        let scaled = work.scaled(1000, 1);
        for (measure, amount) in work.iter() {
            let times = if measure.is_stock() { 1 } else { 1000 };
            prop_assert_eq!(scaled.get(measure), Amount { low: amount.low * times, high: amount.high * times });
        }
    }
}

#[test]
fn every_measure_is_priced_covered_or_missing_with_a_reason_at_every_provider() {
    for provider in Provider::ALL {
        let book = Book::of(*provider);
        for unit in Unit::ALL {
            let measure = Measure::Unit(*unit);
            let priced = book.items.iter().any(|item| item.counts.contains_key(&measure));
            let places = [priced, book.covered.contains(&measure), book.none.contains_key(&measure)];
            assert_eq!(
                places.iter().filter(|here| **here).count(),
                1,
                "{provider}: {measure} is priced, covered, without counterpart: {places:?}"
            );
        }
        for item in &book.items {
            assert!(item.counts.keys().all(|measure| Group::of(*measure) == item.group), "{provider}: {}", item.key);
        }
        assert!(book.items.iter().any(|item| item.counts.keys().any(|measure| matches!(measure, Measure::Time(_)))), "{provider}");
        assert!(book.items.iter().all(|item| item.date <= book.date), "{provider}");
    }
}

#[test]
fn without_counterpart_it_is_said_not_invented() {
    let mut usage = Usage::default();
    usage.add(Unit::Mails, 3);
    usage.add(Unit::Invocations, 1);
    let bill = price(&Work::counted(&usage), &Book::of(Provider::Firebase), Terms::List);
    let missing: Vec<_> = bill.missing().map(|(measure, missing)| (measure.label(), missing.amount.high, missing.why.as_str())).collect();
    assert_eq!(
        missing,
        [("mails", 3, "Firebase has no service that sends mail; its mail extension uses a relay that bills its own price")]
    );
    assert_eq!(bill.total().low.decimal(), "0.0000004");
}

#[test]
fn the_same_usage_has_a_price_at_every_provider() {
    let mut usage = Usage::default();
    for (unit, amount) in
        [(Unit::Invocations, 1), (Unit::RouteRequests, 1), (Unit::TableReadHalves, 20), (Unit::TableItemsRead, 10), (Unit::TableWrites, 2)]
    {
        usage.add(unit, amount);
    }
    usage.add(Unit::TableItemsPut, 1);
    let million = Work::counted(&usage).scaled(1_000_000, 1);
    for (provider, wanted) in [
        // 1 request 0.20, 1 of the API 1.00, 10 RRU 1.25, 2 WRU 1.25.
        (Provider::Aws, "3.7"),
        (Provider::AwsArm, "3.7"),
        // 1 request 0.40, 10 documents read 3.00, 1 written 0.90.
        (Provider::Firebase, "4.3"),
        (Provider::Gcp, "4.3"),
        // 1 request 0.30, 10 rows read 0.01, 1 written 1.00.
        (Provider::Cloudflare, "1.31"),
        // 1 execution 0.20, 10 RU read 2.50, 6 RU written 1.50.
        (Provider::Azure, "4.2"),
    ] {
        let bill = price(&million, &Book::of(provider), Terms::List);
        assert_eq!((bill.total().low.decimal().as_str(), bill.total().is_exact()), (wanted, true), "{provider}");
    }
}

#[test]
fn a_users_sheet_is_laid_over_the_book_by_key() {
    let sheet = Sheet::read(
        "provider: aws\ndate: 2026-10-01\nitems:\n  lambda-duration: {price: 0.00001, note: agreed}\n  stream: {name: Firehose, group: api, counts: {stream-reads: 1}, unit: reads, price: 1, source: us}\n",
        "ours.yaml",
    )
    .expect("a sheet");
    let books = Book::with(vec![("ours.yaml".to_owned(), sheet)]).expect("books");
    assert_eq!(books.iter().map(|book| book.provider).collect::<Vec<_>>(), Provider::ALL);
    let aws = &books[0];
    let duration = aws.item("lambda-duration").expect("still there");
    assert_eq!((duration.tiers.len(), duration.tiers[0].price.decimal().as_str()), (1, "0.00001"));
    assert_eq!((duration.name.as_str(), duration.note.as_deref()), ("Lambda duration", Some("agreed")));
    assert_eq!((aws.date.0.as_str(), aws.items.len()), ("2026-10-01", Book::of(Provider::Aws).items.len() + 1));
    assert_eq!(books[1].item("lambda-duration").map(|item| item.tiers.len()), Some(3), "another provider's book stays");
}

#[test]
fn a_wrong_sheet_says_where_and_what() {
    for (text, wanted) in [
        ("provider: aws\nitems:\n  a: {price: \"a lot\"}\n", "f.yaml:3:"),
        ("provider: aws\nitems:\n  a: {price: \"a lot\"}\n", "`a lot` is not an amount in dollars"),
        ("provider: aws\nitems:\n  a: {price: -1}\n", "`-1` is not an amount"),
        ("provider: aws\nitems:\n  a: {cost: \"1\"}\n", "unknown field `cost`"),
        ("provider: aws\nitems:\n  a: {counts: {invocation: 1}}\n", "nothing is counted as `invocation`; the nearest is `invocations`"),
        ("provider: aws\nitems:\n  a: {date: 21.08.2026}\n", "`21.08.2026` is not a day"),
        ("provider: aws\nitems:\n  a: {date: 2026-13-01}\n", "is not a day"),
        ("provider: awz\n", "there is no provider `awz`"),
        ("provider: [\n", "f.yaml:"),
        ("items: {}\n", "does not say whose prices it has"),
        ("provider: aws\nitems:\n  new: {price: \"1\"}\n", "the price `new` has no `counts`"),
        ("provider: aws\nitems:\n  new: {fee: true, price: \"1\"}\n", "the price `new` has no `name`"),
        ("provider: aws\nitems:\n  egress: {per: 0}\n", "`per` times `size` is zero"),
        ("provider: aws\nitems:\n  egress: {per: 18446744073709551615}\n", "too much to be exact"),
        ("provider: aws\nitems:\n  egress: {tiers: [{above: 5, price: \"1\"}]}\n", "tiers rise from `above: 0`"),
        ("provider: aws\nitems:\n  egress: {tiers: []}\n", "tiers rise from `above: 0`"),
        ("provider: aws\nitems:\n  egress: {price: \"1\", tiers: [{above: 0, price: \"1\"}]}\n", "both a price and tiers"),
        ("provider: aws\nitems:\n  egress: {counts: {invocations: 0}}\n", "counts something zero times"),
        ("provider: aws\nitems:\n  egress: {counts: {}}\n", "counts nothing"),
        ("provider: aws\nname: \"\"\n", "an empty text"),
    ] {
        let read = Sheet::read(text, "f.yaml").map_err(Error::from);
        let error = read.and_then(|sheet| Book::with(vec![("f.yaml".to_owned(), sheet)])).expect_err(text).to_string();
        assert!(error.contains(wanted), "{text}: {error}");
    }
    let large = format!("# {}", "x".repeat(FILE_BYTES_MAX));
    assert!(matches!(Sheet::read(&large, "f.yaml"), Err(Unreadable::TooLarge { .. })));
}

#[test]
fn a_begun_lot_is_billed_whole_only_by_the_month() {
    let mut usage = Usage::default();
    usage.add(Unit::ObjectWrites, 1);
    let book = Book::of(Provider::Cloudflare);
    let one = |terms| price(&Work::counted(&usage), &book, terms).groups().get(&Group::Objects).map(|range| range.high.decimal());
    assert_eq!(one(Terms::List).as_deref(), Some("0.0000045"));
    assert_eq!(one(Terms::Month { free_tier: false }).as_deref(), Some("4.5"));
    assert_eq!(one(Terms::Month { free_tier: true }).as_deref(), Some("0"));
}

/// A checkout: 40 ms, 6 of them computing, two waits for tables; and a mail.
fn checkout() -> Work {
    let mut usage = Usage::default();
    for (unit, amount) in [
        (Unit::Invocations, 2),
        (Unit::RouteRequests, 1),
        (Unit::TableReadHalves, 4),
        (Unit::TableItemsRead, 2),
        (Unit::TableWrites, 2),
        (Unit::TableItemsPut, 1),
        (Unit::Mails, 1),
    ] {
        usage.add(unit, amount);
    }
    let compute =
        Compute { wall_micros: 8_000, cpu_micros: 6_000, memory_mib: 512, service_rounds: 2, service_micros: 2_000, ..Compute::default() };
    added(
        &Work::counted(&usage),
        &Work::invoked(&compute, &Assumptions { cold_starts: ColdStarts::Permille(0, 0), ..Assumptions::default() }),
    )
}

fn books() -> Vec<Book> {
    Provider::ALL.iter().map(|provider| Book::of(*provider)).collect()
}

#[test]
fn providers_stand_side_by_side() {
    let work = checkout();
    let question = report::Question {
        subject: "POST /orders",
        work: &work,
        recorded: 1,
        calls: 1_000_000,
        terms: Terms::List,
        assumptions: "as said",
    };
    let wanted = "\
POST /orders: 1M calls at list prices

provider              total   functions    api  tables      mail
AWS x86       $103.0–103.2?  $0.46–0.74  $1.00   $1.50  $100.00?
AWS Arm       $102.9–103.2?  $0.45–0.67  $1.00   $1.50  $100.00?
Firebase         $2.4–4.8?*    $0.9–3.3  incl.  $1.50?        –*
Google Cloud     $2.4–4.8?*    $0.9–3.3  incl.  $1.50?        –*
Workers          $1.6–1.7?*  $0.61–0.72  incl.  $1.00?        –*
Azure         $252.6–253.2?    $0.6–1.2  incl.  $2.00?  $250.00?

? the source of a price is second-hand or old; `emu prices` shows which
* Firebase: 1M mails not priced: Firebase has no service that sends mail; its mail extension uses a
  relay that bills its own price
* Google Cloud: 1M mails not priced: Google Cloud has no service that sends mail; a relay elsewhere
  bills its own price
* Workers: 1M mails not priced: no list price of a service that sends mail is known
Functions' time is estimated, all else counted: as said.
List prices of 2026-08-21, US dollars.
";
    assert_eq!(report::comparison(&question, &books()), wanted);
}

#[test]
fn an_invoice_shows_quantities_prices_and_amounts() {
    let work = checkout();
    let terms = Terms::Month { free_tier: true };
    let question = report::Question { subject: "POST /orders", work: &work, recorded: 1, calls: 5_000_000, terms, assumptions: "as said" };
    let wanted = "\
POST /orders: 5M calls a month, with what is free
Workers, everywhere

item                                       quantity                  price  amount
Workers Paid plan                                            $5.00 a month   $5.00
Workers processor time  3,000,000–30,000,000 CPU ms    $0.02 per 1M CPU ms      $0
Workers requests                10,000,000 requests  $0.30 per 1M requests      $0
D1 rows read ?                      10,000,000 rows     $0.001 per 1M rows      $0
D1 rows written ?                    5,000,000 rows      $1.00 per 1M rows      $0
mails *                                          5M                      –       –
total                                                                        $5.00

Workers processor time: waiting is free, and so are cold starts
D1 rows read: an item is taken as a row
D1 rows written: an item is taken as a row; an index writes a row more
* no list price of a service that sends mail is known
List prices of 2026-08-21, US dollars.
";
    assert_eq!(report::invoice(&question, &Book::of(Provider::Cloudflare)), wanted);
}

#[test]
fn a_breakdown_adds_up() {
    let mut usage = Usage::default();
    usage.add(Unit::TableWrites, 3);
    let parts = [("mailer".to_owned(), Work::counted(&usage)), ("checkout".to_owned(), checkout())];
    let terms = Terms::Month { free_tier: false };
    let question =
        report::Question { subject: "all", work: &Work::default(), recorded: 2, calls: 1_000_000, terms, assumptions: "as said" };
    let wanted = "\
all: 1M calls a month, without what is free
AWS x86, us-east-1

               amount  share
checkout  $51.5–51.6?   98 %
mailer          $0.94    2 %
total     $52.4–52.6?

Functions' time is estimated, all else counted: as said.
List prices of 2026-08-21, US dollars.
";
    assert_eq!(report::breakdown(&question, &parts, &Book::of(Provider::Aws)), wanted);
}

#[test]
fn programs_get_decimal_texts() {
    let work = checkout();
    let question =
        report::Question { subject: "POST /orders", work: &work, recorded: 1, calls: 1, terms: Terms::List, assumptions: "as said" };
    let json = report::comparison_json(&question, &[Book::of(Provider::Aws)]);
    assert_eq!(json["terms"], serde_json::json!({"list": true}));
    let aws = &json["providers"][0];
    assert_eq!(
        (&aws["provider"], &aws["groups"]["tables"]),
        (&"aws".into(), &serde_json::json!({"low": "0.0000015", "high": "0.0000015"}))
    );
    let reads = aws["lines"].as_array().and_then(|lines| lines.iter().find(|line| line["key"] == "dynamodb-reads"));
    assert_eq!(reads.map(|line| line["quantity"].clone()), Some(serde_json::json!(["2", "2"])));
}
