mod units;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::base::{Call, Clock, Ids, Time, Unit};
use crate::store::Options;

fn open(folder: &tempfile::TempDir) -> Tables {
    let options = Options {
        path: folder.path().join("state.db"),
        clock: Clock::frozen(Time(1_700_000_000_000)),
        ids: Ids::seeded(1),
        ephemeral: true,
    };
    Tables::new(Db::open(options, &[&SCHEMA]).expect("a new database opens"))
}

fn create(name: &str) -> Create {
    let attributes = [("p", KeyKind::S), ("n", KeyKind::N), ("g", KeyKind::N)];
    Create {
        name: name.into(),
        attributes: attributes.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect(),
        keys: vec![("p".into(), true), ("n".into(), false)],
        global: Some(vec![NewIndex {
            name: "byg".into(),
            keys: vec![("g".into(), true), ("n".into(), false)],
            projection: Some(Projection::All),
            stray_attributes: false,
            throughput: None,
        }]),
        on_demand: true,
        stream: Some(View::NewAndOldImages),
        ..Create::default()
    }
}

fn number(n: i64) -> Value {
    Value::N(n.into())
}

fn item(p: u8, n: i64, g: Option<i64>) -> Item {
    let mut item = Item::new(vec![("p".into(), Value::S(p.to_string())), ("n".into(), number(n))]);
    if let Some(g) = g {
        item.insert("g", number(g));
    }
    item
}

fn values(values: &[(&str, Value)]) -> Substitutes {
    Substitutes { names: None, values: Some(values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()) }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, i64, Option<i64>),
    Delete(u8, i64),
    Add(u8, i64, i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let n = -3i64..4;
    let step = prop_oneof![
        3 => (0u8..3, n.clone(), proptest::option::of(0i64..3)).prop_map(|(p, n, g)| Step::Put(p, n, g)),
        1 => (0u8..3, n.clone()).prop_map(|(p, n)| Step::Delete(p, n)),
        1 => (0u8..3, n, 0i64..3).prop_map(|(p, n, g)| Step::Add(p, n, g)),
    ];
    proptest::collection::vec(step, 0..40)
}

/// All pages of a query, `limit` items each.
async fn pages(tables: &Tables, mut query: Query, limit: usize) -> Vec<Item> {
    let mut all = Vec::new();
    loop {
        query.scan.limit = Some(limit);
        let page = tables.query(&Call::operator(), query.clone()).await.expect("a page");
        all.extend(page.items.expect("items"));
        match page.last {
            Some(last) => query.scan.start = Some(last),
            None => return all,
        }
    }
}

async fn run(steps: &[Step], limit: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let (tables, call) = (open(&folder), Call::operator());
    tables.create_table(&call, create("tab")).await.expect("a table");
    let mut model: BTreeMap<(u8, i64), Option<i64>> = BTreeMap::new();
    let mut changes = 0;
    for step in steps {
        let before = model.clone();
        match *step {
            Step::Put(p, n, g) => {
                model.insert((p, n), g);
                tables.put_item(&call, Put { table: "tab".into(), item: item(p, n, g), ..Put::default() }).await.expect("a put");
            }
            Step::Delete(p, n) => {
                model.remove(&(p, n));
                tables
                    .delete_item(&call, Remove { table: "tab".into(), key: item(p, n, None), ..Remove::default() })
                    .await
                    .expect("a delete");
            }
            Step::Add(p, n, g) => {
                let slot = model.entry((p, n)).or_default();
                *slot = Some(slot.unwrap_or(0) + g);
                let guard = Guard { substitutes: values(&[(":g", number(g))]), ..Guard::default() };
                let update =
                    Update { table: "tab".into(), key: item(p, n, None), update: Some("ADD g :g".into()), guard, ..Update::default() };
                tables.update_item(&call, update).await.expect("an update");
            }
        }
        changes += usize::from(before != model);
    }
    let scanned = tables.scan(&call, Scan { table: "tab".into(), ..Scan::default() }).await.expect("a scan");
    assert_eq!(scanned.count, model.len());
    for p in 0..3 {
        for backward in [false, true] {
            let scan = Scan { table: "tab".into(), substitutes: values(&[(":p", Value::S(p.to_string()))]), ..Scan::default() };
            let query = Query { key_condition: Some("p = :p".into()), backward, scan };
            let mut wanted: Vec<Item> = model.range((p, i64::MIN)..=(p, i64::MAX)).map(|((p, n), g)| item(*p, *n, *g)).collect();
            if backward {
                wanted.reverse();
            }
            assert_eq!(pages(&tables, query, limit).await, wanted);
        }
    }
    for g in 0..6 {
        let scan = Scan {
            table: "tab".into(),
            index: Some("byg".into()),
            substitutes: values(&[(":g", number(g)), (":n", number(-1))]),
            ..Scan::default()
        };
        let query = Query { key_condition: Some("g = :g AND n >= :n".into()), backward: false, scan };
        let found = pages(&tables, query, limit).await;
        assert!(found.is_sorted_by_key(|item| item.get("n").and_then(|n| if let Value::N(n) = n { n.to_i64() } else { None })));
        let wanted = model.iter().filter(|((_, n), own)| **own == Some(g) && *n >= -1).count();
        assert_eq!(found.len(), wanted);
    }
    units::check_kept(&tables, "tab").await;
    let records = tables.stream_records(&call, "tab", 0, 1000).await.expect("records");
    assert_eq!(records.len(), changes);
    assert!(records.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn tables_and_their_indexes_agree_with_a_plain_map(steps in steps(), limit in 1usize..4) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(run(&steps, limit));
    }
}

