//! Transactions: no update is lost, and nobody waits for ever.

use serde_json::json;

use super::*;

async fn read(world: &World, id: &[u8], path: &str) -> Result<i64, Error> {
    let got = world.documents.get(&world.call, &[name(path)], None, &View::Transaction(id.to_vec())).await?;
    let document = got.documents.into_iter().next().and_then(|(_, document)| document);
    Ok(match document.and_then(|document| document.fields.get("n").cloned()) {
        Some(Value::Int(n)) => n,
        _ => 0,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_clients_count_to_sixty_four() {
    let world = Arc::new(world());
    world.commit(vec![put("c/counter", json!({"n": 0}))]).await.expect("a counter");
    let clients = (0..64).map(|_| {
        let world = world.clone();
        tokio::spawn(async move {
            // As many attempts as the SDKs make.
            for attempt in 1..=5 {
                let id = world.documents.begin(&world.call, &database(), Begin::default()).await.expect("a transaction");
                let n = read(&world, &id, "c/counter").await.expect("a read");
                let write = put("c/counter", json!({ "n": n + 1 }));
                match world.documents.commit(&world.call, &database(), vec![write], Some(&id)).await {
                    Ok(_) => return attempt,
                    Err(Error::Contention) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            panic!("five attempts were not enough");
        })
    });
    let attempts = futures_util::future::join_all(clients).await;
    assert!(attempts.into_iter().all(|attempts| attempts.is_ok()));
    assert_eq!(world.fields("c/counter").await, Some(fields(json!({"n": 64}))));
}

#[tokio::test]
async fn a_commit_fails_where_what_was_read_has_changed() {
    let world = world();
    world.commit(vec![put("c/a", json!({"n": 1})), put("c/b", json!({"n": 1}))]).await.expect("documents");
    let begin = async || world.documents.begin(&world.call, &database(), Begin::default()).await.expect("a transaction");
    let commit = async |id: &[u8]| world.documents.commit(&world.call, &database(), vec![put("c/out", json!({}))], Some(id)).await;
    // A document that changed, one that came, a query that finds another; and what has nothing to do with it.
    let id = begin().await;
    read(&world, &id, "c/a").await.expect("a read");
    world.commit(vec![put("c/a", json!({"n": 2}))]).await.expect("a write");
    assert!(matches!(commit(&id).await, Err(Error::Contention)));
    let id = begin().await;
    read(&world, &id, "c/new").await.expect("a read");
    world.commit(vec![put("c/new", json!({"n": 2}))]).await.expect("a write");
    assert!(matches!(commit(&id).await, Err(Error::Contention)));
    let id = begin().await;
    let query = Query::new(Query { limit: Some(1), ..all("q") }).expect("a query");
    world.documents.query(&world.call, &query, &View::Transaction(id.clone())).await.expect("documents");
    world.commit(vec![put("q/x", json!({}))]).await.expect("a write");
    assert!(matches!(commit(&id).await, Err(Error::Contention)));
    let id = begin().await;
    read(&world, &id, "c/a").await.expect("a read");
    world.commit(vec![put("c/b", json!({"n": 3}))]).await.expect("a write");
    commit(&id).await.expect("nothing that was read has changed");
    assert!(matches!(commit(&id).await, Err(Error::TransactionOver)), "a transaction ends with its commit");
}

#[tokio::test]
async fn a_transaction_that_only_reads_sees_one_moment() {
    let world = world();
    world.commit(vec![put("c/a", json!({"n": 1}))]).await.expect("a document");
    let begin = Begin { read_only: true, read_time: None };
    let id = world.documents.begin(&world.call, &database(), begin).await.expect("a transaction");
    world.commit(vec![put("c/a", json!({"n": 2})), put("c/b", json!({}))]).await.expect("a write");
    assert_eq!(read(&world, &id, "c/a").await.expect("a read"), 1);
    let query = Query::new(all("c")).expect("a query");
    let found = world.documents.query(&world.call, &query, &View::Transaction(id.clone())).await.expect("documents");
    assert_eq!(found.documents.len(), 1);
    let write = vec![put("c/a", json!({"n": 3}))];
    assert!(world.documents.commit(&world.call, &database(), write, Some(&id)).await.is_err(), "it may not write");
    let past = View::At(Timestamp::of_micros(1));
    let got = world.documents.get(&world.call, &[name("c/a")], None, &past).await;
    assert!(matches!(got, Err(Error::TooOld)));
}

#[tokio::test]
async fn transactions_expire() {
    let world = world();
    let id = world.documents.begin(&world.call, &database(), Begin::default()).await.expect("a transaction");
    for _ in 0..4 {
        world.clock.advance_ms(59_000);
        read(&world, &id, "c/a").await.expect("it is used often enough");
    }
    world.clock.advance_ms(59_000);
    assert!(matches!(read(&world, &id, "c/a").await, Err(Error::TransactionOver)), "older than 270 seconds");
    let id = world.documents.begin(&world.call, &database(), Begin::default()).await.expect("a transaction");
    world.clock.advance_ms(61_000);
    let error = read(&world, &id, "c/a").await.expect_err("unused for a minute").to_string();
    assert!(error.contains("has expired"), "the SDKs try again where the text says so: {error}");
}
