//! What requests are billed, and what items are billed for while they are kept. Source: developer guide, "DynamoDB read and write
//! operations", "Managing complex workflows with transactions", "Condition expressions", "DynamoDB item sizes and formats".

use super::*;
use crate::base::Meter;

/// An item of so many bytes: names and key take 12.
fn sized(n: i64, bytes: usize) -> Item {
    let mut item = Item::new(vec![("p".into(), Value::S("k".into())), ("n".into(), number(n))]);
    let rest = bytes - item.bytes() - 1;
    item.insert("x", Value::S("x".repeat(rest)));
    assert_eq!(item.bytes(), bytes);
    item
}

fn key(n: i64) -> Item {
    Item::new(vec![("p".into(), Value::S("k".into())), ("n".into(), number(n))])
}

fn put(item: Item) -> Put {
    Put { table: "tab".into(), item, ..Put::default() }
}

fn get(n: i64, consistent: bool) -> Get {
    Get { table: "tab".into(), key: key(n), consistent, ..Get::default() }
}

fn absent() -> Guard {
    Guard { condition: Some("attribute_not_exists(p)".into()), ..Guard::default() }
}

fn query(of: &str, consistent: bool) -> Query {
    let scan = Scan { table: "tab".into(), consistent, substitutes: values(&[(":p", Value::S(of.into()))]), ..Scan::default() };
    Query { key_condition: Some("p = :p".into()), backward: false, scan }
}

/// A table without index and stream.
fn plain() -> Create {
    let attributes = [("p", KeyKind::S), ("n", KeyKind::N)];
    Create {
        attributes: attributes.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect(),
        global: None,
        stream: None,
        ..create("tab")
    }
}

/// Halves of read units, and write units, that a request is billed.
async fn billed<T>(tables: &Tables, request: impl AsyncFnOnce(&Tables, &Call) -> T) -> (u64, u64) {
    let call = Call { meter: Meter::default(), ..Call::operator() };
    request(tables, &call).await;
    let total = call.meter.total();
    (total.get(Unit::TableReadHalves), total.get(Unit::TableWrites))
}

#[tokio::test]
async fn reads_are_billed_by_4_kb_and_writes_by_1_kb() {
    let folder = tempfile::tempdir().expect("a folder");
    let tables = open(&folder);
    tables.create_table(&Call::operator(), plain()).await.expect("a table");
    let b = async |request: Put| billed(&tables, async |tables, call| tables.put_item(call, request).await.expect("a put")).await;
    assert_eq!(b(put(sized(1, 1024))).await, (0, 1));
    assert_eq!(b(put(sized(1, 1025))).await, (0, 2));
    assert_eq!(b(put(sized(1, 100))).await, (0, 2), "the larger of before and after");
    assert_eq!(b(put(sized(5, 5_000))).await, (0, 5));
    let b = async |request: Get| billed(&tables, async |tables, call| tables.get_item(call, request).await.expect("a get")).await;
    for (request, wanted) in [(get(1, false), 1), (get(1, true), 2), (get(5, false), 2), (get(5, true), 4), (get(9, false), 1)] {
        assert_eq!(b(request.clone()).await, (wanted, 0), "{request:?}");
    }
    let all = BatchGet { tables: vec![GetMany { table: "tab".into(), keys: vec![key(1), key(5), key(9)], ..GetMany::default() }] };
    let many = billed(&tables, async |tables, call| tables.batch_get(call, all).await.expect("a batch")).await;
    assert_eq!(many, (1 + 2 + 1, 0), "each item is rounded by itself");
    let none = Remove { table: "tab".into(), key: key(9), ..Remove::default() };
    assert_eq!(billed(&tables, async |tables, call| tables.delete_item(call, none).await.expect("a delete")).await, (0, 1));
}

#[tokio::test]
async fn a_page_of_items_is_rounded_as_a_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let tables = open(&folder);
    tables.create_table(&Call::operator(), plain()).await.expect("a table");
    for n in 0..5 {
        tables.put_item(&Call::operator(), put(sized(n, 1_000))).await.expect("a put");
    }
    for (of, consistent, wanted) in [("k", false, 2), ("k", true, 4), ("nobody", false, 1)] {
        let page = billed(&tables, async |tables, call| tables.query(call, query(of, consistent)).await.expect("a page")).await;
        assert_eq!(page, (wanted, 0), "{of} {consistent}");
    }
    let filtered = Scan {
        table: "tab".into(),
        filter: Some("x = :x".into()),
        substitutes: values(&[(":x", Value::S("no".into()))]),
        ..Scan::default()
    };
    let page = billed(&tables, async |tables, call| tables.scan(call, filtered).await.expect("a page")).await;
    assert_eq!(page, (2, 0), "what a filter leaves out was read");
}