#[tokio::test]
async fn a_table_whose_creation_was_rolled_back_is_not_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tables, call) = (open(&folder), Call::operator());
    let cache = tables.cache.clone();
    let failed: Result<(), Error> = tables
        .db
        .write(&call, move |tx| {
            let definition = create("tab").define("id".into(), tx.now())?;
            store::insert_table(tx, definition)?;
            assert!(store::catalog(&cache, tx)?.tables.contains_key("tab"));
            Err(Error::Invalid("on purpose".into()))
        })
        .await;
    assert!(failed.is_err());
    assert!(matches!(tables.describe_table(&call, "tab").await, Err(Error::NoSuchTableToManage(_))));
    tables.create_table(&call, create("tab")).await.expect("the name is free");
    tables.describe_table(&call, "tab").await.expect("now it is there");
    tables.delete_table(&call, "tab").await.expect("deleted");
    assert!(matches!(tables.describe_table(&call, "tab").await, Err(Error::NoSuchTableToManage(_))));
}

#[tokio::test]
async fn writers_of_a_stream_wake_its_readers_and_say_why_they_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tables, mut call) = (open(&folder), Call::operator());
    tables.create_table(&call, create("tab")).await.expect("a table");
    call.depth = 3;
    call.cause = crate::base::Cause::Event(7);
    let notify = tables.db.woken(&Tables::stream_wake_key("tab"));
    let mut woken = std::pin::pin!(notify.notified());
    woken.as_mut().enable();
    tables.put_item(&call, Put { table: "tab".into(), item: item(1, 1, None), ..Put::default() }).await.expect("a put");
    woken.await;
    let records = tables.stream_records(&call, "tab", 0, 10).await.expect("records");
    assert_eq!((records[0].depth, &records[0].cause, &records[0].trace), (3, &call.cause, &call.trace));
    assert_eq!(tables.stream_end(&call, "tab").await.expect("an end"), records[0].sequence);
}

#[tokio::test]
async fn items_are_billed_by_the_piece_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tables, call) = (open(&folder), Call::operator());
    tables.create_table(&call, create("tab")).await.expect("a table");
    let table = || "tab".to_owned();
    let used = || [Unit::TableItemsRead, Unit::TableItemsPut, Unit::TableItemsDeleted].map(|unit| call.meter.total().get(unit));
    for n in 0..3 {
        tables.put_item(&call, Put { table: table(), item: item(1, n, Some(n)), ..Put::default() }).await.expect("a put");
    }
    assert_eq!(used(), [0, 3, 0]);
    for n in [0, 9] {
        tables.get_item(&call, Get { table: table(), key: item(1, n, None), ..Get::default() }).await.expect("a get");
    }
    assert_eq!(used(), [2, 3, 0], "what is not there costs a read");
    tables.delete_item(&call, Remove { table: table(), key: item(1, 0, None), ..Remove::default() }).await.expect("a delete");
    assert_eq!(used(), [2, 3, 1]);
    tables.scan(&call, Scan { table: table(), ..Scan::default() }).await.expect("a scan");
    assert_eq!(used(), [4, 3, 1]);
    let nobody = values(&[(":p", Value::S("nobody".into()))]);
    let query = Query {
        key_condition: Some("p = :p".into()),
        backward: false,
        scan: Scan { table: table(), substitutes: nobody, ..Scan::default() },
    };
    tables.query(&call, query).await.expect("a query");
    assert_eq!(used(), [5, 3, 1], "a query that finds nothing costs a read");
    let write = BatchWrite { tables: vec![(table(), vec![Ok(item(2, 0, None)), Err(item(1, 1, None))])] };
    tables.batch_write(&call, write).await.expect("a batch");
    assert_eq!(used(), [5, 4, 2]);
}

#[tokio::test]
async fn an_item_is_read_of_the_table_that_is_there_now() {
    let folder = tempfile::tempdir().expect("a folder");
    // Two over one database: each knows the tables as it saw them last.
    let here = open(&folder);
    let there = Tables::new(here.db().clone());
    let call = Call::operator();
    let get = Get { table: "t".into(), key: item(1, 1, None), ..Get::default() };
    assert!(matches!(here.get_item(&call, get.clone()).await, Err(Error::NoSuchTable(_))));
    for g in [5, 6] {
        there.create_table(&call, create("t")).await.expect("made");
        there.put_item(&call, Put { table: "t".into(), item: item(1, 1, Some(g)), ..Put::default() }).await.expect("put");
        let found = here.get_item(&call, get.clone()).await.expect("found").item;
        assert_eq!(found, Some(item(1, 1, Some(g))));
        assert_eq!(here.get_item(&call, get.clone()).await.expect("found again").item, found);
        there.delete_table(&call, "t").await.expect("deleted");
        assert!(matches!(here.get_item(&call, get.clone()).await, Err(Error::NoSuchTable(_))));
    }
}
