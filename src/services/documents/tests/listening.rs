//! What listeners are told, message by message.

use serde_json::json;

use super::super::listen::{Add, Event, Listener, Target};
use super::*;

/// Events in short.
fn told(events: &[Event]) -> String {
    let ids = |ids: &[i32]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let short = events.iter().map(|event| match event {
        Event::Added(id) => format!("add {id}"),
        Event::Removed(id) => format!("remove {id}"),
        Event::Reset(id) => format!("reset {id}"),
        Event::Changed { document, targets, removed } if removed.is_empty() => format!("{}→{}", document.name.path(), ids(targets)),
        Event::Changed { document, targets, removed } => format!("{}→{}-{}", document.name.path(), ids(targets), ids(removed)),
        Event::Gone { name, targets, deleted: true, .. } => format!("{} deleted→{}", name.path(), ids(targets)),
        Event::Gone { name, targets, deleted: false, .. } => format!("{} left→{}", name.path(), ids(targets)),
        Event::Filter { target, count, .. } => format!("filter {target}={count}"),
        Event::Current { target, .. } => format!("current {target}"),
        Event::Snapshot(_) => "snapshot".to_owned(),
    });
    short.collect::<Vec<_>>().join(" ")
}

fn target(id: i32, query: Query) -> Add {
    Add { id, target: Target::Query(Box::new(Query::new(query).expect("a query"))), since: None, once: false }
}

async fn next(listener: &mut Listener) -> String {
    loop {
        listener.woken().await.expect("a hub");
        let events = listener.events().await.expect("events");
        if !events.is_empty() {
            return told(&events);
        }
    }
}

fn last(events: &[Event]) -> Timestamp {
    match events.last() {
        Some(Event::Snapshot(at)) => *at,
        other => panic!("a snapshot comes last, not {other:?}"),
    }
}

fn tagged(tag: &str) -> Query {
    let condition = Condition { field: field("tag"), op: Op::Equal, value: Value::Text(tag.to_owned()) };
    Query { filter: Some(Filter::One(condition)), ..all("c") }
}

fn delete(path: &str) -> Write {
    Write { name: name(path), change: Change::Delete, precondition: None, transforms: Vec::new() }
}

#[tokio::test]
async fn a_query_tells_what_comes_changes_and_goes() {
    let world = world();
    world.commit(vec![put("c/a", json!({"tag": "x"})), put("c/b", json!({"tag": "y"}))]).await.expect("documents");
    let mut listener = world.documents.listen(&world.call);
    let events = listener.add(target(1, tagged("x"))).await.expect("a target");
    assert_eq!(told(&events), "add 1 c/a→1 current 1 snapshot");
    // One commit is one snapshot, and what it has nothing to do with is not told.
    world
        .commit(vec![put("c/c", json!({"tag": "x"})), put("c/d", json!({"tag": "y"})), put("c/a", json!({"tag": "x", "n": 1}))])
        .await
        .expect("writes");
    assert_eq!(next(&mut listener).await, "c/a→1 c/c→1 snapshot");
    world.commit(vec![put("c/z", json!({"tag": "y"})), put("other/z", json!({"tag": "x"}))]).await.expect("writes");
    world.commit(vec![put("c/a", json!({"tag": "y"})), delete("c/c")]).await.expect("writes");
    assert_eq!(next(&mut listener).await, "c/a left→1 c/c deleted→1 snapshot");
    assert_eq!(told(&listener.remove(1).await), "remove 1");
}

#[tokio::test]
async fn several_targets_see_one_moment() {
    let world = world();
    let mut listener = world.documents.listen(&world.call);
    listener.add(target(2, tagged("x"))).await.expect("a target");
    listener.add(target(4, tagged("y"))).await.expect("a target");
    let one = Add { id: 6, target: Target::Documents([name("c/a")].into()), since: None, once: false };
    assert_eq!(told(&listener.add(one).await.expect("a target")), "add 6 current 6 snapshot");
    world.commit(vec![put("c/a", json!({"tag": "x"}))]).await.expect("a write");
    assert_eq!(next(&mut listener).await, "c/a→2,6 snapshot");
    world.commit(vec![put("c/a", json!({"tag": "y"}))]).await.expect("a write");
    assert_eq!(next(&mut listener).await, "c/a→4,6-2 snapshot");
    world.commit(vec![delete("c/a")]).await.expect("a write");
    assert_eq!(next(&mut listener).await, "c/a deleted→4,6 snapshot");
    let once = Add { once: true, ..target(8, all("c")) };
    assert_eq!(told(&listener.add(once).await.expect("a target")), "add 8 current 8 snapshot remove 8");
    assert!(listener.add(target(2, all("c"))).await.is_err(), "a number stands for one target");
}

