use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::base::{Call, Clock, Ids, Time, Unit};

static SCHEMA: Schema = Schema { part: "test", steps: &["CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)"] };

fn open(folder: &tempfile::TempDir) -> Db {
    let options =
        Options { path: folder.path().join("state.db"), clock: Clock::frozen(Time(1_000)), ids: Ids::seeded(1), ephemeral: false };
    Db::open(options, &[&SCHEMA]).expect("a new database opens")
}

fn insert(tx: &mut Tx<'_>, v: i64) -> Result<i64, Error> {
    tx.execute("INSERT INTO t (v) VALUES (?1)", [v])?;
    tx.count(Unit::TableWrites, 1);
    tx.emit(&Event { source: "test", resource: "t".into(), body: v.to_string() })?;
    Ok(tx.last_id())
}

async fn count(db: &Db, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    db.read(&Call::operator(), |tx| tx.row(&sql, [], |r| r.get(0))).await.expect("a count").expect("a row")
}

#[tokio::test]
async fn a_failed_write_leaves_no_row_no_event_and_no_bill() {
    let folder = tempfile::tempdir().expect("a folder");
    let (db, call) = (open(&folder), Call::operator());
    let failed: Result<(), Error> = db
        .write(&call, |tx| {
            insert(tx, 1)?;
            Err(Error::Corrupt("the test"))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!((count(&db, "t").await, count(&db, "outbox").await), (0, 0));
    assert!(call.meter.total().is_empty());
}

#[tokio::test]
async fn a_panic_in_a_write_is_rolled_back_and_the_next_write_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let (db, call) = (open(&folder), Call::operator());
    let result: Result<(), Error> = db
        .write(&call, |tx| {
            insert(tx, 1)?;
            panic!("on purpose")
        })
        .await;
    assert!(matches!(result, Err(Error::Panicked)));
    db.write(&call, |tx| insert(tx, 2)).await.expect("the writer still works");
    assert_eq!((count(&db, "t").await, count(&db, "outbox").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writes_from_many_tasks_all_land_once_and_failures_among_them_do_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (db, call) = (open(&folder), Call::operator());
    let failed = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..400)
        .map(|i| {
            let (db, call, failed) = (db.clone(), call.clone(), failed.clone());
            tokio::spawn(async move {
                let result: Result<i64, Error> = db
                    .write(&call, move |tx| {
                        let id = insert(tx, i)?;
                        if i % 7 == 0 { Err(Error::Corrupt("the test")) } else { Ok(id) }
                    })
                    .await;
                if result.is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no task panics");
    }
    let bad = (0..400).filter(|i| i % 7 == 0).count();
    assert_eq!(failed.load(Ordering::Relaxed), bad);
    assert_eq!(count(&db, "t").await, 400 - bad as i64);
    assert_eq!(call.meter.total().get(Unit::TableWrites), 400 - bad as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_kept_follows_the_commits_and_what_was_tried_is_billed_anyway() {
    let folder = tempfile::tempdir().expect("a folder");
    let (db, call) = (open(&folder), Call::operator());
    let tasks: Vec<_> = (0..200)
        .map(|i| {
            let (db, call) = (db.clone(), call.clone());
            tokio::spawn(async move {
                let _: Result<(), Error> = db
                    .write(&call, move |tx| {
                        tx.keep(Unit::ObjectBytesStored, if i % 2 == 0 { 10 } else { -4 });
                        tx.keep(Unit::TableWrites, 1);
                        tx.count_anyway(Unit::ObjectWrites, 1);
                        tx.count(Unit::ObjectReads, 1);
                        if i % 5 == 0 { Err(Error::Corrupt("the test")) } else { Ok(()) }
                    })
                    .await;
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no task panics");
    }
    let kept = db.stocks(&Call::operator()).await.expect("the stocks");
    // Of each ten the even ones but the first, and the odd ones but the sixth.
    let bytes = 20 * (4 * 10 - 4 * 4);
    assert_eq!(kept.iter().collect::<Vec<_>>(), [(Unit::ObjectBytesStored, bytes)], "only stocks are kept");
    assert_eq!((call.meter.total().get(Unit::ObjectWrites), call.meter.total().get(Unit::ObjectReads)), (200, 160));
    assert_eq!(kept_in(&folder.path().join("state.db")).expect("read beside the World"), kept);
    assert!(kept_in(&folder.path().join("none.db")).expect("nothing").is_empty());
}

#[tokio::test]
async fn a_waiter_is_woken_by_the_commit_and_nobody_listening_means_no_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let (db, call) = (open(&folder), Call::operator());
    let notify = db.woken(outbox::WAKE);
    let mut woken = std::pin::pin!(notify.notified());
    woken.as_mut().enable();
    db.write(&call, |tx| insert(tx, 1)).await.expect("a write");
    woken.await;
    db.set_interest(Box::new(|_, _| false));
    db.write(&call, |tx| insert(tx, 2)).await.expect("a write");
    assert_eq!(count(&db, "outbox").await, 1);
}

#[tokio::test]
async fn a_lease_comes_back_when_it_ends_and_an_old_receipt_is_worthless() {
    let folder = tempfile::tempdir().expect("a folder");
    static LEASED: Schema =
        Schema { part: "leased", steps: &["CREATE TABLE l (id INTEGER PRIMARY KEY, due INTEGER, attempts INTEGER, receipt TEXT)"] };
    let clock = Clock::frozen(Time(1_000));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&LEASED]).expect("a new database opens");
    let call = Call::operator();
    let claim =
        || async { db.write(&Call::operator(), |tx| lease::claim(tx, "l", ("1", &[]), 10, tx.now().plus_ms(500))).await.expect("a claim") };
    db.write(&call, |tx| tx.execute("INSERT INTO l VALUES (1, 0, 0, NULL)", [])).await.expect("a row");
    let first = claim().await;
    assert_eq!((first.len(), first[0].attempts), (1, 1));
    assert!(claim().await.is_empty());
    clock.advance_ms(500);
    let second = claim().await;
    assert_eq!(second[0].attempts, 2);
    let (old, new) = (first[0].receipt.clone(), second[0].receipt.clone());
    let acks = db
        .write(&call, move |tx| Ok::<_, Error>((lease::acknowledge(tx, "l", 1, &old)?, lease::acknowledge(tx, "l", 1, &new)?)))
        .await
        .expect("acknowledged");
    assert_eq!(acks, (false, true));
}

#[test]
fn a_database_of_a_newer_emu_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(&folder));
    static OLDER: Schema = Schema { part: "test", steps: &[] };
    let options = Options { path: folder.path().join("state.db"), clock: Clock::system(), ids: Ids::random(), ephemeral: false };
    assert!(matches!(Db::open(options, &[&OLDER]), Err(Error::Newer { found: 1, known: 0, .. })));
}

#[tokio::test]
async fn a_query_is_compiled_once_whatever_it_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let (db, call) = (open(&folder), Call::operator());
    db.write(&call, |tx| tx.execute("CREATE INDEX t_v ON t (v) WHERE v > 3", [])).await.expect("made");
    let compiled = |tx: &mut Tx<'_>| {
        let mut statement = tx.statement("SELECT id FROM t WHERE v > ?1 AND v < ?2 LIMIT ?3")?;
        for at in 0..9 {
            statement.query_map([at, at * 7, at + 1], |_| Ok(()))?.for_each(drop);
        }
        Ok::<_, Error>(statement.get_status(rusqlite::StatementStatus::RePrepare))
    };
    assert_eq!(db.read(&call, compiled).await.expect("read"), 0);
    let built = |tx: &mut Tx<'_>| tx.rows("PRAGMA compile_options", [], |row| row.get::<_, String>(0));
    let built = db.read(&call, built).await.expect("read");
    assert!(built.iter().any(|option| option == "DEFAULT_MEMSTATUS=0"), "{built:?}");
    assert!(!built.iter().any(|option| option == "ENABLE_STAT4"), "{built:?}");
}