#[tokio::test]
async fn a_write_whose_condition_fails_is_billed_by_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let tables = open(&folder);
    tables.create_table(&Call::operator(), plain()).await.expect("a table");
    tables.put_item(&Call::operator(), put(sized(1, 3_000))).await.expect("a put");
    let again = Put { guard: absent(), ..put(sized(1, 9_000)) };
    let failed = billed(&tables, async |tables, call| {
        assert!(matches!(tables.put_item(call, again).await, Err(Error::ConditionFailed(_))));
    });
    assert_eq!(failed.await, (0, 3));
    let present = Guard { condition: Some("attribute_exists(p)".into()), ..Guard::default() };
    let none = Remove { table: "tab".into(), key: key(9), guard: present, ..Remove::default() };
    let failed = billed(&tables, async |tables, call| {
        assert!(matches!(tables.delete_item(call, none).await, Err(Error::ConditionFailed(_))));
    });
    assert_eq!(failed.await, (0, 1), "one unit at least");
}

#[tokio::test]
async fn transactions_cost_double_and_half_of_that_where_they_are_cancelled() {
    let folder = tempfile::tempdir().expect("a folder");
    let tables = open(&folder);
    tables.create_table(&Call::operator(), plain()).await.expect("a table");
    let write = |actions| TransactWrite { actions, token: None };
    let done = write(vec![Action::Put(put(sized(1, 100))), Action::Put(put(sized(2, 2_000)))]);
    let bill = billed(&tables, async |tables, call| tables.transact_write(call, done).await.expect("a transaction")).await;
    assert_eq!(bill, (0, 2 + 4));
    let read = TransactGet { gets: vec![get(1, false), get(2, false)] };
    assert_eq!(billed(&tables, async |tables, call| tables.transact_get(call, read).await.expect("a read")).await, (4 + 4, 0));
    let cancelled = write(vec![Action::Put(Put { guard: absent(), ..put(sized(2, 100)) }), Action::Put(put(sized(3, 100)))]);
    let bill = billed(&tables, async |tables, call| {
        assert!(matches!(tables.transact_write(call, cancelled).await, Err(Error::Cancelled(_))));
    });
    assert_eq!(bill.await, (0, 2 + 1));
}

/// The bytes that everything in the table is billed for, counted afresh.
async fn counted(tables: &Tables, table: &str) -> u64 {
    let mut bytes = 0;
    for index in [None, Some("byg".to_owned())] {
        let scan = Scan { table: table.into(), index, ..Scan::default() };
        // A table without the index has no entries.
        let Ok(page) = tables.scan(&Call::operator(), scan).await else { continue };
        bytes += page.items.expect("items").iter().map(|item| item.bytes() as u64 + 100).sum::<u64>();
    }
    bytes
}

/// What is kept must be what is there.
pub(super) async fn check_kept(tables: &Tables, table: &str) {
    let kept = tables.db.stocks(&Call::operator()).await.expect("the stocks");
    assert_eq!(kept.get(Unit::TableBytesStored), counted(tables, table).await);
}

#[tokio::test]
async fn what_is_kept_follows_tables_and_indexes_that_come_and_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tables, call) = (open(&folder), Call::operator());
    tables.create_table(&call, create("tab")).await.expect("a table");
    for n in 0..4 {
        tables.put_item(&call, Put { table: "tab".into(), item: item(1, n, (n > 1).then_some(n)), ..Put::default() }).await.expect("a put");
    }
    check_kept(&tables, "tab").await;
    let change = |index| TableChange { table: "tab".into(), indexes: vec![index], ..TableChange::default() };
    tables.update_table(&call, change(IndexChange::Delete("byg".into()))).await.expect("no index");
    check_kept(&tables, "tab").await;
    let keys_only = NewIndex { projection: Some(Projection::KeysOnly), ..create("tab").global.expect("an index").remove(0) };
    let attributes = vec![("p".to_owned(), KeyKind::S), ("n".to_owned(), KeyKind::N), ("g".to_owned(), KeyKind::N)];
    let change = TableChange { attributes, ..change(IndexChange::Create(keys_only)) };
    tables.update_table(&call, change).await.expect("an index");
    check_kept(&tables, "tab").await;
    // The project file asks for another projection.
    tables.ensure(&call, create("tab")).await.expect("changed");
    check_kept(&tables, "tab").await;
    tables.delete_table(&call, "tab").await.expect("deleted");
    assert!(tables.db.stocks(&call).await.expect("the stocks").is_empty());
}