#[tokio::test]
async fn a_window_moves_as_a_whole() {
    let world = world();
    world.commit((1..=4).map(|n| put(&format!("c/{n}"), json!({ "n": n }))).collect()).await.expect("documents");
    let mut listener = world.documents.listen(&world.call);
    let query = Query { order: vec![Order { field: field("n"), descending: true }], limit: Some(2), ..all("c") };
    let events = listener.add(target(1, query)).await.expect("a target");
    assert_eq!(told(&events), "add 1 c/3→1 c/4→1 current 1 snapshot");
    world.commit(vec![delete("c/4")]).await.expect("a write");
    assert_eq!(next(&mut listener).await, "c/2→1 c/4 deleted→1 snapshot");
    world.commit(vec![put("c/9", json!({"n": 9}))]).await.expect("a write");
    assert_eq!(next(&mut listener).await, "c/2 left→1 c/9→1 snapshot");
    world.commit(vec![put("c/3", json!({"n": 0}))]).await.expect("a write");
    assert_eq!(next(&mut listener).await, "c/2→1 c/3 left→1 snapshot");
}

#[tokio::test]
async fn who_comes_back_is_told_what_was_missed() {
    let world = world();
    world
        .commit(vec![put("c/a", json!({"tag": "x"})), put("c/b", json!({"tag": "x"})), put("c/c", json!({"tag": "x"}))])
        .await
        .expect("documents");
    let events = world.documents.listen(&world.call).add(target(1, tagged("x"))).await.expect("a target");
    let since = Some(last(&events));
    world.commit(vec![put("c/a", json!({"tag": "x", "n": 1})), delete("c/b")]).await.expect("writes");
    let mut listener = world.documents.listen(&world.call);
    let events = listener.add(Add { since, ..target(1, tagged("x")) }).await.expect("a target");
    assert_eq!(told(&events), "add 1 c/a→1 filter 1=2 current 1 snapshot");
    let Some(Event::Filter { unchanged, .. }) = events.iter().find(|event| matches!(event, Event::Filter { .. })) else {
        panic!("a filter")
    };
    assert!(unchanged.may_have(&name("c/c").full()), "what has not changed is in it");
    assert!(!unchanged.may_have(&name("c/b").full()), "what is gone is not");
    // A time that has not been yet is of another state: all is told anew.
    let since = Some(Timestamp::of_micros(i64::MAX));
    let events = world.documents.listen(&world.call).add(Add { since, ..target(1, tagged("x")) }).await.expect("a target");
    assert_eq!(told(&events), "add 1 reset 1 c/a→1 c/c→1 current 1 snapshot");
}

#[tokio::test]
async fn times_of_snapshots_grow_and_cover_what_they_tell() {
    let world = world();
    let mut listener = world.documents.listen(&world.call);
    let mut before = last(&listener.add(target(1, all("c"))).await.expect("a target"));
    for n in 0..10 {
        let at = world.commit(vec![put("c/a", json!({ "n": n }))]).await.expect("a write").at;
        listener.woken().await.expect("a hub");
        let events = listener.events().await.expect("events");
        let now = last(&events);
        assert!(now > before && now >= at);
        before = now;
    }
}

#[tokio::test]
async fn a_listener_that_is_far_behind_begins_anew() {
    let world = world();
    let mut listener = world.documents.listen(&world.call);
    listener.add(target(1, all("c"))).await.expect("a target");
    let mut other = world.documents.listen(&world.call);
    other.add(target(1, all("c"))).await.expect("a target");
    for n in 0..1_100 {
        world.commit(vec![put("c/a", json!({ "n": n }))]).await.expect("a write");
        // The other one hears each, so that they are told one by one.
        next(&mut other).await;
    }
    assert_eq!(next(&mut listener).await, "reset 1 c/a→1 current 1 snapshot");
    world.commit(vec![delete("c/a")]).await.expect("a write");
    assert_eq!(next(&mut listener).await, "c/a deleted→1 snapshot");
}

#[tokio::test]
async fn a_cleared_database_tells_that_all_is_gone() {
    let world = world();
    world.commit(vec![put("c/a", json!({})), put("c/b", json!({}))]).await.expect("documents");
    let mut listener = world.documents.listen(&world.call);
    listener.add(target(1, all("c"))).await.expect("a target");
    world.documents.clear(&world.call, &database()).await.expect("cleared");
    assert_eq!(next(&mut listener).await, "c/a deleted→1 c/b deleted→1 snapshot");
}
