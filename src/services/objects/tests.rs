use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::StreamExt;
use proptest::prelude::*;

use super::*;
use crate::base::{Clock, Ids, Time, Unit};
use crate::store::{Db, Options, outbox};

struct World {
    objects: Objects,
    db: Db,
    clock: Clock,
    call: Call,
    folder: tempfile::TempDir,
}

fn open(folder: tempfile::TempDir) -> World {
    let clock = Clock::frozen(Time(1_000));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: Ids::random(), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("the database opens");
    let blobs = Blobs::open(folder.path().join("blobs"), Ids::random()).expect("the folder opens");
    World { objects: Objects::new(db.clone(), blobs), db, clock, call: Call::operator(), folder }
}

async fn world() -> World {
    let world = open(tempfile::tempdir().expect("a folder"));
    let new = NewBucket { name: "photos".into(), region: "us-east-1".into() };
    world.objects.create_bucket(&world.call, new).await.expect("a bucket");
    world
}

fn put(key: &str, content: Content) -> Put {
    Put {
        bucket: "photos".into(),
        key: key.into(),
        how: How::Put,
        properties: Properties::default(),
        condition: Condition::Always,
        content,
    }
}

fn upload_of(upload: &Upload) -> UploadName {
    UploadName { bucket: upload.bucket.clone(), key: upload.key.clone(), id: upload.id.clone() }
}

/// Bytes that differ along their way.
fn bytes(length: usize, seed: u8) -> Bytes {
    (0..length).map(|at| (at as u64).wrapping_mul(2_654_435_761).to_le_bytes()[2] ^ seed).collect::<Vec<_>>().into()
}

impl World {
    async fn put(&self, key: &str, content: impl Into<Bytes>) -> Object {
        self.objects.put(&self.call, put(key, Content::of(content))).await.expect("stored").object
    }

    async fn read(&self, key: &str, range: Range) -> Result<Bytes, Error> {
        self.read_of(Name::latest("photos", key), range).await
    }

    async fn read_of(&self, name: Name, range: Range) -> Result<Bytes, Error> {
        let (found, mut stream) = self.objects.get(&self.call, &Get { name, range, wanted: Wanted::default() }).await?;
        let mut all = Vec::new();
        while let Some(chunk) = stream.next().await {
            all.extend_from_slice(&chunk.map_err(Error::Broken)?);
        }
        assert_eq!(all.len() as u64, found.length);
        Ok(all.into())
    }

    async fn events(&self) -> Vec<Event> {
        let rows = self.db.read(&self.call, |tx| outbox::oldest(tx, 1_000)).await.expect("the outbox");
        rows.iter().map(|row| serde_json::from_str(&row.body).expect("an event")).collect()
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("blobs")).expect("the folder").count()
    }

    async fn delete(&self, key: &str, which: Which) -> Removed {
        let deletion = Deletion { key: key.into(), which, condition: Condition::Always };
        self.objects.delete(&self.call, "photos", vec![deletion]).await.expect("deleted").remove(0).expect("no condition")
    }
}

#[tokio::test]
async fn small_and_large_objects_come_back_and_replaced_bytes_leave_the_disk() {
    let world = world().await;
    for length in [0, 1, 65_536, 65_537, 1_000_000] {
        let content = bytes(length, 3);
        let object = world.put("a", content.clone()).await;
        assert_eq!((object.size, object.version.clone()), (length as u64, None));
        assert_eq!(world.read("a", Range::All).await.expect("read"), content);
    }
    assert_eq!(world.files(), 1);
    world.put("a", "small").await;
    assert_eq!(world.files(), 0);
}

