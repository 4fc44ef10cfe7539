//! What requests cost, and what is kept.

use super::*;

/// Requests of the PUT kind, of the GET kind, of the DELETE kind.
async fn billed<T>(world: &World, request: impl AsyncFnOnce(&World, &Call) -> T) -> [u64; 3] {
    let call = Call { meter: crate::base::Meter::default(), ..Call::operator() };
    request(world, &call).await;
    [Unit::ObjectWrites, Unit::ObjectReads, Unit::ObjectDeletes].map(|unit| call.meter.total().get(unit))
}

/// Source: "Amazon S3 pricing", requests and data retrievals.
#[tokio::test]
async fn each_request_is_billed_as_its_kind_whether_it_succeeds_or_not() {
    let world = world().await;
    world.put("a", "hello").await;
    let get = |key: &str| Get { name: Name::latest("photos", key), range: Range::All, wanted: Wanted::default() };
    let list = List { bucket: "photos".into(), max: 10, ..List::default() };
    let again = || Put { condition: Condition::Absent, ..put("a", Content::of("x")) };
    let gone = |keys: &[&str]| {
        keys.iter().map(|key| Deletion { key: (*key).into(), which: Which::Latest, condition: Condition::Always }).collect::<Vec<_>>()
    };
    let o = &world.objects;
    assert_eq!(billed(&world, async |_, call| o.get(call, &get("a")).await.is_ok()).await, [0, 1, 0]);
    assert_eq!(billed(&world, async |_, call| o.get(call, &get("none")).await.is_ok()).await, [0, 1, 0], "404");
    assert_eq!(billed(&world, async |_, call| o.head(call, &get("none")).await.is_ok()).await, [0, 1, 0]);
    assert_eq!(billed(&world, async |_, call| o.put(call, again()).await.is_ok()).await, [1, 0, 0], "412");
    assert_eq!(billed(&world, async |_, call| o.list(call, &list).await.is_ok()).await, [1, 0, 0]);
    let uploads = UploadList { bucket: "photos".into(), max: 10, ..UploadList::default() };
    assert_eq!(billed(&world, async |_, call| o.uploads(call, &uploads).await.is_ok()).await, [1, 0, 0], "a LIST");
    assert_eq!(billed(&world, async |_, call| o.delete(call, "photos", gone(&["a", "b"])).await.is_ok()).await, [0, 0, 1]);
}

#[tokio::test]
async fn what_is_kept_follows_versions_parts_and_copies() {
    let world = world().await;
    let kept = async || world.db.stocks(&world.call).await.expect("the stocks").get(Unit::ObjectBytesStored);
    world.put("a", bytes(100_000, 1)).await;
    world.put("a", bytes(70, 2)).await;
    assert_eq!(kept().await, 70, "replaced");
    world.objects.set_versioning(&world.call, "photos", true).await.expect("versions");
    world.put("a", bytes(30, 3)).await;
    assert_eq!(kept().await, 100, "each version is kept");
    world.delete("a", Which::Latest).await;
    assert_eq!(kept().await, 100, "a mark that it is gone takes nothing away");
    world.delete("a", Which::Unversioned).await;
    assert_eq!(kept().await, 30);
    let new = NewUpload { bucket: "photos".into(), key: "b".into(), properties: Properties::default(), algorithm: None, composite: None };
    let upload = upload_of(&world.objects.start_upload(&world.call, new).await.expect("begun"));
    for length in [500, 200] {
        let part = PartName { upload: upload.clone(), number: 1 };
        world.objects.put_part(&world.call, PutPart { part, content: Content::of(bytes(length, 4)) }).await.expect("a part");
    }
    assert_eq!(kept().await, 230, "parts are kept, replaced ones are not");
    world.objects.abort(&world.call, upload).await.expect("given up");
    assert_eq!(kept().await, 30);
}

#[tokio::test]
async fn bytes_that_a_function_reads_do_not_leave() {
    let world = world().await;
    world.put("a", "hello").await;
    let call = Call { caller: crate::base::Caller::Function("resize".into()), meter: crate::base::Meter::default(), ..Call::operator() };
    let get =
        Get { name: Name { bucket: "photos".into(), key: "a".into(), which: Which::Latest }, range: Range::All, wanted: Wanted::default() };
    drop(world.objects.get(&call, &get).await.expect("read"));
    let total = call.meter.total();
    assert_eq!((total.get(Unit::ObjectReads), total.get(Unit::ObjectBytesOut)), (1, 0));
}
