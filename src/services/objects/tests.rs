mod bill;
mod conditions;
mod lists;
mod uploads;

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