#[tokio::test]
async fn events_and_usage_tell_of_each_change_once() {
    let world = world().await;
    world.put("a", "hello").await;
    world.delete("a", Which::Latest).await;
    world.delete("a", Which::Latest).await;
    let events = world.events().await;
    let [Event::Created(created), Event::Deleted(deleted)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (created.how, created.key.as_str(), created.size, created.etag.as_str()),
        (How::Put, "a", 5, "5d41402abc4b2a76b9719d911017c592")
    );
    assert!(deleted.generation > created.generation && !deleted.marker);
    world.put("b", bytes(100, 0)).await;
    let before = world.call.meter.total();
    world.read("b", Range::From { first: 10, last: Some(19) }).await.expect("read");
    let after = world.call.meter.total();
    assert_eq!(after.get(Unit::ObjectBytesOut) - before.get(Unit::ObjectBytesOut), 10);
    assert_eq!(after.get(Unit::ObjectReads) - before.get(Unit::ObjectReads), 1);
    assert_eq!(after.get(Unit::ObjectDeletes), 2, "a request each");
}

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

#[tokio::test]
async fn what_is_claimed_of_the_bytes_must_hold_and_nothing_is_kept_where_it_does_not() {
    let world = world().await;
    let later = |value: Option<Vec<u8>>| Claim::Later(Box::new(move || value));
    let crc32 = vec![0x36, 0x10, 0xa6, 0x86];
    let rows: Vec<(Claims, &str)> = vec![
        (Claims { length: Some(5), ..Claims::default() }, "ok"),
        (Claims { length: Some(6), ..Claims::default() }, "Incomplete"),
        (Claims { md5: Some(vec![0; 16]), ..Claims::default() }, "Mismatch(Md5)"),
        (Claims { payload_sha256: Some(vec![0; 32]), ..Claims::default() }, "Mismatch(Payload)"),
        (Claims { algorithm: Some(Algorithm::Crc32), checksum: Claim::Given(crc32.clone()), ..Claims::default() }, "ok"),
        (Claims { algorithm: Some(Algorithm::Crc32), checksum: later(Some(crc32)), ..Claims::default() }, "ok"),
        (Claims { algorithm: Some(Algorithm::Sha256), checksum: later(None), ..Claims::default() }, "ok"),
        (Claims { algorithm: Some(Algorithm::Sha1), checksum: later(Some(vec![])), ..Claims::default() }, "Mismatch(Checksum(Sha1))"),
        (Claims { length: Some(PUT_BYTES_MAX + 1), ..Claims::default() }, "TooLarge"),
    ];
    for (claims, wanted) in rows {
        let content = Content { claims, ..Content::of("hello") };
        let found = match world.objects.put(&world.call, put("k", content)).await {
            Ok(_) => "ok".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        assert!(found.starts_with(wanted), "{found}, not {wanted}");
        let there = world.read("k", Range::All).await.is_ok();
        assert_eq!(there, wanted == "ok");
        world.delete("k", Which::Latest).await;
    }
}

#[tokio::test]
async fn conditions_decide_who_may_write() {
    let world = world().await;
    let object = world.put("there", "x").await;
    for (key, condition, wanted) in [
        ("new", Condition::Absent, "ok"),
        ("there", Condition::Absent, "Precondition(Differs)"),
        ("there", Condition::Tag(object.etag.clone()), "ok"),
        ("there", Condition::Tag("other".into()), "Precondition(Matches)"),
        ("none", Condition::Tag("other".into()), "NoSuchKey"),
        ("there", Condition::Present, "ok"),
    ] {
        let result = world.objects.put(&world.call, Put { condition, ..put(key, Content::of("x")) }).await;
        let found = result.map_or_else(|error| format!("{error:?}"), |_| "ok".to_owned());
        assert!(found.starts_with(wanted), "{key}: {found}, not {wanted}");
    }
}

#[tokio::test]
async fn of_many_writers_who_want_to_be_first_one_is() {
    let world = world().await;
    let won = AtomicUsize::new(0);
    let tries = (0..20).map(|_| async {
        let first = Put { condition: Condition::Absent, ..put("once", Content::of("x")) };
        if world.objects.put(&world.call, first).await.is_ok() {
            won.fetch_add(1, Ordering::Relaxed);
        }
    });
    futures_util::future::join_all(tries).await;
    assert_eq!(won.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_bucket_that_keeps_versions_keeps_them_and_deletes_by_a_marker() {
    let world = world().await;
    let zero = world.put("k", "zero").await;
    world.objects.set_versioning(&world.call, "photos", true).await.expect("versioning");
    let one = world.put("k", "one").await;
    let removed = world.delete("k", Which::Latest).await;
    assert!(removed.marker && removed.version.is_some());
    assert!(matches!(world.read("k", Range::All).await, Err(Error::Deleted { latest: true, .. })));
    let version = |object: &Object| Name {
        bucket: "photos".into(),
        key: "k".into(),
        which: object.version.clone().map_or(Which::Unversioned, Which::Version),
    };
    assert_eq!(world.read_of(version(&one), Range::All).await.expect("kept"), "one");
    assert_eq!(world.read_of(version(&zero), Range::All).await.expect("kept"), "zero");
    let all = VersionList { list: List { bucket: "photos".into(), max: 1, ..List::default() }, after_version: None };
    let mut seen = Vec::new();
    let mut list = all.clone();
    loop {
        let page = world.objects.list_versions(&world.call, &list).await.expect("a page");
        seen.extend(page.versions.iter().map(|(object, newest)| (object.size, object.marker, *newest)));
        let Some((key, version)) = page.next else { break };
        list.list.after = Some(key);
        list.after_version = version;
    }
    assert_eq!(seen, [(0, true, true), (3, false, false), (4, false, false)]);
    assert!(world.objects.list(&world.call, &all.list).await.expect("a page").objects.is_empty());
    world.delete("k", Which::Version(removed.version.expect("a marker"))).await;
    assert_eq!(world.read("k", Range::All).await.expect("back again"), "one");
    world.objects.set_versioning(&world.call, "photos", false).await.expect("suspended");
    world.put("k", "null").await;
    assert_eq!(world.read_of(version(&zero), Range::All).await.expect("replaced"), "null");
    assert_eq!(world.read_of(version(&one), Range::All).await.expect("kept"), "one");
}

#[tokio::test]
async fn an_upload_in_parts_becomes_one_object_without_moving_bytes() {
    let world = world().await;
    let part_bytes = PART_BYTES_MIN as usize;
    for (algorithm, composite) in [(None, false), (Some(Algorithm::Crc32), true), (Some(Algorithm::Sha256), true)] {
        let new = NewUpload { bucket: "photos".into(), key: "big".into(), properties: Properties::default(), algorithm, composite: None };
        let upload = world.objects.start_upload(&world.call, new).await.expect("begun");
        let contents = [bytes(part_bytes, 1), bytes(part_bytes, 2), bytes(10, 3)];
        let mut listed = Vec::new();
        for (number, content) in [7, 2, 9].into_iter().zip([1, 0, 2].map(|index| contents[index].clone())) {
            let part = PartName { upload: upload_of(&upload), number };
            let part = world.objects.put_part(&world.call, PutPart { part, content: Content::of(content) }).await.expect("a part");
            listed.push(Listed { number, etag: part.etag(), checksum: Some((part.checksum.algorithm, part.checksum.value)) });
        }
        listed.sort_by_key(|part| part.number);
        let complete =
            |parts: Vec<Listed>| Complete { upload: upload_of(&upload), parts, condition: Condition::Always, checksum: None, size: None };
        let mut wrong = listed.clone();
        wrong.swap(0, 1);
        assert!(matches!(world.objects.complete(&world.call, complete(wrong)).await, Err(Error::BadPartOrder)));
        let mut wrong = listed.clone();
        wrong[1].etag = "0".repeat(32);
        assert!(matches!(world.objects.complete(&world.call, complete(wrong)).await, Err(Error::BadPart(7))));
        let stored = world.objects.complete(&world.call, complete(listed)).await.expect("completed").object;
        let whole = Bytes::from(contents.concat());
        assert!(stored.etag.ends_with("-3"));
        assert_eq!((stored.crc32c, stored.crc64nvme), {
            let print = Fingerprint::of(&whole, None, false);
            (print.crc32c, print.crc64nvme)
        });
        assert_eq!(stored.checksum.as_ref().is_some_and(|checksum| checksum.of_parts == Some(3)), composite);
        assert_eq!(world.read("big", Range::All).await.expect("read"), whole);
        assert_eq!(world.read("big", Range::Part(9)).await.expect("read"), contents[2]);
        let across = Range::From { first: PART_BYTES_MIN - 5, last: Some(PART_BYTES_MIN + 4) };
        assert_eq!(world.read("big", across).await.expect("read"), whole.slice(part_bytes - 5..part_bytes + 5));
        assert!(matches!(world.objects.upload(&world.call, &upload_of(&upload)).await, Err(Error::NoSuchUpload(_))));
    }
    assert_eq!(world.files(), 2);
    assert!(matches!(world.events().await.last(), Some(Event::Created(Created { how: How::Multipart, .. }))));
}

#[tokio::test]
async fn a_part_too_small_fails_the_upload_and_aborting_frees_the_disk() {
    let world = world().await;
    let new = NewUpload { bucket: "photos".into(), key: "k".into(), properties: Properties::default(), algorithm: None, composite: None };
    let upload = world.objects.start_upload(&world.call, new).await.expect("begun");
    let mut parts = Vec::new();
    for number in [1, 2] {
        let part = PartName { upload: upload_of(&upload), number };
        let part = world.objects.put_part(&world.call, PutPart { part, content: Content::of(bytes(100_000, 1)) }).await.expect("a part");
        parts.push(Listed { number, etag: part.etag(), checksum: None });
    }
    let complete = Complete { upload: upload_of(&upload), parts, condition: Condition::Always, checksum: None, size: None };
    assert!(matches!(world.objects.complete(&world.call, complete).await, Err(Error::PartTooSmall { number: 1, .. })));
    assert_eq!(world.files(), 2);
    world.objects.abort(&world.call, upload_of(&upload)).await.expect("aborted");
    assert_eq!(world.files(), 0);
}

#[tokio::test]
async fn a_copy_shares_the_bytes_and_outlives_its_source() {
    let world = world().await;
    let content = bytes(200_000, 9);
    world.put("from", content.clone()).await;
    let copy = Copy {
        from: Name::latest("photos", "from"),
        wanted: Wanted::default(),
        bucket: "photos".into(),
        key: "to".into(),
        headers_and_metadata: None,
        tags: None,
        algorithm: None,
        condition: Condition::Always,
    };
    world.objects.copy(&world.call, copy.clone()).await.expect("copied");
    let onto_itself = Copy { key: "from".into(), ..copy.clone() };
    assert!(matches!(world.objects.copy(&world.call, onto_itself.clone()).await, Err(Error::CopyOntoItself)));
    world
        .objects
        .copy(&world.call, Copy { headers_and_metadata: Some(Properties::default()), ..onto_itself })
        .await
        .expect("changed in place");
    assert_eq!(world.files(), 1);
    world.delete("from", Which::Latest).await;
    assert_eq!(world.read("to", Range::All).await.expect("still there"), content);
    let sha = Copy { from: Name::latest("photos", "to"), key: "sha".into(), algorithm: Some(Algorithm::Sha256), ..copy };
    let (stored, _) = world.objects.copy(&world.call, sha).await.expect("copied");
    let wanted = Fingerprint::of(&content, Some(Algorithm::Sha256), false).checksum(Algorithm::Sha256);
    assert_eq!(stored.object.checksum.map(|checksum| checksum.value), wanted);
    world.delete("to", Which::Latest).await;
    world.delete("sha", Which::Latest).await;
    assert_eq!(world.files(), 0);
}

#[tokio::test]
async fn what_a_killed_process_left_behind_is_swept_and_what_was_stored_stays() {
    let world = world().await;
    let content = bytes(100_000, 5);
    world.put("kept", content.clone()).await;
    std::fs::write(world.folder.path().join("blobs").join("00ff"), b"half an object").expect("an orphan");
    let World { objects, db, folder, .. } = world;
    drop((objects, db));
    let world = open(folder);
    assert_eq!(world.objects.sweep().await.expect("swept"), 1);
    assert_eq!(world.read("kept", Range::All).await.expect("read"), content);
    assert_eq!(world.objects.sweep().await.expect("swept"), 0);
}

#[tokio::test]
async fn changes_rise_in_generation_even_where_the_clock_goes_back() {
    let world = world().await;
    let mut last = world.put("a", "1").await.generation;
    for ms in [5, -100_000, 0] {
        world.clock.advance_ms(ms);
        let next = world.put("a", "1").await.generation;
        assert!(next > last);
        last = next;
    }
}

#[tokio::test]
async fn a_bucket_is_ensured_once_and_deleted_only_when_empty() {
    let world = world().await;
    let new = |name: &str| NewBucket { name: name.into(), region: "us-east-1".into() };
    assert!(!world.objects.ensure_bucket(&world.call, new("photos")).await.expect("there"));
    assert!(world.objects.ensure_bucket(&world.call, new("more")).await.expect("made"));
    for bad in ["ab", "UPPER", "-a-", "a b c", &"x".repeat(223)] {
        assert!(matches!(world.objects.create_bucket(&world.call, new(bad)).await, Err(Error::BadBucketName(_))), "{bad}");
    }
    world.put("a", "x").await;
    assert!(matches!(world.objects.delete_bucket(&world.call, "photos").await, Err(Error::BucketNotEmpty(_))));
    world.delete("a", Which::Latest).await;
    world.objects.delete_bucket(&world.call, "photos").await.expect("deleted");
    assert!(matches!(world.objects.bucket(&world.call, "photos").await, Err(Error::NoSuchBucket(_))));
}

/// What a listing should say, worked out from all keys at once.
fn expected(keys: &BTreeSet<String>, prefix: &str, delimiter: Option<&str>) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for key in keys.iter().filter(|key| key.starts_with(prefix)) {
        let common =
            delimiter.and_then(|delimiter| key[prefix.len()..].find(delimiter).map(|at| &key[..prefix.len() + at + delimiter.len()]));
        let entry = common.map_or_else(|| format!("o:{key}"), |common| format!("p:{common}"));
        if entries.last() != Some(&entry) {
            entries.push(entry);
        }
    }
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_page_size_lists_the_same_as_all_at_once(
        keys in proptest::collection::btree_set("[ab/\u{D7FF}\u{10FFFF}]{1,5}", 0..25),
        prefix in "[ab/]{0,2}",
        delimited in any::<bool>(),
        max in 1usize..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = world().await;
            for key in &keys {
                world.put(key, "x").await;
            }
            let delimiter = delimited.then(|| "/".to_owned());
            let mut list = List { bucket: "photos".into(), prefix: prefix.clone(), delimiter: delimiter.clone(), after: None, max, ..List::default() };
            let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
            loop {
                let page = world.objects.list(&world.call, &list).await.expect("a page");
                prop_assert!(page.objects.len() + page.prefixes.len() <= max);
                objects.extend(page.objects.into_iter().map(|object| format!("o:{}", object.key)));
                prefixes.extend(page.prefixes.into_iter().map(|prefix| format!("p:{prefix}")));
                match page.next {
                    Some(next) => list.after = Some(next),
                    None => break,
                }
            }
            let (wanted_prefixes, wanted_objects): (Vec<_>, Vec<_>) =
                expected(&keys, &prefix, delimiter.as_deref()).into_iter().partition(|entry| entry.starts_with("p:"));
            prop_assert_eq!(objects, wanted_objects);
            prop_assert_eq!(prefixes, wanted_prefixes);
            Ok(())
        })?;
    }

    #[test]
    fn any_range_is_that_part_of_the_whole(length in prop_oneof![Just(0usize), 1usize..100, 65_000usize..140_000], first in 0u64..150_000, run in 0u64..150_000, from_end in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = world().await;
            let content = bytes(length, 1);
            world.put("k", content.clone()).await;
            let range = if from_end { Range::Last(run) } else { Range::From { first, last: Some(first + run) } };
            let wanted = match range {
                Range::Last(run) if run > 0 && length > 0 => Some(content.slice(length.saturating_sub(run as usize)..)),
                Range::From { first, last: Some(last) } if (first as usize) < length => Some(content.slice(first as usize..length.min(last as usize + 1))),
                _ => None,
            };
            match (world.read("k", range).await, wanted) {
                (Ok(found), Some(wanted)) => prop_assert_eq!(found, wanted),
                (Err(Error::BadRange { .. }), None) => {}
                (found, wanted) => prop_assert!(false, "{:?} is not {:?}", found.map(|bytes| bytes.len()), wanted.map(|bytes| bytes.len())),
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn rules_are_carried_out_once_a_day_on_all_that_is_old_enough() {
    use lifecycle::{Expire, Rule};
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    let world = world().await;
    let run = async || world.objects.carry_out_lifecycle(&world.call).await.expect("carried out");
    let next = async || world.objects.next_lifecycle(&world.call).await.expect("read").map(|time| time.millis() / DAY_MS);
    assert_eq!(next().await, None, "without rules there is nothing to do");
    // More versions of one key than are looked at in one go, and more keys.
    world.objects.set_versioning(&world.call, "photos", true).await.expect("set");
    for _ in 0..1_100 {
        world.put("many", "x").await;
    }
    for n in 0..1_100 {
        world.put(&format!("old/{n:04}"), if n == 0 { bytes(70_000, 1) } else { "x".into() }).await;
    }
    let upload =
        NewUpload { bucket: "photos".into(), key: "old/part".into(), properties: Properties::default(), algorithm: None, composite: None };
    let upload = world.objects.start_upload(&world.call, upload).await.expect("started");
    let rules = vec![
        Rule { prefix: "old/".into(), expire: Some(Expire::Days(1)), abort_days: Some(2), ..Rule::default() },
        Rule { noncurrent: Some(lifecycle::Noncurrent { days: 1, keep: 0 }), ..Rule::default() },
    ];
    world.objects.set_lifecycle(&world.call, "photos", Some(("document".into(), rules))).await.expect("set");
    assert_eq!(world.objects.document(&world.call, "photos", lifecycle::DOCUMENT).await.expect("read"), Some("document".into()));
    assert_eq!(next().await, Some(1), "the next midnight");
    world.clock.set(Time(DAY_MS));
    assert_eq!((next().await, run().await, next().await), (Some(1), 0, Some(2)), "nothing is a whole day old");
    world.clock.set(Time(2 * DAY_MS));
    assert_eq!(run().await, 1_099 + 1_100, "older versions of one key, newest ones of many");
    assert!(matches!(world.read("old/0500", Range::All).await, Err(Error::Deleted { .. })), "marked, for versions are kept");
    world.read("many", Range::All).await.expect("the newest version stays");
    world.objects.parts(&world.call, &upload_of(&upload), 0, 1).await.expect("the upload is two days old at the next midnight");
    world.clock.set(Time(4 * DAY_MS));
    // Version and marker of each key; the marker is alone only after that, and goes the next day.
    assert_eq!(run().await, 1_100 + 1);
    assert!(world.objects.parts(&world.call, &upload_of(&upload), 0, 1).await.is_err());
    assert_eq!(world.files(), 0, "the bytes are gone, too");
    world.clock.set(Time(5 * DAY_MS));
    assert_eq!((run().await, run().await), (1_100, 0));
    world.objects.set_lifecycle(&world.call, "photos", None).await.expect("removed");
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn events_tell_what_became_of_an_object_and_of_the_one_before() {
    let world = world().await;
    let first = world.put("k", &b"one"[..]).await;
    let second = world.put("k", &b"two"[..]).await;
    let change = |properties: &mut Properties| properties.metadata.insert("a".to_owned(), "1".to_owned()).is_none();
    let edit = |silent| Edit { name: Name::latest("photos", "k"), condition: Condition::Always, change: Box::new(change), silent };
    let edited = world.objects.edit(&world.call, edit(false)).await.expect("changed").object;
    assert_eq!((edited.metageneration, edited.generation), (2, second.generation));
    let same = world.objects.edit(&world.call, edit(false)).await.expect("unchanged").object;
    assert_eq!(same.metageneration, 2, "what is left as it is does not count");
    let deletion = Deletion { key: "k".into(), which: Which::Latest, condition: Condition::Always };
    world.objects.delete(&world.call, "photos", vec![deletion]).await.expect("deleted");
    let told: Vec<(&str, i64, i64)> = world
        .events()
        .await
        .iter()
        .map(|event| match event {
            Event::Created(created) => ("created", created.generation, created.object.as_ref().expect("told").metageneration),
            Event::Replaced { object, kept: false } => ("replaced", object.generation, object.metageneration),
            Event::Replaced { object, kept: true } => ("kept", object.generation, object.metageneration),
            Event::Updated(object) => ("updated", object.generation, object.metageneration),
            Event::Deleted(deleted) => {
                let object = deleted.object.as_ref().expect("told");
                ("deleted", object.generation, object.metageneration)
            }
        })
        .collect();
    let (first, second) = (first.generation, second.generation);
    let wanted = [("created", first, 1), ("replaced", first, 1), ("created", second, 1), ("updated", second, 2), ("deleted", second, 2)];
    assert_eq!(told, wanted);
}

#[tokio::test]
async fn changes_hold_to_the_numbers_that_are_asked_for() {
    let world = world().await;
    let there = world.put("k", &b"one"[..]).await;
    let (is, other) = (Some(there.generation), Some(there.generation + 1));
    let of = |generation, not_generation, metageneration, not_metageneration| Numbers {
        generation,
        not_generation,
        metageneration,
        not_metageneration,
    };
    for (key, numbers, wanted) in [
        ("new", of(Some(0), None, None, None), true),
        ("new", of(is, None, None, None), false),
        ("new", of(None, Some(0), None, None), false),
        ("k", of(Some(0), None, None, None), false),
        ("k", of(is, None, Some(1), None), true),
        ("k", of(is, None, Some(2), None), false),
        ("k", of(other, None, None, None), false),
        ("k", of(None, is, None, None), false),
        ("k", of(None, other, None, Some(2)), true),
        ("k", of(None, None, None, Some(1)), false),
    ] {
        let name = Name::latest("photos", key);
        let condition = Condition::Numbers(numbers.clone());
        let done = if key == "k" {
            let edit = Edit { name, condition, change: Box::new(|_| false), silent: true };
            world.objects.edit(&world.call, edit).await.is_ok()
        } else {
            let put = Put { condition, ..put(key, Content::of(&b"x"[..])) };
            let done = world.objects.put(&world.call, put).await.is_ok();
            let deletion = Deletion { key: key.into(), which: Which::Latest, condition: Condition::Always };
            world.objects.delete(&world.call, "photos", vec![deletion]).await.expect("tidied up");
            done
        };
        assert_eq!(done, wanted, "{key} {numbers:?}");
    }
}

#[tokio::test]
async fn an_object_is_made_of_others_without_moving_their_bytes() {
    let world = world().await;
    let large = bytes(200_000, 3);
    world.put("a", large.clone()).await;
    world.put("b", &b"tail"[..]).await;
    let source = |key: &str| (key.to_owned(), Which::Latest, Numbers::default());
    let compose = |sources| Compose {
        bucket: "photos".into(),
        key: "whole".into(),
        sources,
        properties: Properties::default(),
        condition: Condition::Always,
    };
    let whole = world.objects.compose(&world.call, compose(vec![source("a"), source("b")])).await.expect("made").object;
    let wanted = [large.as_ref(), b"tail"].concat();
    let print = Fingerprint::of(&wanted, None, false);
    assert_eq!(
        (whole.size, whole.crc32c, whole.crc64nvme, whole.md5, whole.parts.len()),
        (200_004, print.crc32c, print.crc64nvme, None, 2)
    );
    assert_eq!(world.read("whole", Range::All).await.expect("read"), wanted);
    assert_eq!(world.files(), 1, "the bytes are shared");
    assert!(matches!(world.objects.compose(&world.call, compose(Vec::new())).await, Err(Error::BadComponents)));
    let many = (0..=COMPONENTS_MAX).map(|_| source("b")).collect();
    assert!(matches!(world.objects.compose(&world.call, compose(many)).await, Err(Error::BadComponents)));
    assert!(matches!(world.objects.compose(&world.call, compose(vec![source("no")])).await, Err(Error::NoSuchKey { .. })));
}
